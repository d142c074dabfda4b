"""Make items as any program may have stored them: any value that DynamoDB permits, in any attribute but the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import strategies as st

Typed = dict[str, Any]
# Extremes that readers stumble over, each as DynamoDB keeps it
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html).
EXTREMES: tuple[Typed, ...] = (
    {"N": "1e100"},
    {"N": "-1e100"},
    {"N": "9.9999999999999999999999999999999999999E+125"},
    {"N": "1E-130"},
    {"N": "99999999999999999999999999999999999999"},
    {"N": "0"},
    {"N": "-0.5"},
    {"S": ""},
    {"S": " "},
    {"S": "null"},
    {"S": "[]"},
    {"S": "{}"},
    {"S": '{"a": NaN}'},
    {"S": "{"},
    {"S": "\u202e\u2800\x00"},
    {"S": "9999-99-99T99:99:99.999999Z"},
    {"S": "2026-01-31T09:15:02.104233Z"},
    {"S": "2026-01-31"},
    {"S": "x" * 300},
    {"B": b""},
    {"B": b"\xff\x00"},
    {"BOOL": True},
    {"BOOL": False},
    {"NULL": True},
    {"SS": ["a", "b"]},
    {"NS": ["1", "1e100"]},
    {"BS": [b"a"]},
    {"L": []},
    {"L": [{"NULL": True}, {"N": "1e100"}]},
    {"M": {}},
    {"M": {"": {"S": "an empty name"}, "a": {"M": {"b": {"L": [{"B": b"x"}]}}}}},
)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20).map(str)
SCALARS: st.SearchStrategy[Typed] = st.one_of(
    st.sampled_from(EXTREMES),
    TEXTS.map(lambda text: {"S": text}),
    NUMBERS.map(lambda number: {"N": number}),
    st.binary(max_size=10).map(lambda content: {"B": content}),
)
VALUES: st.SearchStrategy[Typed] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: {"L": values}),
        st.dictionaries(TEXTS, inner, max_size=3).map(lambda values: {"M": values}),
    ),
    max_leaves=4,
)


def hostile(item: Mapping[str, Typed], keys: frozenset[str]) -> st.SearchStrategy[Typed]:
    """Make an item of one that fits: an attribute that is not a key is kept, gone or anything; there may be others."""
    others = sorted(item.keys() - keys)
    choices = {name: st.one_of(st.just(item[name]), st.none(), VALUES) for name in others}
    extra = st.dictionaries(st.sampled_from(["other", "x" * 200, "#"]), VALUES, max_size=1)

    def put_together(changed: tuple[dict[str, Typed | None], dict[str, Typed]]) -> Typed:
        found, more = changed
        kept = {name: value for name, value in found.items() if value is not None}
        return {**{name: item[name] for name in keys if name in item}, **kept, **more}

    return st.tuples(st.fixed_dictionaries(choices), extra).map(put_together)


# What a key may be, of a table or an index: any value of its type, but no empty text.
KEYS: dict[str, st.SearchStrategy[Typed]] = {
    "N": st.one_of(
        st.sampled_from([value for value in EXTREMES if "N" in value]),
        NUMBERS.map(lambda number: {"N": number}),
        st.integers(-(10**20), 10**20).map(lambda number: {"N": str(number)}),
    ),
    "S": st.one_of(
        st.sampled_from([value for value in EXTREMES if value.get("S")]),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).map(
            lambda text: {"S": text}
        ),
        st.sampled_from([{"S": "0"}, {"S": "~"}, {"S": "\u0662026-01-31T09:15:02.104233Z"}]),
    ),
}


def changes(
    *attributes: str, index: Mapping[str, str] | None = None, own: Mapping[str, Sequence[Typed]] | None = None
) -> st.SearchStrategy[dict[str, Typed | None]]:
    """Make what becomes of one or two attributes of an item: gone (None), or any value that they can have.

    `index` gives the types of those that are keys of an index, and `own` what to try besides, where it means something.
    """
    keys, tried = dict(index or {}), own or {}

    def value(name: str) -> st.SearchStrategy[Typed | None]:
        permitted = KEYS[keys[name]] if name in keys else VALUES
        return st.one_of(st.none(), permitted, *(st.just(one) for one in tried.get(name, ())))

    names = st.lists(st.sampled_from([*attributes, *keys]), min_size=1, max_size=2, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: value(name) for name in chosen}))


def changed(item: Mapping[str, Typed], new: Mapping[str, Typed | None]) -> Typed:
    """Return an item with attributes set, or without those that are None."""
    return {name: value for name, value in {**item, **new}.items() if value is not None}


class Response(Protocol):
    """What a caller gets."""

    @property
    def status(self) -> int: ...


@dataclass
class Watch:
    """Send requests, and find the responses that should not be: none is 5xx, and no error comes with a write."""

    client: Any
    tables: Sequence[str]
    found: list[str] = field(default_factory=list)

    def send(self, route: str, call: Callable[[], Any]) -> Any:
        """Make the call of a route, whose name stands in what is found."""
        before = snapshot(self.client, *self.tables)
        response: Response = call()
        if response.status >= 500:
            self.found.append(f"{response.status}: {route}")
        if response.status >= 400 and snapshot(self.client, *self.tables) != before:
            self.found.append(f"written, then {response.status}: {route}")
        return response

    def expect(self, pair: str, *, agrees: bool) -> None:
        """Note a pair of routes that do not agree."""
        if not agrees:
            self.found.append(f"disagree: {pair}")

    def agree(self, pair: str, one: object, other: object) -> None:
        """Compare what two routes say of the same thing."""
        self.expect(pair, agrees=one == other)


def snapshot(client: Any, *tables: str) -> dict[str, list[str]]:
    """Return all that tables hold, in an order of its own."""
    return {table: sorted(repr(sorted(item.items())) for item in everything(client, table)) for table in tables}


def everything(client: Any, table: str) -> list[Typed]:
    found: list[Typed] = []
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        response = client.scan(**request)
        found += response["Items"]
        if "LastEvaluatedKey" not in response:
            return found
        request["ExclusiveStartKey"] = response["LastEvaluatedKey"]

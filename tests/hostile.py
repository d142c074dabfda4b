"""Make items as any program may have stored them: any value that DynamoDB permits, in any attribute but the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    """Make an item of one that fits: an attribute that is no key is kept, gone or anything; there may be others."""
    others = sorted(item.keys() - keys)
    choices = {name: st.one_of(st.just(item[name]), st.none(), VALUES) for name in others}
    extra = st.dictionaries(st.sampled_from(["other", "x" * 200, "#"]), VALUES, max_size=1)

    def put_together(changed: tuple[dict[str, Typed | None], dict[str, Typed]]) -> Typed:
        found, more = changed
        kept = {name: value for name, value in found.items() if value is not None}
        return {**{name: item[name] for name in keys if name in item}, **kept, **more}

    return st.tuples(st.fixed_dictionaries(choices), extra).map(put_together)


def snapshot(client: Any, *tables: str) -> dict[str, list[str]]:
    """Return all that tables hold, in an order of its own."""
    return {table: sorted(repr(sorted(item.items())) for item in everything(client, table)) for table in tables}


def everything(client: Any, table: str) -> list[Typed]:
    found: list[Typed] = []
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        answer = client.scan(**request)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

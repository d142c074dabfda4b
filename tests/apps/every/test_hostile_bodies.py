"""Whatever bytes come as a body, no route of any app fails, and none keeps anything else than what was sent."""

import asyncio
import json
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.every.body_routes import BodyRoute, Digits, routes_of
from tests.apps.every.every_app import App

MARKER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
HOLE = "@@hole@@"
# What stands in the place of a value, as JSON or as what somebody takes for JSON.
DIGITS = "0.1234567890123456789012"
NUMBERS = (
    *("1", "1.0", "1e0", "-0", "-0.0", "0.1", "0.10", "12.5", "1e-7", "0.1234567", "99.95", "1e10", "1e400", "-1e400"),
    *(
        "1e-400",
        DIGITS,
        f"12.5{'0' * 22}1",
        f"12.5{'0' * 30}",
        f"12.5{'0' * 60}",
        "0e999",
        "0e-999",
        f"50.{'0' * 40}1",
        "9007199254740993.0",
        "1e9" + "9" * 20,
    ),
    *("9" * 38, "9" * 39, "9" * 400, "9" * 5_000, "9007199254740993", "NaN", "Infinity", "-Infinity", "01", "+1"),
    *(".5", "1.", "0x1", "1_0", "\uff11", "1900000000000"),
)
NAMES = (
    *(
        "",
        " ",
        "1",
        "\u2800",
        "\u200b",
        "\u3164",
        "a\u202eb",
        "a\u115f",
        "a\ufe0f",
        "a\U000e0041",
        "a\u2028b",
        "\ufeff",
    ),
    *("e\u0301", "\u0958", "é", "\u00a0", "\u0301", "\U0001fae9", f"\u202e{MARKER}", MARKER, "1900000000000"),
)
UNSEEN = "\x00\t\n\x85\u115f\u200b\u2028\u202e\u2800\u3164\ufeff\U000e0041"
ESCAPED = ("\\u0000", "\\ud800", "\\udc00\\ud800", "\\ud83d\\ude00", "a\\tb", "\\u00e9")
TIMES = (
    *(
        "2035010100",
        "2035-01-01",
        "2035-01-01T00:00:00",
        "20350101T000000Z",
        "2035-W01-1T00:00:00Z",
        "2035-01-01T00:00Z",
    ),
    *("2035-01-01T00:00:00Z", "2035-01-01t00:00:00z", "2035-01-01 00:00:00Z", "2034-12-31T23:59:60Z"),
    *("2035-01-01T00:00:00.1234567Z", "2035-01-01T00:00:00.123456000Z", "2035-01-01T24:00:00Z"),
    *("2035-02-30T00:00:00Z", "2035-01-01T00:00:00+0100", "2035-01-01T00:00:00-00:00", "2035-01-01T00:00:00+24:00"),
)
PARTS = (
    *("true", "null", "[]", "{}", "'a'", f'{{"{MARKER}": 1}}', '{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}'),
    *('{"a": [0.1, 1e400]}', '{"a": 0.30000000000000004}', f'{{"a": {DIGITS}}}', '{"\\ud800": 1}'),
    *("[" * 99 + "]" * 99, "[" * 101 + "]" * 101, '{"a":' * 300 + "1" + "}" * 300, "[" * 20_000),
)
TOKENS = (*NUMBERS, *(f'"{text}"' for text in (*NAMES, *ESCAPED, *TIMES)), *PARTS)
TEXTS = st.text(max_size=12).map(lambda text: json.dumps(text, ensure_ascii=False))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.integers().map(str)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-le", "latin-1", "cp1252", "utf-7")
CALLED = frozenset({"name", "title", "filename", "message"})


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return where something stands in a value."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, key)
            yield from places(inner, (*place, key))


def with_hole(fits: dict[str, Any], place: tuple[Any, ...]) -> str:
    body = deepcopy(fits)
    inner: Any = body
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = HOLE
    return json.dumps(body, ensure_ascii=False)


def bodies(fits: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Make bodies: any bytes, texts that look like JSON, and the one that fits with something else in one place."""
    whole = json.dumps(fits, ensure_ascii=False)
    texts = [with_hole(fits, place) for place in places(fits)]
    tokens = st.sampled_from(TOKENS) | TEXTS | DECIMALS
    filled = st.builds(lambda text, token: text.replace(f'"{HOLE}"', token), st.sampled_from(texts), tokens)
    twice = st.builds(
        lambda name, token: f"{whole[:-1]}, {json.dumps(name)}: {token}}}", st.sampled_from([*fits, MARKER]), tokens
    )
    written = st.one_of(filled, filled, twice, st.just(whole))
    encoded = st.builds(lambda text, coding: text.encode(coding, errors="replace"), written, st.sampled_from(ENCODINGS))
    cut = st.builds(
        lambda text, at, more: text.encode("utf-8", "surrogatepass")[: at % 200] + more,
        written,
        st.integers(0, 199),
        st.binary(max_size=3),
    )
    likely = st.text(alphabet='{}[]":,.01eE+-ntf\\ud8NaI \ufeff', max_size=40).map(str.encode)
    return st.one_of(written.map(str.encode), encoded, cut, likely, st.binary(max_size=60))


def strictly(body: bytes) -> Any:
    """Read a body as RFC 8259 and RFC 7493 have it, or raise ValueError: with other code than the apps have."""

    def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in members}) < len(members):
            raise ValueError("twice")
        return dict(members)

    def refuse(name: str) -> None:
        raise ValueError(name)

    value = json.loads(
        body.decode("utf-8"), parse_int=Digits, parse_float=Digits, parse_constant=refuse, object_pairs_hook=once
    )
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def same(sent: Any, kept: Any, name: str = "") -> bool:  # noqa: PLR0911 - a case a kind
    """Tell whether what is kept is what was sent; texts by which people call things may be composed and stripped."""
    match sent:
        case dict():
            return isinstance(kept, dict) and all(key in kept and same(sent[key], kept[key], key) for key in sent)
        case list():
            return isinstance(kept, list) and len(sent) == len(kept) and all(map(same, sent, kept))
        case Digits():
            return isinstance(kept, Digits) and (str(sent) == str(kept) or Decimal(sent) == Decimal(kept))
        case str() if name == "expires_at":
            with suppress(ValueError):
                return datetime.fromisoformat(sent.upper()) == datetime.fromisoformat(kept)
            return False
        case str() if name == "email":
            return bool(kept == sent.strip().lower())
        case str() if name in CALLED:
            composed = unicodedata.normalize("NFC", sent)
            return kept in (sent, composed, sent.strip(), composed.strip())
        case _:
            return type(sent) is type(kept) and bool(sent == kept)


def names_in(sent: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """Return what something is called once it is kept, which may be stripped; as it was sent where nobody shows it."""
    names = CALLED - {"message"} | {"source", "event_type", "user_id"}
    return [kept.get(name, text) for name, text in sent.items() if name in names and type(text) is str]


def is_unseen(name: str) -> bool:
    """Tell whether a name shows nothing, or holds one of a few characters that nobody sees."""
    shown = [character for character in name if unicodedata.category(character)[0] not in "ZM"]
    return not any(character not in UNSEEN for character in shown) or any(character in UNSEEN for character in name)


def fault_of(route: BodyRoute, body: bytes) -> str | None:
    """Send a body, and say what is wrong with the response, or with what was kept."""
    response = route.send(body)
    if response.status >= 500:
        return f"{int(response.status)}"
    if response.status >= 400:
        error = response.json()["error"]
        plain = error.keys() == {"code", "message", "request_id"} and error["message"].endswith(".")
        return None if plain else f"an odd error: {response.body}"
    try:
        sent = strictly(body)
    except (ValueError, RecursionError):
        return f"{int(response.status)} for what is not strict JSON"
    kept = route.read(response)
    if any(map(is_unseen, names_in(sent, kept))):
        return f"{int(response.status)} for a name that nobody can see"
    named = {name: value for name, value in sent.items() if name in kept}
    return None if same(named, kept) else f"kept {[kept[name] for name in named]!r:.300}"


def fitting(route: BodyRoute) -> bytes:
    """Write the body that fits; no two users have one address."""
    return json.dumps(route.fits | ({"email": f"{uuid.uuid4()}@example.com"} if "email" in route.fits else {})).encode()


@pytest.fixture
def routes(one: App, dynamodb: Any, event_loop: asyncio.AbstractEventLoop) -> list[BodyRoute]:
    return routes_of(one, dynamodb)


def test_what_fits_comes_back(routes: list[BodyRoute]) -> None:
    for route in routes:
        body = fitting(route)
        response = route.send(body)

        assert response.status in (200, 201), (route.name, response)
        kept = route.read(response)
        # The canary of the test below: there is something to compare, but for the one route that keeps nothing.
        assert set(route.fits) - {"oauth_tokens"} <= set(kept) or route.name == "validate"
        assert same({name: value for name, value in strictly(body).items() if name in kept}, kept), (route.name, kept)


def test_no_body_makes_a_route_fail_or_keep_something_else(
    routes: list[BodyRoute], capsys: pytest.CaptureFixture[str]
) -> None:
    tried = 0
    faults: list[str] = []

    def attempt(route: BodyRoute, body: bytes) -> None:
        nonlocal tried
        tried += 1
        capsys.readouterr()
        fault = fault_of(route, body)
        # A payload is logged where a developer asked for it, once it was taken.
        if fault is None and route.name != "events" and MARKER in "".join(capsys.readouterr()):
            fault = "a value in the log"
        if fault is not None:
            faults.append(f"{route.name}: {fault}: {body[:120]!r}")

    for route in routes:
        # Each of the tokens in each place, which chance would take long for, and then chance.
        for place in places(route.fits):
            for token in TOKENS:
                attempt(route, with_hole(route.fits, place).replace(f'"{HOLE}"', token).encode())

        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(body=bodies(route.fits))
        def by_chance(body: bytes) -> None:
            attempt(route, body)  # noqa: B023 - called before the next one is taken

        by_chance()
    assert not faults, f"{len(faults)} of {tried} bodies, such as:\n" + "\n".join(faults[:40])

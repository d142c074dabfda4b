"""What is not plain JSON in UTF-8, or holds what cannot be kept: a table of what each of the five apps says of it."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apps.every.body_routes import BodyRoute, Digits, routes_of
from tests.apps.every.every_app import APPS, App

HERE = Path(__file__).parent
ALL = "all"
# By input, then by app, or for all of them: the status, and the sentence or what is kept.
WRITTEN: dict[str, dict[str, str]] = yaml.safe_load((HERE / "strict_bodies.yaml").read_text())
TABLE = {row: dict.fromkeys(APPS, cells[ALL]) if ALL in cells else cells for row, cells in WRITTEN.items()}
Place = tuple[Any, ...]
# The route of each app that takes most, and where a name, a number and a time go. Where an app takes none, a member
# that nobody knows stands for it, or the second of a time for a number.
ROUTES = {
    "fileshare": "links",
    "hybrid_ci_cd": "jobs",
    "stock_track_record": "picks",
    "triggers_api": "events",
    "turbotech_portal": "metrics",
}
NAME: dict[str, Place] = {
    "fileshare": ("filename",),
    "hybrid_ci_cd": ("name",),
    "stock_track_record": ("name",),
    "triggers_api": ("source",),
    "turbotech_portal": ("name",),
}
NUMBER: dict[str, Place] = {
    "fileshare": ("expires_at",),
    "hybrid_ci_cd": ("payload", "seconds"),
    "stock_track_record": ("picks", 0, "price"),
    "triggers_api": ("payload", "a"),
    "turbotech_portal": ("target",),
}
TIME: dict[str, Place] = {"fileshare": ("expires_at",), "stock_track_record": ("picks", 0, "date")}
HOLE = "@@hole@@"
FRACTIONS = {"seven decimals": "1234567", "22 decimals": "1234567890123456789012"}
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def routes(one: App, dynamodb: Any, event_loop: asyncio.AbstractEventLoop) -> tuple[str, dict[str, BodyRoute]]:
    return one.name, {route.name: route for route in routes_of(one, dynamodb)}


def filled(fits: dict[str, Any], place: Place, token: str) -> str:
    """Put JSON into a place of the body that fits."""
    body = json.loads(json.dumps(fits))
    at(body, place[:-1])[place[-1]] = HOLE
    return json.dumps(body, ensure_ascii=False).replace(f'"{HOLE}"', token)


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def sent(app: str, row: str, fits: dict[str, Any]) -> tuple[bytes, dict[str, str], Place]:
    """Make the body of a row, its headers, and the place that it is about."""
    whole = json.dumps(fits)
    name = NAME[app]
    names = {"U+202E": '"a\u202eb"', "U+2800": '"\u2800"', "a space": '" "', "half of a pair": '"\\ud800"'}
    numbers = {"1e400": "1e400", "39 digits": "9" * 39, "5000 digits": "9" * 5_000, "NaN": "NaN"}
    times = {'"2035010100"': '"2035010100"', "1900000000000": "1900000000000", "no offset": '"2035-01-01T00:00:00"'}
    if row == "Latin-1":
        return filled(fits, name, '"Zo\xeb"').encode("latin-1"), {}, name
    if row in names:
        return filled(fits, name, names[row]).encode(), {}, name
    if row in numbers or row in FRACTIONS:
        token = numbers.get(row) or f"0.{FRACTIONS[row]}"
        if app == "fileshare" and row in FRACTIONS:
            token = f'"2035-01-01T00:00:00.{FRACTIONS[row]}Z"'
        return filled(fits, NUMBER[app], token).encode(), {}, NUMBER[app]
    if row in times:
        place = TIME.get(app, ("expires_at",))
        return filled(fits, place, times[row]).encode(), {}, place
    other: dict[str, tuple[bytes, dict[str, str]]] = {
        "UTF-16": (whole.encode("utf-16"), {}),
        "BOM": (whole.encode("utf-8-sig"), {}),
        "gzip": (gzip.compress(whole.encode()), GZIP),
        "gzip without its header": (gzip.compress(whole.encode()), {}),
        "identity": (whole.encode(), {"Content-Encoding": "identity"}),
        "duplicate member": (f'{whole[:-1]}, "{next(iter(fits))}": "x"}}'.encode(), {}),
        "duplicate member inside": (f'{whole[:-1]}, "more": {{"a": 1, "a": 2}}}}'.encode(), {}),
        "101 levels": (f'{whole[:-1]}, "more": {"[" * 100}{"]" * 100}}}'.encode(), {}),
    }
    return (*other[row], (next(iter(fits)),))


def route_of(app: str, row: str, routes: dict[str, BodyRoute]) -> BodyRoute:
    """Return the route that a row is about: in stock_track_record channels have names, and picks have numbers."""
    named = row.startswith("U+") or row in {"a space", "half of a pair", "Latin-1"}
    return routes["channels" if app == "stock_track_record" and named else ROUTES[app]]


def test_every_app_says_what_the_table_says(routes: tuple[str, dict[str, BodyRoute]]) -> None:
    app, by_name = routes
    said: dict[str, str] = {}

    for row in TABLE:
        route = route_of(app, row, by_name)
        body, headers, place = sent(app, row, route.fits)
        response = route.send(body, **headers)
        if response.status >= 400:
            said[row] = f"{int(response.status)} {response.error_code}: {response.json()['error']['message']}"
        else:
            kept = at(route.read(response), place)
            as_sent = kept == at(json.loads(body, parse_int=Digits, parse_float=Digits), place)
            said[row] = f"{int(response.status)}: kept {'as it was sent' if as_sent else f'as {kept}'}"

    assert said == {row: cells[app] for row, cells in TABLE.items()}


def test_the_table_has_every_app_in_every_row() -> None:
    assert {row: sorted(cells) for row, cells in TABLE.items()} == dict.fromkeys(TABLE, sorted(APPS))


def test_what_is_compressed_is_415_everywhere(routes: tuple[str, dict[str, BodyRoute]]) -> None:
    for route in routes[1].values():
        body = gzip.compress(json.dumps(route.fits).encode())
        for coding in (
            "gzip",
            "GZIP",
            "x-gzip",
            "br",
            "deflate",
            "zstd",
            "aws-chunked",
            "identity, gzip",
            "gzip, identity",
            "?",
        ):
            response = route.send(body, **{"Content-Encoding": coding})

            assert (response.status, response.error_code) == (415, "unsupported_encoding"), (route.name, coding)
            assert response.headers["accept-encoding"] == "identity"


def test_a_body_that_names_no_coding_is_read(routes: tuple[str, dict[str, BodyRoute]]) -> None:
    for route in routes[1].values():
        for coding in ("identity", "Identity", "", " identity , identity"):
            # What fits once may have been taken before; it is read in any case.
            assert route.send(json.dumps(route.fits).encode(), **{"Content-Encoding": coding}).status in (200, 201, 409)

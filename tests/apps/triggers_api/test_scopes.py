"""What an API key may do, and until when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api_keys import ApiKey, generate
from tests.apps.every.access_tables import cells
from tests.apps.triggers_api.support import Api, MakeApi, Tables
from tests.unit.support import Clock
from triggers_api.scopes import SCOPES, Scope, attributes, has_ended, listed, scopes_of

NOW = datetime(2026, 1, 31, 9, 15, 2, 104233, tzinfo=UTC)
ROUTES: dict[Scope, list[tuple[str, str]]] = {
    "write": [("POST", "/v1/events")],
    "read": [("GET", "/v1/inbox"), ("POST", "/v1/events/x/ack")],
    "delete": [("DELETE", "/v1/events/x")],
}
StoreKey = Callable[..., ApiKey]


def now() -> datetime:
    return NOW


@pytest.fixture
def store_key(dynamodb: Any, tables: Tables) -> StoreKey:
    """Store a key with attributes of its own."""

    def store(**item: Any) -> ApiKey:
        key = generate()
        dynamodb.put_item(TableName=tables.keys, Item={"api_key": {"S": key.hashed}, **item})
        return key

    return store


def outcome(api: Api, key: ApiKey) -> dict[Scope, set[tuple[int, str]]]:
    """Return what a key gets of the routes of each scope; there are no events, so what is let in may be a 404."""

    def respond(method: str, path: str) -> tuple[int, str]:
        got = api.send(method, path, body="{}", key=key.clear)
        return got.status, "" if got.status == 200 else got.error_code

    return {scope: {respond(*route) for route in routes} for scope, routes in ROUTES.items()}


@pytest.mark.parametrize(
    "scopes", [["write"], ["read"], ["delete"], ["write", "read"], ["read", "delete"], list(SCOPES)]
)
def test_a_key_does_what_its_scopes_say_and_is_refused_the_rest(
    api: Api, store_key: StoreKey, scopes: list[Scope]
) -> None:
    found = outcome(api, store_key(**attributes(scopes, None)))

    for scope, responses in found.items():
        assert (responses == {(403, "forbidden")}) == (scope not in scopes), found


def test_a_refusal_says_what_the_key_has_and_what_is_needed(api: Api, store_key: StoreKey) -> None:
    key = store_key(**attributes(["read", "write"], None))

    response = api.delete("/v1/events/x", key=key.clear)

    assert response.json()["error"]["message"] == (
        "This API key may not do that: it has the scopes write and read, and this needs delete. Use another key."
    )


def test_a_refused_event_is_not_stored(api: Api, store_key: StoreKey, dynamodb: Any, tables: Tables) -> None:
    api.key = store_key(**attributes(["read"], None)).clear

    assert api.create().status == 403
    assert dynamodb.scan(TableName=tables.events)["Items"] == []


def test_a_key_without_the_attributes_does_everything_and_does_not_expire(
    make_api: MakeApi, stored_key: ApiKey
) -> None:
    api = make_api(clock=Clock(now=datetime(2126, 1, 1, tzinfo=UTC)))

    assert all((403, "forbidden") not in responses for responses in outcome(api, stored_key).values())
    statuses = [api.send(cell.method, cell.path, body="{}").status for cell in cells("triggers_api")]
    assert {401, 403}.isdisjoint(statuses)


@pytest.mark.parametrize(
    ("after", "status"), [(timedelta(seconds=-1), 200), (timedelta(0), 401), (timedelta(days=1), 401)]
)
def test_a_key_ends_at_its_second(make_api: MakeApi, store_key: StoreKey, after: timedelta, status: int) -> None:
    ends = NOW.replace(microsecond=0)
    key = store_key(**attributes(SCOPES, ends))

    response = make_api(clock=lambda: ends + after).get("/v1/inbox", key=key.clear)

    assert response.status == status
    if status == 401:
        assert response.json()["error"] | {"request_id": ""} == {
            "code": "unauthorized",
            "message": "The API key has expired. Ask for a new key.",
            "request_id": "",
        }


@pytest.mark.parametrize(
    "told",
    [{"S": "write"}, {"L": [{"S": "write"}]}, {"NULL": True}, {"SS": ["admin"]}, {"SS": ["WRITE", "*"]}, {"M": {}}],
)
def test_scopes_that_nobody_can_read_allow_nothing(api: Api, store_key: StoreKey, told: Any) -> None:
    assert outcome(api, store_key(scopes=told)) == {scope: {(403, "forbidden")} for scope in SCOPES}


@pytest.mark.parametrize(
    "told", [{"S": "2126-01-01"}, {"S": "99999999999"}, {"NULL": True}, {"BOOL": False}, {"L": []}]
)
def test_an_end_that_nobody_can_read_has_come(api: Api, store_key: StoreKey, told: Any) -> None:
    assert outcome(api, store_key(expires_at=told)) == {scope: {(401, "unauthorized")} for scope in SCOPES}


ATTRIBUTES = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=12)),
    st.builds(
        lambda texts: {"SS": texts}, st.lists(st.one_of(st.sampled_from([*SCOPES, "admin", ""]), st.text(max_size=6)))
    ),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**30), 10**30)),
    st.sampled_from([{"NULL": True}, {"BOOL": True}, {"L": []}, {"M": {}}, {"N": "nan"}, {"N": "-inf"}, {"N": ""}, {}]),
)


@given(told=ATTRIBUTES)
def test_no_attribute_gives_a_scope_that_it_does_not_name(told: dict[str, Any]) -> None:
    assert scopes_of({"scopes": told}) == set(told.get("SS", [])) & set(SCOPES)


@given(told=ATTRIBUTES)
def test_a_key_holds_only_until_a_number_that_lies_ahead(told: dict[str, Any]) -> None:
    try:
        ahead = float(told["N"]) > NOW.timestamp()
    except (KeyError, ValueError):
        ahead = False
    assert has_ended({"expires_at": told}, now) == (not ahead)


@given(scopes=st.lists(st.sampled_from(SCOPES), min_size=1), ends=st.none() | st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_what_is_read(scopes: list[Scope], ends: datetime | None) -> None:
    item = attributes(scopes, ends)

    assert scopes_of(item) == set(scopes)
    assert has_ended(item, now) == (ends is not None and int(ends.timestamp()) <= NOW.timestamp())


@pytest.mark.parametrize(
    ("scopes", "text"),
    [([], "none"), (["read"], "read"), (["read", "write"], "write and read"), (SCOPES, "write, read and delete")],
)
def test_scopes_are_named_in_a_sentence(scopes: list[Scope], text: str) -> None:
    assert listed(scopes) == text

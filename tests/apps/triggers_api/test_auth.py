"""Who may call what."""

from typing import Any

import pytest

from shared.api_keys import PREFIX, ApiKey, generate, hash_key
from tests.apps.triggers_api.support import Api, MakeApi, Tables
from tests.unit.support import Recording
from triggers_api.auth import DEVELOPMENT_KEY

PROTECTED = [("GET", "/v1/inbox"), ("POST", "/v1/events"), ("POST", "/v1/events/x/ack"), ("DELETE", "/v1/events/x")]
OPEN = ["/v1/health", "/docs", "/openapi.json"]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize("key", ["", "wrong", "wrong-é", DEVELOPMENT_KEY])
def test_without_the_right_key_nothing_is_done(api: Api, method: str, path: str, key: str) -> None:
    response = api.send(method, path, body="not even JSON", query={"limit": ["0"]}, key=key)

    assert (response.status, response.error_code) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "ApiKey"


@pytest.mark.parametrize("path", OPEN)
def test_the_open_pages_need_no_key_and_no_database(make_api: MakeApi, dynamodb: Any, path: str) -> None:
    client = Recording(dynamodb)

    assert make_api(client=client).get(path, key="").status == 200
    assert client.requests == []


def test_health_tells_the_version(api: Api) -> None:
    assert api.get("/v1/health").json() == {"status": "ok", "version": "1.0.0"}


def test_a_request_without_a_key_costs_no_read(make_api: MakeApi, dynamodb: Any) -> None:
    client = Recording(dynamodb)

    make_api(client=client).get("/v1/inbox", key="")

    assert client.requests == []


def test_two_keys_at_once_are_none(api: Api) -> None:
    assert api.get("/v1/inbox", key=f"{api.key}, {api.key}").status == 401


def test_a_key_that_is_removed_stops_at_once(api: Api, dynamodb: Any, tables: Tables, stored_key: ApiKey) -> None:
    assert api.get("/v1/inbox").status == 200

    dynamodb.delete_item(TableName=tables.keys, Key={"api_key": {"S": stored_key.hashed}})

    assert api.get("/v1/inbox").status == 401


def test_the_hash_of_a_key_opens_nothing(api: Api, stored_key: ApiKey) -> None:
    assert api.get("/v1/inbox", key=stored_key.hashed).status == 401


def test_the_development_key_opens_a_local_stage_only(make_api: MakeApi, dynamodb: Any) -> None:
    client = Recording(dynamodb)
    api = make_api(client=client, auth_mode="local")

    assert api.get("/v1/inbox", key=DEVELOPMENT_KEY).status == 200
    assert api.get("/v1/inbox", key="wrong").status == 401
    assert [operation for operation, _ in client.requests] == ["query"]


def test_every_new_key_is_another_one() -> None:
    keys = [generate() for _ in range(50)]

    assert len({key.clear for key in keys}) == 50
    assert all(key.clear.startswith(f"{PREFIX}_{key.key_id}_") for key in keys)
    assert all(key.hashed == hash_key(key.clear) for key in keys)


def test_a_key_does_not_show_when_it_is_printed() -> None:
    key = generate()

    assert key.clear not in repr(key)
    assert key.hashed not in repr(key)


def test_a_key_is_stored_as_its_sha256() -> None:
    assert hash_key("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

"""Users are entered from their tokens when the portal first needs their name, and may change it."""

import asyncio
from typing import Any

import pytest

from tests.apps.turbotech_portal.support import CLAIMS, USER, Api, MakeApi, Tables, put, stored
from tests.unit.support import Interrupting
from turbotech_portal.auth import Caller
from turbotech_portal.routes import Adapters

ENTERED = {
    "id": USER,
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "first_seen_at": "2026-01-31T09:15:03.104233Z",
}


def test_reading_the_project_enters_nobody(api: Api) -> None:
    for path in ("/api/deliverables", "/api/metrics", "/api/updates", "/api/dashboard"):
        api.read(path)

    assert api.read("/api/users") == {"users": []}


def test_a_caller_is_entered_once_from_the_claims(api: Api) -> None:
    assert api.read("/api/users/me") == ENTERED
    assert api.read("/api/users/me") == ENTERED
    assert api.read("/api/users") == {"users": [{"id": USER, "name": "Ada Lovelace"}]}


def test_whoever_writes_an_update_is_entered(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.write()

    assert stored(dynamodb, tables.users, USER) == ENTERED


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "s|1", "name": "Ada", "email": "a@example.com"}, "Ada"),
        ({"sub": "s|1", "email": "a@example.com"}, "s|1"),
        ({"sub": "s|1", "name": "a@example.com", "email": "a@example.com"}, "s|1"),
        ({"sub": "s|1", "name": "n" * 199 + "@example.com"}, "s|1"),
        ({"sub": "s|1", "name": "山田\u3000太郎"}, "山田\u3000太郎"),
        ({"sub": "s|1", "name": "ada\u202emoc"}, "s|1"),
        ({"sub": "s|1"}, "s|1"),
        ({"sub": "s|1", "name": "  "}, "s|1"),
        ({"sub": "s|1", "name": 7}, "s|1"),
        ({"sub": "s|1", "name": "a\x00b"}, "s|1"),
        ({"sub": "s|1", "name": "n" * 1_000}, "n" * 200),
    ],
)
def test_the_best_name_of_a_token_is_taken(make_api: MakeApi, claims: dict[str, Any], name: str) -> None:
    assert make_api(claims=claims).read("/api/users/me")["name"] == name


def test_a_name_that_was_changed_is_kept_whatever_later_tokens_say(api: Api, make_api: MakeApi) -> None:
    changed = api.patch("/api/users/me", {"name": " Countess Lovelace "})

    assert changed.json() == ENTERED | {"name": "Countess Lovelace"}
    assert make_api(claims=CLAIMS | {"name": "Someone"}).read("/api/users/me") == changed.json()


def test_nobody_is_entered_over_a_request_at_the_same_moment(make_api: MakeApi, dynamodb: Any, tables: Tables) -> None:
    client = Interrupting(dynamodb, "update_item", lambda: put(dynamodb, tables.users, {"id": USER, "name": "First"}))

    assert make_api(client=client).read("/api/users/me")["name"] == "First"


def test_the_list_is_by_name_and_tells_no_addresses(api: Api, dynamodb: Any, tables: Tables) -> None:
    for number, name in enumerate(["bob", "Carol", "Alice"]):
        put(dynamodb, tables.users, {"id": f"u{number}", "name": name, "email": f"{name}@example.com"})

    users = api.read("/api/users")["users"]

    assert [user["name"] for user in users] == ["Alice", "bob", "Carol"]
    assert {tuple(user) for user in users} == {("id", "name")}


@pytest.mark.parametrize("changes", [{}, {"name": ""}, {"name": None}, {"email": "x@example.com"}, {"id": "x"}, []])
def test_a_change_that_does_not_fit_is_refused(api: Api, changes: object) -> None:
    response = api.patch("/api/users/me", changes)

    assert (response.status, response.error_code) == (422, "invalid_request")


def test_the_adapter_reads_and_changes_users(adapters: Adapters) -> None:
    async def use() -> None:
        entered = await adapters.users.of_caller(Caller(user_id="u|1", name="U"))
        assert await adapters.users.get_by_id("u|1") == entered
        assert (await adapters.users.update("u|1", {"name": "V"})).name == "V"
        assert [user.name for user in await adapters.users.get_all()] == ["V"]

    asyncio.run(use())

"""An item that somebody else wrote and that does not fit is logged and left out; all others come back."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest

from shared.dynamodb import Client
from shared.ids import new_id
from shared.items import to_item
from tests.apps.turbotech_portal.support import (
    USER,
    Api,
    MakeApi,
    Paging,
    Tables,
    deliverable,
    metric,
    put,
    stored,
)
from tests.hostile import snapshot
from tests.unit.support import filled
from turbotech_portal.updates import FEED

SECRET = "a value that belongs into no log"
UPDATE_ID = new_id()
UPDATE = {
    "id": UPDATE_ID,
    "feed": FEED,
    "title": "T",
    "message": "M",
    "author": {"id": "a", "name": "A"},
    "created_at": "2030-01-31T09:15:02.104233Z",
}


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def warnings(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["level"] == "WARNING"]


@pytest.mark.parametrize(
    ("kind", "odd", "member"),
    [
        ("deliverables", without(deliverable(7, name=SECRET), "month"), "month"),
        ("deliverables", without(deliverable(7, status=SECRET), "name"), "name"),
        ("deliverables", deliverable(7, month=Decimal("1.5"), name=SECRET), "month"),
        ("deliverables", deliverable(7, completion_percentage=[SECRET]), "completion_percentage"),
        ("metrics", without(metric(7, name=SECRET), "target"), "target"),
        ("metrics", metric(7, current_value=SECRET), "current_value"),
    ],
)
def test_the_list_the_dashboard_and_the_log_go_on_without_it(  # noqa: PLR0913, PLR0917 - a row of a table
    api: Api,
    dynamodb: Any,
    tables: Tables,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    odd: dict[str, Any],
    member: str,
) -> None:
    table = getattr(tables, kind)
    put(dynamodb, tables.deliverables, deliverable(1))
    put(dynamodb, tables.metrics, metric(1))
    put(dynamodb, table, odd)

    listed = api.read(f"/api/{kind}")[kind]
    lines = warnings(capsys)
    dashboard = api.read("/api/dashboard")
    single = api.get(f"/api/{kind}/7")

    assert [item["id"] for item in listed] == [1]
    assert dashboard["deliverables"]["total"] == len(dashboard["metrics"]) == 1
    assert (single.status, single.error_code) == (404, "not_found")
    [line] = lines
    assert (line["table"], line["key"], line["attributes"]) == (table, {"id": "7"}, [member])
    assert SECRET not in json.dumps(lines)


def test_a_month_goes_on_without_it(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, deliverable(1, month=3), without(deliverable(2, month=3), "name"))

    assert [item["id"] for item in api.read("/api/deliverables", month="3")["deliverables"]] == [1]


def test_a_change_that_completes_it_brings_it_back_and_any_other_changes_nothing(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    odd = without(deliverable(7), "month")
    put(dynamodb, tables.deliverables, odd)

    refused = api.patch("/api/deliverables/7", {"name": "Changed"})

    assert (refused.status, refused.error_code) == (404, "not_found")
    assert stored(dynamodb, tables.deliverables, 7) == odd
    assert api.patch("/api/deliverables/7", {"month": 4}).json() == odd | {"month": 4}
    assert api.read("/api/deliverables/7") == odd | {"month": 4}


def test_users_are_listed_without_it(
    api: Api, dynamodb: Any, tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    put(dynamodb, tables.users, {"id": "u|1", "name": "Ada"}, {"id": "u|2", "email": SECRET})

    assert api.read("/api/users") == {"users": [{"id": "u|1", "name": "Ada"}]}
    [line] = warnings(capsys)
    assert (line["table"], line["key"], line["attributes"]) == (tables.users, {"id": "u|2"}, ["name"])
    assert SECRET not in json.dumps(line)


def test_a_caller_whose_item_has_no_name_is_completed_from_the_token(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.users, {"id": USER, "email": "kept@example.com"})

    me = api.read("/api/users/me")

    assert (me["name"], me["email"]) == ("Ada Lovelace", "kept@example.com")
    assert api.write()["author"]["name"] == "Ada Lovelace"


def test_a_caller_whose_item_cannot_be_completed_is_not_found(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.users, {"id": USER, "name": ["no", "text"]})

    assert api.get("/api/users/me").error_code == "not_found"


@pytest.mark.parametrize(
    "odd",
    [
        *(without(UPDATE, name) for name in ("title", "message", "author")),
        UPDATE | {"author": "Ada"},
        UPDATE | {"read_by": "auth0|ada"},
        UPDATE | {"id": "1"},
        UPDATE | {"created_at": "2030"},
    ],
    ids=["no title", "no message", "no author", "an author", "one reader", "an id", "a time"],
)
def test_updates_are_listed_and_paged_without_it(
    make_api: MakeApi, dynamodb: Any, tables: Tables, odd: dict[str, Any]
) -> None:
    api = make_api(client=cast("Client", Paging(dynamodb)))
    put(dynamodb, tables.updates, odd)
    written = [api.write()["id"] for _ in range(3)]

    first = api.read("/api/updates", limit="2")
    second = api.read("/api/updates", limit="2", cursor=first["next_cursor"])

    assert [update["id"] for page in (first, second) for update in page["updates"]] == written[::-1]
    assert second["next_cursor"] is None
    assert len(api.read("/api/dashboard")["updates"]["latest"]) == 3
    assert api.post(f"/api/updates/{odd['id']}/read").error_code == "not_found"


@pytest.mark.parametrize("name", ["title", "message", "author"])
def test_an_update_that_nobody_is_shown_is_not_unread(
    make_api: Callable[..., Api], dynamodb: Any, tables: Tables, name: str
) -> None:
    put(dynamodb, tables.updates, without(UPDATE, name))
    make_api().write()

    assert make_api(claims={"sub": "auth0|grace"}).read("/api/dashboard")["updates"]["unread"] == 1


@pytest.mark.parametrize(
    ("table", "item", "method", "path", "body"),
    [
        ("deliverables", deliverable(7, name="D"), "PATCH", "/api/deliverables/7", {"name": "A longer one"}),
        ("metrics", metric(7, name="M"), "PATCH", "/api/metrics/7", {"name": "A longer one"}),
        ("users", {"id": USER, "name": "A"}, "PATCH", "/api/users/me", {"name": "A longer one"}),
        ("users", {"id": USER}, "GET", "/api/users/me", None),
        ("users", {"id": USER}, "POST", "/api/updates", {"title": "T", "message": "M"}),
        ("updates", UPDATE, "POST", "/api/updates/{}/read", None),
        ("updates", UPDATE | {"read_by": ["a"]}, "POST", "/api/updates/{}/read", None),
    ],
)
def test_an_item_without_room_stays_as_it_is_and_nobody_is_told_another_reason(  # noqa: PLR0913, PLR0917 - a row of a table
    api: Api,
    dynamodb: Any,
    tables: Tables,
    table: str,
    item: dict[str, Any],
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    filled(dynamodb, vars(tables)[table], to_item(item))
    before = snapshot(dynamodb, *vars(tables).values())

    response = api.send(method, path.format(UPDATE_ID), body=None if body is None else json.dumps(body))

    assert (response.status, response.error_code) == (409, "item_full")
    assert snapshot(dynamodb, *vars(tables).values()) == before

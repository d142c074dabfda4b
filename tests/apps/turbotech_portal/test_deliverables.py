"""Deliverables are listed, found by month, read and changed."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from shared.api_errors import ApiError
from tests.apps.turbotech_portal.support import Api, MakeApi, Paging, Tables, deliverable, put, stored
from tests.unit.support import Recording
from turbotech_portal.routes import Adapters


def test_the_adapters_methods_are_called_as_the_specification_has_them(
    adapters: Adapters, dynamodb: Any, tables: Tables
) -> None:
    put(dynamodb, tables.deliverables, deliverable(2, month=1), deliverable(1))

    async def use() -> None:
        adapter = adapters.deliverables
        assert [found.id for found in await adapter.get_all()] == [1, 2]
        assert [found.id for found in await adapter.get_by_month(1)] == [1, 2]
        assert (await adapter.get_by_id(1)).name == "Deliverable 1"
        changed = await adapter.update(1, {"status": "COMPLETED", "completion_percentage": 100})
        assert changed.model_dump() == deliverable(1, status="COMPLETED", completion_percentage=100)
        with pytest.raises(ApiError):
            await adapter.get_by_id(3)
        with pytest.raises(ValidationError):
            await adapter.update(1, {"owner": "me"})

    asyncio.run(use())


def test_the_list_is_in_the_order_of_ids_and_has_numbers(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, *(deliverable(number) for number in (12, 3, 1)))

    assert api.read("/api/deliverables") == {"deliverables": [deliverable(1), deliverable(3), deliverable(12)]}


def test_a_month_has_its_own_deliverables_alone(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, deliverable(2, month=4), deliverable(1, month=4), deliverable(3, month=5))

    assert [item["id"] for item in api.read("/api/deliverables", month="4")["deliverables"]] == [1, 2]
    assert api.read("/api/deliverables", month="6") == {"deliverables": []}


def test_the_month_is_asked_of_its_index(make_api: MakeApi, dynamodb: Any, tables: Tables) -> None:
    client = Recording(dynamodb)

    make_api(client=client).read("/api/deliverables", month="4")

    assert [(operation, request["IndexName"]) for operation, request in client.requests] == [("query", "MonthIndex")]


@pytest.mark.parametrize("query", [{}, {"month": "7"}])
def test_a_list_of_many_pages_is_read_to_its_end(
    make_api: MakeApi, dynamodb: Any, tables: Tables, query: dict[str, str]
) -> None:
    put(dynamodb, tables.deliverables, *(deliverable(number, month=7) for number in range(1, 6)))
    client = Paging(dynamodb)

    found = make_api(client=client).read("/api/deliverables", **query)

    assert [item["id"] for item in found["deliverables"]] == [1, 2, 3, 4, 5]
    assert client.pages >= 5


def test_a_change_keeps_what_it_does_not_name(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, deliverable(1, note="kept by another script"))

    response = api.patch("/api/deliverables/1", {"status": "COMPLETED", "completion_percentage": 100})

    assert response.status == 200
    assert response.json() == deliverable(1, status="COMPLETED", completion_percentage=100)
    assert api.read("/api/deliverables/1") == response.json()
    assert stored(dynamodb, tables.deliverables, 1)["note"] == "kept by another script"


def test_a_new_month_moves_a_deliverable_in_the_index(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, deliverable(1, month=1))

    api.patch("/api/deliverables/1", {"month": 2})

    assert api.read("/api/deliverables", month="1")["deliverables"] == []
    assert [item["id"] for item in api.read("/api/deliverables", month="2")["deliverables"]] == [1]


@pytest.mark.parametrize("percentage", [0, 100])
def test_the_bounds_of_a_percentage_are_allowed(api: Api, dynamodb: Any, tables: Tables, percentage: int) -> None:
    put(dynamodb, tables.deliverables, deliverable(1, completion_percentage=50))

    response = api.patch("/api/deliverables/1", {"completion_percentage": percentage})

    assert response.json()["completion_percentage"] == percentage


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "name at least one member to change"),
        ({"id": 2}, "id: extra inputs are not permitted"),
        ({"owner": "me"}, "owner: extra inputs are not permitted"),
        ({"completion_percentage": -1}, "completion_percentage: input should be greater than or equal to 0"),
        ({"completion_percentage": 101}, "completion_percentage: input should be less than or equal to 100"),
        ({"completion_percentage": 10**40}, "completion_percentage: input should be less than or equal to 100"),
        ({"completion_percentage": "50"}, "completion_percentage: input should be a valid integer"),
        ({"completion_percentage": 50.5}, "completion_percentage: input should be a valid integer"),
        ({"completion_percentage": True}, "completion_percentage: input should be a valid integer"),
        ({"completion_percentage": None}, "completion_percentage: input should be a valid integer"),
        ({"status": "DONE"}, "status: input should be 'NOT_STARTED', 'IN_PROGRESS', 'BLOCKED' or 'COMPLETED'"),
        ({"status": "completed"}, "status: input should be"),
        ({"status": None}, "status: input should be"),
        ({"month": 0}, "month: input should be greater than or equal to 1"),
        ({"month": 121}, "month: input should be less than or equal to 120"),
        ({"name": " "}, "name: string should have at least 1 character"),
        ({"name": "n" * 201}, "name: string should have at most 200 characters"),
        ([], "The body is not a JSON object"),
        ("text", "The body is not a JSON object"),
    ],
    ids=str,
)
def test_a_change_that_does_not_fit_is_refused_and_changes_nothing(
    api: Api, dynamodb: Any, tables: Tables, changes: object, words: str
) -> None:
    put(dynamodb, tables.deliverables, deliverable(1))

    response = api.patch("/api/deliverables/1", changes)

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert words in response.json()["error"]["message"]
    assert response.json()["error"]["message"].startswith(("The change does not fit: ", "The body is "))
    assert stored(dynamodb, tables.deliverables, 1) == deliverable(1)


def test_a_change_of_what_is_not_there_makes_nothing(api: Api, dynamodb: Any, tables: Tables) -> None:
    response = api.patch("/api/deliverables/13", {"completion_percentage": 10})

    assert (response.status, response.error_code) == (404, "not_found")
    assert api.read("/api/deliverables") == {"deliverables": []}


@pytest.mark.parametrize("month", ["0", "121", "-1", "one", "1.5", str(10**40), ""])
def test_a_month_that_cannot_be_is_refused(api: Api, month: str) -> None:
    response = api.get("/api/deliverables", query={"month": [month]})

    assert (response.status, response.error_code) == (422, "invalid_request")


@pytest.mark.parametrize("kind", ["deliverables", "metrics"])
@pytest.mark.parametrize(
    "number", ["0", "-1", "01", "1.0", "one", "٣", str(10**40), "1" * 3000, "9" * 16, "null", "%00", "1 "]
)
def test_what_cannot_be_an_id_is_not_found_without_asking_dynamodb(
    make_api: MakeApi, dynamodb: Any, kind: str, number: str
) -> None:
    client = Recording(dynamodb)
    api = make_api(client=client)
    responses: Mapping[str, Any] = {
        "read": api.get(f"/api/{kind}/{number}"),
        "change": api.patch(f"/api/{kind}/{number}", {"name": "New"}),
    }

    for response in responses.values():
        assert (response.status, response.error_code) == (404, "not_found")
    assert client.requests == []


@pytest.mark.parametrize("kind", ["deliverables", "metrics"])
def test_the_largest_id_is_asked_for(make_api: MakeApi, dynamodb: Any, kind: str) -> None:
    client = Recording(dynamodb)

    assert make_api(client=client).get(f"/api/{kind}/{'9' * 15}").status == 404
    assert [operation for operation, _ in client.requests] == ["get_item"]

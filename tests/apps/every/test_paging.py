"""Lists are read to their end, page by page, and a cursor that nobody made is refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from fastapi.routing import APIRoute

from shared import cursor
from shared.api_errors import ApiError
from shared.async_dynamodb import every_item_awaited
from shared.cursor import MalformedCursorError
from shared.dynamodb import every_item
from shared.paging import read_cursor
from tests.apps.every.every_app import APPS, made

PAGES: dict[int, dict[str, Any]] = {
    0: {"Items": [{"id": {"N": "1"}}], "LastEvaluatedKey": {"id": {"N": "1"}}},
    # A filter can leave a page empty while later ones are not.
    1: {"Items": [], "LastEvaluatedKey": {"id": {"N": "2"}}},
    2: {"Items": [{"id": {"N": "3"}}]},
}
ALL = [{"id": {"N": "1"}}, {"id": {"N": "3"}}]


def read(**request: Any) -> dict[str, Any]:
    return PAGES[int(request["ExclusiveStartKey"]["id"]["N"]) if request else 0]


async def read_awaited(**request: Any) -> dict[str, Any]:
    return read(**request)


def test_a_query_is_read_to_its_end_also_over_an_empty_page() -> None:
    assert list(every_item(read)) == ALL


def test_a_query_that_is_awaited_is_read_to_its_end_as_well() -> None:
    async def collect() -> list[dict[str, Any]]:
        return [item async for item in every_item_awaited(read_awaited)]

    assert asyncio.run(collect()) == ALL


def place_of(decoded: Any) -> str:
    match decoded:
        case [str(place)]:
            return place
        case _:
            raise MalformedCursorError


def test_a_cursor_leads_to_its_place_and_none_to_the_beginning() -> None:
    assert read_cursor(cursor.encode(["here"]), place_of) == "here"
    assert read_cursor(None, place_of) is None


@pytest.mark.parametrize("text", ["", "%", cursor.encode({}), cursor.encode(["here", "there"])])
def test_any_other_cursor_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ApiError, match=r"^The cursor is not one that this service made\.") as refused:
        read_cursor(text, place_of)

    assert (refused.value.status, refused.value.code) == (422, "invalid_request")


@pytest.mark.parametrize("app", APPS)
def test_a_number_in_a_query_is_written_in_digits(
    app: str, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    with made(app, dynamodb, logger_of, tmp_path) as one:
        routes = [route for route in one.app.routes if isinstance(route, APIRoute)]
    fields = [field for route in routes for field in route.dependant.query_params if field.name in {"limit", "month"}]
    assert fields
    for field in fields:
        assert field.validate("7", {}, loc=()) == (7, [])
        for text in ("1_0", "1.0", " 1", "1 ", "+1", "1e0", "0x1", "\u0661", "\uff11", "1\n", "9" * 5_000, "", "-"):
            assert field.validate(text, {}, loc=())[1], (field.name, text)

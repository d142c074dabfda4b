"""An item without room for a change stays as it is, and no app calls that a failure of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from shared.dynamodb import DynamoDB, ItemTooLarge, TransactionCanceled
from tests.apps.every.every_app import APPS, made, paths_of_nothing, served
from tests.unit.support import Refusing

# As DynamoDB writes them.
OF_ITEM = "Item size has exceeded the maximum allowed size"
OF_UPDATE = "Item size to update has exceeded the maximum allowed size"
BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"name": "Sample", "prices": [{"date": "2025-01-02", "price": 1}]},
    {"name": "Sample"},
    {"source": "s", "event_type": "t", "payload": {}},
    {"title": "t", "message": "m"},
    {"user_id": "user123", "provider": "google", "oauth_tokens": {}, "user_info": {"name": "Ada"}},
)


def refused(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Made")


def canceled(*reasons: tuple[str, str]) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
        "CancellationReasons": [{"Code": code, "Message": message} for code, message in reasons],
    }
    return ClientError(response, "Made")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(OF_ITEM), ItemTooLarge),
        (refused(OF_UPDATE), ItemTooLarge),
        (canceled(("ValidationError", OF_UPDATE), ("None", "")), ItemTooLarge),
        (canceled(("None", ""), ("ValidationError", OF_UPDATE)), ItemTooLarge),
        (canceled(("ValidationError", "Type mismatch for an operand"), ("None", "")), TransactionCanceled),
        (canceled(("ValidationError", OF_UPDATE), ("ConditionalCheckFailed", "")), TransactionCanceled),
        (refused("The provided key element does not match the schema"), ClientError),
    ],
)
def test_a_refusal_for_an_items_size_is_known_by_its_reason(
    error: ClientError, expected: type[Exception], logger_of: Callable[[str], Logger]
) -> None:
    database = DynamoDB(client=Refusing(None, error), logger=logger_of("sizes"))

    writes: tuple[Callable[[], Any], ...] = (
        lambda: database.put_item("t", Item={}),
        lambda: database.update_item("t", Key={}),
        lambda: database.transact_write([{"Put": {"TableName": "t", "Item": {}}}]),
    )
    for write in writes:
        with pytest.raises(expected):
            write()


# fileshare runs on SQLite here.
@pytest.mark.parametrize("name", [name for name in APPS if name != "fileshare"])
def test_no_route_fails_where_an_item_has_no_room(
    name: str, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    writes = ("put_item", "update_item", "transact_write_items")
    full = Refusing(dynamodb, refused(OF_UPDATE), *writes)
    told: set[str] = set()
    with (
        made(name, dynamodb, logger_of, tmp_path, client=full) as one,
        served(one.app) as url,
        httpx.Client(base_url=url, headers=one.credentials, trust_env=False) as http,
    ):
        for path in paths_of_nothing(one):
            for method, body in [*(("POST", body) for body in BODIES), ("PUT", BODIES[1])]:
                response = http.request(method, path, json=body)
                assert response.status_code < 500, (method, path, response.text)
                if response.status_code in {409, 413}:
                    told.add(response.json()["error"]["code"])

    assert told & {"item_full", "request_too_large", "unreadable"}, told

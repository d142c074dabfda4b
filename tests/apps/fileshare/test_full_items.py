"""An item that DynamoDB has filled to the last byte keeps nobody from following a link, and is no failure of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from mangum import Mangum

from fileshare.app import create_app, open_database
from fileshare.database import Database
from fileshare.dynamodb_database import link_item
from fileshare.settings import Settings, Tables
from tests.apps.fileshare.support import Api, a_link
from tests.unit.support import Clock, filled


@pytest.fixture
def database(tables: Tables, dynamodb: Any, logger: Logger) -> Iterator[Database]:
    made = open_database(Settings(database=tables), client=dynamodb, logger=logger)
    yield made
    made.close()


@pytest.fixture
def api(tables: Tables, database: Database, logger: Logger, clock: Clock, event_loop: object) -> Api:
    app = create_app(settings=Settings(database=tables), database=database, clock=clock, logger=logger)
    made = Api(Mangum(app, lifespan="off"))
    made.sign_up()
    return made


@pytest.mark.parametrize("count", [None, {"NULL": True}, {"N": "9"}, {"N": "99"}], ids=str)
def test_a_link_without_room_for_another_click_is_followed(
    api: Api, dynamodb: Any, tables: Tables, count: dict[str, Any] | None
) -> None:
    link = a_link()
    item = {name: value for name, value in link_item(link).items() if name != "click_count"}
    full = filled(dynamodb, tables.urls, item if count is None else item | {"click_count": count})

    for _ in range(3):
        response = api.get(f"/{link.short_code}")
        assert (response.status, response.headers["location"]) == (302, link.full_url)

    stored = dynamodb.get_item(TableName=tables.urls, Key={"short_code": full["short_code"]})["Item"]
    assert {name: value for name, value in stored.items() if name != "click_count"} == {
        name: value for name, value in full.items() if name != "click_count"
    }


def test_a_user_without_room_for_a_trial_is_told_so_and_stays_as_before(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    user_id = api.sign_up("full@example.com")["user_id"]
    key = {"user_id": {"S": user_id}}
    full = filled(dynamodb, tables.users, dynamodb.get_item(TableName=tables.users, Key=key)["Item"])

    for _ in range(2):
        shown = api.call("GET", "/api/trial")
        assert (shown.status, shown.json()["can_start_trial"]) == (200, True)
        refused = api.call("POST", "/api/trial")
        assert (refused.status, refused.error_code) == (409, "item_full")
    assert dynamodb.get_item(TableName=tables.users, Key=key, ConsistentRead=True)["Item"] == full
    # Everything else goes on.
    assert api.get(f"/{api.shorten()['short_code']}").status == 302

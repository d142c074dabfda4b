"""A table begins and ends to scale by itself, and gains and loses indexes meanwhile: nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tftest

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.plans.plan import Plan, Tool, initialized
from sawhorse.plans.scratch import scratch_root

pytestmark = pytest.mark.end_to_end

NAME = "readings-that-scale"
TABLE = "module.readings.aws_dynamodb_table.this[0]"
BEFORE_IT_MOVED = "module.readings.aws_dynamodb_table.autoscaled[0]"
SAVED = "saved.tfplan"
BOUNDS = {"read": {"min_capacity": 5, "max_capacity": 50}, "write": {"min_capacity": 7, "max_capacity": 70}}
TWO = {"by-owner": {"hash_key": "owner"}, "by-day": {"hash_key": "day", "range_key": "id"}}
THREE = {**TWO, "by-city": {"hash_key": "city"}}
ITEMS = [
    {"id": f"{n:04}", "owner": f"owner-{n % 7}", "day": f"day-{n % 30}", "city": f"city-{n % 3}"} for n in range(1000)
]


@dataclass(frozen=True)
class Table:
    """A root with one table of the module, on the local AWS."""

    directory: Path
    runner: tftest.TerraformTest
    dynamodb: Any

    def given(self, **arguments: Any) -> None:
        """Write what the module is given."""
        call = {"source": "../../../modules/dynamodb_table", "name": NAME, "hash_key": "id", **arguments}
        (self.directory / "main.tf.json").write_text(json.dumps({"module": {"readings": call}}))

    def plan(self) -> Plan:
        self.runner.execute_command("plan", "-input=false", f"-out={SAVED}")
        return Plan(json.loads(self.runner.execute_command("show", "-json", SAVED).out))

    def apply(self) -> Mapping[str, list[str]]:
        """Apply what was planned, and return what that did to which resource."""
        planned = self.plan()
        self.runner.execute_command("apply", SAVED)
        return {address: actions for address, actions in planned.actions.items() if actions != ["no-op"]}

    def has_changes(self) -> bool:
        code: int = self.runner.execute_command("plan", "-input=false", "-detailed-exitcode").retcode
        return code != 0

    def items(self, **where: Any) -> list[Mapping[str, str]]:
        """Return every item, of the table or of an index, in order."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=NAME, **where)
        items = [{name: value["S"] for name, value in item.items()} for page in pages for item in page["Items"]]
        return sorted(items, key=lambda item: item["id"])

    def described(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.dynamodb.describe_table(TableName=NAME)["Table"]
        return found

    def capacity(self) -> dict[str, tuple[int, int]]:
        """Return the units of reading and writing, of the table and of each index."""
        table = self.described()
        parts = {"table": table, **{index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}}
        return {
            name: tuple(part["ProvisionedThroughput"][f"{kind}CapacityUnits"] for kind in ("Read", "Write"))
            for name, part in parts.items()
        }


@pytest.fixture
def table(local_aws: Running, terraform: Tool, repository: Path, tmp_path: Path) -> Table:
    """A table on demand with two indexes and a thousand items."""
    variables = local_aws.environment()
    directory = scratch_root(repository, tmp_path, "dev/autoscaling")
    found = Table(directory, tftest.TerraformTest(""), local_client("dynamodb", variables))
    found.given(global_secondary_indexes=TWO)
    runner = initialized(Tool(terraform.binary, {**terraform.environment, **variables}), directory)
    found = Table(directory, runner, found.dynamodb)
    found.apply()
    # As many as one call takes.
    for items in (ITEMS[start : start + 25] for start in range(0, len(ITEMS), 25)):
        puts = [{"PutRequest": {"Item": {name: {"S": value} for name, value in item.items()}}} for item in items]
        assert not found.dynamodb.batch_write_item(RequestItems={NAME: puts})["UnprocessedItems"]
    return found


def scaled(*parts: str, action: str) -> dict[str, list[str]]:
    """Name what scales the parts of the table, with what is done to all of it."""
    return {
        f'module.readings.aws_appautoscaling_{kind}.this["{part}/{what}"]': [action]
        for part in parts
        for kind in ("target", "policy")
        for what in ("read", "write")
    }


def test_a_table_that_exists_begins_and_ends_to_scale_and_loses_nothing(table: Table) -> None:
    made = table.described()["TableId"]
    two = ("table", "index/by-owner", "index/by-day")

    def nothing_is_lost(*indexes: str) -> None:
        assert table.described()["TableId"] == made
        assert table.items() == ITEMS
        for index in indexes:
            assert table.items(IndexName=index) == ITEMS
        assert set(table.capacity()) == {"table", *indexes}
        assert not table.has_changes()

    # It begins to.
    table.given(global_secondary_indexes=TWO, autoscaling=BOUNDS)
    assert table.apply() == {TABLE: ["update"], **scaled(*two, action="create")}
    assert table.capacity() == dict.fromkeys(("table", *TWO), (5, 7))
    nothing_is_lost(*TWO)

    # In states from before, an autoscaled table is another resource.
    table.runner.execute_command("state", "mv", TABLE, BEFORE_IT_MOVED)
    taken_over = table.plan()
    assert set(taken_over.done.values()) == {"kept"}
    moves = [(one["previous_address"], one["address"]) for one in taken_over.changes if "previous_address" in one]
    assert moves == [(BEFORE_IT_MOVED, TABLE)]

    # An index comes and goes. What Application Auto Scaling did to the others, and to the table, stays.
    table.dynamodb.update_table(
        TableName=NAME,
        ProvisionedThroughput={"ReadCapacityUnits": 33, "WriteCapacityUnits": 44},
        GlobalSecondaryIndexUpdates=[
            {
                "Update": {
                    "IndexName": "by-day",
                    "ProvisionedThroughput": {"ReadCapacityUnits": 11, "WriteCapacityUnits": 22},
                }
            }
        ],
    )
    scaled_by_itself = {"table": (33, 44), "by-owner": (5, 7), "by-day": (11, 22)}
    table.given(global_secondary_indexes=THREE, autoscaling=BOUNDS)
    city = 'module.readings.aws_cloudwatch_metric_alarm.throttles["index/by-city"]'
    assert table.apply() == {TABLE: ["update"], city: ["create"], **scaled("index/by-city", action="create")}
    assert table.capacity() == {**scaled_by_itself, "by-city": (5, 7)}
    nothing_is_lost(*THREE)
    table.given(global_secondary_indexes=TWO, autoscaling=BOUNDS)
    assert table.apply() == {TABLE: ["update"], city: ["delete"], **scaled("index/by-city", action="delete")}
    assert table.capacity() == scaled_by_itself
    nothing_is_lost(*TWO)

    # It ends to.
    table.given(global_secondary_indexes=TWO)
    assert table.apply() == {TABLE: ["update"], **scaled(*two, action="delete")}
    assert table.described()["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    nothing_is_lost(*TWO)
    table.runner.destroy()

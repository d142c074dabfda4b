"""How hybrid_ci_cd is operated in production: plans, capacity, the variables for an incident, rollback and destroy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sawhorse.operate.seed import bearer
from tests.end_to_end.support import Sawhorse

pytestmark = pytest.mark.end_to_end

ROOT = "production/hybrid_ci_cd"
TABLES = ("agents", "jobs", "sessions")
INDEXES = {
    "agents": "status-last_heartbeat_at-index",
    "jobs": "status-created_at-index",
    "sessions": "user_id-expires_at-index",
}
PIN = "/hybrid-ci-cd-production/live"


@pytest.fixture(scope="module")
def sawhorse(standing: Callable[[str], Sawhorse]) -> Sawhorse:
    """production/hybrid_ci_cd, applied for all tests of this file; the later ones release and roll back."""
    return standing(ROOT)


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture(scope="module")
def http(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=60, trust_env=False) as client:
        yield client


def planned(sawhorse: Sawhorse, *options: str) -> dict[str, set[str]]:
    """Plan, and return what would be done to which resources, their addresses from the app on."""
    output = sawhorse("plan", ROOT, "--local", *options)
    pattern = r"# module\.hybrid_ci_cd\.(\S+) (?:will|must) be (created|updated in-place|destroyed|replaced)"
    found: dict[str, set[str]] = {}
    for address, action in re.findall(pattern, output):
        found.setdefault(action, set()).add(address)
    assert found or "No changes." in output, output
    return found


def test_every_smoke_check_passes_and_leaves_nothing(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    report = sawhorse.json("smoke", ROOT, "--local")
    assert report["passed"], report
    assert len(report["checks"]) == 15
    dynamodb = sawhorse.client("dynamodb", "production")
    for table in TABLES:
        items = dynamodb.scan(TableName=outputs[f"dynamodb_{table}_table"])["Items"]
        assert not [item for item in items if "smoke" in json.dumps(item)]


def test_a_second_plan_shows_no_changes(sawhorse: Sawhorse) -> None:
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")


def test_the_outputs_have_their_names(outputs: dict[str, Any]) -> None:
    assert outputs["lambda_function_name"] == "hybrid-ci-cd-production"
    assert outputs["api_endpoint"].endswith("/production")
    assert {outputs[f"dynamodb_{table}_table"] for table in TABLES} == {
        f"hybrid-ci-cd-{table}-production" for table in TABLES
    }


def test_capacity_that_autoscaling_moved_is_no_change(sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
    dynamodb = sawhorse.client("dynamodb", "production")
    for table in TABLES:
        name = outputs[f"dynamodb_{table}_table"]
        before = dynamodb.describe_table(TableName=name)["Table"]
        assert before["ProvisionedThroughput"]["ReadCapacityUnits"] == 20
        assert before["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 20
        dynamodb.update_table(
            TableName=name,
            ProvisionedThroughput={"ReadCapacityUnits": 33, "WriteCapacityUnits": 44},
            GlobalSecondaryIndexUpdates=[
                {
                    "Update": {
                        "IndexName": INDEXES[table],
                        "ProvisionedThroughput": {"ReadCapacityUnits": 55, "WriteCapacityUnits": 66},
                    }
                }
            ],
        )
        moved = dynamodb.describe_table(TableName=name)["Table"]
        assert moved["ProvisionedThroughput"]["ReadCapacityUnits"] == 33
        assert moved["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 66
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")


def scaled(part: str, *kinds: str) -> set[str]:
    """Name a kind of resource of autoscaling, of every table and index."""
    return {
        f'module.{table}.{part}.this["{path}/{kind}"]'
        for table in TABLES
        for path in ("table", f"index/{INDEXES[table]}")
        for kind in kinds
    }


def test_more_read_capacity_lifts_the_minimum_of_tables_and_indexes(sawhorse: Sawhorse) -> None:
    assert planned(sawhorse, "--var", "dynamodb_read_capacity=50") == {
        "updated in-place": scaled("aws_appautoscaling_target", "read")
    }


def test_more_write_capacity_lifts_the_minimum_of_tables_and_indexes(sawhorse: Sawhorse) -> None:
    assert planned(sawhorse, "--var", "dynamodb_write_capacity=50") == {
        "updated in-place": scaled("aws_appautoscaling_target", "write")
    }


def test_on_demand_switches_the_tables_in_place(sawhorse: Sawhorse) -> None:
    assert planned(sawhorse, "--var", "dynamodb_billing_mode=PAY_PER_REQUEST") == {
        "updated in-place": {f"module.{table}.aws_dynamodb_table.this[0]" for table in TABLES},
        "destroyed": scaled("aws_appautoscaling_target", "read", "write")
        | scaled("aws_appautoscaling_policy", "read", "write"),
    }


def test_less_concurrency_changes_the_function_alone(sawhorse: Sawhorse) -> None:
    changes = planned(sawhorse, "--var", "lambda_reserved_concurrency=10")
    assert changes == {"updated in-place": {"module.function.aws_lambda_function.this"}}


def test_other_origins_change_what_browsers_are_told(sawhorse: Sawhorse) -> None:
    changes = planned(sawhorse, "--var", 'cors_origins=["https://ci.example.com"]')
    responses = {address for address in changes["updated in-place"] if "gateway_response" in address}
    assert len(responses) == 9
    assert changes == {
        "replaced": {"module.api.aws_api_gateway_deployment.this"},
        "updated in-place": responses
        | {
            "module.api.aws_api_gateway_stage.this",
            "module.function.aws_lambda_function.this",
        },
    }


def test_a_seed_shows_calls_that_work(sawhorse: Sawhorse, http: httpx.Client) -> None:
    secrets = sawhorse.json("seed", ROOT, "--local")["secrets"]
    told = http.post("auth/validate", json={"session_id": secrets["session_id"]}).json()
    assert (told["valid"], told["user_id"]) == (True, "demo-user")
    claimed = http.post("jobs/claim", headers=bearer(secrets["agent_token"]))
    assert (claimed.status_code, claimed.json()["name"]) == (200, "demo job")


def test_an_apply_of_production_publishes_and_a_release_and_a_rollback_move_live(
    sawhorse: Sawhorse, http: httpx.Client
) -> None:
    version = sawhorse.project.lambda_path / "hybrid_ci_cd/version.py"
    version.write_text(version.read_text().replace("0.1.0", "9.9.9"))
    sawhorse("build", "hybrid_ci_cd")

    assert "was published, and live was left where it is" in sawhorse("apply", ROOT, "--local")
    assert http.get("health").json()["version"] == "0.1.0"
    assert "is live." in sawhorse("release", ROOT, "--local")
    assert http.get("health").json()["version"] == "9.9.9"
    sawhorse("rollback", ROOT, "--local")

    assert http.get("health").json()["version"] == "0.1.0"
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")
    sawhorse("release", ROOT, "--local")


def test_a_rollback_by_the_api_alone_is_no_change_and_is_said(sawhorse: Sawhorse, http: httpx.Client) -> None:
    ssm, awslambda = sawhorse.client("ssm", "production"), sawhorse.client("lambda", "production")
    versions = awslambda.list_versions_by_function(FunctionName="hybrid-ci-cd-production")["Versions"]
    earlier = versions[-2]["Version"]

    ssm.put_parameter(Name=PIN, Value=earlier, Overwrite=True)
    awslambda.update_alias(FunctionName="hybrid-ci-cd-production", Name="live", FunctionVersion=earlier)

    assert http.get("health").json()["version"] == "0.1.0"
    planned_again = sawhorse("plan", ROOT, "--local", "--exit-code")
    assert "No changes." in planned_again
    assert "was moved by hand" in planned_again
    assert "was moved by hand" in sawhorse("apply", ROOT, "--local", code=2)
    sawhorse("release", ROOT, "--local")


def test_destroy_refuses_production_before_it_touches_anything(sawhorse: Sawhorse) -> None:
    refusal = sawhorse("destroy", ROOT, "--local", code=2)
    assert "hybrid-ci-cd-sessions-production" in refusal
    assert "Nothing was destroyed." in refusal


def test_staging_bills_on_demand(sawhorse: Sawhorse) -> None:
    root = "staging/hybrid_ci_cd"
    sawhorse("apply", root, "--local")
    dynamodb = sawhorse.client("dynamodb", "staging")
    for table in TABLES:
        described = dynamodb.describe_table(TableName=f"hybrid-ci-cd-{table}-staging")["Table"]
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    outputs = sawhorse.json("outputs", root, "--local")
    assert httpx.get(f"{outputs['api_endpoint']}/health", trust_env=False).json()["status"] == "healthy"

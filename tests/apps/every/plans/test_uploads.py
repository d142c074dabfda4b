"""An app whose packages go through S3: each zip is uploaded once, and functions are changed in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.lambda_limits import ZIPPED_LIMIT
from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.plans.cases import Case, plan_changes, state_before
from sawhorse.plans.examples import SAMPLE_ARCHIVE
from sawhorse.plans.plan import Plan, Tool
from sawhorse.plans.scratch import SAMPLE_LAYER
from sawhorse.project import Project
from tests.apps.every.plans.test_layers import APPS, arguments, of_type

pytestmark = pytest.mark.whole_plans

BUCKET = "example-packages"
# What of an app is in the state: it reads a zip.
RUNS = ("aws_lambda_function", "aws_lambda_layer_version")
LAYER = {**SAMPLE_ARCHIVE, "path": f"../../../{SAMPLE_LAYER}"}


def through(upload: str, app: str) -> dict[str, Any]:
    """Return good arguments of an app whose package and layer get to Lambda in one way."""
    base = arguments(app)
    packages = {
        name: {**package, "upload": upload, "layer": {**LAYER, "upload": upload}}
        for name, package in base["packages"].items()
    }
    return {**base, "packages": packages, "packages_bucket": BUCKET}


@pytest.fixture(scope="module")
def uploads_plan(
    terraform: Tool, local_aws: Running, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Plan:
    """The plan of every app that was handed over in calls when it was last applied, and goes through S3 now."""
    facts = read_environment(Project(repository), "dev")
    variables = local_aws.environment(facts.account_id, facts.region)
    tool = Tool(terraform.binary, {**terraform.environment, **variables})
    scratch = tmp_path_factory.mktemp("uploads")
    cases = [Case(app, f"apps/{app}", through("s3", app), before=through("direct", app)) for app in APPS]
    state = state_before(tool, repository, scratch, cases)
    assert [resource for resource in state["resources"] if resource["type"] == "aws_s3_object"] == []
    runs = [resource for resource in state["resources"] if resource["type"] in RUNS]
    return plan_changes(tool, repository, scratch, cases, {**state, "resources": runs})


@pytest.mark.parametrize("app", APPS)
def test_a_package_and_its_layer_are_uploaded_once_each(app: str, uploads_plan: Plan) -> None:
    objects = of_type(uploads_plan, app, "aws_s3_object")

    assert sorted(objects) == [f'module.packages.aws_s3_object.this["{name}"]' for name in ("sample", "sample-layer")]
    for name, uploaded in objects.items():
        assert uploaded["bucket"] == BUCKET
        assert uploaded["source"] in {SAMPLE_ARCHIVE["path"], LAYER["path"]}
        # Private as its bucket is, and encrypted as that says.
        assert uploaded["acl"] in {None, "(known after apply)"}, name
        account, whose, *_, content = uploaded["key"].split("/")
        assert (account, content) == ("111111111111", "c2FtcGxl.zip")
        assert "dev" in whose


@pytest.mark.parametrize("app", APPS)
def test_every_function_and_the_layer_read_what_was_uploaded(app: str, uploads_plan: Plan) -> None:
    keys = {uploaded["key"] for uploaded in of_type(uploads_plan, app, "aws_s3_object").values()}
    readers = of_type(uploads_plan, app, "aws_lambda_function") | of_type(uploads_plan, app, "aws_lambda_layer_version")

    assert {reader["s3_bucket"] for reader in readers.values()} == {BUCKET}
    assert {reader["s3_key"] for reader in readers.values()} == keys
    assert {reader["filename"] for reader in readers.values()} == {None}
    # What decides about a deployment is the content, here as in a call.
    assert {reader["source_code_hash"] for reader in readers.values()} == {SAMPLE_ARCHIVE["content_sha256"]}


@pytest.mark.parametrize("app", APPS)
def test_functions_are_changed_in_place_and_the_layer_gets_another_version(app: str, uploads_plan: Plan) -> None:
    within = f"module.{app}."
    actions = {address: done for address, done in uploads_plan.actions.items() if address.startswith(within)}

    functions = [address for address in actions if uploads_plan.types[address] == "aws_lambda_function"]
    assert functions
    assert {address: actions[address] for address in functions} == {address: ["update"] for address in functions}
    gone = {address for address, done in actions.items() if "delete" in done}
    assert gone == {f"{within}module.layer[0].aws_lambda_layer_version.this"}


@pytest.mark.parametrize("app", APPS)
def test_no_role_gets_a_right_for_the_bucket(app: str, uploads_plan: Plan) -> None:
    policies = of_type(uploads_plan, app, "aws_iam_role_policy") | of_type(uploads_plan, app, "aws_iam_policy")

    assert policies
    assert [name for name, policy in policies.items() if "s3:" in policy["policy"]] == []


def test_the_modules_refuse_from_the_size_on_that_the_build_sends_through_s3(repository: Path) -> None:
    for module in ("lambda_function", "lambda_layer"):
        text = (repository / "modules" / module / "variables.tf").read_text()

        assert f"<= {ZIPPED_LIMIT}\n" in text
        assert f"takes {ZIPPED_LIMIT} in a call" in text

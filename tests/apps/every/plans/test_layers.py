"""An app whose dependencies lie in a layer: one layer, in front of every other that its functions have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.plans.cases import PLACEHOLDERS_OF, Case, plan_changes, read_bases, state_before
from sawhorse.plans.examples import SAMPLE_ARCHIVE
from sawhorse.plans.plan import Plan, Tool
from sawhorse.project import Project

pytestmark = pytest.mark.whole_plans

REPOSITORY = Path(__file__).resolve().parents[4]
APPS = Project(REPOSITORY).apps
BASES = {app: read_bases(REPOSITORY / f"tests/apps/{app}/refusals.yaml")[f"apps/{app}"] for app in APPS}
WEB_ADAPTER = "arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:30"
# Without which an app has no function, or no layer of another's making.
ASKED_FOR: dict[str, dict[str, Any]] = {
    "fileshare": {"lambda": {}},
    "turbotech_portal": {"web_adapter": {"layer_arn": WEB_ADAPTER}},
}


def arguments(app: str) -> dict[str, Any]:
    """Return good arguments of an app whose build made a layer."""
    base = {**BASES[app], **ASKED_FOR.get(app, {})}
    packages = {name: {**package, "layer": SAMPLE_ARCHIVE} for name, package in base["packages"].items()}
    return {**base, "packages": packages}


@pytest.fixture(scope="module")
def layers_plan(
    terraform: Tool, local_aws: Running, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Plan:
    """The plan of every app whose layer is there already: of one that is not, Terraform tells no place among others."""
    facts = read_environment(Project(repository), "dev")
    variables = local_aws.environment(facts.account_id, facts.region)
    tool = Tool(terraform.binary, {**terraform.environment, **variables})
    scratch = tmp_path_factory.mktemp("layers")
    cases = [Case(app, f"apps/{app}", arguments(app), before=arguments(app)) for app in APPS]
    state = state_before(tool, repository, scratch, cases)
    layers = [resource for resource in state["resources"] if resource["type"] == "aws_lambda_layer_version"]
    return plan_changes(tool, repository, scratch, cases, {**state, "resources": layers})


def of_type(found: Plan, app: str, kind: str) -> dict[str, Any]:
    """Return an app's resources of one type."""
    within = f"module.{app}."
    addresses = [address for address in found.resources if address.startswith(within) and found.types[address] == kind]
    return {address.removeprefix(within): found.resources[address] for address in addresses}


@pytest.mark.parametrize("app", APPS)
def test_an_app_makes_one_layer_for_what_it_runs_on(app: str, layers_plan: Plan) -> None:
    layers = of_type(layers_plan, app, "aws_lambda_layer_version")

    assert list(layers) == ["module.layer[0].aws_lambda_layer_version.this"]
    (layer,) = layers.values()
    assert layer["layer_name"].endswith("-dependencies")
    assert layer["filename"] == SAMPLE_ARCHIVE["path"]
    assert layer["source_code_hash"] == SAMPLE_ARCHIVE["content_sha256"]
    assert layer["compatible_runtimes"] == ["python3.13"]
    assert layer["compatible_architectures"] == ["x86_64"]
    assert layer["skip_destroy"] is True


@pytest.mark.parametrize("app", APPS)
def test_every_function_has_the_layer_in_front(app: str, layers_plan: Plan) -> None:
    functions = of_type(layers_plan, app, "aws_lambda_function")

    assert functions
    own = PLACEHOLDERS_OF["aws_lambda_layer_version"]["arn"]
    others = [WEB_ADAPTER] if app == "turbotech_portal" else []
    assert {name: function["layers"] for name, function in functions.items()} == {
        name: [own, *others] for name in functions
    }


@pytest.mark.parametrize("app", APPS)
def test_the_hash_of_the_content_decides_about_the_code(app: str, layers_plan: Plan) -> None:
    for function in of_type(layers_plan, app, "aws_lambda_function").values():
        assert function["source_code_hash"] == SAMPLE_ARCHIVE["content_sha256"]


@pytest.mark.parametrize("app", APPS)
def test_no_role_gets_a_right_for_the_layer(app: str, layers_plan: Plan) -> None:
    policies = of_type(layers_plan, app, "aws_iam_role_policy") | of_type(layers_plan, app, "aws_iam_policy")

    assert policies
    assert [name for name, policy in policies.items() if "layer" in policy["policy"].lower()] == []

"""What every root plans is what its system was promised to be: roots decide, apps compose, modules make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tftest

from sawhorse.environment import read_environment
from sawhorse.hcl import read_hcl
from sawhorse.local.emulators import Running
from sawhorse.plans.inventory import assert_plan, refresh_inventories
from sawhorse.plans.plan import UNKNOWN, Plan, Tool, plan
from sawhorse.plans.scratch import copy_of_root
from sawhorse.project import Project
from sawhorse.toolchain.provider_check import META_ARGUMENTS, META_BLOCKS
from shared.api_errors import RETRY_AFTER_SECONDS, THROTTLED
from tests.plans.support import packages_of

pytestmark = pytest.mark.whole_plans

REPOSITORY = Path(__file__).resolve().parents[4]
ROOTS = sorted(f"{path.parts[-3]}/{path.parts[-2]}" for path in (REPOSITORY / "environments").glob("*/*/main.tf"))
# Lambda makes up the names of log streams, so that a role cannot name them.
LOG_STREAMS = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:[^*?]+:log-stream:\*")
# Words in the names of resources and attributes that belong to a network.
NETWORK = re.compile(
    r"vpc|subnet|security_group|network_interface|nat_gateway|internet_gateway|^aws_network|(^|_)eip($|_)"
)


def statements(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk the statements of every policy of the plan that is known before the apply."""
    for address, values in plan.resources.items():
        for name in ("policy", "assume_role_policy"):
            policy = values.get(name)
            if isinstance(policy, str) and policy.startswith("{"):
                for statement in json.loads(policy)["Statement"]:
                    yield address, statement


def set_values(value: Any, place: str = "") -> Iterator[str]:
    """Walk the attributes that have a value, by their names; what AWS fills in by itself nobody has asked for."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from set_values(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from set_values(inner, place)
    elif value not in (None, "", False, UNKNOWN):
        yield place


def calls(module: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk the module calls of a configuration with their sources."""
    for call in module.get("module_calls", {}).values():
        yield call["source"], call["module"]
        yield from calls(call["module"])


def hcl_blocks(path: Path) -> list[str]:
    """Return the first word of every block of a file."""
    return re.findall(r"^(\w+)[^\n=]*\{$", path.read_text(), re.MULTILINE)


def written_resources(directory: Path) -> dict[tuple[str, str, str], set[str]]:
    """Read the resources and data sources of a module with the names of what each sets, but for dynamic blocks."""
    return {
        ("managed" if block.type == "resource" else "data", block.labels[0], block.labels[1]): {
            *(one.name for one in block.arguments if one.name not in META_ARGUMENTS),
            *(one.type for one in block.blocks if one.type not in {*META_BLOCKS, "dynamic"}),
        }
        for path in directory.glob("*.tf")
        for block in read_hcl(path.read_text(), str(path)).blocks
        if block.type in {"resource", "data"}
    }


# What an access log may say of a request. Not its path and its query, where a caller may have put a key, and no other
# header than the one that names the caller's program. AWS has many more:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
LOGGED = {
    "authorizer.error",
    "error.responseType",
    "httpMethod",
    "identity.sourceIp",
    "identity.userAgent",
    "integrationLatency",
    "integrationStatus",
    "requestId",
    "requestTime",
    "responseLatency",
    "responseLength",
    "status",
    "xrayTraceId",
}
ROUTE_LOGGED = {"aws_api_gateway_stage": "resourcePath", "aws_apigatewayv2_stage": "routeKey"}


def app_of(root: str) -> str:
    return root.partition("/")[2]


def inventory_of(root: str) -> Path:
    environment, _, app = root.partition("/")
    return REPOSITORY / f"tests/apps/{app}/inventories/{environment}.yaml"


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_plans_what_its_inventory_says(root: str, root_plan: Callable[[str], Plan], refresh: str | None) -> None:
    if refresh:
        # The roots of an app share a base.
        refresh_inventories({inventory_of(other): root_plan(other) for other in ROOTS if app_of(other) == app_of(root)})
    command = "REFRESH_PLANS=1 python -m pytest tests/apps/every/plans/test_roots.py"
    assert_plan(root_plan(root), inventory_of(root), refresh=command)


def test_every_inventory_is_that_of_a_root_or_the_base_of_some() -> None:
    of_roots = set(map(inventory_of, ROOTS))
    bases = {path.parent / "base.yaml" for path in of_roots if "\nbase: base.yaml\n" in path.read_text()}
    assert set(REPOSITORY.glob("tests/**/inventories/*")) == bases | of_roots


@pytest.mark.parametrize("root", ROOTS)
def test_no_policy_has_a_wildcard_but_for_log_streams(root: str, root_plan: Callable[[str], Plan]) -> None:
    found = list(statements(root_plan(root)))
    assert any("Resource" in statement for _, statement in found)
    for address, statement in found:
        actions, resources = statement["Action"], statement.get("Resource", [])
        assert not [action for action in ([actions] if isinstance(actions, str) else actions) if "*" in action], address
        assert not [arn for arn in resources if re.search(r"[*?]", arn) and not LOG_STREAMS.fullmatch(arn)], address


@pytest.mark.parametrize("root", ROOTS)
def test_nothing_stands_in_a_network_of_its_own(root: str, root_plan: Callable[[str], Plan]) -> None:
    """The databases that needed one were left behind, and it with them."""
    plan = root_plan(root)
    functions = [address for address, kind in plan.types.items() if kind == "aws_lambda_function"]
    assert functions
    assert [plan.resources[address]["vpc_config"] for address in functions] == [[]] * len(functions)
    assert [address for address, kind in plan.types.items() if NETWORK.search(kind)] == []
    places = {(address, place) for address, values in plan.resources.items() for place in set_values(values)}
    assert places
    assert [found for found in places if NETWORK.search(found[1])] == []


@pytest.mark.parametrize("root", ROOTS)
def test_everything_that_can_have_tags_says_where_it_belongs(root: str, root_plan: Callable[[str], Plan]) -> None:
    environment, app = root.split("/")
    for address, values in root_plan(root).resources.items():
        if "tags_all" in values:
            assert values["tags_all"]["environment"] == environment, address
            assert values["tags_all"]["app"] == app, address


@pytest.mark.parametrize("root", ROOTS)
def test_only_production_protects_its_tables(root: str, root_plan: Callable[[str], Plan], repository: Path) -> None:
    plan = root_plan(root)
    facts = read_environment(Project(repository), root.partition("/")[0])
    tables = [plan.resources[address] for address, kind in plan.types.items() if kind == "aws_dynamodb_table"]
    assert {table["deletion_protection_enabled"] for table in tables} == {facts.production}


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_has_one_module_call_and_no_resources(root: str, root_plan: Callable[[str], Plan]) -> None:
    configuration = root_plan(root).module()
    assert configuration.get("resources", []) == []
    sources = [call["source"] for call in configuration["module_calls"].values()]
    assert sources == [f"../../../modules/apps/{app_of(root)}"]
    assert hcl_blocks(REPOSITORY / "environments" / root / "main.tf") == ["module"]


@pytest.mark.parametrize("root", ROOTS)
def test_the_check_of_the_providers_schema_reads_what_terraform_reads(
    root: str, root_plan: Callable[[str], Plan]
) -> None:
    """Terraform's configuration leaves dynamic blocks out, so these are compared with none."""
    compared = 0
    for source, module in calls(root_plan(root).module()):
        written = written_resources(REPOSITORY / "modules" / re.sub(r"^(\.\./)+(modules/)?", "", source))
        of_terraform = {
            (resource["mode"], resource["type"], resource["name"]): set(resource.get("expressions", {}))
            for resource in module.get("resources", [])
        }
        assert of_terraform == written
        compared += len(written)
    assert compared


@pytest.mark.parametrize("app", sorted({app_of(root) for root in ROOTS}))
def test_what_browsers_are_told_stands_in_one_file(app: str) -> None:
    told = REPOSITORY / "modules/apps" / app / "cors.json"
    assert told.resolve() == REPOSITORY / "lambda" / app / "cors.json"


@pytest.mark.parametrize("root", ROOTS)
def test_a_role_gets_its_permissions_from_modules_only(root: str, root_plan: Callable[[str], Plan]) -> None:
    app = root_plan(root).module(app_of(root))
    roles = [call for call in app["module_calls"].values() if "grants" in call["expressions"]]
    assert roles
    for call in roles:
        grant = call["expressions"]["grants"]
        assert set(grant) == {"references"}
        assert [name for name in grant["references"] if not name.startswith("module.")] == []


@pytest.mark.parametrize(
    ("app", "sentence"),
    [
        ("fileshare", "POST /api/users would let everybody write, so production refuses it"),
        ("hybrid_ci_cd", "say open_sessions = true if that is meant"),
        ("stock_track_record", "PUT /api/stocks/{ticker} would let everybody write, so production refuses it"),
    ],
)
def test_a_production_root_that_does_not_say_what_is_open_is_refused(  # noqa: PLR0913, PLR0917 # what a plan takes
    terraform: Tool, local_aws: Running, repository: Path, tmp_path: Path, app: str, sentence: str
) -> None:
    facts = read_environment(Project(repository), "production")
    tool = Tool(terraform.binary, {**terraform.environment, **local_aws.environment(facts.account_id, facts.region)})
    root = f"production/{app}"
    directory = copy_of_root(repository, tmp_path, root, packages_of(repository, root))
    main = directory / "main.tf"
    said, without = re.subn(r"^ *open_\w+ += true\n", "", main.read_text(), flags=re.MULTILINE)
    assert without == 1
    main.unlink()
    main.write_text(said)

    with pytest.raises(tftest.TerraformTestError) as refused:
        plan(tool, directory)
    # Terraform breaks its lines where they are full.
    printed = " ".join(str(part) for part in refused.value.args)
    assert sentence in re.sub(r"[\s│]+", " ", printed)


@pytest.mark.parametrize("root", ROOTS)
def test_an_access_log_has_the_route_and_never_the_path(root: str, root_plan: Callable[[str], Plan]) -> None:
    plan = root_plan(root)
    stages = {address: kind for address, kind in plan.types.items() if kind in ROUTE_LOGGED}
    # A root of fileshare may have no function, and so no API.
    kinds = list(plan.types.values())
    assert len(stages) == kinds.count("aws_api_gateway_rest_api") + kinds.count("aws_apigatewayv2_api")
    for address, kind in stages.items():
        [access] = plan.resources[address]["access_log_settings"]
        said = json.loads(access["format"])
        named = {name for value in said.values() for name in re.findall(r"\$context\.([A-Za-z.]+)", value)}
        assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", value) for value in said.values()), said
        assert ROUTE_LOGGED[kind] in named, address
        assert named <= LOGGED | {ROUTE_LOGGED[kind]}, address


@pytest.mark.parametrize("root", ROOTS)
def test_a_rest_api_says_after_how_many_seconds_to_come_again(root: str, root_plan: Callable[[str], Plan]) -> None:
    plan = root_plan(root)
    refusals = {
        address: plan.resources[address]
        for address, kind in plan.types.items()
        if kind == "aws_api_gateway_gateway_response" and plan.resources[address]["status_code"] == "429"
    }
    assert len(refusals) == list(plan.types.values()).count("aws_api_gateway_stage")
    for address, values in refusals.items():
        headers = values["response_parameters"]
        assert headers["gatewayresponse.header.Retry-After"] == f"'{RETRY_AFTER_SECONDS}'", address
        assert "Retry-After" in headers["gatewayresponse.header.Access-Control-Expose-Headers"], address
        assert json.loads(values["response_templates"]["application/json"])["error"]["message"] == THROTTLED


@pytest.mark.parametrize("root", ROOTS)
def test_a_rest_api_hands_bytes_on_and_responds_to_no_preflight_itself(
    root: str, root_plan: Callable[[str], Plan]
) -> None:
    plan = root_plan(root)
    kinds = list(plan.types.values())
    of = {kind: [plan.resources[name] for name, one in plan.types.items() if one == kind] for kind in kinds}
    apis = of.get("aws_api_gateway_rest_api", [])

    assert all(api["binary_media_types"] == ["*/*"] for api in apis)
    # With */* a MOCK integration fails (https://github.com/aws/chalice/issues/1310), so the function has OPTIONS.
    integrations = of.get("aws_api_gateway_integration", [])
    assert {one["type"] for one in integrations} == ({"AWS_PROXY"} if apis else set())
    methods = [one["http_method"] for one in of.get("aws_api_gateway_method", [])]
    assert methods.count("ANY") == 2 * len(apis)
    assert "OPTIONS" not in methods
    for response in of.get("aws_api_gateway_gateway_response", []):
        assert response["response_parameters"]["gatewayresponse.header.Cache-Control"] == "'no-store'"

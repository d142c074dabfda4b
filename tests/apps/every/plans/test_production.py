"""Production is what environment.yaml says: an environment gets every guard of it, or none, whatever its name is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tftest

from hybrid_ci_cd.settings import Settings as HybridSettings
from sawhorse.environment import read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.hcl import read_hcl
from sawhorse.local.emulators import Running
from sawhorse.plans.plan import Plan, Tool, plan
from sawhorse.plans.scratch import copy_of_root
from sawhorse.project import Project
from sawhorse.terraform.sync import sync
from sawhorse.workspace import Deployment
from shared.settings import SettingsError
from tests.plans.support import packages_of
from triggers_api.settings import Settings as TriggersSettings
from turbotech_portal.ops.process import process
from turbotech_portal.settings import Settings as PortalSettings

pytestmark = pytest.mark.whole_plans

ENVIRONMENT = "production-eu"
STAGE = "prod-eu"
APPS = ("fileshare", "hybrid_ci_cd", "stock_track_record", "triggers_api", "turbotech_portal")
# What a root says of itself, and what one that is written anew may leave out.
NAMED = re.compile(r"^(  stage +=) .*$", re.MULTILINE)
ENDING = re.compile(r"^(  suffix +=) null$", re.MULTILINE)
PROTECTED = re.compile(r"^  deletion_protection_enabled +=.*\n", re.MULTILINE)
OPEN = re.compile(r"^ *open_\w+ += true\n", re.MULTILINE)
FACT = re.compile(r"^production: true$", re.MULTILINE)


def project_at(place: Path, repository: Path) -> Project:
    """Write a project with one environment: production's with another name, stage and region, and nothing of tables."""
    place.mkdir()
    for name in ("lambda", "modules"):
        (place / name).symlink_to(repository / name)
    made = ("terraform.tfvars", "terraform.tfstate*", ".terraform", "backend.tf")
    written = place / "environments" / ENVIRONMENT
    shutil.copytree(repository / "environments/production", written, ignore=shutil.ignore_patterns(*made))
    facts = written / "environment.yaml"
    facts.write_text(facts.read_text().replace("region: us-east-1", "region: eu-central-1"))
    for app in APPS:
        edit(written / app / "main.tf", NAMED, rf'\1 "{STAGE}"')
        edit(written / app / "main.tf", PROTECTED, "")
    edit(written / "stock_track_record/main.tf", ENDING, rf'\1 "{STAGE}"')
    sync(Project(place).roots)
    return Project(place)


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Project:
    """An environment that a test may change."""
    return project_at(tmp_path / "project", repository)


@pytest.fixture(scope="module")
def plan_of(
    repository: Path, terraform: Tool, local_aws: Running, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Plan]:
    """Plan an app of the new environment as it was written, once for all tests."""
    scratch = tmp_path_factory.mktemp("production")
    project = project_at(scratch / "project", repository)
    return cache(lambda app: planned(project, app, terraform, local_aws, scratch / "plans"))


def edit(path: Path, pattern: re.Pattern[str], replacement: str) -> None:
    """Change the one place of a file that a pattern finds."""
    text, places = pattern.subn(replacement, path.read_text())
    assert places == 1
    path.write_text(text)


def planned(project: Project, app: str, terraform: Tool, local_aws: Running, scratch: Path) -> Plan:
    root = f"{ENVIRONMENT}/{app}"
    facts = read_environment(project, ENVIRONMENT).of_app(app)
    tool = Tool(terraform.binary, {**terraform.environment, **local_aws.environment(facts.account_id, facts.region)})
    return plan(tool, copy_of_root(project.path, scratch, root, packages_of(project.path, root)))


def of_type(plan: Plan, kind: str) -> dict[str, Any]:
    return {address: values for address, values in plan.resources.items() if plan.types[address] == kind}


def variables_of(plan: Plan, app: str) -> dict[str, str]:
    [environment] = plan.resources[f"module.{app}.module.function.aws_lambda_function.this"]["environment"]
    found: dict[str, str] = environment["variables"]
    return found


@pytest.mark.parametrize("app", APPS)
def test_a_production_of_another_name_protects_its_tables_and_tells_of_refused_requests(
    plan_of: Callable[[str], Plan], app: str
) -> None:
    plan = plan_of(app)

    tables = of_type(plan, "aws_dynamodb_table")
    assert all(STAGE in values["name"] for values in tables.values())
    assert {values["deletion_protection_enabled"] for values in tables.values()} == {True}
    refused = [values for address, values in of_type(plan, "aws_cloudwatch_metric_alarm").items() if '"4xx"' in address]
    assert [values["threshold"] for values in refused] == [300]


def test_its_function_refuses_the_development_key_and_logs_no_payload(plan_of: Callable[[str], Plan]) -> None:
    given = variables_of(plan_of("triggers_api"), "triggers_api")

    assert (given["STAGE"], given["PRODUCTION"]) == (STAGE, "true")
    # routes.py logs payloads where this is false.
    assert TriggersSettings.from_environment(given).production
    with pytest.raises(SettingsError, match="the development key must never open production"):
        TriggersSettings.from_environment({**given, "AUTH_MODE": "local"})


def test_its_function_makes_sessions_for_everybody_only_where_that_was_said(plan_of: Callable[[str], Plan]) -> None:
    given = variables_of(plan_of("hybrid_ci_cd"), "hybrid_ci_cd")

    assert (given["STAGE"], given["PRODUCTION"], given["OPEN_SESSIONS"]) == (STAGE, "true", "true")
    assert HybridSettings.from_environment(given).session_key_hash is None
    with pytest.raises(SettingsError, match="whoever reaches POST /auth/session would become any user of production"):
        HybridSettings.from_environment({**given, "OPEN_SESSIONS": "false"})


def test_its_portal_lets_no_development_user_in(
    plan_of: Callable[[str], Plan], project: Project, local_aws: Running
) -> None:
    app = "turbotech_portal"
    given = variables_of(plan_of(app), app)

    assert (given["STAGE"], given["PRODUCTION"]) == (STAGE, "true")
    with pytest.raises(SettingsError, match="nobody may come into production without a token"):
        PortalSettings.from_environment({**given, "AUTH_MODE": "local"})
    facts = read_environment(project, ENVIRONMENT)
    with pytest.raises(BadConfiguration, match="one development user in to everything, so production refuses it"):
        process(Deployment(project.root(f"{ENVIRONMENT}/{app}"), facts, {}, local_aws))


@pytest.mark.parametrize(
    ("app", "pattern", "replacement", "sentence"),
    [
        ("fileshare", OPEN, "", "POST /api/users would let everybody write, so production refuses it"),
        ("hybrid_ci_cd", OPEN, "", "becomes any user, so production refuses it; set session_key_sha256"),
        (
            "stock_track_record",
            OPEN,
            "",
            "PUT /api/stocks/{ticker} would let everybody write, so production refuses it",
        ),
        ("triggers_api", NAMED, r'\g<0>\n  auth_mode = "local"', "everybody can read, so production refuses it; say"),
    ],
)
def test_what_is_open_to_everybody_is_refused_there(  # noqa: PLR0913, PLR0917 # what a plan takes
    project: Project,
    terraform: Tool,
    local_aws: Running,
    tmp_path: Path,
    app: str,
    pattern: re.Pattern[str],
    replacement: str,
    sentence: str,
) -> None:
    edit(project.root(f"{ENVIRONMENT}/{app}").path / "main.tf", pattern, replacement)

    with pytest.raises(tftest.TerraformTestError) as refused:
        planned(project, app, terraform, local_aws, tmp_path / "plans")
    # Terraform breaks its lines where they are full.
    printed = " ".join(str(part) for part in refused.value.args)
    assert sentence in re.sub(r"[\s│]+", " ", printed)


UNHEARD = re.compile(r"^alarms_unheard: true$", re.MULTILINE)


@pytest.mark.parametrize("app", APPS)
def test_alarms_that_nobody_hears_are_refused_there_by_terraform_alone(
    project: Project, terraform: Tool, local_aws: Running, tmp_path: Path, app: str
) -> None:
    edit(project.path / "environments" / ENVIRONMENT / "environment.yaml", UNHEARD, "alarms_unheard: false")

    with pytest.raises(tftest.TerraformTestError) as refused:
        planned(project, app, terraform, local_aws, tmp_path / "plans")
    printed = " ".join(str(part) for part in refused.value.args)
    assert "this is production, and nobody would hear the alarms of" in re.sub(r"[\s│]+", " ", printed)


def test_an_address_is_who_hears_them(project: Project, terraform: Tool, local_aws: Running, tmp_path: Path) -> None:
    edit(project.path / "environments" / ENVIRONMENT / "environment.yaml", UNHEARD, "alarm_email: team@example.com")

    plan = planned(project, "triggers_api", terraform, local_aws, tmp_path / "plans")

    [subscription] = of_type(plan, "aws_sns_topic_subscription").values()
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "team@example.com")


def test_the_service_of_fileshare_is_watched_where_it_is_named(
    project: Project, terraform: Tool, local_aws: Running, tmp_path: Path
) -> None:
    service = (
        '{ cluster = "sharing", name = "flask-app", tasks = 2, behind = { load_balancer = '
        '"app/sharing/50dc6c495c0c9188", target_group = "targetgroup/flask-app/73e2d6bc24d8a067" } }'
    )
    main = project.root(f"{ENVIRONMENT}/fileshare").path / "main.tf"
    edit(main, re.compile(r"^  service = null$", re.MULTILINE), f"  service = {service}")

    plan = planned(project, "fileshare", terraform, local_aws, tmp_path / "plans")

    alarms = {values["alarm_name"]: values for values in of_type(plan, "aws_cloudwatch_metric_alarm").values()}
    tasks, errors = (alarms[f"file-sharing-app-{STAGE}-service-{name}"] for name in ("tasks", "errors"))
    assert (tasks["namespace"], tasks["metric_name"], tasks["statistic"]) == (
        "AWS/ECS",
        "CPUUtilization",
        "SampleCount",
    )
    assert tasks["dimensions"] == {"ClusterName": "sharing", "ServiceName": "flask-app"}
    # No task at all reports nothing.
    assert (tasks["comparison_operator"], tasks["threshold"], tasks["treat_missing_data"]) == (
        "LessThanThreshold",
        2,
        "breaching",
    )
    assert (errors["threshold"], errors["evaluation_periods"], errors["datapoints_to_alarm"]) == (5, 5, 3)
    balancer, target = "app/sharing/50dc6c495c0c9188", "targetgroup/flask-app/73e2d6bc24d8a067"
    looked_at = {
        one["metric"][0]["metric_name"]: one["metric"][0]["dimensions"]
        for one in errors["metric_query"]
        if one["metric"]
    }
    assert looked_at == {
        "HTTPCode_Target_5XX_Count": {"LoadBalancer": balancer, "TargetGroup": target},
        "HTTPCode_ELB_5XX_Count": {"LoadBalancer": balancer},
        "RequestCount": {"LoadBalancer": balancer, "TargetGroup": target},
    }
    assert all(values["alarm_actions"] for values in (tasks, errors))


def test_what_says_that_it_is_no_production_has_none_of_the_guards(
    project: Project, terraform: Tool, local_aws: Running, tmp_path: Path
) -> None:
    directory = project.path / "environments" / ENVIRONMENT
    edit(directory / "environment.yaml", FACT, "production: false")
    edit(directory / "environment.yaml", UNHEARD, "")
    edit(directory / "triggers_api/main.tf", NAMED, r'\1 "prod"\n  auth_mode = "local"')

    plan = planned(project, "triggers_api", terraform, local_aws, tmp_path / "plans")

    assert {values["deletion_protection_enabled"] for values in of_type(plan, "aws_dynamodb_table").values()} == {False}
    assert not [address for address in of_type(plan, "aws_cloudwatch_metric_alarm") if '"4xx"' in address]
    given = TriggersSettings.from_environment(variables_of(plan, "triggers_api"))
    assert (given.stage, given.production, given.auth_mode) == ("prod", False, "local")


def test_what_says_nothing_of_it_is_refused(project: Project) -> None:
    edit(project.path / "environments" / ENVIRONMENT / "environment.yaml", FACT, "")

    with pytest.raises(BadConfiguration, match=r"production-eu/environment\.yaml: production is missing; it must be"):
        read_environment(project, ENVIRONMENT)


@pytest.mark.parametrize("app", APPS)
def test_an_app_is_told_whether_it_is_production_and_has_no_default(repository: Path, app: str) -> None:
    shown = f"modules/apps/{app}/variables.tf"
    blocks = read_hcl((repository / shown).read_text(), shown).blocks

    [said] = [block for block in blocks if block.labels == ("production",)]
    arguments = {one.name: one.expression for one in said.arguments}
    assert (arguments["type"], arguments["nullable"], "default" in arguments) == ("bool", "false", False)

"""The service's environment comes from the parameters, and a deployment changes that environment and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from fileshare.ops.process import process
from fileshare.ops.seed import issue_token
from fileshare.ops.service import ServiceName, deploy_service, parameters_of, service_environment
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration, CommandFailed, NotApplied, UnknownName
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment

DEV = "/fileshare/dev"
VARIABLES = {"USE_DYNAMODB": "true", "AWS_REGION": "us-east-2"}
TAKEN = {"taskDefinitionArn": "arn:old", "revision": 3, "status": "ACTIVE", "registeredBy": "somebody"}


def environment(name: str = "dev", account_id: str = "777777777777") -> Environment:
    return Environment(name=name, account_id=account_id, region="us-east-2", production=False)


@pytest.fixture
def parameters(local_aws: Running) -> Iterator[Any]:
    """SSM of an account of its own, with the parameters of dev."""
    client = local_client("ssm", local_aws.environment("777777777777", "us-east-2"))
    values = {
        "use_dynamodb": "true",
        "dynamodb_users_table_name": "the-users",
        "dynamodb_urls_table_name": "the-urls",
    }
    for name, value in values.items():
        client.put_parameter(Name=f"/fileshare/dev/{name}", Value=value, Type="String", Overwrite=True)
    yield client
    client.delete_parameters(Names=[f"/fileshare/dev/{name}" for name in values])


def turn(parameters: Any, value: str) -> None:
    parameters.put_parameter(Name="/fileshare/dev/use_dynamodb", Value=value, Overwrite=True)


def test_the_parameters_are_those_of_the_stage_that_the_root_says(repository: Path, tmp_path: Path) -> None:
    roots = [root for root in Project(repository).roots if root.app == "fileshare"]
    assert {root.environment: parameters_of(root) for root in roots} == {
        "dev": "/fileshare/dev",
        "production": "/fileshare/prod",
        "staging": "/fileshare/staging",
    }
    elsewhere = Root(Project(tmp_path), "production-eu", "fileshare")
    elsewhere.path.mkdir(parents=True)
    (elsewhere.path / "main.tf").write_text('module "fileshare" {\n  stage = "prod-eu"\n}\n')
    assert parameters_of(elsewhere) == "/fileshare/prod-eu"


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_four_variables_come_from_the_parameters(parameters: Any, value: str) -> None:
    turn(parameters, value)
    assert service_environment(lambda _: parameters, environment(), DEV) == {
        "AWS_REGION": "us-east-2",
        "DYNAMODB_URLS_TABLE_NAME": "the-urls",
        "DYNAMODB_USERS_TABLE_NAME": "the-users",
        "USE_DYNAMODB": value,
    }


def test_parameters_that_are_not_there_or_say_nonsense_are_named(parameters: Any) -> None:
    with pytest.raises(NotApplied, match=r"no parameter /fileshare/prod/.* run .sawhorse apply production/fileshare"):
        service_environment(lambda _: parameters, environment("production"), "/fileshare/prod")
    turn(parameters, "yes")
    with pytest.raises(BadConfiguration, match="use_dynamodb is 'yes'; set it to true or false: aws ssm put-parameter"):
        service_environment(lambda _: parameters, environment(), DEV)


def deployment(local_aws: Running, tmp_path: Path, **outputs: Any) -> Deployment:
    root = Root(Project(tmp_path), "dev", "fileshare")
    return Deployment(root, environment(), {"parameters": DEV, **outputs}, local_aws)


def test_on_sqlite_the_process_has_no_credentials_at_all(local_aws: Running, parameters: Any, tmp_path: Path) -> None:
    turn(parameters, "false")
    found = process(deployment(local_aws, tmp_path)).environment
    assert found["SQLITE_PATH"] == str(tmp_path / ".sawhorse/fileshare/dev.sqlite3")
    assert (tmp_path / ".sawhorse/fileshare").is_dir()
    assert not [name for name in found if "KEY" in name or "TOKEN" in name]


@pytest.mark.parametrize("outputs", [{}, {"task_role": None}], ids=str)
def test_without_a_task_role_the_process_says_what_to_do(
    local_aws: Running, parameters: Any, tmp_path: Path, outputs: dict[str, Any]
) -> None:
    with pytest.raises(BadConfiguration, match=r"names no task role.* name a role that you may assume as task_role"):
        process(deployment(local_aws, tmp_path, **outputs))


def test_a_token_for_what_is_no_address_is_refused_before_anything_is_asked(local_aws: Running, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="'nonsense' is not an address: it must be an address"):
        issue_token(deployment(local_aws, tmp_path), "nonsense")


class FakeECS:
    """A cluster with one service, which becomes stable when told so."""

    def __init__(
        self, *containers: dict[str, Any], stable: bool = True, active: bool = True, goes_back: bool = False
    ) -> None:
        self.containers = list(containers)
        self.goes_back = goes_back
        self.stable = stable
        self.active = active
        self.registered: dict[str, Any] = {}
        self.updated: dict[str, Any] = {}
        self.waited: dict[str, Any] = {}

    def describe_services(self, **_: Any) -> dict[str, Any]:
        status = "ACTIVE" if self.active else "INACTIVE"
        runs = "arn:new" if self.updated and not self.goes_back else "arn:old"
        deployments = [{"status": "PRIMARY", "taskDefinition": runs, "rolloutState": "COMPLETED"}]
        return {"services": [{"status": status, "taskDefinition": runs, "deployments": deployments}]}

    def describe_task_definition(self, **request: Any) -> dict[str, Any]:
        assert request["taskDefinition"] == "arn:old"
        definition = {**TAKEN, "family": "flask-app", "cpu": "256", "containerDefinitions": self.containers}
        return {"taskDefinition": definition, "tags": [{"key": "team", "value": "sharing"}]}

    def register_task_definition(self, **request: Any) -> dict[str, Any]:
        self.registered = request
        return {"taskDefinition": {"taskDefinitionArn": "arn:new"}}

    def update_service(self, **request: Any) -> None:
        self.updated = request

    def get_waiter(self, name: str) -> FakeECS:
        assert name == "services_stable"
        return self

    def wait(self, **request: Any) -> None:
        self.waited = request
        if not self.stable:
            raise WaiterError(name="ServicesStable", reason="Max attempts exceeded", last_response={})


APP = {
    "name": "app",
    "image": "app:1",
    "environment": [{"name": "A", "value": "1"}, {"name": "USE_DYNAMODB", "value": "false"}],
}
PROXY = {"name": "proxy", "image": "proxy:1"}


def test_a_deployment_changes_the_variables_and_nothing_else() -> None:
    ecs = FakeECS(APP, PROXY)
    assert deploy_service(ecs, ServiceName("cluster", "service", "app"), VARIABLES, wait_seconds=60) == "arn:new"
    wanted = [{"name": "A", "value": "1"}, *({"name": name, "value": VARIABLES[name]} for name in sorted(VARIABLES))]
    assert ecs.registered == {
        "family": "flask-app",
        "cpu": "256",
        "containerDefinitions": [{**APP, "environment": wanted}, PROXY],
        "tags": [{"key": "team", "value": "sharing"}],
    }
    assert ecs.updated == {
        "cluster": "cluster",
        "service": "service",
        "taskDefinition": "arn:new",
        "forceNewDeployment": True,
    }
    assert (ecs.waited["services"], ecs.waited["WaiterConfig"]) == (["service"], {"Delay": 15, "MaxAttempts": 4})


def test_a_container_that_is_alone_needs_no_name_and_takes_the_image() -> None:
    ecs = FakeECS(APP)
    deploy_service(ecs, ServiceName("cluster", "service"), VARIABLES, image="app:2")
    assert ecs.registered["containerDefinitions"][0]["image"] == "app:2"


@pytest.mark.parametrize("image", ["app:2", "app", "app@sha256:12", f"app@sha256:{'1' * 64}:2", None])
@pytest.mark.parametrize("container", [None, "app"])
def test_an_image_that_can_be_pushed_anew_is_refused_where_a_digest_is_wanted(
    image: str | None, container: str | None
) -> None:
    ecs = FakeECS(APP, PROXY) if container else FakeECS(APP)
    with pytest.raises(BadConfiguration, match=r"Name the image by its digest: --image REPOSITORY@sha256:DIGEST"):
        deploy_service(ecs, ServiceName("cluster", "service", container), VARIABLES, image=image, by_digest=True)
    assert (ecs.registered, ecs.updated) == ({}, {})


def test_an_image_by_its_digest_is_deployed_where_one_is_wanted() -> None:
    ecs, image = FakeECS(APP, PROXY), f"app:2@sha256:{'1' * 64}"
    deploy_service(ecs, ServiceName("cluster", "service", "app"), VARIABLES, image=image, by_digest=True)
    assert ecs.registered["containerDefinitions"][0]["image"] == image


@pytest.mark.parametrize("container", [None, "absent"])
def test_a_container_that_nobody_can_tell_is_asked_for(container: str | None) -> None:
    ecs = FakeECS(APP, PROXY)
    with pytest.raises(UnknownName, match="with --container: app, proxy"):
        deploy_service(ecs, ServiceName("cluster", "service", container), VARIABLES)
    assert ecs.registered == {}


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownName, match="The cluster sharing has no service web"):
        deploy_service(FakeECS(APP, active=False), ServiceName("sharing", "web"), VARIABLES)


def test_a_service_that_does_not_become_stable_fails_the_deployment() -> None:
    with pytest.raises(CommandFailed, match="service is not stable after 900 seconds"):
        deploy_service(FakeECS(APP, stable=False), ServiceName("cluster", "service"), VARIABLES)


def test_a_deployment_that_ecs_took_back_fails_though_the_service_is_stable() -> None:
    with pytest.raises(CommandFailed, match="service does not run arn:new: its deployment failed, and ECS went back"):
        deploy_service(FakeECS(APP, goes_back=True), ServiceName("cluster", "service"), VARIABLES)


def test_a_variable_that_came_as_a_secret_stands_in_one_place_afterwards() -> None:
    """ECS refuses a name that stands in both."""
    secrets = [{"name": "USE_DYNAMODB", "valueFrom": "/fileshare/dev/use_dynamodb"}, {"name": "B", "valueFrom": "b"}]
    ecs = FakeECS({**APP, "secrets": secrets})
    deploy_service(ecs, ServiceName("cluster", "service"), VARIABLES)
    (container,) = ecs.registered["containerDefinitions"]
    assert container["secrets"] == secrets[1:]
    assert {"name": "USE_DYNAMODB", "value": "true"} in container["environment"]


def test_the_workflow_offers_the_environments_that_the_app_has_roots_for_and_names_their_region(
    repository: Path,
) -> None:
    text = (repository / ".github/workflows/deploy-fileshare.yml").read_text()
    names = [root.environment for root in Project(repository).roots if root.app == "fileshare"]
    regions = {read_environment(Project(repository), name).of_app("fileshare").region for name in names}

    [offered] = re.findall(r"options: \[(.*)\]", text)
    assert sorted(offered.split(", ")) == names
    assert re.findall(r"aws-region: (\S+)", text) == sorted(regions)

"""Kill a first apply at its Nth create call, with its state here or in S3, and compare what stands in the end."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.local.prerequisites import make_prerequisites
from sawhorse.workspace import Workspace
from tests.children import descendants, started
from tests.end_to_end.support import Sawhorse, without_aws

# How it ends, and whether its state is in S3: each in turn, and each ten times in forty rounds.
WAYS = ((signal.SIGKILL, True), (signal.SIGTERM, False), (signal.SIGKILL, False), (signal.SIGTERM, True))
# Tenths of the way, where it is hit.
TENTHS = (5, 2, 8, 1, 10, 3, 7, 4, 9, 6)
# A call takes some milliseconds: from just before it until just after.
MOST_SECONDS = 0.15


@dataclass(frozen=True)
class Target:
    """A root on the local AWS, with its state in a file or in S3."""

    sawhorse: Sawhorse
    root: str
    in_s3: bool

    def bring_state(self) -> None:
        """Bring the state to where it is to be."""
        self.sawhorse("state", "move", self.root, "--local", "--to", "bucket" if self.in_s3 else "local")

    @property
    def place(self) -> tuple[str, str]:
        """The account and the region of the root."""
        environment, _, app = self.root.partition("/")
        facts = read_environment(self.sawhorse.project, environment).of_app(app)
        return facts.account_id, facts.region

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self.sawhorse.run(command, self.root, "--local", *options)

    def done(self, command: str, *options: str) -> str:
        result = self.run(command, *options)
        assert result.returncode == 0, f"{command} of {self.root}:\n{result.stdout[-6000:]}{result.stderr[-2000:]}"
        return result.stdout

    def killed(self, number: signal.Signals, nth: int, seconds: float) -> None:
        """Apply, and hit it that long after it announced its Nth create call: all of it, or the command alone."""
        command = [sys.executable, "-m", "sawhorse.cli.main", "apply", self.root, "--local"]
        project = self.sawhorse.project.path
        environment = {**without_aws(), "SAWHORSE_PROJECT": str(project)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with started(command, cwd=project, env=environment, **pipes) as process:
            assert process.stdout
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "".join(printed).count("Creating...") == nth:
                    break
            else:
                raise AssertionError(f"It ended before it made {nth} things:\n{''.join(printed)}")
            time.sleep(seconds)
            if number == signal.SIGKILL:
                for one in descendants({process.pid}):
                    one.kill()
            else:
                process.send_signal(number)
            process.stdout.read()
            process.wait()

    def client(self, service: str) -> Any:
        variables = LocalAWS(self.sawhorse.project).required().environment(*self.place)
        return local_client(service, variables)


def prepare(sawhorse: Sawhorse, root: str) -> None:
    """Make what the root's app expects of an account, and build it."""
    workspace = Workspace(sawhorse.project.root(root), local=True)
    make_prerequisites(workspace.root, workspace.client, workspace.environment)
    sawhorse("build", root.partition("/")[2])


def applied_clean(target: Target) -> tuple[int, Mapping[str, list[str]]]:
    """Apply and destroy, and return how many things were made, and what then stood."""
    target.bring_state()
    before = inventory(target)
    made = target.done("apply").count("Creating...")
    found = inventory(target)
    target.done("destroy")
    assert inventory(target) == before
    return made, found


def assert_finished_by_the_same_command(
    sawhorse: Sawhorse, root: str, drill_round: int, moments: random.Random, clean: Any
) -> None:
    """Kill one first apply; the same command then finishes it, and what stands is what a clean one makes."""
    number, in_s3 = WAYS[drill_round % len(WAYS)]
    made, expected = clean
    nth = max(1, round(made * TENTHS[drill_round // len(WAYS) % len(TENTHS)] / 10))
    target = Target(sawhorse, root, in_s3)
    target.bring_state()
    before = inventory(target)

    target.killed(number, nth, moments.uniform(0, MOST_SECONDS))
    target.done("apply")

    assert "No changes." in target.done("plan", "--exit-code")
    assert inventory(target) == expected
    target.done("destroy")
    assert inventory(target) == before


def inventory(target: Target) -> dict[str, list[str]]:
    """Name all that stands in the root's account and region, of what apps are made of, by what tells it apart."""
    return {kind: sorted(look(target.client)) for kind, look in LOOKS.items()}


def names(service: str, operation: str, field: str, name: str = "", **request: str) -> Callable[..., Iterator[str]]:
    """Return a look for things that have names."""

    def look(client: Callable[[str], Any]) -> Iterator[str]:
        for thing in listed(client(service), operation, field, **request):
            yield thing[name] if name else thing

    return look


def listed(client: Any, operation: str, field: str, **request: Any) -> Sequence[Any]:
    if not client.can_paginate(operation):
        found: Sequence[Any] = getattr(client, operation)(**request).get(field, [])
        return found
    return [one for page in client.get_paginator(operation).paginate(**request) for one in page.get(field, [])]


def tables(client: Callable[[str], Any]) -> Iterator[str]:
    for name in listed(client("dynamodb"), "list_tables", "TableNames"):
        table = client("dynamodb").describe_table(TableName=name)["Table"]
        yield f"{name} {sorted(index['IndexName'] for index in table.get('GlobalSecondaryIndexes', []))}"


def functions(client: Callable[[str], Any]) -> Iterator[str]:
    awslambda = client("lambda")
    for name in names("lambda", "list_functions", "Functions", "FunctionName")(client):
        yield name
        for alias in listed(awslambda, "list_aliases", "Aliases", FunctionName=name):
            try:
                policy = awslambda.get_policy(FunctionName=name, Qualifier=alias["Name"])["Policy"]
            except awslambda.exceptions.ResourceNotFoundException:
                policy = '{"Statement": []}'
            yield f"{name}:{alias['Name']} {sorted(one['Sid'] for one in json.loads(policy)['Statement'])}"
        for mapping in listed(awslambda, "list_event_source_mappings", "EventSourceMappings", FunctionName=name):
            yield f"{name} <- {mapping['EventSourceArn']}"


def layers(client: Callable[[str], Any]) -> Iterator[str]:
    """Each layer with how many versions it has; their numbers go up whatever happens."""
    for name in names("lambda", "list_layers", "Layers", "LayerName")(client):
        yield f"{name} {len(listed(client('lambda'), 'list_layer_versions', 'LayerVersions', LayerName=name))}"


def roles(client: Callable[[str], Any]) -> Iterator[str]:
    for name in names("iam", "list_roles", "Roles", "RoleName")(client):
        inline = listed(client("iam"), "list_role_policies", "PolicyNames", RoleName=name)
        attached = listed(client("iam"), "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        yield f"{name} {sorted(inline)} {sorted(one['PolicyName'] for one in attached)}"


def rest_apis(client: Callable[[str], Any]) -> Iterator[str]:
    gateway = client("apigateway")
    for api in listed(gateway, "get_rest_apis", "items"):
        yield api["name"]
        for resource in listed(gateway, "get_resources", "items", restApiId=api["id"]):
            yield f"{api['name']} {resource['path']} {sorted(resource.get('resourceMethods', {}))}"
        yield f"{api['name']} {[stage['stageName'] for stage in gateway.get_stages(restApiId=api['id'])['item']]}"
        yield f"{api['name']} {len(listed(gateway, 'get_deployments', 'items', restApiId=api['id']))} deployments"
        responses = listed(gateway, "get_gateway_responses", "items", restApiId=api["id"])
        yield f"{api['name']} {sorted(one['responseType'] for one in responses)}"


def http_apis(client: Callable[[str], Any]) -> Iterator[str]:
    gateway = client("apigatewayv2")
    for api in listed(gateway, "get_apis", "Items"):
        of = {"ApiId": api["ApiId"]}
        yield api["Name"]
        for operation, name in (("routes", "RouteKey"), ("stages", "StageName"), ("authorizers", "Name")):
            yield f"{api['Name']} {sorted(one[name] for one in listed(gateway, f'get_{operation}', 'Items', **of))}"
        yield f"{api['Name']} {len(listed(gateway, 'get_integrations', 'Items', **of))} integrations"


def subscriptions(client: Callable[[str], Any]) -> Iterator[str]:
    for one in listed(client("sns"), "list_subscriptions", "Subscriptions"):
        yield f"{one['TopicArn']} -> {one['Endpoint']}"


LOOKS: Mapping[str, Callable[[Callable[[str], Any]], Iterator[str]]] = {
    "alarms": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "functions": functions,
    "http apis": http_apis,
    "layers": layers,
    "log groups": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameters": names("ssm", "describe_parameters", "Parameters", "Name"),
    "policies": names("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
    "queues": names("sqs", "list_queues", "QueueUrls"),
    "rest apis": rest_apis,
    "roles": roles,
    "scalable targets": names(
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        "ResourceId",
        ServiceNamespace="dynamodb",
    ),
    "subscriptions": subscriptions,
    "tables": tables,
    "topics": names("sns", "list_topics", "Topics", "TopicArn"),
}

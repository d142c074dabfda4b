"""Apps applied by the command line to a local AWS, in a copy of the project."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.plans.scratch import providers
from sawhorse.project import Project
from sawhorse.terraform.provider_lock import forget_hashes
from tests.projects import copy_of_project


@dataclass(frozen=True)
class Sawhorse:
    """The command line, run in a project of its own."""

    project: Project

    def __call__(self, *arguments: str, code: int = 0, variables: dict[str, str] | None = None) -> str:
        """Run a command, expect its exit code, and return what it printed on both streams."""
        result = self.run(*arguments, variables=variables)
        output = result.stdout + result.stderr
        assert result.returncode == code, f"sawhorse {' '.join(arguments)} ended with {result.returncode}:\n{output}"
        return output

    def run(self, *arguments: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sawhorse.cli.main", *arguments],
            cwd=self.project.path,
            env={**os.environ, "SAWHORSE_PROJECT": str(self.project.path), **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def in_a_fresh_shell(self, *exports: str, script: str) -> subprocess.CompletedProcess[str]:
        """Take over the exports of a `sawhorse local` command in a shell without AWS's variables, and run a script."""
        command = shlex.join([sys.executable, "-m", "sawhorse.cli.main", "local", *exports])
        return subprocess.run(
            ["bash", "-c", f'eval "$({command})"; {script}'],
            cwd=self.project.path,
            env={**without_aws(), "SAWHORSE_PROJECT": str(self.project.path)},
            capture_output=True,
            text=True,
            check=False,
        )

    def state(self, root: str) -> Path:
        """Return where the state of a root's local runs is."""
        return self.project.path / "environments" / root / "terraform.tfstate.d/local/terraform.tfstate"

    def json(self, *arguments: str) -> Any:
        """Run a command with --json and return what it printed."""
        result = self.run(*arguments, "--json")
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    def client(self, service: str, environment: str, region: str | None = None) -> Any:
        """Return a boto3 client of the local AWS, acting in an environment's account."""
        facts = read_environment(self.project, environment)
        variables = LocalAWS(self.project).required().environment(facts.account_id, region or facts.region)
        return client_of(service, tuple(sorted(variables.items())))


@cache
def client_of(service: str, variables: tuple[tuple[str, str], ...]) -> Any:
    """Make a client once: that takes up to a fifth of a second, and a look for what is left asks for fourteen."""
    return local_client(service, dict(variables))


def without_aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


@contextmanager
def brought_up(project: Project) -> Iterator[Sawhorse]:
    """Start a project's local AWS, on which nothing stands, and stop it in the end.

    Its roots have locks of their own, without hashes: every command would read the provider's 700 MB, which all plans
    of `tests/plans` check against the lock as it is.
    """
    for root in Project(project.path).roots:
        (root.path / "lock_override.tf").write_text(providers())
        forget_hashes(root.path)
    command = Sawhorse(project)
    try:
        command("local", "up", "--port", "0")
        yield command
    finally:
        LocalAWS(project).down()


@contextmanager
def applied(directory: Path, root: str) -> Iterator[Sawhorse]:
    """Apply a root to a local AWS of its own, in a copy of the project, and stop that in the end."""
    with brought_up(copy_of_project(directory / "project")) as command:
        apply(command, root)
        yield command


def apply(command: Sawhorse, root: str) -> None:
    command("build", root.rpartition("/")[2])
    command("apply", root, "--local")


def leftovers(sawhorse: Sawhorse, root: str) -> dict[str, list[Any]]:
    """Ask every service that apps use what a root's account still has, and the state what it still holds."""
    environment, _, app = root.partition("/")
    region = read_environment(sawhorse.project, environment).of_app(app).region

    def ask(service: str, operation: str, field: str, **request: str) -> list[Any]:
        found: list[Any] = getattr(sawhorse.client(service, environment, region), operation)(**request).get(field, [])
        return found

    def own(things: list[Any]) -> list[Any]:
        """The emulator of CloudWatch has one account for all, so only names tell whose a thing is."""
        return [thing for thing in things if environment in str(thing)]

    s3 = sawhorse.client("s3", environment, region)
    # Buckets are the account's; what lies in them is the root's.
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    return {
        "objects": [key for bucket in buckets for key in ask("s3", "list_objects_v2", "Contents", Bucket=bucket)],
        "tables": ask("dynamodb", "list_tables", "TableNames"),
        "functions": ask("lambda", "list_functions", "Functions"),
        "apis": ask("apigateway", "get_rest_apis", "items"),
        "http apis": ask("apigatewayv2", "get_apis", "Items"),
        "queues": ask("sqs", "list_queues", "QueueUrls"),
        "roles": [role["RoleName"] for role in ask("iam", "list_roles", "Roles")],
        "policies": ask("iam", "list_policies", "Policies", Scope="Local"),
        "log groups": ask("logs", "describe_log_groups", "logGroups"),
        "parameters": ask("ssm", "describe_parameters", "Parameters"),
        "topics": ask("sns", "list_topics", "Topics"),
        "alarms": own(ask("cloudwatch", "describe_alarms", "MetricAlarms")),
        "dashboards": own(ask("cloudwatch", "list_dashboards", "DashboardEntries")),
        "state": json.loads(sawhorse.state(root).read_text())["resources"],
    }

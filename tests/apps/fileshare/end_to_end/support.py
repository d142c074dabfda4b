"""What the end-to-end test of fileshare uses: callers, the backend as a process, an ECS service, an old SQLite file."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aws_lambda_powertools import Logger

from fileshare.records import Link, User
from fileshare.sqlite_database import SQLiteDatabase
from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.operate.serve import HOST
from tests.children import started
from tests.end_to_end.support import Sawhorse
from tests.projects import REPOSITORY

ROOT = "dev/fileshare"
TARGET = "https://example.com/report.pdf?a=1#top"
WORKFLOW = REPOSITORY / ".github/workflows/deploy-fileshare.yml"
FOUR = ("AWS_REGION", "DYNAMODB_URLS_TABLE_NAME", "DYNAMODB_USERS_TABLE_NAME", "USE_DYNAMODB")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def sign_up(http: httpx.Client, email: str | None = None) -> dict[str, Any]:
    response = http.post("api/users", json={"email": email or f"{uuid.uuid4()}@example.com"})
    assert response.status_code == 201, response.text
    user: dict[str, Any] = response.json()
    return user


def shorten(http: httpx.Client, **members: Any) -> str:
    response = http.post("api/links", json={"full_url": TARGET, **members})
    assert response.status_code == 201, response.text
    return str(response.json()["short_code"])


def client(sawhorse: Sawhorse, service: str, environment: str = "dev", **changes: str) -> Any:
    """Return a client of the local AWS in the app's own region."""
    facts = read_environment(sawhorse.project, environment).of_app("fileshare")
    variables = LocalAWS(sawhorse.project).required().environment(facts.account_id, facts.region)
    return local_client(service, {**variables, **changes})


@contextmanager
def running_process(sawhorse: Sawhorse) -> Iterator[httpx.Client]:
    """Run the backend with `sawhorse dev` and give a client of it."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sawhorse.cli.main", "dev", ROOT, "--local", "--port", str(port)]
    environment = {**os.environ, "SAWHORSE_PROJECT": str(sawhorse.project.path)}
    with (
        started(
            command, cwd=sawhorse.project.path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process,
        httpx.Client(base_url=f"http://{HOST}:{port}", timeout=10, trust_env=False) as http,
    ):
        try:
            wait_until_it_responds(http, process)
            yield http
        finally:
            # As Ctrl-C in a terminal, which reaches the whole group.
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=30)


def wait_until_it_responds(http: httpx.Client, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            http.get("api/health")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    assert process.stderr
    pytest.fail(f"The process does not respond: {process.stderr.read() if process.poll() else 'no end'}")


def make_service(ecs: Any) -> str:
    """Make a service as it was before this project came: on SQLite, with a container beside it."""
    ecs.create_cluster(clusterName="sharing")
    registered = ecs.register_task_definition(
        family="flask-app",
        taskRoleArn="arn:aws:iam::111111111111:role/file-sharing-app-dev-flask-app-task-role",
        containerDefinitions=[
            {
                "name": "flask-app",
                "image": "fileshare:1",
                "memory": 256,
                "environment": [
                    {"name": "USE_DYNAMODB", "value": "false"},
                    {"name": "FLASK_ENV", "value": "production"},
                ],
            },
            {"name": "proxy", "image": "proxy:1", "memory": 64, "environment": [{"name": "PORT", "value": "80"}]},
        ],
    )
    definition = str(registered["taskDefinition"]["taskDefinitionArn"])
    # Nothing runs here: a service that wants no task is stable.
    ecs.create_service(cluster="sharing", serviceName="flask-app", taskDefinition=definition, desiredCount=0)
    return definition


def steps_of_ours() -> list[dict[str, Any]]:
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["deploy"]["steps"]
    ours = [step for step in steps if "sawhorse" in step.get("run", "")]
    assert len(ours) == 1
    return ours


def run_step(step: Mapping[str, Any], words: Mapping[str, str], aws: Mapping[str, str], directory: Path) -> str:
    """Run a step as GitHub does: its expressions filled in, in bash that stops at the first error."""
    assert "${{" not in step["run"]
    environment = {
        name: re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: words[found[1]], value)
        for name, value in step["env"].items()
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=directory,
        env={**clean, **aws, **environment, "SAWHORSE_PROJECT": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def old_file(path: Path, *, users: int, links: int) -> tuple[list[User], list[Link]]:
    """Write a SQLite file as the service leaves it behind."""
    start = "2026-01-31T09:15:02.104233Z"
    run = uuid.uuid4().hex[:8]
    people = [
        User(
            user_id=f"{run}-{number}",
            email=f"{run}-{number}@example.com",
            created_at=start,
            updated_at=start,
            trial_used=number % 3 == 0,
        )
        for number in range(users)
    ]
    shared = [
        Link(
            short_code=f"{run}{number}",
            created_by_user=people[number % users].user_id,
            full_url=f"{TARGET}{number}",
            created_at=start,
            filename=f"report {number}.pdf" if number % 2 else None,
            click_count=number,
        )
        for number in range(links)
    ]
    SQLiteDatabase(path, threads=1, logger=Logger(service="old", level="ERROR")).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, records in (("users", people), ("urls", shared)):
            names = list(type(records[0]).__dataclass_fields__)
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",  # noqa: S608 # names of ours
                [astuple(record) for record in records],
            )
    return people, shared


def stop_in_the_middle(sawhorse: Sawhorse, path: Path, how: signal.Signals, links: int) -> int:
    """Start the migration, and stop it when it says that it has copied this many links or more."""
    command = [sys.executable, "-m", "sawhorse.cli.main", "run", ROOT, "migrate", "--from", str(path), "--local"]
    environment = {**os.environ, "SAWHORSE_PROJECT": str(sawhorse.project.path)}
    with started(
        command, cwd=sawhorse.project.path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        for line in process.stderr:
            found = re.match(r"Copying urls: ([\d,]+) of", line)
            if found and int(found[1].replace(",", "")) >= links:
                process.send_signal(how)
                break
        rest = process.stderr.read()
        code = process.wait(timeout=60)
    assert "Traceback" not in rest
    return code


def code_of(link: Link) -> str:
    return link.short_code


def exists(dynamodb: Any, table: str, link: Link) -> bool:
    return "Item" in dynamodb.get_item(TableName=table, Key={"short_code": {"S": link.short_code}})


def everything(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def those_of(dynamodb: Any, table: str, links: list[Link]) -> list[dict[str, Any]]:
    codes = {link.short_code for link in links}
    return [item for item in everything(dynamodb, table) if item["short_code"]["S"] in codes]

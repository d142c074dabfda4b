"""Every app of an environment side by side on one local AWS: brought up by one command, taken down one at a time."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from sawhorse.toolchain import terraform_install
from tests.apps.every.end_to_end.logs_support import (
    ACCESS,
    PREFIXES,
    USES,
    Made,
    ask_wrongly,
    everything_logged,
    logged_with,
    plant,
    process_of,
    queue_message,
)
from tests.end_to_end.support import Sawhorse, brought_up, leftovers
from tests.ports import free_port
from tests.projects import copy_of_project

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A copy of the project with a local AWS of its own, on which nothing stands yet."""
    with brought_up(copy_of_project(tmp_path_factory.mktemp("all-apps") / "project")) as command:
        yield command


@pytest.fixture(scope="module")
def demonstrated(sawhorse: Sawhorse) -> list[dict[str, Any]]:
    """What the demo of all apps of dev came to."""
    found: list[dict[str, Any]] = sawhorse.json("demo", "dev/all")
    return found


def health(sawhorse: Sawhorse, app: str) -> int:
    """Call an app's health, under whatever prefix it has its routes, and return the status."""
    prefix = {"fileshare": "api/", "stock_track_record": "api/", "triggers_api": "v1/", "turbotech_portal": "api/"}
    url = sawhorse.json("outputs", f"dev/{app}", "--local")["api_endpoint"]
    with httpx.Client(trust_env=False, timeout=60) as http:
        return http.get(f"{url}/{prefix.get(app, '')}health").status_code


def standing(sawhorse: Sawhorse) -> set[tuple[str, str]]:
    """Name all that stands in the account of dev, in both of its regions."""
    names = ("FunctionName", "RoleName", "PolicyName", "AlarmName", "DashboardName", "logGroupName", "TopicArn")
    found = [leftovers(sawhorse, f"dev/{app}") for app in ("triggers_api", "fileshare")]
    return {
        (
            kind,
            thing if isinstance(thing, str) else next(thing[key] for key in (*names, "name", "Name") if key in thing),
        )
        for one in found
        for kind, things in one.items()
        if kind != "state"
        for thing in things
    }


def test_all_apps_come_up_and_pass_their_checks(sawhorse: Sawhorse, demonstrated: list[dict[str, Any]]) -> None:
    assert [one["root"] for one in demonstrated] == [root.name for root in sawhorse.project.roots_named("dev/all")]
    assert [(one["root"], one["checks"]) for one in demonstrated if one["passed"] != one["checks"]] == []
    assert min(one["checks"] for one in demonstrated) >= 5
    assert min(one["resources"] for one in demonstrated) >= 20


def test_a_plan_of_all_apps_right_after_shows_no_changes(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]]
) -> None:
    output = sawhorse("plan", "dev/all", "--local", "--exit-code")

    assert output.count("No changes.") == len(demonstrated)


@pytest.mark.parametrize(
    ("exports", "app"),
    [("dev", "triggers_api"), ("dev/turbotech_portal", "turbotech_portal"), ("dev/fileshare", "fileshare")],
)
def test_terraform_itself_sees_no_changes_with_the_exports(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]], exports: str, app: str
) -> None:
    """Those for a root matter to what differs here: in the issuer of tokens, the function's form, the region."""
    sawhorse("render", f"dev/{app}")
    terraform = shlex.quote(str(terraform_install.ensure_terraform(sawhorse.project.path)))
    result = sawhorse.in_a_fresh_shell(
        "env",
        exports,
        script=f"cd environments/dev/{app}; "
        f"{terraform} init -input=false && {terraform} plan -input=false -detailed-exitcode",
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_exports_for_a_root_say_nothing_in_another_directory(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text('resource "terraform_data" "of_somebody_else" {}\n')
    plan = "terraform init -input=false && terraform plan -input=false"
    sawhorse("render", "dev/fileshare")
    result = sawhorse.in_a_fresh_shell(
        "env",
        "dev/fileshare",
        script=f"(cd {shlex.quote(str(tmp_path))}; {plan} -no-color) && cd environments && "
        "terraform -chdir=dev/fileshare init -input=false && "
        "terraform -chdir=dev/fileshare plan -input=false -detailed-exitcode",
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 to add" in result.stdout
    assert "No changes." in result.stdout
    assert "Warning" not in result.stdout + result.stderr


@pytest.mark.parametrize("app", sorted(USES))
def test_no_log_of_a_function_holds_a_secret_or_a_payload(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]], app: str
) -> None:
    root, made = f"dev/{app}", Made()
    outputs = sawhorse.json("outputs", root, "--local")
    seeded = sawhorse.json("seed", root, "--local")["secrets"]
    first, last = (f"canary-{uuid.uuid4()}" for _ in range(2))
    with httpx.Client(base_url=outputs["api_endpoint"], timeout=60, trust_env=False) as http:
        if app == "turbotech_portal":
            token = made.keep("jwt", sawhorse("local", "token", root, "--subject", "auth0|ada").strip())
            http.headers["Authorization"] = f"Bearer {token}"
        plant(http, app, first)
        USES[app](http, made, seeded)
        assert {200, 404} <= ask_wrongly(http, PREFIXES.get(app, "api/"), made)
        plant(http, app, last)
    canaries = {outputs["log_group"]: [first, last]}
    if "worker_log_group" in outputs:
        ask_the_worker(sawhorse, outputs, made, canary=last)
        canaries[outputs["worker_log_group"]] = [last]
    assert len(made.values) >= 4

    for group, planted in canaries.items():
        text = logged_with(partial(everything_logged, sawhorse, root, group), planted[-1])
        assert [canary for canary in planted if canary not in text] == []
        assert made.found_in(text) == [], group
    for group in access_groups(sawhorse, root):
        assert made.found_in(everything_logged(sawhorse, root, group)) == [], group


def ask_the_worker(sawhorse: Sawhorse, outputs: dict[str, Any], made: Made, *, canary: str) -> None:
    """Send the worker what it cannot work on, with secrets all over; the canary is the request's id."""
    queue = sawhorse.client("sqs", "dev")
    named = {"request_id": {"DataType": "String", "StringValue": canary}}
    other = {"DataType": "String", "StringValue": made.new("attribute")}
    for body in (queue_message(made.new("message")), made.new("text"), f'{{"job_id": "{made.new("job")}"'):
        for attributes in (named, {"request_id": other | {"StringValue": f"{other['StringValue']} "}}):
            queue.send_message(QueueUrl=outputs["sqs_queue_url"], MessageBody=body, MessageAttributes=attributes)


def access_groups(sawhorse: Sawhorse, root: str) -> list[str]:
    """Name the groups of access logs, of which the local AWS writes none."""
    groups = leftovers(sawhorse, root)["log groups"]
    return [group["logGroupName"] for group in groups if group["logGroupName"].startswith(ACCESS)]


@pytest.mark.parametrize("app", ["fileshare", "turbotech_portal"])
def test_no_log_of_a_process_holds_a_secret_or_a_payload(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]], app: str, tmp_path: Path
) -> None:
    made, first, last = Made(), f"canary-{uuid.uuid4()}", f"canary-{uuid.uuid4()}"
    log = tmp_path / "printed"
    with process_of(sawhorse, f"dev/{app}", log, free_port()) as http:
        plant(http, app, first)
        USES[app](http, made, {})
        assert {200, 404} <= ask_wrongly(http, "api/", made)
        plant(http, app, last)
        text = logged_with(log.read_text, last)

    assert first in text
    assert made.found_in(text + log.read_text()) == []


def test_a_destroy_takes_down_what_it_is_told_and_nothing_else(
    sawhorse: Sawhorse, demonstrated: list[dict[str, Any]]
) -> None:
    others = [app for app in sawhorse.project.apps if app != "triggers_api"]
    before = standing(sawhorse)

    sawhorse("destroy", "dev/triggers_api", "--local")

    assert "is not applied" in sawhorse("outputs", "dev/triggers_api", "--local", code=2)
    its_own = {(kind, name) for kind, name in before if "triggers-api-" in name}
    assert {kind for kind, _ in its_own} >= {"tables", "functions", "apis", "roles", "log groups", "alarms"}
    assert standing(sawhorse) == before - its_own
    assert {app: health(sawhorse, app) for app in others} == dict.fromkeys(others, 200)


def test_a_destroy_of_all_leaves_nothing(sawhorse: Sawhorse, demonstrated: list[dict[str, Any]]) -> None:
    sawhorse("destroy", "dev/all", "--local")

    here, there = (leftovers(sawhorse, f"dev/{app}") for app in ("triggers_api", "fileshare"))
    # What was there before is another team's.
    assert here.pop("roles") == ["file-sharing-app-dev-flask-app-task-role"]
    there.pop("roles")
    assert {name: found for name, found in {**here, **there}.items() if found} == {}

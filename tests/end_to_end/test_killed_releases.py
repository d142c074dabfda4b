"""A release, a rollback or a deploy that was killed is named by the next command, and finished or taken back by it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from sawhorse.toolchain.installed import Emulators
from tests.calling import calling
from tests.children import descendants
from tests.end_to_end.support import Sawhorse, brought_up, without_aws
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end

ROOT = "dev/sample"
FUNCTION = "sample-dev"
# In tenths of the time that the command takes: five moments of each.
MOMENTS = (3, 5, 7, 8, 9)
COMMANDS = ("release", "rollback", "deploy")


@dataclass
class Killed:
    """A gated root with two sound releases, and how long each command takes when nobody kills it."""

    sawhorse: Sawhorse
    seconds: dict[str, float] = field(default_factory=dict)

    def __call__(self, command: str, *options: str, code: int = 0) -> str:
        return self.sawhorse(command, ROOT, *options, "--local", code=code)

    @property
    def live(self) -> str:
        alias = self.sawhorse.client("lambda", "dev").get_alias(FunctionName=FUNCTION, Name="live")
        return str(alias["FunctionVersion"])

    @property
    def record(self) -> Any:
        return json.loads(self.sawhorse.state(ROOT).with_name("terraform.tfstate.releases.json").read_text())

    def publish(self, number: int) -> None:
        version = self.sawhorse.project.path / "lambda/sample/version.py"
        version.write_text(f'"""Hold the version."""\n\nVERSION = "{number}.0.0"\n')

    def killed(self, command: str, *options: str, tenths: int) -> str:
        """Run a command and kill it and all that it started after so many tenths of its time; say what it printed."""
        words = [sys.executable, "-m", "sawhorse.cli.main", command, ROOT, *options, "--local"]
        project = self.sawhorse.project.path
        environment = {**without_aws(), "SAWHORSE_PROJECT": str(project)}
        with subprocess.Popen(
            words, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            time.sleep(self.seconds[command] * tenths / 10)
            for one in descendants({process.pid}):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            return process.communicate()[0]


@pytest.fixture(scope="module")
def killed(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    assert emulators
    project = sample_project(tmp_path_factory.mktemp("killed-releases") / "project")
    main = project.path / "environments" / ROOT / "main.tf"
    main.write_text(main.read_text().replace('"direct"', '"gated"'))
    with brought_up(project) as command:
        found = Killed(command)
        found.sawhorse("build", "sample")
        found("apply")
        found.publish(2)
        for name, words in (("deploy", ()), ("rollback", ("--to", "1")), ("release", ())):
            start = time.monotonic()
            found(name, *words)
            found.seconds[name] = time.monotonic() - start
        yield found


@pytest.mark.drill(short=2, most=len(COMMANDS) * len(MOMENTS))
def test_what_was_killed_is_named_and_finished_by_the_same_command(killed: Killed, drill_round: int) -> None:
    command = COMMANDS[drill_round % len(COMMANDS)]
    tenths = MOMENTS[drill_round // len(COMMANDS) % len(MOMENTS)]
    url = f"{killed.sawhorse.json('outputs', ROOT, '--local')['api_endpoint']}/api/health"
    options = begin(killed, command, drill_round)
    before = killed.live
    with calling(url) as calls:
        killed.killed(command, *options, tenths=tenths)
        moving, live = killed.record["moving"], killed.live
        told = next_plan_tells(killed)
        if moving:
            assert f"The {moving['command']}" in told, told
            assert "was cut off" in told
        finish(killed, command, options)
    goal = str(killed.record["releases"][-1]["functions"][FUNCTION]["version"]) if command != "rollback" else "1"
    assert killed.live == goal
    assert killed.record["moving"] is None
    assert calls.failed == 0, calls
    assert killed.sawhorse.run("plan", ROOT, "--local", "--exit-code").returncode == 0
    moved = f"live was {before}, then {live}, at last {killed.live}"
    seen = f"{calls.total} calls at {calls.rate:.0f}/s, {calls.failed} failed"
    named = "the next plan named it" if moving else "nothing was being moved"
    # Shown by `make drill`, which captures nothing.
    sys.stderr.write(
        f"\n{command} killed after {tenths}/10 of {killed.seconds[command]:.1f} s: {moved}; {seen}; {named}\n"
    )


def begin(killed: Killed, command: str, number: int) -> list[str]:
    """Bring the root to where the command has something to move."""
    if command == "rollback":
        killed("release")
        return ["--to", "1"]
    killed("rollback", "--to", "1")
    if command == "deploy":
        # While it is pinned a deploy publishes and does not release.
        killed("release")
        killed.publish(number + 10)
    return []


def next_plan_tells(killed: Killed) -> str:
    """Plan, which an apply that was killed keeps from planning until it is finished."""
    ended = killed.sawhorse.run("plan", ROOT, "--local")
    return ended.stdout + ended.stderr


def finish(killed: Killed, command: str, options: list[str]) -> None:
    if command == "deploy":
        # What it may have published before it was killed is released all the same.
        ended = killed.sawhorse.run("deploy", ROOT, "--local")
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
        return
    killed(command, *options)

"""A release, a rollback or a deploy that was killed is named by the next command, and finished or taken back by it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from sawhorse.toolchain.installed import Emulators
from tests.calling import calling
from tests.children import descendants, started
from tests.end_to_end.support import Sawhorse, brought_up, without_aws
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end

ROOT = "dev/sample"
FUNCTION = "sample-dev"
# When each is killed: what was seen of it, and the seconds after that. MOVING is its entry in the record.
MOVING = "moving"
MOMENTS = {
    "release": [(MOVING, 0.0), ("Checking", 0.1), ("Checking", 0.6), ("live is", 0.0), ("live is", 0.2)],
    "rollback": [(MOVING, 0.0), (MOVING, 0.01), (MOVING, 0.03), (MOVING, 0.08), ("is live after", 0.0)],
    "deploy": [(MOVING, 0.0), ("Modifying...", 0.5), ("Apply complete", 0.0), ("Checking", 0.3), ("live is", 0.0)],
}
COMMANDS = tuple(MOMENTS)
SECONDS = 120


@dataclass
class Killed:
    """A gated root with two sound releases."""

    sawhorse: Sawhorse

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

    def killed(self, command: str, *options: str, seen: str, later: float) -> None:
        """Run a command and kill it, with all that it started, so many seconds after something was seen of it."""
        words = [sys.executable, "-m", "sawhorse.cli.main", command, ROOT, *options, "--local"]
        environment = {**without_aws(), "SAWHORSE_PROJECT": str(self.sawhorse.project.path)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        printed: list[str] = []
        with started(words, cwd=self.sawhorse.project.path, env=environment, **pipes) as process:
            threading.Thread(target=lambda: printed.extend(process.stdout or ()), daemon=True).start()
            deadline = time.monotonic() + SECONDS
            while not (self.record["moving"] if seen == MOVING else any(seen in line for line in printed)):
                assert time.monotonic() < deadline, printed
                assert process.poll() is None, printed
                time.sleep(0.001)
            time.sleep(later)
            for one in descendants({process.pid}):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()


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
        found("deploy")
        yield found


@pytest.mark.drill(short=2, most=sum(map(len, MOMENTS.values())))
def test_what_was_killed_is_named_and_finished_by_the_same_command(killed: Killed, drill_round: int) -> None:
    command = COMMANDS[drill_round % len(COMMANDS)]
    seen, later = MOMENTS[command][drill_round // len(COMMANDS)]
    url = f"{killed.sawhorse.json('outputs', ROOT, '--local')['api_endpoint']}/api/health"
    options = begin(killed, command, drill_round)
    before = killed.live
    with calling(url) as calls:
        killed.killed(command, *options, seen=seen, later=later)
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
    called = f"{calls.total} calls at {calls.rate:.0f}/s, {calls.failed} failed"
    named = "the next plan named it" if moving else "nothing was being moved"
    # Shown by `make drill`, which captures nothing.
    sys.stderr.write(f"\n{command} killed {later} s after {seen}: {moved}; {called}; {named}\n")


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

"""A gated root on the local AWS: what is released, refused, put back, rolled back, pinned, frozen and moved by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sawhorse.errors import DIFFERS
from sawhorse.local.emulators import LocalAWS
from tests.calling import Calls, calling
from tests.end_to_end.support import Sawhorse, brought_up
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end

ROOT = "dev/sample"
FUNCTION = "sample-dev"
PARAMETER = f"/{FUNCTION}/live"
AT_IMPORT = '\nraise RuntimeError("sample: it does not start")\n'
# What only the API sends: checks by number pass, and callers get 502.
ONCE_LIVE = """
_inner = handler


def handler(event, context):
    if event["requestContext"]["apiId"] != "smoke":
        raise RuntimeError("sample: it breaks when it is live")
    return _inner(event, context)
"""


class Operator:
    """Somebody at the command line of one root, who changes its code."""

    def __init__(self, sawhorse: Sawhorse) -> None:
        self.sawhorse = sawhorse
        self.code = sawhorse.project.path / "lambda/sample/main.py"
        self.sound = self.code.read_text()
        self.version = sawhorse.project.path / "lambda/sample/version.py"

    def __call__(self, command: str, *options: str, code: int = 0) -> str:
        return self.sawhorse(command, ROOT, *options, "--local", code=code)

    def publish(self, version: str, fault: str = "", code: int = 0) -> str:
        """Build and apply the app with another version, and a fault in it."""
        self.version.write_text(f'"""Hold the version."""\n\nVERSION = "{version}"\n')
        self.code.write_text(self.sound + fault)
        self.sawhorse("build", "sample")
        return self("apply", code=code)

    @property
    def live(self) -> tuple[str, str]:
        """The version that the alias is at, and what its parameter says."""
        alias = self.sawhorse.client("lambda", "dev").get_alias(FunctionName=FUNCTION, Name="live")
        parameter = self.sawhorse.client("ssm", "dev").get_parameter(Name=PARAMETER)["Parameter"]
        return alias["FunctionVersion"], parameter["Value"]

    def move_by_hand(self, version: str) -> None:
        self.sawhorse.client("lambda", "dev").update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=version)

    @property
    def record(self) -> Any:
        return self.sawhorse.json("releases", ROOT, "--local")

    def ended(self, release: int) -> str | None:
        (found,) = [one for one in self.record["releases"] if one["id"] == release]
        return found["ended"]["how"] if found["ended"] else None

    def unchanged(self) -> bool:
        """Whether a plan finds nothing to do."""
        return self.sawhorse.run("plan", ROOT, "--local", "--exit-code").returncode == 0


@pytest.fixture
def operator(tmp_path: Path, emulators: object) -> Iterator[Operator]:
    project = sample_project(tmp_path / "project")
    main = project.path / "environments" / ROOT / "main.tf"
    main.write_text(main.read_text().replace('"direct"', '"gated"'))
    with brought_up(project) as command:
        operator = Operator(command)
        operator.publish("1.0.0")
        yield operator


def test_a_gated_root_is_released_put_back_rolled_back_and_pinned(operator: Operator) -> None:
    url = f"{operator.sawhorse.json('outputs', ROOT, '--local')['api_endpoint']}/api/health"
    assert operator.live == ("1", "1")

    with calling(url) as calls:
        check_that_what_does_not_start_is_never_live(operator)
    assert calls.failed == 0, calls
    assert set(calls.versions) == {"1.0.0"}
    with calling(url) as calls:
        check_that_what_breaks_once_it_is_live_is_put_back(operator)
    assert calls.versions[-1] == "1.0.0"
    assert calls.failed > 0
    with calling(url) as calls:
        check_that_what_passes_is_live_and_rolled_back(operator)
    assert calls.failed == 0, calls
    assert_moved_twice(calls)
    check_that_a_pin_holds_until_a_release(operator)
    check_that_a_hand_is_named_and_refused(operator)
    check_that_a_freeze_keeps_all_but_a_rollback_away(operator)
    check_that_old_versions_go(operator)


def check_that_what_does_not_start_is_never_live(operator: Operator) -> None:
    applied = operator.publish("2.0.0", AT_IMPORT)
    assert "Release 2 of dev/sample was published, and live was left where it is." in applied
    assert "sawhorse release dev/sample --local" in applied
    assert operator.live == ("1", "1")
    refused = operator("release", code=1)
    assert "Release 2 of dev/sample was refused" in refused
    assert "Live now: sample-dev at version 1 (release 1)." in refused
    assert operator.live == ("1", "1")
    assert operator.ended(2) == "refused"


def check_that_what_breaks_once_it_is_live_is_put_back(operator: Operator) -> None:
    operator.publish("3.0.0", ONCE_LIVE)
    put_back = operator("release", code=1)
    assert re.search(r"Release 3 of dev/sample was put back: .* returned 50[02]", put_back), put_back
    assert re.search(r"It was live, in part or whole, for \d+\.\d s\.", put_back)
    assert "Live now: sample-dev at version 1 (release 1)." in put_back
    assert operator.live == ("1", "1")
    assert operator.ended(3) == "put back"
    assert operator.unchanged()


def check_that_what_passes_is_live_and_rolled_back(operator: Operator) -> None:
    operator.publish("4.0.0")
    assert "Release 4 of dev/sample is live." in operator("release")
    assert operator.live == ("4", "4")
    assert operator.record["releases"][-1]["smoke"]["passed"]
    assert "there is nothing to release" in operator("release")
    assert "Release 1 of dev/sample is live after" in operator("rollback", "--why", "callers complain")
    assert operator.live == ("1", "1")
    assert operator.unchanged()


def assert_moved_twice(calls: Calls) -> None:
    order = [
        version for version, before in zip(calls.versions, ["", *calls.versions], strict=False) if version != before
    ]
    assert order == ["1.0.0", "4.0.0", "1.0.0"]


def check_that_a_pin_holds_until_a_release(operator: Operator) -> None:
    pinned = "is pinned to release 1 since"
    for command in ("plan", "smoke"):
        told = operator(command).splitlines()[-1]
        assert pinned in told, told
        assert "(callers complain)" in told
    applied = operator.publish("5.0.0")
    assert "Release 5 of dev/sample was published and is not live: live is pinned." in applied
    assert operator.live == ("1", "1")
    assert "it is applied and not released" in operator("deploy", code=1).replace("dev/sample is", "it is")
    assert "Release 5 of dev/sample is live." in operator("release")
    assert operator.live == ("5", "5")
    assert pinned not in operator("plan")


def check_that_a_hand_is_named_and_refused(operator: Operator) -> None:
    operator.move_by_hand("4")
    hand = "sample-dev is at version 4, its parameter says 5, and an apply would move it to 5"
    planned = operator("plan", "--exit-code", code=DIFFERS)
    assert hand in planned
    refused = operator("apply", code=2)
    assert hand in refused
    assert "Nothing was applied." in refused
    assert operator.live == ("4", "5")
    operator("rollback", "--to", "4")
    assert operator.live == ("4", "4")
    assert "There is no release 9" in operator("rollback", "--to", "9", code=2)
    assert "Nothing was changed." in operator("rollback", "--steps", "7", code=2)
    assert operator.live == ("4", "4")


def check_that_a_freeze_keeps_all_but_a_rollback_away(operator: Operator) -> None:
    operator("freeze", "--why", "the shop is open")
    for command in ("apply", "release", "deploy"):
        assert "the shop is open" in operator(command, code=2)
    assert "the shop is open" in operator("plan")
    operator("rollback", "--to", "5")
    assert operator.live == ("5", "5")
    operator("unfreeze")
    assert "Release 5 of dev/sample was live already, and its checks passed. Its pin is lifted." in operator("release")


def check_that_old_versions_go(operator: Operator) -> None:
    assert operator("releases", "1", "5").count("sample-dev: ") == 3
    deleted = operator("releases", "--prune", "1")
    assert deleted.splitlines() == [f"Version {version} of sample-dev is deleted." for version in (2, 3)]
    functions = operator.sawhorse.client("lambda", "dev")
    left = [one["Version"] for one in functions.list_versions_by_function(FunctionName=FUNCTION)["Versions"]]
    assert sorted(left) == ["$LATEST", "1", "4", "5"]
    assert operator.ended(2) == operator.ended(3) == "pruned"


def test_a_command_that_was_killed_is_named_and_taken_up(operator: Operator) -> None:
    operator.publish("2.0.0")
    record = LocalAWS(operator.sawhorse.project)
    assert record.required()
    place = operator.sawhorse.state(ROOT).with_name("terraform.tfstate.releases.json")
    content = json.loads(place.read_text())
    content["moving"] = {
        "command": "release",
        "release": 2,
        "before": {FUNCTION: "1"},
        "pins": {FUNCTION: "1"},
        "at": "2026-01-31T09:15:02Z",
        "by": "somebody",
        "process": {"host": "another-machine", "pid": 1, "started": 1.0},
    }
    place.write_text(json.dumps(content))
    operator.move_by_hand("2")
    refused = operator("release", code=2)
    assert "somebody runs release of dev/sample since 2026-01-31T09:15:02Z (process 1 on another-machine)" in refused
    assert operator.live == ("2", "1")
    assert "somebody runs release" in operator("plan", code=0)
    operator("rollback", "--take-over")
    assert operator.live == ("1", "1")
    assert "Release 2 of dev/sample is live." in operator("release")

"""What is said of a state after a run that failed was read from it, and a state that could not be saved is found."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, CommandFailed, SawhorseError
from sawhorse.plans.plan import Tool
from sawhorse.project import Project
from sawhorse.terraform.runner import Terraform
from sawhorse.terraform.state import UNSAVED, Snapshot, refuse_state_of_another, unsaved, what_was_found
from tests.children import started
from tests.http_servers import responding
from tests.unit.sawhorse.support import plain_root

STATE_AS_BEFORE = "The state was read after it and is the one from before, with 0 resources."


@pytest.fixture
def root(tiny: Project, terraform: Tool) -> Path:
    """The directory of the tiny root, and Terraform on this machine."""
    return plain_root(tiny)


def terraform_of(tiny: Project, root: Path, text: str) -> Terraform:
    """Write a root of Terraform's own resources, and return real Terraform in it."""
    (root / "main.tf").write_text(text)
    terraform = Terraform(tiny, root)
    terraform.init()
    return terraform


def resource(name: str, command: str, *, after: str = "") -> str:
    """A resource whose making runs a shell's command."""
    depends = f"  depends_on = [terraform_data.{after}]\n" if after else ""
    return (
        f'resource "terraform_data" "{name}" {{\n{depends}'
        f'  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n}}\n'
    )


def test_an_apply_whose_plan_is_refused_says_that_the_state_is_the_one_from_before(tiny: Project, root: Path) -> None:
    refused = 'precondition {\n      condition = path.root == "elsewhere"\n      error_message = "Refused."\n    }'
    terraform = terraform_of(
        tiny, root, f'resource "terraform_data" "one" {{\n  lifecycle {{\n    {refused}\n  }}\n}}\n'
    )

    with pytest.raises(CommandFailed) as failure:
        terraform.apply()

    assert str(failure.value) == (
        f"terraform apply failed in environments/dev/tiny. {STATE_AS_BEFORE} Fix what it says above and run it again."
    )


def test_an_apply_that_stops_in_the_middle_says_what_the_state_holds(tiny: Project, root: Path) -> None:
    terraform = terraform_of(tiny, root, resource("one", "true") + resource("two", "exit 1", after="one"))

    with pytest.raises(CommandFailed) as failure:
        terraform.apply()

    assert "it was saved, and has 2 resources, 1 of them tainted, so that they are replaced next" in str(failure.value)
    assert "before it had 0" in str(failure.value)
    assert [one["status"] for one in terraform.resources()] == [None, "tainted"]


def test_a_destroy_that_fails_says_what_is_left(tiny: Project, root: Path) -> None:
    kept = "  lifecycle {\n    prevent_destroy = true\n  }\n"
    terraform = terraform_of(tiny, root, f'resource "terraform_data" "one" {{\n{kept}}}\n')
    terraform.apply()

    with pytest.raises(CommandFailed, match="is the one from before, with 1 resource") as failure:
        terraform.destroy()

    assert failure.value.exit_code == 1


class States(ThreadingHTTPServer):
    """A backend of states on loopback, that takes one or not."""

    takes = False
    held: bytes | None = None


class StateHandler(BaseHTTPRequestHandler):
    """Give and take the one state."""

    server: States

    def do_GET(self) -> None:
        held = self.server.held
        self.respond(404 if held is None else 200, held or b"")

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.takes:
            self.server.held = content
        self.respond(200 if self.server.takes else 403)

    def respond(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 # as its base calls it
        """Print nothing."""


@pytest.fixture
def states() -> Iterator[States]:
    """A backend that takes no state yet."""
    with responding(States(("127.0.0.1", 0), StateHandler)) as server:
        yield server


def test_a_state_that_could_not_be_saved_is_named_with_the_command_that_saves_it(
    tiny: Project, root: Path, states: States
) -> None:
    backend = f'terraform {{\n  backend "http" {{\n    address = "http://127.0.0.1:{states.server_port}/"\n  }}\n}}\n'
    terraform = terraform_of(tiny, root, backend + resource("one", "true"))

    with pytest.raises(CommandFailed, match="Its state could not be saved") as failure:
        terraform.apply()

    assert (root / UNSAVED).is_file()
    states.takes = True
    # Nobody goes on over it, not even to look.
    for run in (terraform.apply, terraform.plan, terraform.destroy):
        with pytest.raises(SawhorseError, match="An earlier run in environments/dev/tiny could not save its state"):
            run()
    found = re.search(r'"(cd .* && terraform state push errored\.tfstate)"', str(failure.value))
    assert found, failure.value
    subprocess.run(["sh", "-c", found[1]], check=True, capture_output=True)

    # It can stay where it is: the state holds it by now.
    assert terraform.plan() is False
    assert [one["address"] for one in terraform.resources()] == ["terraform_data.one"]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"resources": [{}]}', '{"serial": "x"}'])
def test_an_unsaved_state_that_cannot_be_read_is_not_gone_over(tiny: Project, root: Path, content: str) -> None:
    terraform = terraform_of(tiny, root, "")
    (root / UNSAVED).write_text(content)

    with pytest.raises(SawhorseError, match="could not save its state"):
        terraform.apply()

    assert (root / UNSAVED).read_text() == content


def test_after_a_signal_it_is_said_that_something_may_stand_that_the_state_does_not_know(
    tiny: Project, root: Path
) -> None:
    terraform_of(tiny, root, resource("one", "true") + resource("two", "touch there; sleep 20", after="one"))
    program = (
        "import sys\nfrom pathlib import Path\nfrom sawhorse.errors import SawhorseError\n"
        "from sawhorse.project import Project\nfrom sawhorse.terraform.runner import Terraform\n"
        "try:\n    Terraform(Project(Path(sys.argv[1])), Path(sys.argv[2])).apply()\n"
        "except SawhorseError as error:\n    print(error)\n    sys.exit(error.exit_code)\n"
    )
    with started(
        [sys.executable, "-c", program, str(tiny.path), str(root)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    ) as running:
        deadline = time.monotonic() + 30
        while not (root / "there").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=60)

    last = out.strip().splitlines()[-1]
    assert running.returncode == 130
    assert last.startswith("terraform apply was stopped in environments/dev/tiny. The state was read after it: it was ")
    assert "and has 2 resources, 1 of them tainted" in last
    assert last.endswith("may stand without being in it; the next apply looks for it, and takes it in.")


def test_a_plan_that_is_stopped_says_nothing_of_a_state(tiny: Project, root: Path) -> None:
    terraform = terraform_of(tiny, root, "")

    (root / "main.tf").write_text("nonsense {\n")
    with pytest.raises(CommandFailed, match=r"so nothing was applied; fix what it says above and run it again\.$"):
        terraform.plan()


def snapshots() -> st.SearchStrategy[Snapshot]:
    status = st.sampled_from([None, "tainted"])
    resources = st.lists(status.map(lambda one: {"address": "a.b", "status": one}), max_size=4).map(tuple)
    return st.builds(Snapshot, st.sampled_from(["", "x", "y"]), st.integers(0, 3), resources)


@given(snapshots(), snapshots())
def test_what_is_said_of_a_state_is_what_was_read(before: Snapshot, after: Snapshot) -> None:
    said = what_was_found(before, after)

    changed = (before.lineage, before.serial) != (after.lineage, after.serial)
    assert ("it was saved" in said) == changed
    assert ("is the one from before" in said) == (not changed)
    assert re.search(rf"\b{len(after.resources)} resources?\b", said)
    if changed:
        assert ("tainted" in said) == bool(after.tainted)


@given(snapshots(), snapshots())
def test_an_unsaved_state_is_held_by_itself_and_by_what_was_written_after_it(one: Snapshot, two: Snapshot) -> None:
    assert one.holds(one)
    if one.lineage == two.lineage:
        assert one.holds(two) == (one.serial >= two.serial)
    else:
        assert one.holds(two) == (one.resources == two.resources)


def test_git_ignores_a_state_that_could_not_be_saved(repository: Path) -> None:
    path = f"environments/dev/sample/{UNSAVED}"
    ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=repository, check=False)

    assert ignored.returncode == 0


def test_no_unsaved_state_is_none(tmp_path: Path) -> None:
    assert unsaved(tmp_path) is None
    (tmp_path / UNSAVED).write_text(json.dumps({"lineage": "x", "serial": 2, "resources": []}))
    assert unsaved(tmp_path) == Snapshot("x", 2, ())


# Whose a state is


def state_with(*tags: dict[str, str] | None) -> Snapshot:
    """A state with a resource for each of some tags; None is one that can have none."""
    resources = [
        {
            "mode": "managed",
            "type": "aws_thing",
            "name": f"of_{number}",
            "instances": [{"attributes": {"id": "x"} if one is None else {"id": "x", "tags_all": one}}],
        }
        for number, one in enumerate(tags)
    ]
    return Snapshot.of({"version": 4, "lineage": "l", "serial": 1, "resources": resources})


OWN, OTHER = {"environment": "dev", "app": "tiny"}, {"environment": "dev", "app": "other"}


@pytest.mark.parametrize(
    "tags",
    [
        (),
        (None,),
        ({},),
        ({"app": "other"}, {"environment": "prod"}),
        (OWN,),
        (OTHER, OTHER, {**OWN, "app": "tiny"}),
        ({**OWN, "project": "p"}, None),
    ],
)
def test_a_state_that_may_be_a_root_s_own_is_taken(tiny: Project, tags: tuple[dict[str, str] | None, ...]) -> None:
    refuse_state_of_another(state_with(*tags), tiny.root("dev/tiny"))


def test_of_a_state_that_cannot_be_read_nothing_is_said(tiny: Project, tmp_path: Path) -> None:
    (tmp_path / UNSAVED).write_text("{")
    found = unsaved(tmp_path)

    assert found
    refuse_state_of_another(found, tiny.root("dev/tiny"))


@pytest.mark.parametrize(
    ("tags", "whose", "number"),
    [
        ((OTHER,), "dev/other", "1 resource"),
        ((OTHER, None, {}, OTHER), "dev/other", "2 resources"),
        (({**OWN, "environment": "production"},), "production/tiny", "1 resource"),
        ((OTHER, {"environment": "x", "app": "y"}, OTHER), "dev/other", "2 resources"),
    ],
)
def test_a_state_of_another_root_is_refused(
    tiny: Project, tags: tuple[dict[str, str] | None, ...], whose: str, number: str
) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        refuse_state_of_another(state_with(*tags), tiny.root("dev/tiny"))

    assert str(refusal.value) == (
        f"The state of dev/tiny is that of {whose}: it has {number} with those tags, and none with dev/tiny's. Nothing "
        "was changed. Where environments/dev/tiny is a copy of another root, remove terraform.tfstate, "
        f'terraform.tfstate.d and .terraform from it; where {whose} was renamed, run "terraform apply" in '
        "environments/dev/tiny once, which shows the tags that change."
    )

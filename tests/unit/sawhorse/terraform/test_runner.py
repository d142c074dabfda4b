"""Terraform runs with the variables it was given, is interrupted once, and leaves this process as it was."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sawhorse.errors import CommandFailed
from sawhorse.plans.plan import Tool
from sawhorse.project import Project
from sawhorse.terraform.runner import Terraform, interrupts_passed_on
from sawhorse.toolchain import terraform_install
from tests.children import ignoring, started
from tests.unit.sawhorse.support import plain_root, script

# Stands for Terraform: tells when it is there, counts interrupts, and takes a while to end after the first.
CHILD = """
import signal, sys, time
count = 0
def interrupted(number, frame):
    global count
    count += 1
signal.signal(signal.SIGINT, interrupted)
open(sys.argv[1], "w").write("there")
end = time.monotonic() + 20
while count == 0 and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.3)
open(sys.argv[1], "w").write(str(count))
"""

# Stands for the harness: runs Terraform beside an emulator that it started.
PARENT = """
import subprocess, sys
from pathlib import Path
from sawhorse.project import Project
from sawhorse.plans.plan import Tool
from sawhorse.terraform.runner import Terraform
child, project, emulator_told = sys.argv[1:]
emulator = subprocess.Popen([sys.executable, child, emulator_told], start_new_session=True)
code = Terraform(Project(Path(project)), Path(project) / "environments/dev/tiny").run("apply")
emulator.kill()
emulator.wait()
print("ended", code, flush=True)
"""


@pytest.fixture
def programs(tmp_path: Path, tiny: Project, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command of the parent above, with the child above as the Terraform on its PATH."""
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "parent.py").write_text(PARENT)
    terraform = tmp_path / "bin/terraform"
    terraform.parent.mkdir()
    terraform.write_text(
        f"""#!/bin/sh
        if [ "$1" = version ]; then echo '{{"terraform_version": "1.11.4"}}'; exit; fi
        exec {sys.executable} {tmp_path}/child.py {tmp_path}/told
        """
    )
    terraform.chmod(0o755)
    monkeypatch.setenv("PATH", str(terraform.parent), prepend=os.pathsep)
    return [
        sys.executable,
        f"{tmp_path}/parent.py",
        f"{tmp_path}/child.py",
        str(tiny.path),
        f"{tmp_path}/emulator-told",
    ]


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text() == text):
        assert time.monotonic() < deadline, f"{path.name} never said {text}"
        time.sleep(0.01)


@pytest.mark.drill(short=1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_without_a_terminal_terraform_gets_one_interrupt_and_emulators_none(
    programs: list[str], repository: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with started(programs, cwd=repository, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as parent:
        for name in ("told", "emulator-told"):
            wait_for(tmp_path / name, "there")

        parent.send_signal(number)

        out, _ = parent.communicate(timeout=20)
    assert out == "ended 0\n"
    assert (tmp_path / "told").read_text() == "1"
    assert (tmp_path / "emulator-told").read_text() == "there"


@pytest.mark.drill(short=1)
def test_in_the_background_ctrl_c_is_ignored_and_terraform_gets_an_interrupt_when_this_program_is_told_to_end(
    programs: list[str], repository: Path, tmp_path: Path
) -> None:
    command = [*ignoring("INT"), *programs]
    with started(command, cwd=repository, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as parent:
        wait_for(tmp_path / "told", "there")
        os.killpg(parent.pid, signal.SIGINT)
        # Long enough for the stand-in to end after an interrupt.
        with pytest.raises(subprocess.TimeoutExpired):
            parent.wait(timeout=1)

        parent.send_signal(signal.SIGTERM)

        out, _ = parent.communicate(timeout=20)
    assert out == "ended 0\n"
    assert (tmp_path / "told").read_text() == "1"


@pytest.mark.drill(short=1)
def test_in_a_terminal_ctrl_c_reaches_terraform_once(programs: list[str], repository: Path, tmp_path: Path) -> None:
    outside, inside = pty.openpty()
    with started(
        ["setsid", "--ctty", *programs],
        cwd=repository,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=False,
    ) as parent:
        os.close(inside)
        wait_for(tmp_path / "told", "there")

        os.write(outside, b"\x03")

        parent.wait(timeout=20)
    assert (tmp_path / "told").read_text() == "1"
    assert select.select([outside], [], [], 1)[0]
    assert b"ended 0" in os.read(outside, 1000)
    os.close(outside)


@pytest.mark.drill(short=1)
@pytest.mark.parametrize("ignored", [(), ("INT",)], ids=["in the foreground", "in the background"])
def test_the_real_terraform_ends_well_when_this_program_is_told_to_end(
    terraform: Tool, tiny: Project, tmp_path: Path, ignored: tuple[str, ...]
) -> None:
    """It keeps what it did: the resource that it was making is in the state, to be made anew."""
    root = plain_root(tiny)
    (root / "main.tf").write_text(
        'resource "terraform_data" "slow" {\n'
        f'  provisioner "local-exec" {{ command = "touch {tmp_path}/there; exec sleep 60" }}\n}}\n'
    )
    program = (
        "import sys\nfrom pathlib import Path\nfrom sawhorse.project import Project\n"
        "from sawhorse.terraform.runner import Terraform\nfrom sawhorse.errors import Interrupted\n"
        "root = Terraform(Project(Path(sys.argv[1])), Path(sys.argv[2]))\nroot.init()\n"
        "try:\n    root.apply()\nexcept Interrupted:\n    print('interrupted')\n"
    )
    words = [sys.executable, "-c", program, str(tiny.path), str(root)]
    command = [*(ignoring(*ignored) if ignored else []), *words]
    with started(command, stdout=subprocess.PIPE) as parent:
        wait_for(tmp_path / "there", "")

        parent.send_signal(signal.SIGTERM)

        assert parent.communicate(timeout=30)[0].endswith("interrupted\n")
    (kept,) = json.loads((root / "terraform.tfstate").read_text())["resources"]
    assert [instance["status"] for instance in kept["instances"]] == ["tainted"]


def test_handlers_are_as_they_were_afterwards() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def fail() -> None:
        with interrupts_passed_on():
            assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert {number: signal.getsignal(number) for number in before} == before


def test_an_interrupt_after_the_end_is_swallowed() -> None:
    with subprocess.Popen(["true"]) as ended, interrupts_passed_on() as interrupts:
        ended.wait()
        interrupts.pass_on_to(ended)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.waiting == 0


def test_an_interrupt_before_the_start_reaches_what_is_started() -> None:
    with interrupts_passed_on() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        with subprocess.Popen(["sleep", "20"]) as started:
            interrupts.pass_on_to(started)
    assert started.returncode == -signal.SIGINT


# The wrapper, with a fake Terraform that tells what it was given.

FAKE = """#!{python} -I
import json, os, sys
command = sys.argv[1]
if command == "version":
    print(json.dumps({{"terraform_version": "1.11.4"}}))
    sys.exit()
with open({told!r}, "a") as told:
    told.write(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]) + "\\n")
if command == "init":
    os.makedirs(".terraform", exist_ok=True)
sys.exit(int(os.environ.get("FAKE_CODE", "0")))
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the fake Terraform on PATH writes to."""
    told = tmp_path / "told"
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable, told=str(told)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return told


def calls(told: Path) -> list[tuple[list[str], str, Mapping[str, str]]]:
    return [tuple(json.loads(line)) for line in told.read_text().splitlines()] if told.exists() else []


@pytest.fixture
def terraform_in_root(fake: Path, tiny: Project) -> Terraform:
    """The wrapper around the fake Terraform in the tiny root."""
    return Terraform(tiny, tiny.root("dev/tiny").path, environment={"GIVEN": "1"})


def variables_of_this_process() -> dict[str, str]:
    # pytest notes in its own variable how far it is.
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def environment_of_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What this process's variables are, and must be afterwards."""
    monkeypatch.setenv("TF_DATA_DIR", "/elsewhere")
    before = variables_of_this_process()
    yield before
    assert variables_of_this_process() == before


def test_terraform_gets_its_variables_and_this_process_keeps_its_own(
    terraform_in_root: Terraform, fake: Path, environment_of_this_process: dict[str, str]
) -> None:
    terraform_in_root.apply(["a=b", "c=d"])

    read, (arguments, directory, variables) = calls(fake)
    assert read[0] == ["state", "pull"]
    assert arguments[0] == "apply"
    assert set(arguments[1:]) == {
        "-auto-approve",
        "-input=false",
        "-lock-timeout=60s",
        "-no-color",
        "-var=a=b",
        "-var=c=d",
    }
    assert directory == str(terraform_in_root.directory)
    assert variables["GIVEN"] == "1"
    assert variables["TF_IN_AUTOMATION"] == "1"
    assert "TF_DATA_DIR" not in variables


def test_this_process_keeps_its_variables_when_something_fails(
    terraform_in_root: Terraform, environment_of_this_process: dict[str, str]
) -> None:
    def fail() -> None:
        with terraform_in_root.prepared_environment():
            os.environ["LEFT"] = "behind"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def test_a_directory_is_initialized_once_per_configuration(terraform_in_root: Terraform, fake: Path) -> None:
    terraform_in_root.init()
    terraform_in_root.init()
    assert [arguments[0] for arguments, *_ in calls(fake)] == ["init"]
    assert "-lockfile=readonly" in calls(fake)[0][0]

    (terraform_in_root.directory / "main.tf").write_text("# changed\n")
    terraform_in_root.init()
    assert len(calls(fake)) == 2


def test_an_init_that_failed_is_done_again(
    terraform_in_root: Terraform, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CODE", "1")
    for _ in range(2):
        with pytest.raises(CommandFailed, match=r"^terraform init failed in environments/dev/tiny; fix what it says"):
            terraform_in_root.init()

    assert len(calls(fake)) == 2


def test_the_digest_follows_every_file_that_an_init_reads(tiny: Project, fake: Path) -> None:
    directory = tiny.root("dev/tiny").path
    module = tiny.path / "modules/table/main.tf"
    seen = [Terraform(tiny, directory).configuration_digest()]

    def changed() -> bool:
        seen.append(Terraform(tiny, directory).configuration_digest())
        return seen[-1] not in seen[:-1]

    assert not changed()
    module.parent.mkdir()
    module.write_text("# one\n")
    assert changed()
    module.write_text("# two\n")
    assert changed()
    (directory / ".terraform.lock.hcl").write_text("# locked\n")
    assert changed()
    (directory / "backend.tf").write_text("terraform {}\n")
    assert changed()
    (directory / "terraform.tfvars").write_text("packages = {}\n")
    assert not changed()
    assert Terraform(tiny, directory, environment={"TF_CLI_CONFIG_FILE": "other"}).configuration_digest() not in seen


def test_a_plan_says_whether_there_are_changes(
    terraform_in_root: Terraform, fake: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_CODE", "0")
    assert terraform_in_root.plan() is False
    monkeypatch.setenv("FAKE_CODE", "2")
    assert terraform_in_root.plan(["a=b"], out=tmp_path / "plan", destroy=True) is True
    monkeypatch.setenv("FAKE_CODE", "1")
    with pytest.raises(
        CommandFailed, match=r"^terraform plan failed in environments/dev/tiny, so nothing was applied; "
    ):
        terraform_in_root.plan()

    assert {"-detailed-exitcode", "-destroy", f"-out={tmp_path / 'plan'}", "-var=a=b"} <= set(calls(fake)[1][0])


def test_what_was_shown_is_what_is_applied(terraform_in_root: Terraform, fake: Path, tmp_path: Path) -> None:
    terraform_in_root.apply(["ignored=1"], plan=tmp_path / "saved.tfplan")

    arguments = calls(fake)[-1][0]
    assert arguments[-1] == str(tmp_path / "saved.tfplan")
    assert not [argument for argument in arguments if argument.startswith("-var")]


def test_resources_of_a_real_state_are_read(terraform: Tool, tiny: Project) -> None:
    directory = plain_root(tiny)
    (directory / "main.tf").write_text(
        'resource "terraform_data" "one" {}\n'
        'resource "terraform_data" "two" {\n  count = 1\n}\n'
        'module "inner" {\n  source   = "./inner"\n  for_each = toset(["a b"])\n}\n'
    )
    (directory / "inner").mkdir()
    (directory / "inner/main.tf").write_text('resource "terraform_data" "three" {}\n')
    real = Terraform(tiny, directory)
    real.init()
    assert real.resources() == []

    real.apply()

    found = {resource["address"]: resource for resource in real.resources()}
    assert set(found) == {
        "terraform_data.one",
        "terraform_data.two[0]",
        'module.inner["a b"].terraform_data.three',
    }
    assert found["terraform_data.two[0]"]["type"] == "terraform_data"
    assert found["terraform_data.two[0]"]["values"]["triggers_replace"] is None
    assert real.plan() is False


def test_a_state_of_a_version_to_come_is_not_guessed_at(terraform_in_root: Terraform) -> None:
    script(terraform_in_root.binary, """echo '{"version": 5, "resources": []}'""")

    with pytest.raises(CommandFailed, match="has version 5, and this Sawhorse reads version 4; use a newer one"):
        terraform_in_root.resources()


def test_providers_come_from_the_mirror_or_a_cache_of_plugins(
    tiny: Project, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform_install, "provider_mirror", lambda _machine: None)
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    directory = tiny.root("dev/tiny").path
    cache = tiny.private / "cache/terraform-plugins"
    assert Terraform(tiny, directory).environment["TF_PLUGIN_CACHE_DIR"] == str(cache)
    assert cache.is_dir()

    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "/elsewhere")
    assert "TF_PLUGIN_CACHE_DIR" not in Terraform(tiny, directory).environment

    monkeypatch.setattr(terraform_install, "provider_mirror", lambda _machine: tiny.path)
    assert Terraform(tiny, directory).environment["TF_CLI_CONFIG_FILE"] == str(tiny.private / "terraform.rc")

"""With its state in the local S3 a root is planned, applied, locked and shared by checkouts as it is on AWS."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.errors import CommandFailed
from sawhorse.local.emulators import Running
from sawhorse.local.overlay import local_state
from sawhorse.operate.releases.record import Kept, Record, Release
from sawhorse.project import Project
from sawhorse.terraform import runner
from sawhorse.terraform.state_store import LOCK, S3Store
from sawhorse.workspace import Workspace
from tests.children import started
from tests.end_to_end.support import Sawhorse
from tests.states import OUTPUTS, checkout_of, share_local_aws, with_a_resource
from tests.unit.sawhorse.support import make_tiny_project
from tests.unit.sawhorse.terraform.test_state_lock import HOLD

pytestmark = pytest.mark.end_to_end
ROOT = "dev/tiny"
LOCKED = {
    "ID": "0d9f2c9e-5f0c-4f0a-9d3b-1f2e3d4c5b6a",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "bob@elsewhere",
    "Version": "1.11.4",
    "Created": "2026-11-26T10:00:00.123456789Z",
    "Path": "states/dev/tiny.tfstate",
}
TOLD = (
    "bob@elsewhere has held the lock of dev/tiny since 2026-11-26 10:00:00 UTC (apply). Wait until that run ends; if "
    f'it is over, release the lock with "sawhorse state unlock dev/tiny --local {LOCKED["ID"]}".'
)


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, local_aws_project: Project, local_aws: Running
) -> Project:
    """A project whose environment names a bucket for states."""
    found = make_tiny_project(tmp_path_factory.mktemp("states") / "project", repository=repository)
    build(found, "tiny")
    with_a_resource(found)
    facts = found.path / "environments/dev/environment.yaml"
    facts.write_text(f"{facts.read_text()}state_bucket: states-{secrets.token_hex(4)}\n")
    share_local_aws(local_aws_project, found)
    return found


@pytest.fixture(scope="module")
def sawhorse(project: Project) -> Sawhorse:
    """The command line in a checkout that has applied its root, with the state in the bucket."""
    command = Sawhorse(project)
    command("apply", ROOT, "--local", "--state-bucket")
    return command


@pytest.fixture(scope="module")
def second(sawhorse: Sawhorse, tmp_path_factory: pytest.TempPathFactory) -> Sawhorse:
    """The command line in a second checkout, which has never run there."""
    found = checkout_of(sawhorse.project, tmp_path_factory.mktemp("second") / "project")
    build(found, "tiny")
    return Sawhorse(found)


def workspace_of(sawhorse: Sawhorse) -> Workspace:
    return Workspace(sawhorse.project.root(ROOT), local=True)


def test_a_second_checkout_finds_what_the_first_one_applied(sawhorse: Sawhorse, second: Sawhorse) -> None:
    assert "dev/tiny is not applied" in second("outputs", ROOT, "--local", code=2)
    assert second("outputs", ROOT, "--local", "--state-bucket").startswith("answer = 1\n")
    # Said once, it holds for every later run.
    assert "No changes." in second("plan", ROOT, "--local", "--exit-code")
    assert second.json("state", "show", ROOT, "--local") == sawhorse.json("state", "show", ROOT, "--local")
    assert not local_state(sawhorse.project.root(ROOT)).exists()


def test_what_the_second_one_applies_is_drift_to_the_first(sawhorse: Sawhorse, second: Sawhorse) -> None:
    outputs = second.project.root(ROOT).path / "outputs.tf"
    outputs.write_text(OUTPUTS.replace("input = 1", "input = 2"))
    second("apply", ROOT, "--local", "--state-bucket")

    assert "~ input" in sawhorse("plan", ROOT, "--local", "--exit-code", code=3)

    outputs.write_text(OUTPUTS)
    second("apply", ROOT, "--local")
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")


def test_two_applies_at_once_come_one_after_the_other(sawhorse: Sawhorse, second: Sawhorse) -> None:
    second("outputs", ROOT, "--local", "--state-bucket")
    before = sawhorse.json("state", "show", ROOT, "--local")
    for one, value in ((sawhorse, 3), (second, 4)):
        (one.project.root(ROOT).path / "outputs.tf").write_text(OUTPUTS.replace("input = 1", f"input = {value}"))

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda one: one.run("apply", ROOT, "--local"), (sawhorse, second)))

    assert [one.returncode for one in ended] == [0, 0], ended
    after = sawhorse.json("state", "show", ROOT, "--local")
    assert (after["lineage"], after["lock"]) == (before["lineage"], None)
    assert after["serial"] >= before["serial"] + 2
    assert sawhorse.json("outputs", ROOT, "--local")["answer"] in (3, 4)
    for one in (sawhorse, second):
        (one.project.root(ROOT).path / "outputs.tf").write_text(OUTPUTS)
    sawhorse("apply", ROOT, "--local")


def test_a_record_that_both_write_has_what_both_wrote(sawhorse: Sawhorse, second: Sawhorse) -> None:
    second("outputs", ROOT, "--local", "--state-bucket")

    def write(named: tuple[Sawhorse, int]) -> None:
        one, number = named
        release = Release(id=number, functions={}, commit=None, dirty=False, at="2026-11-26T10:00:00Z", by="tests")

        def entered(record: Record) -> Record:
            return record.having(release)

        Kept(workspace_of(one).state_store, ROOT).change(entered)

    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                write,
                [(one, 2 * number + offset) for number in range(4) for offset, one in enumerate((sawhorse, second))],
            )
        )

    assert [one.id for one in Kept(workspace_of(second).state_store, ROOT).read().releases] == list(range(8))


@pytest.fixture
def locked(sawhorse: Sawhorse, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """The state, with a lock of somebody else's run that nobody waits for."""
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "0s")
    store = workspace_of(sawhorse).state_store
    assert isinstance(store, S3Store)
    store.write(LOCK, json.dumps(LOCKED).encode(), based_on=None)
    yield store
    left = store.read(LOCK)
    if left:
        store.remove(LOCK, based_on=left)


@pytest.mark.parametrize("command", ["plan", "apply", "destroy"])
def test_a_lock_says_who_holds_it_and_what_releases_it(sawhorse: Sawhorse, locked: S3Store, command: str) -> None:
    terraform = workspace_of(sawhorse).terraform

    with pytest.raises(CommandFailed) as failure:
        getattr(terraform, command)()

    assert str(failure.value).endswith(TOLD)
    if command != "plan":
        assert "The state was read after it and is the one from before" in str(failure.value)
    assert TOLD in sawhorse("state", "show", ROOT, "--local")


def test_the_line_that_it_says_releases_it(sawhorse: Sawhorse, locked: S3Store) -> None:
    refused = sawhorse("state", "unlock", ROOT, "another", "--local", code=2)
    assert f"No lock of {ROOT} has the id another. {TOLD}" in refused

    said = sawhorse("state", "unlock", ROOT, "--local", LOCKED["ID"])

    assert "which bob@elsewhere held since 2026-11-26 10:00:00 UTC, is released." in said
    assert locked.lock() is None
    assert "Nobody holds one." in sawhorse("state", "unlock", ROOT, LOCKED["ID"], "--local", code=2)
    assert "No changes." in sawhorse("plan", ROOT, "--local")


def test_a_native_run_finds_the_same_state(sawhorse: Sawhorse) -> None:
    sawhorse("render")
    script = (
        f"cd environments/{ROOT} && terraform init -input=false -lockfile=readonly && terraform plan -detailed-exitcode"
    )

    found = sawhorse.in_a_fresh_shell("env", ROOT, script=script)

    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    assert "No changes." in found.stdout


def test_what_a_native_run_makes_first_is_found_as_well(
    tmp_path: Path, repository: Path, local_aws_project: Project, local_aws: Running
) -> None:
    found = make_tiny_project(tmp_path / "project", repository=repository)
    build(found, "tiny")
    with_a_resource(found)
    facts = found.path / "environments/dev/environment.yaml"
    facts.write_text(f"{facts.read_text()}state_bucket: native-{secrets.token_hex(4)}\n")
    share_local_aws(local_aws_project, found)
    sawhorse = Sawhorse(found)
    sawhorse("render")
    script = "terraform init -input=false -lockfile=readonly && terraform apply -auto-approve"

    made = sawhorse.in_a_fresh_shell("env", ROOT, script=f"cd environments/{ROOT} && {script}")

    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")
    assert sawhorse.json("state", "show", ROOT, "--local")["place"].startswith("s3://native-")


def test_the_bucket_and_a_file_are_never_mixed_up(sawhorse: Sawhorse, local_aws: Running) -> None:
    refused = sawhorse("plan", ROOT, "--state-bucket", code=2, variables=local_aws.environment())
    assert "--state-bucket is for --local; on AWS state_bucket in environments/dev/environment.yaml says" in refused
    sawhorse("state", "move", ROOT, "--local", "--to", "local")

    refused = sawhorse("apply", ROOT, "--local", "--state-bucket", code=2)

    assert "The state of local runs of dev/tiny lies in environments/dev/tiny/terraform.tfstate.d/local" in refused
    assert 'move it with "sawhorse state move dev/tiny --local --to bucket"' in refused
    assert "lies in a file, and environments/dev/environment.yaml names states-" in sawhorse(
        "local", "env", ROOT, code=2
    )
    assert "No changes." in sawhorse("plan", ROOT, "--local")
    sawhorse("state", "move", ROOT, "--local", "--to", "bucket")
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--state-bucket")


def test_a_lock_of_a_file_goes_with_its_process(sawhorse: Sawhorse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "0s")
    sawhorse("state", "move", ROOT, "--local", "--to", "local")
    state = local_state(sawhorse.project.root(ROOT))
    state.with_name(".terraform.tfstate.lock.info").write_text(json.dumps(LOCKED))

    with started([sys.executable, "-c", HOLD, state], stdin=-1, stdout=-1) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        terraform = workspace_of(sawhorse).terraform
        with pytest.raises(CommandFailed, match="that of a process on this machine; wait until that ends, or end it"):
            terraform.plan()
        refused = sawhorse("state", "move", ROOT, "--local", "--to", "bucket", code=2)
        assert "Nothing was moved. bob@elsewhere has held the lock of dev/tiny since" in refused

    assert not workspace_of(sawhorse).terraform.plan()
    sawhorse("state", "move", ROOT, "--local", "--to", "bucket")

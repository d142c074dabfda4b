"""A state is moved with its record, compared afterwards, and lost at no moment of a move that is cut off."""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.local.emulators import Running
from sawhorse.local.overlay import local_state, local_state_bucket
from sawhorse.operate import state_move
from sawhorse.operate.state_move import Moved, move_state
from sawhorse.operate.state_show import release_lock, shown_state
from sawhorse.project import Project, Root
from sawhorse.terraform.moving import Moving, remember_move, unfinished_move
from sawhorse.terraform.state_store import LOCK, RELEASES, STATE, FileStore, S3Store
from sawhorse.terraform.unfinished import remember
from sawhorse.workspace import Workspace
from tests.children import descendants, started
from tests.states import keys, record_text, s3_of, share_local_aws, state_text, with_a_resource
from tests.unit.sawhorse.support import sawhorse

NAME = "dev/tiny"
RECORD = record_text(NAME).encode()
STATE_OF_THE_ROOT = state_text().encode()


def name_bucket(root: Root, bucket: str | None) -> None:
    """Let environment.yaml name this bucket for states, or none."""
    named = f"state_bucket: {bucket}\n" if bucket else ""
    facts = f'account_id: "111111111111"\nregion: us-east-1\nproduction: false\n{named}'
    (root.path.parent / "environment.yaml").write_text(facts)


@pytest.fixture
def bucket(local_aws: Running) -> str:
    """A bucket of this test, which keeps no versions, so that what is deleted is gone."""
    name = f"states-{secrets.token_hex(4)}"
    s3_of(local_aws).create_bucket(Bucket=name)
    return name


@pytest.fixture
def root(tiny: Project, local_aws_project: Project, local_aws: Running, bucket: str) -> Root:
    """A root on the local AWS of this run, whose environment names the bucket."""
    share_local_aws(local_aws_project, tiny)
    root = with_a_resource(tiny)
    name_bucket(root, bucket)
    return root


@pytest.fixture
def in_a_file(root: Root) -> FileStore:
    """The state of local runs with its record, in a file."""
    store = FileStore(local_state(root).parent)
    store.write(STATE, STATE_OF_THE_ROOT, based_on=None)
    store.write(RELEASES, RECORD, based_on=None)
    return store


@pytest.fixture
def in_the_bucket(local_aws: Running, bucket: str) -> S3Store:
    """Where the state of local runs goes."""
    return S3Store(s3_of(local_aws), bucket, NAME, prefix="env:/local/")


@pytest.fixture
def as_on_aws(root: Root, local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root in a shell that takes the local AWS for AWS, whose environment names no bucket yet, with a state."""
    name_bucket(root, None)
    for name, value in local_aws.environment().items():
        monkeypatch.setenv(name, value)
    store = FileStore(root.path)
    store.write(STATE, STATE_OF_THE_ROOT, based_on=None)
    store.write(RELEASES, RECORD, based_on=None)
    return root


def move(root: Root, to: Any, *, local: bool = True, from_bucket: str | None = None) -> Moved:
    return move_state(Workspace(root, local=local), to=to, from_bucket=from_bucket)


def test_a_state_goes_into_the_bucket_and_back_as_it_was(
    root: Root, in_a_file: FileStore, in_the_bucket: S3Store, bucket: str
) -> None:
    there = move(root, "bucket")

    assert (there.did, there.lineage, there.serial, there.resources) == ("moved", "of-the-root", 3, 1)
    assert local_state_bucket(root) == bucket
    assert {kind: in_the_bucket.read(kind).content for kind in (STATE, RELEASES)} == {  # type: ignore[union-attr]
        STATE: STATE_OF_THE_ROOT,
        RELEASES: RECORD,
    }
    assert [in_a_file.read(kind) for kind in (STATE, RELEASES)] == [None, None]
    assert move(root, "bucket").did == "was there already"

    back = move(root, "local")

    assert (back.did, back.lineage, back.serial, back.resources) == ("moved", "of-the-root", 3, 1)
    assert local_state_bucket(root) is None
    assert [in_a_file.file(kind).read_bytes() for kind in (STATE, RELEASES)] == [STATE_OF_THE_ROOT, RECORD]
    assert keys(in_the_bucket.s3, bucket) == []
    assert move(root, "local").did == "was there already"


def test_on_aws_environment_yaml_says_where_to(as_on_aws: Root, bucket: str, local_aws: Running) -> None:
    root, s3 = as_on_aws, s3_of(local_aws)
    with pytest.raises(BadConfiguration, match="names no state_bucket, where every run looks"):
        move(root, "bucket", local=False)
    name_bucket(root, bucket)
    with pytest.raises(BadConfiguration, match=f"says that the states of dev are in {bucket}; remove state_bucket"):
        move(root, "local", local=False)
    with pytest.raises(SawhorseError, match=r"A state of dev/tiny lies in environments/dev/tiny/terraform\.tfstate"):
        _ = Workspace(root, local=False).terraform_as_applied

    assert move(root, "bucket", local=False).did == "moved"

    assert keys(s3, bucket) == ["dev/tiny.releases.json", "dev/tiny.tfstate"]
    assert Workspace(root, local=False).outputs() == {"answer": 1}
    name_bucket(root, None)
    with pytest.raises(SawhorseError, match=f"The state of dev/tiny lies in the bucket {bucket}, and .* names no"):
        _ = Workspace(root, local=False).terraform_as_applied

    assert move(root, "local", local=False).did == "moved"

    assert keys(s3, bucket) == []
    assert Workspace(root, local=False).outputs() == {"answer": 1}
    assert (root.path / "terraform.tfstate").read_bytes() == STATE_OF_THE_ROOT


def test_from_one_bucket_into_another(as_on_aws: Root, bucket: str, local_aws: Running) -> None:
    s3, second = s3_of(local_aws), f"{bucket}-2"
    s3.create_bucket(Bucket=second)
    name_bucket(as_on_aws, bucket)
    move(as_on_aws, "bucket", local=False)
    name_bucket(as_on_aws, second)

    moved = move(as_on_aws, "bucket", local=False)

    assert (moved.source, moved.target) == (f"s3://{bucket}/dev/tiny.tfstate", f"s3://{second}/dev/tiny.tfstate")
    assert (keys(s3, bucket), keys(s3, second)) == ([], ["dev/tiny.releases.json", "dev/tiny.tfstate"])


def test_another_checkout_says_which_bucket_it_comes_from(as_on_aws: Root, bucket: str, local_aws: Running) -> None:
    root = as_on_aws
    for path in root.path.glob("terraform.tfstate*"):
        path.unlink()
    S3Store(s3_of(local_aws), bucket, NAME).write(STATE, STATE_OF_THE_ROOT, based_on=None)

    assert move(root, "local", local=False).did == "had nothing to move"
    assert move(root, "local", local=False, from_bucket=bucket).did == "moved"

    assert (root.path / "terraform.tfstate").read_bytes() == STATE_OF_THE_ROOT


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"lineage": "of-another"}, "holds another state than"),
        ({"serial": 4}, "holds a version of its own, no older than that of"),
        ({"value": 2}, "holds a version of its own, no older than that of"),
    ],
)
def test_what_is_not_an_earlier_version_is_never_written_over(
    root: Root, in_a_file: FileStore, in_the_bucket: S3Store, there: dict[str, Any], why: str
) -> None:
    before = in_the_bucket.write(STATE, state_text(**there).encode(), based_on=None)

    with pytest.raises(BadConfiguration, match=why):
        move(root, "bucket")

    assert in_the_bucket.read(STATE) == before
    assert in_a_file.file(STATE).read_bytes() == STATE_OF_THE_ROOT
    assert local_state_bucket(root) is None
    assert in_the_bucket.lock() is None
    assert unfinished_move(Workspace(root, local=True).directory) is None


def test_an_earlier_version_is_written_over(root: Root, in_a_file: FileStore, in_the_bucket: S3Store) -> None:
    in_the_bucket.write(STATE, state_text(serial=2, value=0).encode(), based_on=None)

    assert move(root, "bucket").serial == 3


def test_another_record_is_never_written_over(root: Root, in_a_file: FileStore, in_the_bucket: S3Store) -> None:
    theirs = in_the_bucket.write(RELEASES, record_text(NAME, live=3).encode(), based_on=None)

    with pytest.raises(BadConfiguration, match="is another record of releases than"):
        move(root, "bucket")

    assert in_the_bucket.read(RELEASES) == theirs
    assert in_a_file.file(RELEASES).read_bytes() == RECORD
    assert in_the_bucket.read(STATE) is None


def lock_it(root: Root, in_the_bucket: S3Store) -> str:
    lock = {
        "ID": "theirs",
        "Who": "bob@elsewhere",
        "Operation": "OperationTypeApply",
        "Created": "2026-11-26T10:00:00Z",
    }
    in_the_bucket.write(LOCK, json.dumps(lock).encode(), based_on=None)
    return r'bob@elsewhere has held .* \(apply\).*"sawhorse state unlock dev/tiny --local theirs"'


def begin_a_release(root: Root, in_the_bucket: S3Store) -> str:
    moving = {"command": "release", "release": 1, "before": {}, "pins": {}, "at": "2026-11-26T10:00:00Z"}
    who = {"by": "bob", "process": {"host": "elsewhere", "pid": 1, "started": 1.0}}
    FileStore(local_state(root).parent).file(RELEASES).write_text(record_text(NAME, moving={**moving, **who}))
    return "A release of dev/tiny by bob on elsewhere is under way"


def cut_an_apply_off(root: Root, in_the_bucket: S3Store) -> str:
    remember(Workspace(root, local=True).directory, 1)
    return 'An apply of dev/tiny was cut off.*"sawhorse apply dev/tiny --local" finishes it'


def leave_an_unsaved_state(root: Root, in_the_bucket: S3Store) -> str:
    directory = Workspace(root, local=True).rendered(built=False).directory
    (directory / "errored.tfstate").write_text(state_text(serial=9))
    (directory / "errored.tfstate").chmod(0o600)
    return "An earlier run could not save its state"


@pytest.mark.parametrize("make", [lock_it, begin_a_release, cut_an_apply_off, leave_an_unsaved_state])
def test_nothing_is_moved_while_its_state_is_in_somebody_s_hands(
    root: Root, in_a_file: FileStore, in_the_bucket: S3Store, make: Callable[[Root, S3Store], str]
) -> None:
    why = make(root, in_the_bucket)

    with pytest.raises(SawhorseError, match=why):
        move(root, "bucket")

    assert in_a_file.file(STATE).read_bytes() == STATE_OF_THE_ROOT
    assert in_the_bucket.read(STATE) is None
    assert local_state_bucket(root) is None


class Killed(BaseException):
    """What no step catches."""


@pytest.mark.parametrize(
    ("direction", "when", "step"),
    [
        ("bucket", "before", "copy"),
        ("local", "after", "copy"),
        ("local", "before", "keep_local_state_in"),
        ("bucket", "after", "keep_local_state_in"),
        ("local", "before", "take_away"),
        ("bucket", "after", "take_away"),
        ("bucket", "before", "look_there"),
        ("local", "after", "look_there"),
        ("bucket", "after", "forget_move"),
    ],
)
def test_a_move_that_was_cut_off_is_finished_by_the_same_command(  # noqa: PLR0913, PLR0917 # fixtures and moments
    root: Root,
    in_a_file: FileStore,
    in_the_bucket: S3Store,
    direction: str,
    step: str,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if direction == "local":
        move(root, "bucket")
    whole = getattr(state_move, step)

    def cut_off(*arguments: Any, **options: Any) -> None:
        if when == "after":
            whole(*arguments, **options)
        raise Killed

    monkeypatch.setattr(state_move, step, cut_off)
    with pytest.raises(Killed):
        move(root, direction)
    monkeypatch.setattr(state_move, step, whole)

    whole_ones = [store for store in (in_a_file, in_the_bucket) if is_whole(store)]
    assert whole_ones
    done = step == "forget_move" and when == "after"
    if not done:
        with pytest.raises(SawhorseError, match=f"was cut off; run .*--to {direction}"):
            _ = Workspace(root, local=True).terraform_as_applied
        shown = shown_state(Workspace(root, local=True))
        assert shown.sentences()[-1].startswith("A move of it was cut off; ")
        assert shown.sentences()[-1].endswith(f'--to {direction}" finishes it.')
        other = "local" if direction == "bucket" else "bucket"
        with pytest.raises(SawhorseError, match="was cut off; finish it with"):
            move(root, other)
    assert move(root, direction).did == ("was there already" if done else "moved")

    source, target = (in_a_file, in_the_bucket) if direction == "bucket" else (in_the_bucket, in_a_file)
    assert is_whole(target)
    assert [source.read(kind) for kind in (STATE, RELEASES, "tfstate.tflock")] == [None, None, None]
    assert Workspace(root, local=True).outputs() == {"answer": 1}
    assert (
        f"The record of its releases is in {target.place(RELEASES)}."
        in shown_state(Workspace(root, local=True)).sentences()
    )


def test_the_lock_of_a_move_of_another_machine_is_released_by_its_id(
    root: Root, in_a_file: FileStore, in_the_bucket: S3Store, bucket: str
) -> None:
    """It holds that of the bucket, where the root's runs do not look yet."""
    workspace = Workspace(root, local=True)
    remember_move(workspace.directory, Moving(None, bucket))
    lock_it(root, in_the_bucket)

    with pytest.raises(SawhorseError, match=r"No lock of dev/tiny has the id mine\. bob@elsewhere has held"):
        release_lock(workspace, "mine")
    said = release_lock(workspace, "theirs")

    assert said.startswith(f"The lock of s3://{bucket}/env:/local/dev/tiny.tfstate, which bob@elsewhere held since")
    assert in_the_bucket.lock() is None
    assert move(root, "bucket").did == "moved"


def is_whole(store: FileStore | S3Store) -> bool:
    state = store.read(STATE)
    return state is not None and state.content == STATE_OF_THE_ROOT


@pytest.mark.end_to_end
@pytest.mark.drill(short=2)
def test_a_killed_move_loses_nothing(
    root: Root,
    in_a_file: FileStore,
    in_the_bucket: S3Store,
    drill_round: int,
    moments: random.Random,
) -> None:
    command = [sys.executable, "-m", "sawhorse.cli.main", "state", "move", NAME, "--local", "--to", "bucket"]
    environment = {"SAWHORSE_PROJECT": str(root.project.path)}
    with started(command, env={**os.environ, **environment}, stdout=-1, stderr=-1) as process:
        time.sleep(moments.uniform(0.3, 2.5))
        for one in descendants({process.pid}):
            one.kill()
        process.wait()

    assert is_whole(in_a_file) or is_whole(in_the_bucket)
    ended = sawhorse(root.project, "state", "move", NAME, "--local", "--to", "bucket")
    assert ended.code == 0, ended
    assert is_whole(in_the_bucket)
    assert in_the_bucket.lock() is None
    assert in_a_file.read(STATE) is None
    record = in_the_bucket.read(RELEASES)
    assert record
    assert record.content == RECORD

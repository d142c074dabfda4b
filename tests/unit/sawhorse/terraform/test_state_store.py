"""What lies where a state lies is written, taken away and locked under conditions, in a bucket as in a directory."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.local.emulators import Running
from sawhorse.terraform.state_lock import MOVE, new_lock
from sawhorse.terraform.state_store import (
    LOCK,
    RELEASES,
    STATE,
    FileStore,
    Held,
    S3Store,
    StateStore,
    WrittenMeanwhile,
    read_state,
)
from tests.states import keys, s3_of, state_text

ROOT = "dev/tiny"


@pytest.fixture
def bucket(local_aws: Running) -> S3Store:
    """A bucket of this test, which keeps no versions."""
    name = f"states-{secrets.token_hex(4)}"
    s3_of(local_aws).create_bucket(Bucket=name)
    return S3Store(s3_of(local_aws), name, ROOT)


@pytest.fixture(params=["in a bucket", "in a directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: S3Store) -> StateStore:
    return FileStore(tmp_path) if request.param == "in a directory" else bucket


def test_what_is_written_is_read_back(store: StateStore) -> None:
    assert store.read(STATE) is None

    written = store.write(STATE, b"one", based_on=None)

    assert store.read(STATE) == written
    assert store.write(STATE, b"two", based_on=written) == store.read(STATE)
    assert store.read(RELEASES) is None


@pytest.mark.parametrize("change", ["written", "removed"])
def test_a_write_on_top_of_what_is_not_there_any_more_is_refused(store: StateStore, change: str) -> None:
    first = store.write(STATE, b"one", based_on=None)
    if change == "written":
        store.write(STATE, b"two", based_on=first)
    else:
        store.remove(STATE, based_on=first)
    there = store.read(STATE)

    with pytest.raises(WrittenMeanwhile):
        store.write(STATE, b"three", based_on=first)
    assert store.read(STATE) == there


def test_a_first_write_is_refused_where_something_is(store: StateStore) -> None:
    there = store.write(STATE, b"one", based_on=None)

    with pytest.raises(WrittenMeanwhile):
        store.write(STATE, b"two", based_on=None)
    assert store.read(STATE) == there


def test_only_what_was_read_is_taken_away(store: StateStore) -> None:
    first = store.write(STATE, b"one", based_on=None)
    second = store.write(STATE, b"two", based_on=first)

    with pytest.raises(WrittenMeanwhile):
        store.remove(STATE, based_on=first)
    assert store.read(STATE) == second
    store.remove(STATE, based_on=second)
    assert store.read(STATE) is None
    # What is gone already is what was wanted.
    store.remove(STATE, based_on=second)


def test_a_file_is_set_aside_and_not_deleted(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    store.remove(STATE, based_on=store.write(STATE, b"one", based_on=None))

    assert (tmp_path / "terraform.tfstate.moved").read_bytes() == b"one"


def test_an_empty_file_which_terraform_locks_is_no_state_yet(store: StateStore) -> None:
    empty = store.write(STATE, b"", based_on=None)
    assert read_state(store) is None

    there = store.write(STATE, state_text(serial=7).encode(), based_on=empty)

    state = read_state(store)
    assert state
    assert (state.snapshot.lineage, state.snapshot.serial, dict(state.outputs)) == ("of-the-root", 7, {"answer": 1})
    store.write(STATE, there.content[:40], based_on=there)
    with pytest.raises(BadConfiguration, match="is not a state that this Sawhorse reads"):
        read_state(store)


def test_whoever_holds_the_lock_of_a_bucket_keeps_others_out(bucket: S3Store) -> None:
    assert bucket.lock() is None
    with bucket.holding(MOVE):
        lock = bucket.lock()
        assert lock
        with pytest.raises(Held) as held, bucket.holding(MOVE):
            pass
        assert held.value.lock == lock
    assert bucket.lock() is None
    assert keys(bucket.s3, bucket.bucket) == []


def test_a_lock_that_somebody_took_meanwhile_is_not_released(bucket: S3Store) -> None:
    theirs = json.dumps({"ID": "theirs"}).encode()

    with bucket.holding(MOVE):
        bucket.write(LOCK, theirs, based_on=bucket.read(LOCK))

    lock = bucket.lock()
    assert lock
    assert lock.id == "theirs"


def test_the_lock_of_a_move_that_was_killed_is_taken_over(bucket: S3Store) -> None:
    left = replace(new_lock(MOVE), info=f"{2**22 + 1} 1.0")
    bucket.write(LOCK, json.dumps(left.as_terraform).encode(), based_on=None)

    with bucket.holding(MOVE):
        lock = bucket.lock()
        assert lock
        assert lock.id != left.id
    assert bucket.lock() is None


def test_another_place_in_the_same_bucket_is_another_state(bucket: S3Store) -> None:
    local = S3Store(bucket.s3, bucket.bucket, ROOT, prefix="env:/local/")
    bucket.write(STATE, b"one", based_on=None)
    local.write(STATE, b"two", based_on=None)

    assert keys(bucket.s3, bucket.bucket) == ["dev/tiny.tfstate", "env:/local/dev/tiny.tfstate"]

"""A lock says who holds it, since when, and what releases it; one that nobody holds any more says nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from sawhorse.terraform.state_lock import MOVE, Lock, lock_of_file, new_lock, this_user
from tests.children import started

# As Terraform 1.11.4 writes one.
WRITTEN = {
    "ID": "a7c7f3a1-3bb9-7d5b-3c7b-5f4f3e6f0a11",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "bob@elsewhere",
    "Version": "1.11.4",
    "Created": "2026-11-26T10:00:00.123456789Z",
    "Path": "states/dev/shop.tfstate",
}
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "terraform.tfstate"
    path.write_text("")
    path.with_name(".terraform.tfstate.lock.info").write_text(json.dumps(WRITTEN))
    return path


@pytest.fixture
def held(state: Path) -> Iterator[Path]:
    """A state whose lock another process holds, as Terraform does."""
    with started([sys.executable, "-c", HOLD, state], stdin=-1, stdout=-1) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield state


def test_the_lock_of_a_file_names_whoever_holds_it(held: Path) -> None:
    lock = lock_of_file(held)

    assert lock
    assert lock.told("dev/shop", local=True) == (
        "bob@elsewhere has held the lock of dev/shop since 2026-11-26 10:00:00 UTC (apply). It is that of a process on "
        "this machine; wait until that ends, or end it."
    )


def test_what_a_killed_run_leaves_beside_a_file_is_no_lock(state: Path) -> None:
    assert lock_of_file(state) is None
    state.unlink()
    assert lock_of_file(state) is None


@pytest.mark.parametrize(("local", "option"), [(True, " --local"), (False, "")])
def test_a_lock_in_s3_comes_with_the_line_that_releases_it(*, local: bool, option: str) -> None:
    lock = Lock.read(json.dumps(WRITTEN).encode())

    assert lock.told("dev/shop", local=local) == (
        "bob@elsewhere has held the lock of dev/shop since 2026-11-26 10:00:00 UTC (apply). Wait until that run ends; "
        f'if it is over, release the lock with "sawhorse state unlock dev/shop{option} {WRITTEN["ID"]}".'
    )


@pytest.mark.parametrize("content", [b"", b"null", b"[1]", b"{not json", b'{"Who": null}', b"\xff"])
def test_what_no_terraform_wrote_is_a_lock_all_the_same(content: bytes) -> None:
    told = Lock.read(content).told("dev/shop", local=False)

    assert told.startswith("Somebody has held the lock of dev/shop since a moment that it does not name. ")


def test_a_lock_of_this_process_is_not_left_behind() -> None:
    assert not new_lock(MOVE).is_left_behind


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"info": f"{2**22 + 1} 1.0"}, True),
        ({"info": f"{os.getpid()} 1.0"}, True),
        ({"info": f"{2**22 + 1} 1.0", "who": f"another-{this_user()}"}, False),
        ({"info": f"{2**22 + 1} 1.0", "operation": "OperationTypeApply"}, False),
        ({"info": "what nobody wrote"}, False),
        ({"info": ""}, False),
        ({"info": f"{os.getpid()} {psutil.Process().create_time()}"}, False),
    ],
)
def test_only_a_move_of_this_user_here_whose_process_is_gone_is_left_behind(
    *, changes: dict[str, Any], left: bool
) -> None:
    assert replace(new_lock(MOVE), **changes).is_left_behind is left


def test_a_lock_that_somebody_else_wrote_begins_no_line_and_steers_no_terminal() -> None:
    hostile = {name: f"{value}\nsawhorse: all is well\x1b[2J" for name, value in WRITTEN.items()}

    lock = Lock.read(json.dumps(hostile).encode())

    assert lock.told("dev/shop", local=False).isprintable()
    assert lock.since.isprintable()
    assert lock.who == "bob@elsewhere sawhorse: all is well\N{REPLACEMENT CHARACTER}[2J"

"""An apply that was cut off is remembered, and its lock is told from those of others."""

from __future__ import annotations

import getpass
import json
import os
import platform
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from sawhorse.errors import SawhorseError
from sawhorse.terraform.unfinished import (
    RECORD,
    Unfinished,
    forget,
    is_left_behind,
    remember,
    unfinished,
    wait_for_end,
)
from tests.children import started

ME = f"{getpass.getuser()}@{platform.node()}"
NOW = datetime.now(UTC)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / ".terraform").mkdir()
    return tmp_path


def test_an_apply_is_remembered_until_it_has_ended(directory: Path) -> None:
    assert unfinished(directory) is None
    remember(directory, os.getpid())
    found = unfinished(directory)
    assert found
    assert (found.process, found.runs()) == (os.getpid(), True)
    assert timedelta() <= datetime.now(UTC) - found.started < timedelta(minutes=1)
    forget(directory)
    assert unfinished(directory) is None
    forget(directory)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"started": "yesterday"}'], ids=str)
def test_a_record_that_cannot_be_read_is_one_of_an_apply_that_was_cut_off(directory: Path, content: str) -> None:
    (directory / RECORD).write_text(content)
    (directory / RECORD).chmod(0o600)
    found = unfinished(directory)
    assert found
    assert not found.runs()


def test_a_terraform_that_still_works_is_waited_for_and_then_refused() -> None:
    with started([sys.executable, "-c", "input()"], stdin=-1) as process:
        cut_off = Unfinished(NOW, process.pid, psutil.Process(process.pid).create_time())
        with pytest.raises(SawhorseError, match=rf"still at work \(process {process.pid}\); wait until it ends"):
            wait_for_end(cut_off, "environments/dev/shop", seconds=0)

        def end_it(_seconds: float) -> None:
            process.kill()
            process.wait()

        wait_for_end(cut_off, "environments/dev/shop", sleep=end_it)
    assert not Unfinished(NOW, os.getpid(), 1.0).runs()


@pytest.mark.parametrize(
    ("lock", "ours"),
    [
        ({"Who": ME, "Created": "2026-11-26T12:00:00.123456789Z"}, True),
        ({"Who": ME, "Created": "2026-11-26T11:59:59.9Z"}, False),
        ({"Who": "somebody@elsewhere", "Created": "2026-11-26T12:00:00.123456789Z"}, False),
        ({"Who": ME}, False),
        ({"Who": ME, "Created": "once"}, False),
    ],
    ids=json.dumps,
)
def test_a_lock_is_left_behind_when_it_is_this_users_on_this_machine_since_the_apply_began(
    lock: dict[str, str], *, ours: bool
) -> None:
    cut_off = Unfinished(datetime(2026, 11, 26, 12, tzinfo=UTC), 1, 1.0)
    assert is_left_behind(lock, cut_off) is ours

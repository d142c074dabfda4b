"""Work in threads gives what it would give at once, errors included."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from sawhorse.build.background import Background, read_ahead
from sawhorse.errors import Untrusted


def test_work_goes_on_until_its_result_is_asked_for() -> None:
    go_on = threading.Event()
    begun = Background(lambda: go_on.wait(10))
    go_on.set()
    assert begun.result()


def test_what_the_work_raises_is_raised_where_its_result_is_asked_for() -> None:
    with pytest.raises(ZeroDivisionError):
        Background(lambda: 1 / 0).result()


def test_who_fails_meanwhile_waits_for_the_end_of_the_work() -> None:
    ended: list[bool] = []
    failed = threading.Event()
    with pytest.raises(ZeroDivisionError), Background(lambda: ended.append(failed.wait(0.2))):
        _ = 1 / 0
    assert ended == [False]


def test_files_are_read_and_hashed_ahead_and_anew_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "tiny.zip"
    path.write_bytes(b"old")
    path.chmod(0o644)
    read = read_ahead([str(path)])
    assert read(str(path)) == (b"old", hashlib.sha256(b"old").digest())
    path.write_bytes(b"new")
    assert read(str(path)) == (b"new", hashlib.sha256(b"new").digest())


def test_a_file_that_nobody_began_to_read_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "tiny.cdx.json"
    path.write_bytes(b"{}")
    path.chmod(0o644)
    assert read_ahead([])(str(path)) == (b"{}", hashlib.sha256(b"{}").digest())


def test_a_file_that_is_not_there_or_not_ones_own_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    missing, open_to_all = tmp_path / "missing.zip", tmp_path / "open.zip"
    open_to_all.write_bytes(b"")
    open_to_all.chmod(0o666)
    read = read_ahead([str(missing), str(open_to_all)])
    with pytest.raises(FileNotFoundError):
        read(str(missing))
    with pytest.raises(Untrusted, match="may be written by others"):
        read(str(open_to_all))

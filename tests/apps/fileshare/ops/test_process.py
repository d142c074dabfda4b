"""The SQLite file of fileshare as a plain process is for this user alone, whatever the umask."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from fileshare.ops.process import own_database
from sawhorse.project import Project


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_the_sqlite_file_and_what_lies_beside_it_are_for_this_user_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        path = own_database(Project(tmp_path), "dev")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE one (a)")
        modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
        connection.close()
    finally:
        os.umask(before)

    assert modes == {"dev.sqlite3": 0o600, "dev.sqlite3-wal": 0o600, "dev.sqlite3-shm": 0o600}
    assert [stat.S_IMODE(found.stat().st_mode) for found in (path.parent, path.parents[1])] == [0o700, 0o700]


def test_a_database_of_before_is_closed_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / ".sawhorse/fileshare/dev.sqlite3"
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE one (a)")
    for found in path.parent.iterdir():
        found.chmod(0o644)

    assert own_database(Project(tmp_path), "dev") == path

    assert {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()} == {0o600}
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("one",)]
    connection.close()

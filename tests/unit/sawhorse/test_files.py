"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sawhorse.errors import file_error_sentence
from sawhorse.files import remove_temporary_files, write_atomically, write_shared


def test_a_first_write_changes_something_and_a_second_one_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new/file"

    assert write_atomically(path, "text")
    inode = path.stat().st_ino
    assert not write_atomically(path, b"text")

    assert path.stat().st_ino == inode
    assert path.read_text() == "text"


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o177, 0o777])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_shared(tmp_path / "for all/plain", "")
        write_atomically(tmp_path / "for one/secret", "")
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"for all": 0o755, "plain": 0o644, "for one": 0o700, "secret": 0o600}


def test_a_file_for_this_user_alone_is_closed_although_its_content_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("same")
    (tmp_path / "secret").chmod(0o644)

    assert not write_atomically(tmp_path / "secret", "same")

    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_crash_before_the_rename_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def crash(source: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_in_the_place_of_the_file_is_no_reason_to_leave_anything_behind(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()

    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "file", "new")

    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.drill(short=1)
def test_a_reader_never_sees_half_of_what_concurrent_writers_write(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [letter * 200_000 for letter in "abcd"]
    write_atomically(path, contents[0])
    done = threading.Event()
    seen: set[str] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        list(pool.map(lambda content: write_atomically(path, content), contents * 10))
        done.set()
        reader.result()

    assert seen <= set(contents)
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writers_left_beside_a_file_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".file.12-34.tmp", ".other.12-34.tmp", ".file.swp", "file"):
        (tmp_path / name).write_text("")

    remove_temporary_files(tmp_path / "file")

    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.swp", ".other.12-34.tmp", "file"]


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_a_link_that_lies_where_a_file_is_to_be_written_first_is_not_followed(
    tmp_path: Path, make: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious").write_text("kept")
    monkeypatch.setattr(os, "urandom", bytes)
    make(tmp_path / f".file.{'00' * 8}.tmp", tmp_path / "precious")

    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", "new")

    assert (tmp_path / "precious").read_text() == "kept"


# A disk that is full: /dev/full takes every opening and refuses every write, as a full disk does.


def write_directly(path: Path) -> None:
    path.write_text("x" * 100_000)


def write_through_a_stream(path: Path) -> None:
    with path.open("w") as stream:
        print("x" * 100_000, file=stream)


def write_at_the_end(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("x")


def copy_into(path: Path) -> None:
    with path.open("wb") as target, Path(__file__).open("rb") as source:
        shutil.copyfileobj(source, target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("write", [write_directly, write_through_a_stream, write_at_the_end, copy_into])
def test_a_full_disk_is_told_with_the_file_however_it_is_written(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    path.symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left") as failure:
        write(path)

    assert failure.value.filename is None
    assert file_error_sentence(failure.value) == f"{path}: No space left on device. Fix that and run it again."


def test_a_full_disk_is_told_with_the_file_that_was_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: str, _target: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left") as failure:
        write_atomically(tmp_path / "file", "new")

    assert file_error_sentence(failure.value) == (
        f"{tmp_path / 'file'}: No space left on device. Fix that and run it again."
    )
    assert list(tmp_path.iterdir()) == []


SMALL = """
mount -t tmpfs -o size=16k tmpfs "$1" || exit 77
exec "$2" -c 'import sys
from pathlib import Path
from sawhorse.errors import report_error
from sawhorse.files import write_atomically
try:
    write_atomically(Path(sys.argv[1]) / "deep/file", "x" * 100_000)
except OSError as error:
    sys.exit(report_error(error))' "$1"
"""


def test_a_file_system_that_is_really_full_is_told_with_the_file(tmp_path: Path, repository: Path) -> None:
    unshare = shutil.which("unshare")
    command = [unshare or "unshare", "-rm", "sh", "-c", SMALL, "sh", str(tmp_path), sys.executable]
    if not unshare or subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    ended = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if ended.returncode == 77:  # as the shell above says
        pytest.skip("this machine lets nobody mount a file system of his own")

    assert ended.returncode == 2
    assert ended.stderr == f"sawhorse: {tmp_path}/deep/file: No space left on device. Fix that and run it again.\n"

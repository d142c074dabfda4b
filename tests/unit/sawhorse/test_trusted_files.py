"""What is read back is this user's own, or it is refused; what is made is for this user alone."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import Untrusted
from sawhorse.files import locked
from sawhorse.trusted_files import (
    fault_of,
    is_own_program,
    make_own_directory,
    make_own_file,
    own_directory,
    own_private,
    read_own,
    refuse_below,
)

STRANGER = 65534
KINDS = [stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@given(
    kind=st.sampled_from(KINDS),
    bits=st.integers(0, 0o7777),
    owner=st.integers(0, 5),
    user=st.integers(0, 5),
    directory=st.booleans(),
)
def test_only_ones_own_of_the_right_kind_that_nobody_else_may_write_is_believed(
    *, kind: int, bits: int, owner: int, user: int, directory: bool
) -> None:
    believed = fault_of(kind | bits, owner, user, directory=directory) is None

    wanted = stat.S_IFDIR if directory else stat.S_IFREG
    assert believed == (kind == wanted and owner == user and not bits & 0o022)


@given(bits=st.integers(0, 0o7777), owner=st.integers(0, 5), user=st.integers(0, 5), directory=st.booleans())
def test_what_others_may_only_read_is_no_fault(*, bits: int, owner: int, user: int, directory: bool) -> None:
    kind = stat.S_IFDIR if directory else stat.S_IFREG

    assert fault_of(kind | bits | 0o055, owner, user, directory=directory) == fault_of(
        kind | bits, owner, user, directory=directory
    )


@pytest.mark.parametrize("mode", [0o755, 0o711, 0o750, 0o705, 0o700])
def test_a_directory_that_others_may_only_read_is_closed(tmp_path: Path, mode: int) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one").chmod(mode)

    own_directory(tmp_path / "one", private=False)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == mode
    own_directory(tmp_path / "one")
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700


def test_a_file_of_several_names_is_read_and_keeps_its_mode(tmp_path: Path) -> None:
    """A backup may be made of hard links, and the other name may be meant for everybody."""
    tmp_path.chmod(0o700)
    (tmp_path / "one").write_bytes(b"content")
    (tmp_path / "one").chmod(0o644)
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    assert read_own(tmp_path / "one") == b"content"
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) == 0o644
    (tmp_path / "two").unlink()
    read_own(tmp_path / "one")
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_what_is_made_has_its_mode_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_own_directory(tmp_path / "private/deep")
        make_own_directory(tmp_path / "shared/deep", private=False)
        make_own_file(tmp_path / "file")
        with locked(tmp_path / "locks/lock"):
            pass
    finally:
        os.umask(before)

    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {
        "private": 0o700, "private/deep": 0o700, "shared": 0o755, "shared/deep": 0o755, "file": 0o600,
        "locks": 0o700, "locks/lock": 0o600,
    }  # fmt: skip


@pytest.mark.parametrize(
    "plant",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to(path.with_name("nowhere")),
        os.mkfifo,
        Path.mkdir,
    ],
    ids=["link", "dangling link", "FIFO", "directory"],
)
def test_a_lock_that_is_no_file_is_refused_and_nothing_is_truncated(
    tmp_path: Path, plant: Callable[[Path], object]
) -> None:
    plant(tmp_path / "lock")

    with pytest.raises(Untrusted, match=r"remove it \(rm -r "), locked(tmp_path / "lock"):
        pass
    assert Path("/etc/passwd").stat().st_size > 0
    assert not (tmp_path / "nowhere").exists()


def test_a_private_tree_is_looked_at_whole_when_it_is_closed(tmp_path: Path) -> None:
    deep = tmp_path / ".sawhorse/tools/uv/bin"
    deep.mkdir(parents=True)
    (tmp_path / ".sawhorse").chmod(0o755)
    deep.chmod(0o777)

    with pytest.raises(Untrusted, match="tools/uv/bin may be written by others"):
        own_private(tmp_path)
    assert stat.S_IMODE((tmp_path / ".sawhorse").stat().st_mode) == 0o755
    deep.chmod(0o755)
    own_private(tmp_path)
    assert stat.S_IMODE((tmp_path / ".sawhorse").stat().st_mode) == 0o700


def test_what_is_not_there_is_no_matter(tmp_path: Path) -> None:
    own_private(tmp_path, "tools", "uv", depth=2)

    assert list(tmp_path.iterdir()) == []


# --- Programs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "above/bin/python3.13"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_of_root_or_this_user_may_be_run(program: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(program)

    assert is_own_program(program)
    assert is_own_program(tmp_path / "link")
    assert is_own_program("/bin/sh")


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o644, 0o000])
def test_a_program_that_others_may_write_or_that_cannot_run_is_not(program: Path, mode: int) -> None:
    program.chmod(mode)

    assert not is_own_program(program)


@pytest.mark.parametrize("mode", [0o757, 0o777, 0o707, 0o703])
@pytest.mark.parametrize("levels", [0, 1])
def test_nor_is_one_that_others_may_put_another_in_the_place_of(program: Path, mode: int, levels: int) -> None:
    program.parents[levels].chmod(mode)

    assert not is_own_program(program)
    # As /tmp is: there nobody can move what is another one's.
    program.parents[levels].chmod(mode | stat.S_ISVTX)
    assert is_own_program(program)


def test_nor_is_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "fifo", 0o700)

    assert not is_own_program(tmp_path / "nowhere")
    assert not is_own_program(tmp_path / "dangling")
    assert not is_own_program(tmp_path / "fifo")
    assert not is_own_program(tmp_path)


@needs_root
@pytest.mark.parametrize("levels", [None, 0, 1])
def test_nor_is_one_of_somebody_else_or_below_a_directory_of_somebody_else(program: Path, levels: int | None) -> None:
    os.chown(program if levels is None else program.parents[levels], STRANGER, STRANGER)

    assert not is_own_program(program)


# --- Races -------------------------------------------------------------------------------------------------------


def stranger_file(path: Path) -> None:
    path.write_bytes(b"theirs")
    path.chmod(0o600 if os.geteuid() == 0 else 0o666)
    if os.geteuid() == 0:
        os.chown(path, STRANGER, STRANGER)


@pytest.mark.drill(short=1)
@pytest.mark.parametrize("planted", ["file", "link"])
def test_a_file_that_is_swapped_while_it_is_read_is_never_anothers(tmp_path: Path, planted: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    place, theirs = home / "one", home / "theirs"
    done = threading.Event()

    def swap() -> None:
        number = 0
        while not done.is_set():
            number += 1
            other = home / f"other-{number % 7}"
            other.unlink(missing_ok=True)
            if number % 2:
                other.write_bytes(b"ours")
                other.chmod(0o600)
            elif planted == "link":
                other.symlink_to(theirs)
            else:
                stranger_file(other)
            other.replace(place)

    stranger_file(theirs)
    place.write_bytes(b"ours")
    place.chmod(0o600)
    swapping = threading.Thread(target=swap)
    swapping.start()
    read, refused = set(), 0
    try:
        for _ in range(3000):
            try:
                read.add(read_own(place))
            except Untrusted:
                refused += 1
    finally:
        done.set()
        swapping.join()

    assert read == {b"ours"}
    assert refused > 0


@needs_root
@pytest.mark.drill(short=1)
def test_a_directory_that_is_swapped_while_it_is_read_gives_nothing_of_anothers(tmp_path: Path) -> None:
    """Whoever owns what lies above can swap the directory itself: then what is in it is looked at."""
    place, theirs, aside = tmp_path / "cache", tmp_path / "theirs", tmp_path / "aside"
    for directory, content in ((place, b"ours"), (theirs, b"theirs")):
        directory.mkdir(mode=0o700)
        (directory / "one").write_bytes(content)
        (directory / "one").chmod(0o600)
    for path in (theirs, theirs / "one"):
        os.chown(path, STRANGER, STRANGER)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            place.rename(aside)
            theirs.rename(place)
            place.rename(theirs)
            aside.rename(place)

    swapping = threading.Thread(target=swap)
    swapping.start()
    read = set()
    try:
        for _ in range(3000):
            try:
                read.add(read_own(place / "one"))
            except (Untrusted, FileNotFoundError):
                continue
    finally:
        done.set()
        swapping.join()

    assert read <= {b"ours"}


@pytest.mark.parametrize("name", [".lock", "3.20-py3-none-any.lock"])
def test_an_empty_lock_for_everybody_is_taken_and_one_with_a_content_is_not(tmp_path: Path, name: str) -> None:
    """Of an installer that makes such locks in its cache."""
    lock = tmp_path / "deep" / name
    lock.parent.mkdir(mode=0o755)
    lock.touch()
    lock.chmod(0o666)

    refuse_below(str(tmp_path))

    lock.write_text("x")
    with pytest.raises(Untrusted, match=rf"{re.escape(name)} may be written by others"):
        refuse_below(str(tmp_path))


def test_nobody_is_told_to_remove_a_directory_that_the_harness_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "everybodys").mkdir()
    (tmp_path / "everybodys").chmod(0o777)
    (tmp_path / ".sawhorse").mkdir()
    (tmp_path / ".sawhorse").chmod(0o777)

    with pytest.raises(Untrusted, match="use a directory that only you can write, and run this again") as refused:
        own_directory(tmp_path / "everybodys")
    assert "rm -r" not in str(refused.value)
    assert "chmod" not in str(refused.value)
    with pytest.raises(Untrusted, match="rm -r "):
        own_directory(tmp_path / ".sawhorse")


def test_a_program_behind_a_link_that_others_can_replace_is_nobodys_own(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o777)
    for directory in ("open", "closed"):
        (tmp_path / directory / "python").symlink_to(sys.executable)
    (tmp_path / "closed/hop").symlink_to(tmp_path / "open/python")
    (tmp_path / "closed/loop").symlink_to(tmp_path / "closed/loop")

    assert is_own_program(tmp_path / "closed/python")
    assert not is_own_program(tmp_path / "open/python")
    assert not is_own_program(tmp_path / "closed/hop")
    assert not is_own_program(tmp_path / "closed/loop")

"""Places that the harness reads back, and what somebody else may have put there: with what every test of them asks."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sawhorse.errors import SawhorseError, Untrusted
from sawhorse.project import Project
from sawhorse.signing import sign
from sawhorse.toolchain import terraform_install

STRANGER = 65534
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give a file to somebody else")
PRIVATE = "{project}/.sawhorse"


@dataclass(frozen=True)
class Place:
    """Something that is read back: its path, with the homes of a test in braces, and what reads it.

    `top` may be reached by a link that is this user's own. `shared` may be read by others.
    """

    path: str
    read: Callable[[Project], object]
    directory: bool = False
    top: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Homes:
    """A project with one place in it that is read back, and the cache and the state of its user."""

    project: Project
    cache: Path
    state: Path

    def path(self, place: Place) -> Path:
        return Path(place.path.format(project=self.project.path, cache=self.cache, state=self.state))


def make_homes(project: Project, home: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> Homes:
    """Make a place as the harness does, with content that it can read."""
    found = Homes(project, home / "cache", home / "state")
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(found.cache))
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(found.state))
    monkeypatch.setattr(terraform_install, "provider_mirror", lambda *_: None)
    (project.path / ".sawhorse/tools").unlink()
    (project.path / ".sawhorse").chmod(0o700)
    sign(b"", "")
    path = found.path(place)
    if place.directory:
        path.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}" if path.suffix in {".json", ".tfstate"} else b"")
    path.chmod((0o755 if place.shared else 0o700) if place.directory else (0o644 if place.shared else 0o600))
    for path in (found.cache.parent, project.path / "environments/dev/tiny"):
        path.chmod(0o755)
    return found


@dataclass(frozen=True)
class Attack:
    """Something that somebody else, or an archive that was unpacked, put where the harness reads."""

    name: str
    plant: Callable[[Path], None]
    root: bool = False
    # Whether it is one against directories, against files, or against both.
    directory: bool | None = None
    # Whether it is none against what may be a link of one's own.
    link: bool = False


def clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def given_away(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER)


def replaced_by_strangers(path: Path) -> None:
    clear(path)
    path.mkdir(mode=0o700)
    given_away(path)


def strangers_link(path: Path) -> None:
    """A link that somebody else made, to what is this user's own."""
    aside = path.with_name(f"{path.name}-aside")
    path.rename(aside)
    path.symlink_to(aside)
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def linked(target: str) -> Callable[[Path], None]:
    def plant(path: Path) -> None:
        clear(path)
        path.symlink_to(target)

    return plant


def own_link(path: Path) -> None:
    aside = path.with_name(f"{path.name}-aside")
    path.rename(aside)
    path.symlink_to(aside)


def link_to_a_strangers(path: Path) -> None:
    own_link(path)
    given_away(path.with_name(f"{path.name}-aside"))


def hard_link_to_a_strangers(path: Path) -> None:
    clear(path)
    aside = path.with_name(f"{path.name}-aside")
    aside.write_bytes(b"{}")
    aside.chmod(0o600)
    given_away(aside)
    path.hardlink_to(aside)


def fifo(path: Path) -> None:
    clear(path)
    os.mkfifo(path, 0o600)


def a_socket(path: Path) -> None:
    clear(path)
    before = Path.cwd()
    os.chdir(path.parent)  # an address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(before)
    path.chmod(0o600)


def of_another_kind(path: Path) -> None:
    was_directory = path.is_dir()
    clear(path)
    if was_directory:
        path.touch(0o600)
    else:
        path.mkdir(0o700)


def opened_to(bits: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(stat.S_IMODE(path.stat().st_mode) | bits)


ATTACKS = [
    Attack("given away", given_away, root=True),
    Attack("a stranger's directory", replaced_by_strangers, root=True, directory=True),
    Attack("a stranger's link", strangers_link, root=True),
    Attack("a link to a stranger's", link_to_a_strangers, root=True),
    Attack("a stranger's file under another name", hard_link_to_a_strangers, root=True, directory=False),
    Attack("dangling link", linked("/nowhere/at/all")),
    Attack("link to /etc", linked("/etc"), directory=True, link=True),
    Attack("link to /etc/passwd", linked("/etc/passwd"), directory=False, link=True),
    Attack("link to itself", own_link, link=True),
    Attack("FIFO", fifo),
    Attack("socket", a_socket),
    Attack("another kind", of_another_kind),
    Attack("writable by the group", opened_to(0o020)),
    Attack("writable by all", opened_to(0o002)),
    Attack("writable by group and all", opened_to(0o022)),
    Attack("sticky, as /tmp is", opened_to(0o1777), directory=True),
]


def tried(places: Sequence[Place]) -> list[Any]:
    """Return every attack that can be made on each of some places, as parameters of a test."""
    return [
        pytest.param(place, attack, id=f"{place.path}-{attack.name}", marks=[needs_root] if attack.root else [])
        for place in dict.fromkeys(places)
        for attack in ATTACKS
        if attack.directory in {None, place.directory} and not (attack.link and place.top)
    ]


def assert_refused(place: Place, attack: Attack, homes: Homes) -> None:
    """Attack a place, and fail unless what reads it refuses it and leaves it as it was."""
    path = homes.path(place)
    attack.plant(path)
    before = path.lstat()

    with pytest.raises(SawhorseError) as refused:
        place.read(homes.project)

    after = path.lstat()
    assert (after.st_mode, after.st_uid, after.st_ino) == (before.st_mode, before.st_uid, before.st_ino)
    assert refused.value.exit_code == 2
    assert str(refused.value).startswith(str(path))
    assert not isinstance(refused.value.__context__, RecursionError)


def assert_closed(place: Place, homes: Homes) -> None:
    """Let others read a place, and fail unless what reads it believes it and closes what they may not see."""
    path = homes.path(place)
    path.chmod(0o755 if place.directory else 0o644)

    # Most of the content is none that can be used; that is told in another way.
    try:
        place.read(homes.project)
    except Untrusted:
        raise
    except (SawhorseError, OSError):
        pass

    looser = path.stat().st_mode & 0o077
    assert bool(looser) == place.shared

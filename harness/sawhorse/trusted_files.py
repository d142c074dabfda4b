"""Decide whether what is read back was written by this user alone, and keep what the harness makes to this user.

Whatever the harness reads again later goes through here: caches, state, keys, records, tools. A directory or file of
somebody else, or one that others may write, is refused; one that others may only read is closed to them.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Collection, Iterator
from itertools import takewhile
from pathlib import Path
from shlex import quote

from sawhorse.errors import Untrusted

PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600
SHARED_DIRECTORY, SHARED_FILE = 0o755, 0o644
ROOT = 0
# What Linux follows of links in a row.
MOST_LINKS = 40
BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
FOR_OTHERS = 0o077
# A FIFO is not waited for, a terminal is not taken over, and no link is followed: what was opened is looked at.
OPENING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
# What opening says of a socket, or a file of somebody else.
LOOKED_AT = (errno.ENOTDIR, errno.ENXIO, errno.EACCES)
# What checkouts of one user may share by links: tools, environments, and the providers that Terraform fetched.
SHARED_BY_LINKS = ("tools", "emulators", "cache")
ALL_LEVELS = -1
# Stands in the names of `.sawhorse`, of the usual cache and of the usual state.
MADE_BY_THE_HARNESS = "sawhorse"
# Whoever reads one of these waits for others, or for a device.
NEVER_READ = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK)
# uv makes these for everybody, and nothing is in them.
LOCK_END = ".lock"


def keep_to_this_user() -> None:
    """Let nobody else read or write what this program and those that it starts make, unless a mode is given to it."""
    os.umask(FOR_OTHERS)


def fault_of(mode: int, owner: int, user: int, *, directory: bool) -> str | None:
    """Say why an entry with this mode and owner is not to be believed by a user; None when it is.

    `mode` has the kind of the entry as well, as `os.stat` gives it.
    """
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if directory != stat.S_ISDIR(mode) or not (directory or stat.S_ISREG(mode)):
        return f"is not a {'directory' if directory else 'regular file'}"
    if owner != user:
        return f"belongs to {name_of(owner)}"
    return "may be written by others" if mode & BY_OTHERS else None


def own_directory(
    path: Path | str, *, private: bool = True, link: bool = False, whole: bool = False, instead: str = ""
) -> None:
    """Refuse a directory that is not this user's own, and close a private one to others.

    `link` takes a link that this user or root made, such as one to a larger disk. With `whole`, what lies in a
    directory that was open to others until now is looked at as well. `instead` is another next step than to remove it.
    Raises Untrusted, and FileNotFoundError where nothing is.
    """
    descriptor = open_trusted(path, directory=True, instead=instead, link=link)
    try:
        if private and os.fstat(descriptor).st_mode & FOR_OTHERS:
            if whole:
                refuse_below(path)
            close_to_others(descriptor)
    finally:
        os.close(descriptor)


def make_own_directory(path: Path | str, *, private: bool = True, link: bool = False, instead: str = "") -> None:
    """Make a directory that is this user's own, with those above it, or look at the one that is there.

    Raises what `own_directory` raises.
    """
    if link and Path(path).is_symlink():
        resolve_own_link(path)
    make_directories(path, private=private)
    own_directory(path, private=private, link=link, instead=instead)


def make_directories(path: Path | str, *, private: bool = True) -> None:
    """Make a directory and those above it where they are missing, with modes that do not depend on the umask."""
    mode = PRIVATE_DIRECTORY if private else SHARED_DIRECTORY
    missing = takewhile(lambda place: not place.is_dir(), [Path(path), *Path(path).parents])
    for place in reversed(list(missing)):
        try:
            place.mkdir(mode)
        except FileExistsError:
            # Somebody else was faster, unless it is not a directory.
            refuse(place, place.lstat(), directory=True)
            continue
        # The umask has taken from it.
        place.chmod(mode)


def read_own(path: Path | str, *, private: bool = True, link: bool = False, directory: bool = True) -> bytes:
    """Read a file that this user alone may have written; a private one is closed to others.

    `link` takes links that this user or root made. `directory` says whether the one that it lies in is to be this
    user's own as well. Raises Untrusted, and OSError as `open` does.
    """
    if directory:
        own_directory(Path(path).parent, private=private, link=link)
    descriptor = open_trusted(path, directory=False, link=link)
    with os.fdopen(descriptor, "rb") as file:
        if private:
            close_to_others(descriptor)
        return file.read()


def make_own_file(path: Path | str, *, allowed: int = 0) -> None:
    """Make an empty file for this user alone where none is; raises what `close_entry` raises of one that is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        # The umask may have taken from it.
        os.fchmod(descriptor, PRIVATE_FILE)
        os.close(descriptor)
    except FileExistsError:
        close_entry(path, allowed=allowed)


def close_entry(path: Path | str, *, directory: bool = False, allowed: int = 0) -> None:
    """Refuse a file or directory that is not this user's own, and close it to others.

    `allowed` are bits of its mode that do not matter here. Raises Untrusted and FileNotFoundError.
    """
    descriptor = open_trusted(path, directory=directory, allowed=allowed)
    try:
        close_to_others(descriptor)
    finally:
        os.close(descriptor)


def close_to_others(descriptor: int) -> None:
    """Take away what others may do with it, unless it is a file of other names, which may be meant for them."""
    found = os.fstat(descriptor)
    if found.st_mode & FOR_OTHERS and (found.st_nlink == 1 or stat.S_ISDIR(found.st_mode)):
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & ~FOR_OTHERS)


def open_trusted(path: Path | str, *, directory: bool, instead: str = "", link: bool = False, allowed: int = 0) -> int:
    """Open what is this user's own, and return the descriptor: what is read is what was looked at.

    `link`, `instead` and `allowed` are as above.
    """
    place = Path(path)
    try:
        if link and place.is_symlink():
            place = resolve_own_link(place)
        descriptor = os.open(place, OPENING)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Untrusted(sentence(place, "is a symbolic link", instead)) from error
        if error.errno in LOOKED_AT:
            refuse(place, place.lstat(), directory=directory, instead=instead, allowed=allowed)
        raise
    try:
        refuse(place, os.fstat(descriptor), directory=directory, instead=instead, allowed=allowed)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def resolve_own_link(path: Path | str) -> Path:
    """Return what a link leads to. Raises Untrusted for a link of somebody else, and for one that leads nowhere."""
    owner = Path(path).lstat().st_uid
    if owner not in {ROOT, os.geteuid()}:
        raise Untrusted(f"{path} is a symbolic link of {name_of(owner)}; remove it and run this again.")
    # Of links in a circle it returns one, where Path.resolve raises.
    target = os.path.realpath(path)
    if not os.path.lexists(target):
        raise Untrusted(f"{path} is a symbolic link to {target}, which is not there; remove it and run this again.")
    return Path(target)


def refuse(place: Path, found: os.stat_result, *, directory: bool, instead: str = "", allowed: int = 0) -> None:
    """Raise Untrusted for what is not this user's own; `allowed` are bits of a mode that do not matter here."""
    fault = fault_of(found.st_mode & ~allowed, found.st_uid, os.geteuid(), directory=directory)
    if fault:
        raise Untrusted(sentence(place, fault, instead))


def sentence(place: Path, fault: str, instead: str = "") -> str:
    """Say what is wrong with a place, and what to do."""
    quoted = quote(str(place))
    remedies = []
    # What the harness did not make may hold anything, such as everybody's temporary files.
    if fault.startswith("is ") or any(MADE_BY_THE_HARNESS in part for part in place.parts) or not place.is_dir():
        if fault == "may be written by others":
            remedies.append(f"close it (chmod -R go-w {quoted}) if you know what is in it")
        remedies.append(f"remove it (rm -r {quoted})")
    else:
        remedies.append("use a directory that only you can write")
    if instead:
        remedies.append(instead)
    return f"{place} {fault}, so nothing in it is believed: {', or '.join(remedies)}, and run this again."


def refuse_below(path: Path | str, depth: int = ALL_LEVELS, *, links: bool = True) -> None:
    """Refuse a directory in which somebody else could write before now, or did, so many levels down.

    `links` says whether links of this user's own may lie in it.
    """
    for entry in entries_below(Path(path), depth):
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            # A program that runs has removed it meanwhile.
            continue
        fault = fault_below(entry, found)
        if not links and entry.is_symlink() and Path(entry.path).parent == Path(path):
            fault = "is a symbolic link"
        if fault:
            raise Untrusted(sentence(Path(entry.path), fault))


def fault_below(entry: os.DirEntry[str], found: os.stat_result) -> str | None:
    """Say why an entry in a directory of this user's own is not to be believed; None when it is."""
    if found.st_uid not in {ROOT, os.geteuid()}:
        return f"belongs to {name_of(found.st_uid)}"
    if stat.S_IFMT(found.st_mode) in NEVER_READ:
        return "is not a regular file"
    empty_lock = entry.name.endswith(LOCK_END) and stat.S_ISREG(found.st_mode) and not found.st_size
    open_to_others = found.st_mode & BY_OTHERS and not entry.is_symlink() and not empty_lock
    return "may be written by others" if open_to_others else None


def entries_below(directory: Path, depth: int) -> Iterator[os.DirEntry[str]]:
    if not depth:
        return
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    yield from entries_below(Path(entry.path), depth - 1)
    except FileNotFoundError:
        return


def is_own_program(path: Path | str) -> bool:
    """Say whether a program is root's or this user's, and nobody else may put another one in its place.

    A directory above it that a group may write is taken, as programs of a package manager lie in.
    """
    allowed = {ROOT, os.geteuid()}
    place = Path(path)
    try:
        for _ in range(MOST_LINKS):
            # Of links in a circle it returns one, where Path.resolve raises.
            place = Path(os.path.realpath(place.parent), place.name)
            found = place.lstat()
            if found.st_uid not in allowed or not are_own_directories(place.parent, allowed):
                return False
            if not stat.S_ISLNK(found.st_mode):
                return stat.S_ISREG(found.st_mode) and not found.st_mode & BY_OTHERS and os.access(place, os.X_OK)
            place = place.parent / place.readlink()
    except OSError:
        return False
    return False


def are_own_directories(directory: Path, allowed: Collection[int]) -> bool:
    """Say whether nobody but these may put another file into a directory, or another directory in its place."""
    for place in (directory, *directory.parents):
        found = place.stat()
        if found.st_uid not in allowed or (found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def own_private(project: Path | str, *below: str, depth: int = 0) -> None:
    """Look at a checkout's `.sawhorse`, and at directories below it, one in the other; what is not there is no matter.

    In the last one, so many levels of what lies in it are looked at as well. Directories below `.sawhorse` may be
    root's, who can do everything anyway. Raises Untrusted.
    """
    place = Path(project, ".sawhorse")
    try:
        own_directory(place, link=True, whole=True)
        for name in below:
            place /= name
            if not is_of_root(place):
                own_directory(place, link=name in SHARED_BY_LINKS)
        refuse_below(place, depth, links=False)
    except FileNotFoundError:
        return


def is_of_root(place: Path) -> bool:
    """Say whether a directory is root's alone, such as tools that all users of a machine share by a link."""
    link = place.lstat()
    try:
        found = place.stat()
    except FileNotFoundError:
        # A link that leads nowhere, of which another one says so.
        return False
    shared = found.st_uid == ROOT != os.geteuid() and stat.S_ISDIR(found.st_mode) and not found.st_mode & BY_OTHERS
    return shared and link.st_uid in {ROOT, os.geteuid()}


def name_of(user: int) -> str:
    """Name a user, by its number where it has no name."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"

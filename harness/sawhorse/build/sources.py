"""Find what of a checkout goes into a package, and refuse what no package can hold."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from sawhorse.build.packed_names import (
    DIRECTORIES_LEFT_OUT,
    OPERATIONS,
    SHARED,
    decoded,
    fault_of_name,
    is_packaged,
    shown,
)
from sawhorse.errors import BuildFailed
from sawhorse.files import read

# A file's path in the package -> its content, and whether it may be executed.
Sources = dict[str, tuple[bytes, bool]]


def read_sources(project: str, app: str, root_files: Sequence[str] = ()) -> Sources:
    """Read the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead. Raises BuildFailed.
    """
    found: Sources = {}
    for part in (app, SHARED):
        directory = f"{project}/lambda/{part}"
        fault = fault_of_link(project, directory) if Path(directory).is_symlink() else None
        if fault:
            raise BuildFailed(f"lambda/{shown(part)} is a link that {fault} what it holds.")
        for name, path, executable in files_below(project, directory, part):
            top = name.removeprefix(f"{app}/")
            at_top = part == app and top in root_files
            wrong = fault_of_name(name)
            if wrong:
                raise BuildFailed(f"lambda/{shown(name)} {wrong}, so no package can hold it; rename it.")
            try:
                found[top if at_top else name] = (read(path), executable)
            except OSError as error:
                raise unreadable(project, path, error) from error
    return found


def files_below(project: str, directory: str, prefix: str, *, at_top: bool = True) -> Iterator[tuple[str, str, bool]]:
    """Yield every packed file's path after `prefix`, its real path, and whether it may be executed."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(project, directory, error) from error
    taken: dict[str, str] = {}
    for entry in entries:
        name = f"{prefix}/{decoded(entry.name)}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name in DIRECTORIES_LEFT_OUT or (at_top and entry.name == OPERATIONS):
                continue
            refuse_twin(name, taken)
            yield from files_below(project, entry.path, name, at_top=False)
        elif is_packaged(entry.name, at_top=at_top):
            if entry.is_symlink():
                refuse_link(project, entry.path)
            if not entry.is_file():
                raise BuildFailed(
                    f"{place(project, entry.path)} is no file but a pipe, a socket or a device; remove it."
                )
            refuse_twin(name, taken)
            yield name, entry.path, bool(entry.stat().st_mode & 0o100)


def refuse_link(project: str, path: str) -> None:
    """Refuse a link that leads to no file that every checkout of the project has."""
    where = place(project, path)
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        target = shown(str(Path(path).readlink()))
        raise BuildFailed(f"{where} is a link to {target}, which is not there; correct or remove it.") from error
    if stat.S_ISDIR(mode):
        raise BuildFailed(f"{where} is a link to a directory; copy what it holds, since a zip has no links.")
    fault = fault_of_link(project, path)
    if fault:
        raise BuildFailed(f"{where} is a link that {fault} the file.")


def fault_of_link(project: str, path: str) -> str | None:
    from sawhorse.build import source_links  # noqa: PLC0415 # links are seldom, and `subprocess` takes 10 ms

    return source_links.fault_of_link(Path(project), Path(path))


def refuse_twin(name: str, taken: dict[str, str]) -> None:
    """Refuse a name that a checkout on a Mac holds in one place with another one."""
    folded = name.casefold()
    if not folded.isascii():
        folded = normalize("NFC", normalize("NFD", name).casefold())
    if folded in taken:
        raise BuildFailed(
            f"lambda/{shown(taken[folded])} and lambda/{shown(name)} differ in capitals or accents alone, and on a Mac "
            "a checkout holds one of them; rename one."
        )
    taken[folded] = name


def place(project: str, path: str) -> str:
    """Return a path as people know it, from the project."""
    return shown(decoded(path).removeprefix(f"{decoded(project)}/"))


def unreadable(project: str, path: str, error: OSError) -> BuildFailed:
    return BuildFailed(f"{place(project, path)} cannot be read ({error.strerror or error}); correct that.")


def hashes_of(sources: Sources) -> dict[str, tuple[bytes, bool]]:
    return {name: (hashlib.sha256(content).digest(), executable) for name, (content, executable) in sources.items()}


def digest_of(
    config: bytes, lock: bytes, hashes: Mapping[str, tuple[bytes, bool]], left_out: Iterable[str] = ()
) -> bytes:
    """Stand for all that a package is made of: the hashes of package.toml, of the lock, and of every source.

    Of the shared files that are `left_out` the names count: that there is one may decide what an import finds.
    """
    digest = hashlib.sha256(config + lock)
    for name in sorted(left_out):
        digest.update(b"%s\0" % name.encode())
    for name, (content, executable) in sorted(hashes.items()):
        digest.update(b"%s\0%d\0%s" % (name.encode(), executable, content))
    return digest.digest()

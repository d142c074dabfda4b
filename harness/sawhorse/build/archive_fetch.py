"""Choose the archive of every distribution in a lock, and fetch it: what is used is checked against the lock's hash.

uv says what an index has; which of it fits the functions' platform is decided here, by the lock's hashes and the tags
alone, so that neither a cache nor an earlier build has a say in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging import tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from sawhorse.build.index_credentials import credentials_for, hidden, without_user
from sawhorse.build.index_messages import refusal_of_index, said_by_uv
from sawhorse.build.lock_reader import Archived, Line, Lock, Pinned
from sawhorse.build.platform import Target
from sawhorse.build.requirement_files import Declared, edit
from sawhorse.build.wheel_cache import Cache
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import python_environments
from sawhorse.toolchain.machine import run_tool, say

DOWNLOADS_AT_ONCE = 8
TIMEOUT_SECONDS = 60
# A `.tar.gz` that is packed once more on its way, or unpacked, would have another hash.
AS_IT_IS = {"Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Archive:
    """A wheel or source archive: its SHA-256 in hex says what it is, `location` where it may be had."""

    name: str
    version: str
    filename: str
    sha256: str
    location: str

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl")


@dataclass(frozen=True)
class Place:
    """Whose lock it is that archives are chosen for: how sentences name it, and where what belongs to it lies.

    Paths in the lock are relative to `base`; uv finds its settings from `settings` on, and runs under `interpreter`
    what it has to run.
    """

    project: Project
    shown: str
    base: Path
    settings: Path
    declared: Declared
    interpreter: Path | None = None


# An archive, and the line that names it.
Asked = tuple[Line, Archive]


def bring_archives(place: Place, lock: Lock, target: Target, cache: Cache) -> list[Asked]:
    """Return the archive of each distribution of a lock with its line, all of them in the cache. Raises BuildFailed.

    Which archives they are is kept with the lock's content and the target, as uv keeps what an index said. Where one
    of them is not in its place any more, the index is asked anew.
    """
    direct = [(archived.line, archive_of(archived, target)) for archived in lock.archived]
    fetch_archives(direct, cache, place)
    if not lock.pinned:
        return direct
    key = selection_key(lock, target)
    kept = cache.selection(key)
    if kept is not None:
        lines = {one.name: one.line for one in lock.pinned}
        chosen = [(lines[one["name"]], Archive(**one)) for one in json.loads(kept)]
        try:
            fetch_archives(chosen, cache, place)
        except (BuildFailed, OSError):
            say("An archive is not where it was; asking the index anew.")
        else:
            return [*chosen, *direct]
    found = files_of_index(place, lock.pinned, target)
    chosen = [(one.line, choose(one, found, target, place.declared)) for one in lock.pinned]
    fetch_archives(chosen, cache, place)
    cache.keep_selection(key, json.dumps([asdict(one) for _, one in chosen]).encode())
    return [*chosen, *direct]


def selection_key(lock: Lock, target: Target) -> str:
    words = [target.name, *sorted(f"{one.name}=={one.version} {' '.join(sorted(one.hashes))}" for one in lock.pinned)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def archive_of(archived: Archived, target: Target) -> Archive:
    (sha256, *others) = sorted(archived.hashes)
    if others:
        raise archived.line.refused("one archive has one SHA-256; keep that one alone")
    if archived.filename.endswith(".whl"):
        name, version, _, _ = parse_wheel_filename(archived.filename)
        archived.line.check_name(name)
        archive = Archive(name, str(version), archived.filename, sha256, archived.location)
        if rank_of(archive, tag_ranks(target)) is None:
            raise archived.line.refused(f"{archived.filename} is not for {target.name}; name a wheel that is")
        return archive
    stem, _, number = re.sub(r"\.(tar\.gz|zip)$", "", archived.filename).rpartition("-")
    archived.line.check_name(stem)
    return Archive(canonicalize_name(stem), number, archived.filename, sha256, archived.location)


def choose(pinned: Pinned, found: Mapping[str, Sequence[Archive]], target: Target, declared: Declared) -> Archive:
    """Choose a distribution's wheel for a target, else its source archive, among the files that the lock allows."""
    allowed = [archive for archive in found.get(pinned.name, ()) if archive.sha256 in pinned.hashes]
    ranks = tag_ranks(target)
    fitting = [(rank, archive) for archive in allowed if (rank := rank_of(archive, ranks)) is not None]
    if fitting:
        return min(fitting, key=lambda pair: pair[0])[1]
    sources = [archive for archive in allowed if not archive.is_wheel]
    if sources:
        return min(sources, key=lambda archive: (not archive.filename.endswith(".tar.gz"), archive.filename))
    if found.get(pinned.name):
        raise pinned.line.refused(
            f"what the index has of {pinned.name} {pinned.version} for {target.name} is not what was locked (no file "
            "has a locked SHA-256). Do not lock it anew before you know who changed it"
        )
    raise BuildFailed(no_wheel([pinned], declared, target))


def rank_of(archive: Archive, ranks: Mapping[tags.Tag, int]) -> tuple[int, int, str, str] | None:
    """Return what wheels are compared by: the tag, then the higher build number, then the name; None if it fits not."""
    if not archive.is_wheel:
        return None
    _, _, build, archive_tags = parse_wheel_filename(archive.filename)
    fitting = [ranks[tag] for tag in archive_tags if tag in ranks]
    number, suffix = build or (0, "")
    # Two files of one name have one hash in any honest index; the hash makes the order whole.
    return (min(fitting), -number, suffix, archive.sha256) if fitting else None


def tag_ranks(target: Target) -> dict[tags.Tag, int]:
    """Return the tags that a target takes, by their preference: as pip has it, for a Python that runs elsewhere."""
    major, minor = (int(word) for word in target.python.split("."))
    interpreter = f"cp{major}{minor}"
    platforms = platforms_of(target)
    native = tags.cpython_tags((major, minor), abis=[interpreter], platforms=platforms)
    pure = tags.compatible_tags((major, minor), interpreter=interpreter, platforms=platforms)
    ranks: dict[tags.Tag, int] = {}
    for tag in (*native, *pure):
        ranks.setdefault(tag, len(ranks))
    return ranks


def platforms_of(target: Target) -> list[str]:
    """Name the platforms whose wheels a target takes, the newest first (PEP 600: an older glibc's run as well)."""
    if target.platform is None:
        return list(tags.platform_tags())
    machine, _, glibc = target.platform.partition("-manylinux_2_")
    older = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    platforms = []
    for minor in range(int(glibc), 4, -1):
        platforms.append(f"manylinux_2_{minor}_{machine}")
        if minor in older:
            platforms.append(f"{older[minor]}_{machine}")
    return [*platforms, f"linux_{machine}"]


def files_of_index(place: Place, pinned: Sequence[Pinned], target: Target) -> dict[str, list[Archive]]:
    """Ask uv which files the index has of each pinned version for a target."""
    lines = [
        f"{one.name}=={one.version} {' '.join(f'--hash=sha256:{h}' for h in sorted(one.hashes))}" for one in pinned
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        command: list[str | Path] = [
            python_environments.ensure_uv(place.project.path),
            "pip",
            "compile",
            "--quiet",
            "--no-deps",
        ]
        command += ["--format", "pylock.toml", "--no-header", "--python-version", target.python, file.name]
        # Else uv tries every interpreter of this machine, and may ask the network for one, which takes many seconds.
        command += ["--python", place.interpreter or sys.executable]
        if target.platform:
            command += ["--python-platform", target.platform]
        # Sources are only asked for where no wheel is there, since uv may have to build them to see what they are.
        for sources in (["--no-build"], []):
            asked = run_tool([*command, *sources], directory=place.settings)
            # What an index said before may lack a file that the lock has: it is believed without a network alone.
            remembered = asked if asked.returncode == 0 else offline([*command, *sources], place)
            for result in (asked, remembered):
                if result.returncode == 0:
                    return dict(files_in(tomllib.loads(result.stdout)))
    raise BuildFailed(refusal(place, pinned, target, asked.stderr))


def offline(command: Sequence[str | Path], place: Place) -> subprocess.CompletedProcess[str]:
    return run_tool([*command, "--offline"], directory=place.settings)


def files_in(lock: Mapping[str, object]) -> Iterator[tuple[str, list[Archive]]]:
    """Read the files of a pylock.toml (PEP 751), by the names of their distributions."""
    packages = lock.get("packages", [])
    for package in packages if isinstance(packages, list) else []:
        name = canonicalize_name(package["name"])
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        archives = []
        for file in files:
            location = str(file.get("url") or file.get("path"))
            filename = str(file.get("name") or unquote(urlsplit(location).path.rpartition("/")[2]))
            sha256 = file.get("hashes", {}).get("sha256")
            if sha256:
                archives.append(Archive(name, str(package["version"]), filename, sha256, without_user(location)))
        yield name, archives


def refusal(place: Place, pinned: Sequence[Pinned], target: Target, words: str) -> str:
    """Say what uv could not do, and what to do about it."""
    names = {canonicalize_name(name) for name in re.findall(r"([A-Za-z0-9._-]+)==\S+ has no (?:usable )?wheels", words)}
    without = [one for one in pinned if one.name in names]
    if without:
        return f"{no_wheel(without, place.declared, target)} {said_by_uv(words)}"
    return refusal_of_index(f"The dependencies in {place.shown} could not be found for {target.name}", words)


def no_wheel(pinned: Sequence[Pinned], declared: Declared, target: Target) -> str:
    names = " and ".join(f"{one.name} {one.version} ({one.line.where})" for one in pinned)
    have, versions = ("have", "versions with wheels") if len(pinned) > 1 else ("has", "a version with a wheel")
    return f"{names} {have} no wheel for {target.name}; choose {versions} for it in {edit(declared)}, and build again."


def fetch_archives(archives: Sequence[Asked], cache: Cache, place: Place) -> None:
    """Bring every archive that the cache lacks into it. Raises BuildFailed for one that is not what was locked."""
    asked = {archive.sha256: (line, archive) for line, archive in archives}
    missing = [one for sha256, one in asked.items() if not cache.archive_path(sha256).is_file()]
    if missing:
        with ThreadPoolExecutor(min(DOWNLOADS_AT_ONCE, len(missing))) as pool:
            list(pool.map(lambda one: fetch(one[0], one[1], cache, place), missing))


def fetch(line: Line, archive: Archive, cache: Cache, place: Place) -> None:
    """Copy or download one archive, and keep it when it has the hash that the lock names."""
    scheme = urlsplit(archive.location).scheme
    with cache.incoming() as incoming:
        if scheme in {"http", "https"}:
            download(line, archive, incoming, place.settings)
        else:
            path = url2pathname(urlsplit(archive.location).path) if scheme == "file" else place.base / archive.location
            incoming.write_bytes(Path(path).read_bytes())
        check_archive(line, archive, incoming.read_bytes())
        cache.keep_archive(archive.sha256, incoming)


def read_archive(archive: Archive, cache: Cache) -> bytes:
    """Return an archive's bytes from the cache. Raises BuildFailed for other bytes than those that the lock names."""
    path = cache.archive_path(archive.sha256)
    content = cache.archive(archive.sha256)
    if hashlib.sha256(content).hexdigest() != archive.sha256:
        path.unlink(missing_ok=True)
        raise BuildFailed(f"{path} was changed since it was fetched, and is removed now; build again to fetch it anew.")
    return content


def check_archive(line: Line, archive: Archive, content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != archive.sha256:
        raise line.refused(
            f"{archive.filename} from {where(archive)} has the SHA-256 {found}, and the lock names {archive.sha256}: "
            "it is not what was locked. Do not lock it anew before you know who changed it"
        )


def download(line: Line, archive: Archive, into: Path, settings: Path) -> None:
    """Fetch an archive as it is; `settings` is where uv looks for an index's user. Raises BuildFailed."""
    import httpx  # noqa: PLC0415 # takes 100 ms, and most builds have everything

    try:
        with (
            # As this machine trusts others, also behind a company's proxy.
            httpx.Client(verify=ssl.create_default_context(), follow_redirects=True, timeout=TIMEOUT_SECONDS) as client,
            client.stream(
                "GET", archive.location, auth=credentials_for(archive.location, settings), headers=AS_IT_IS
            ) as response,
            into.open("wb") as file,
        ):
            response.raise_for_status()
            for chunk in response.iter_raw():
                file.write(chunk)
    except httpx.HTTPStatusError as error:
        raise line.refused(
            f"{archive.filename} could not be fetched: {where(archive)} responded {error.response.status_code}. Look "
            f"at {'the address' if named_by(line, archive) else 'the index'} and its credentials, and build again"
        ) from error
    except httpx.HTTPError as error:
        said = hidden(str(error)) or type(error).__name__
        raise line.refused(
            f"{archive.filename} could not be fetched from {where(archive)} ({said}). Build once with the network"
        ) from error
    except (httpx.InvalidURL, ValueError) as error:
        # What an index links to can be any words; ValueError includes names of hosts that cannot be encoded.
        said = hidden(str(error))
        raise line.refused(
            f"{archive.filename} cannot be fetched from {hidden(archive.location)!r}, which is no address ({said}); "
            f"correct {'it' if named_by(line, archive) else 'the index'}"
        ) from error


def named_by(line: Line, archive: Archive) -> bool:
    """Say whether an archive's address stands in its line, and does not come from an index."""
    return archive.filename in unquote(line.text)


def where(archive: Archive) -> str:
    return urlsplit(archive.location).hostname or archive.location

"""Read every line of a lock: what it names can be put into a package, or the line is refused in a sentence.

A lock is a requirements file in which each distribution is pinned and hashed, as `make lock` writes it, or what uv
exports from a `uv.lock`. Sources are read the same way before they are locked, so that both refuse the same forms.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import normpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.markers import UndefinedEnvironmentName, default_environment
from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pip_requirements_parser import InstallRequirement, RequirementsFile

from sawhorse.build.environment_markers import may_hold
from sawhorse.build.index_credentials import hidden
from sawhorse.build.locked_directory import NO_GIT, list_files
from sawhorse.build.requirement_files import Declared, edit
from sawhorse.errors import BuildFailed

INDEX_OPTIONS = ("index_url", "extra_index_urls", "find_links", "no_index", "trusted_hosts")
# uv reads these for a lock and for a build alike (https://docs.astral.sh/uv/reference/environment/).
INDEX_ADVICE = (
    "a lock keeps no addresses; name the index in UV_DEFAULT_INDEX, UV_INDEX (UV_EXTRA_INDEX_URL) or UV_FIND_LINKS, or "
    "in uv.toml at the top of the project, which the lock and the build both read"
)
SHA256 = re.compile(r"[0-9a-f]{64}")
VCS = re.compile(r"^(git|hg|svn|bzr)\+")
PINNED = ("==", "===")
# What is replaced elsewhere by the value of an environment variable: by pip and by uv.
VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
FOLLOWED = re.compile(r"(-[rc]|--requirement|--constraint|--require-hashes)")
EDITABLE = re.compile(r"^\s*(-e|--editable)[\s=]")
# What a path or address is called by its own line: `x @ ./libs/x`.
NAMED = re.compile(r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*@\s*\S")
# What git says of a directory that lies in none of its checkouts.
NO_CHECKOUT = "not a git repository"
# Some programs end a line at these, and some do not.
UNCLEAR = re.compile(r"[^\S \t\r\n\xa0]|[\x00-\x08\x0e-\x1f\x7f]|\ufeff")


@dataclass(frozen=True)
class Line:
    """A line of a requirements file, as sentences name it."""

    file: str
    number: int
    text: str

    @property
    def where(self) -> str:
        """Where it stands; a uv.lock has no lines of requirements, so `number` is 0 there."""
        return f"{self.file}, line {self.number}" if self.number else self.file

    def check_name(self, found: str) -> None:
        """Refuse `x @ ./libs/y` where what is found there is called otherwise than x. Raises BuildFailed."""
        named = NAMED.match(self.text)
        if named and canonicalize_name(named["name"]) != canonicalize_name(found):
            raise self.refused(f"what is there is {found} and not {named['name']}; correct the name")

    def refused(self, why: str) -> BuildFailed:
        """Make the error for this line; `why` says what is wrong and what to do, without a full stop."""
        shown = re.sub(r"\s*\\?\s*--hash=\S+", "", self.text).strip() or self.text.strip()
        return BuildFailed(f"{self.where} ({hidden(shown)}): {why}.")


@dataclass(frozen=True)
class Pinned:
    """A distribution that an index has: one version, and the SHA-256 in hex of each archive that is allowed."""

    line: Line
    name: str
    version: str
    hashes: frozenset[str]


@dataclass(frozen=True)
class Archived:
    """A wheel or source archive at an address or a path, with the SHA-256 that it must have."""

    line: Line
    location: str
    filename: str
    hashes: frozenset[str]


@dataclass(frozen=True)
class Tree:
    """A directory with a Python project in it: what git tracks of it is built into a wheel."""

    line: Line
    path: Path


@dataclass(frozen=True)
class Lock:
    """What a lock asks for where its markers hold, in the order of its lines."""

    pinned: Sequence[Pinned] = ()
    archived: Sequence[Archived] = ()
    trees: Sequence[Tree] = ()


@dataclass
class Reader:
    """Reads the lines of one requirements file; `base` is what paths in it are relative to.

    `declared` is what the file is made of, and how. In a lock, each distribution has a version and a hash; before
    that, `pinned` and `archived` stay empty.
    """

    base: Path
    environment: Mapping[str, str] | None
    declared: Declared
    is_lock: bool = True
    pinned: dict[str, Pinned] = field(default_factory=dict)
    archived: list[Archived] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)

    def take(self, line: Line, requirement: InstallRequirement) -> None:
        """Enter what a line asks for, unless its marker does not hold. Raises BuildFailed."""
        refuse_what_is_passed_over(line, requirement)
        link = str(requirement.link.url) if requirement.link else None
        scheme = scheme_of(line, link) if link else ""
        if link and (VCS.match(link) or requirement.is_vcs_url):
            raise line.refused(VCS_ADVICE)
        if not self.holds(line, requirement):
            return
        if link is None:
            if self.is_lock:
                self.take_pinned(line, requirement)
        elif "subdirectory=" in link.partition("#")[2]:
            raise line.refused("a directory inside an archive is not built here; put that directory into the project")
        elif scheme in {"http", "https"}:
            self.take_archive(line, requirement, link.partition("#")[0])
        elif scheme in {"", "file"}:
            self.take_local(line, requirement, link)
        else:
            raise line.refused(f"nothing is fetched by {scheme}; name a path, or https")

    def holds(self, line: Line, requirement: InstallRequirement) -> bool:
        """Say whether a line's marker may hold where functions run, if there is one; without that, each does."""
        if not requirement.marker:
            return True
        values = {name: str(value) for name, value in (self.environment or default_environment()).items()}
        try:
            holds = may_hold(str(requirement.marker), {**values, "extra": ""})
        except UndefinedEnvironmentName as error:
            name = str(error.args[0]).strip("'")
            raise line.refused(f"its marker names {name}, for which requirements have no value; remove it") from error
        except ValueError as error:
            raise line.refused(f"its marker cannot be read ({error}); correct it") from error
        return holds or self.environment is None

    def take_pinned(self, line: Line, requirement: InstallRequirement) -> None:
        name = canonicalize_name(requirement.name)
        specifiers = list(SpecifierSet(str(requirement.req.specifier)))
        if len(specifiers) != 1 or specifiers[0].operator not in PINNED or specifiers[0].version.endswith(".*"):
            raise line.refused(f"{name} is not pinned to one version; put it into {edit(self.declared)}")
        pinned = Pinned(line, name, specifiers[0].version, sha256_of(line, requirement, f"run {self.declared[1]}"))
        other = self.pinned.setdefault(name, pinned)
        if self.environment is not None and (other.version, other.hashes) != (pinned.version, pinned.hashes):
            raise line.refused(f"{name} is pinned in {other.line.where} as well, and both may hold here; keep one")

    def take_archive(self, line: Line, requirement: InstallRequirement, url: str) -> None:
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        check_filename(line, filename)
        if self.is_lock:
            hashes = sha256_of(line, requirement, "add --hash=sha256:... of the archive that you mean")
            self.archived.append(Archived(line, url, filename, hashes))

    def take_local(self, line: Line, requirement: InstallRequirement, link: str) -> None:
        if "\0" in unquote(link):
            raise line.refused("its path has a character that no file's name can have; correct it")
        words, path = local_path(link, self.base)
        if path.is_dir():
            if requirement.hash_options:
                raise line.refused("a directory has no hash, since it may change; remove the hash")
            if not any((path / name).is_file() for name in ("pyproject.toml", "setup.py", "setup.cfg")):
                raise line.refused(f"{words} has no pyproject.toml or setup.py, so no wheel can be built of it")
            refuse_untracked(line, path)
            self.trees.append(Tree(line, path))
        elif path.is_file():
            check_filename(line, path.name)
            if self.is_lock:
                hashes = sha256_of(line, requirement, f"run {self.declared[1]}")
                self.archived.append(Archived(line, str(path), path.name, hashes))
        else:
            raise line.refused(f"there is no {words}; correct the path, which is seen from {self.seen_from(line)}")

    def seen_from(self, line: Line) -> str:
        return "the top of the project" if line.number else f"{Path(line.file).parent}"


VCS_ADVICE = (
    "what a version control system gives has no SHA-256 that a lock could keep; put a wheel of it into the project "
    "(./vendor/x.whl), or the directory itself (./libs/x)"
)


def read_lock(  # noqa: PLR0913 # what a lock is read by
    content: bytes,
    file: str,
    base: Path,
    environment: Mapping[str, str] | None,
    *,
    declared: Declared,
    numbered: bool = True,
) -> Lock:
    """Read a lock for the platform whose markers' values `environment` has; None reads every line. Raises BuildFailed.

    `file` is how sentences name it, `declared` what it is made of (`requirement_files.py`), `numbered` whether
    what was read has the lines of that file; paths in it are relative to `base`.
    """
    reader = Reader(base, environment, declared)
    for line, requirement in lines_of(content, file, declared):
        reader.take(line if numbered else replace(line, number=0), requirement)
    return Lock(list(reader.pinned.values()), reader.archived, reader.trees)


def check_source(path: Path, shown: str, base: Path, declared: Declared) -> set[tuple[str, str]]:
    """Refuse in a `.in` file, or one that it names by -r or -c, what a build could not install. Raises BuildFailed.

    Returns the extras that it asks for, each after its distribution's canonical name, which a path has not.
    """
    extras: set[tuple[str, str]] = set()
    reader = Reader(base, None, declared, is_lock=False)
    for line, requirement in lines_of(path.read_bytes(), shown, declared, (path,)):
        reader.take(line, requirement)
        name = canonicalize_name(requirement.name or "")
        extras |= {(name, canonicalize_name(extra)) for extra in requirement.extras}
    return extras


def lines_of(
    content: bytes, file: str, declared: Declared, opened: Sequence[Path] = ()
) -> Iterator[tuple[Line, InstallRequirement]]:
    """Yield every line that asks for a distribution; any other is empty, a comment, or refused.

    With `opened`, the paths of the file and of those that led to it, the lines of the files that it names by -r and -c
    come as well.
    """
    text = decoded(content, file)
    refuse_unclear(text, file)
    parsed = parse(text)
    seen = set()
    for invalid in parsed.invalid_lines:
        line = Line(file, invalid.line_number, invalid.line)
        refuse_variables(line)
        reason = str(invalid.error_message).removeprefix("pip_requirements_parser: error: ").splitlines()[0]
        reason = reason.removeprefix("Invalid requirement: : ").rstrip(".")
        raise line.refused(f"it cannot be read ({reason}); correct it")
    for option in parsed.options:
        seen.add(option.requirement_line.line_number)
        line = Line(file, option.requirement_line.line_number, option.requirement_line.line)
        refuse_variables(line)
        yield from lines_named(line, option.options, declared, opened)
    for requirement in parsed.requirements:
        seen.add(requirement.requirement_line.line_number)
        yield Line(file, requirement.requirement_line.line_number, requirement.requirement_line.line), requirement
    for number, words in logical_lines(text):
        if number not in seen:
            raise Line(file, number, words).refused("nothing reads it; correct or remove it")


def lines_named(
    line: Line, options: Mapping[str, object], declared: Declared, opened: Sequence[Path]
) -> Iterator[tuple[Line, InstallRequirement]]:
    """Follow -r and -c of a source, and refuse every other option but --require-hashes, which always holds."""
    # The parser passes over what it takes for a part of a requirement, here without one.
    passed_over = [word for word in line.text.split() if word.startswith("-") and not FOLLOWED.match(word)]
    if passed_over and set(options) <= {"requirements", "constraints", "require_hashes"}:
        raise line.refused(f"{passed_over[0].partition('=')[0]} belongs to no distribution here; put it into its line")
    for option, value in options.items():
        if option in {"requirements", "constraints"} and opened:
            for name in value if isinstance(value, list) else [value]:
                yield from lines_of_file(line, str(name), declared, opened)
        elif option in {"requirements", "constraints"}:
            raise line.refused(f"a lock names every distribution itself; put this line into {edit(declared)}")
        elif option in INDEX_OPTIONS:
            raise line.refused(INDEX_ADVICE)
        elif option != "require_hashes":
            raise line.refused("an option that nothing reads here; remove it")


def lines_of_file(
    line: Line, name: str, declared: Declared, opened: Sequence[Path]
) -> Iterator[tuple[Line, InstallRequirement]]:
    """Yield the lines of a file that a line of the last of `opened` names by -r or -c."""
    path = opened[-1].parent / name
    if not path.is_file():
        raise line.refused(f"there is no {name} beside it; correct the name")
    if path.name == "pyproject.toml":
        raise line.refused("a pyproject.toml is only read in lambda/<app>; put its requirements here")
    if path.resolve() in {one.resolve() for one in opened}:
        raise line.refused("it leads back to a file that names it; remove one of these lines")
    yield from lines_of(path.read_bytes(), normpath(Path(line.file).parent / name), declared, [*opened, path])


def parse(text: str) -> RequirementsFile:
    """Parse requirements with pip's own rules; the parser takes files alone."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        return RequirementsFile.from_file(file.name)


def decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise BuildFailed(f"{file}, line {number} is not UTF-8; write it anew in UTF-8.") from error


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and words of each line that is neither empty nor a comment; continued ones count as one."""
    begin, words = 0, ""
    for number, physical in enumerate(text.splitlines(), 1):
        begin = begin or number
        if physical.endswith("\\") and not physical.lstrip().startswith("#"):
            words += physical[:-1]
            continue
        words += physical
        if words.strip() and not words.lstrip().startswith("#"):
            yield begin, words.strip()
        begin, words = 0, ""
    if words.strip():
        yield begin, words.strip()


def refuse_unclear(text: str, file: str) -> None:
    """Refuse what two readers of requirements take for two things: line ends of their own, lines broken anywhere.

    uv continues a line before an option alone.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    for number, physical in enumerate(lines, 1):
        found = UNCLEAR.search(physical)
        if found:
            where = f"{file}, line {number}"
            raise BuildFailed(f"{where} has the character U+{ord(found[0]):04X}, which nobody sees there; remove it.")
        if physical.endswith("\\") and not physical.lstrip().startswith("#"):
            following = lines[number].strip() if number < len(lines) else ""
            if not following.startswith("--"):
                line = Line(file, number, physical.removesuffix("\\"))
                raise line.refused("only before --hash may a line go on in the next one; write this one in one line")


def refuse_variables(line: Line) -> None:
    found = VARIABLE.search(line.text)
    if found:
        raise line.refused(f"{found[0]} is not replaced, as it may be another elsewhere; write what it stands for")


def refuse_what_is_passed_over(line: Line, requirement: InstallRequirement) -> None:
    """Refuse the parts of a line that uv or the parser would pass over without a word."""
    refuse_variables(line)
    options = [name for name in ("global_options", "install_options") if getattr(requirement, name, None)]
    if options:
        raise line.refused("options for its setup.py are not used here; remove them")
    if EDITABLE.match(line.text):
        words = EDITABLE.sub("", line.text).strip()
        if re.search(r"[\s;]", words) or not requirement.link or not words.startswith(str(requirement.link.url)):
            raise line.refused("after -e stands one path and nothing else; write the line without -e")


def refuse_untracked(line: Line, path: Path) -> None:
    """Refuse a directory of which git tracks nothing, or a part that is no file of its own."""
    listing = list_files(path)
    if not listing.files:
        raise line.refused(f"{nothing_tracked(listing.error)}, since what git tracks is what gets into a package")
    if listing.foreign:
        raise line.refused(
            f"{listing.foreign[0]} is a link that leads out of it, a broken one or a submodule, so it is no file of "
            "its own that could be packaged; put the file there"
        )


def nothing_tracked(error: str) -> str:
    """Say why git tracks nothing of a directory, and what to do; `error` is what git said."""
    if error == NO_GIT:
        return f"{NO_GIT}, so nobody can say what belongs to it; install git"
    if error and NO_CHECKOUT not in error:
        return f"git could not say what it tracks in it ({error}); correct what git says"
    return f"git tracks nothing in it{f' ({error})' if error else ''}; git add it in a checkout"


def sha256_of(line: Line, requirement: InstallRequirement, advice: str) -> frozenset[str]:
    """Return the SHA-256 that a line allows. Raises BuildFailed where it has none."""
    given = [str(option).partition(":") for option in requirement.hash_options or []]
    fragment = re.search(r"#.*?sha256=([0-9a-fA-F]{64})", str(requirement.link.url) if requirement.link else "")
    hashes = {value.lower() for kind, _, value in given if kind == "sha256"} | (
        {fragment[1].lower()} if fragment else set()
    )
    wrong = [one for one in hashes if not SHA256.fullmatch(one)]
    if wrong:
        raise line.refused(f"{wrong[0]!r} is not a SHA-256 in hex; {advice}")
    if not hashes:
        other = f", only {given[0][0]}" if given else ""
        # What uv finds in a directory of wheels has none in a uv.lock.
        advice = advice if line.number else "use an index that has one"
        raise line.refused(f"it has no SHA-256{other}, so nothing says which archive is meant; {advice}")
    return frozenset(hashes)


def local_path(link: str, base: Path) -> tuple[str, Path]:
    """Return a path as a line has it (`./libs/x`, `x @ ./libs/x`, `file:libs/x`, `file:///...`), and where it leads."""
    words = re.sub(r"^[A-Za-z0-9._-]+\s*(\[[^]]*\])?\s*@\s*(?=\S)", "", link)
    words = unquote(words.partition("#")[0].removeprefix("file:"))
    return words, (base / re.sub(r"^//(localhost)?(?=/)", "", words)).resolve()


def scheme_of(line: Line, link: str) -> str:
    """Return how an address is asked, empty for a path. Raises BuildFailed for one that nothing could ask."""
    try:
        address = urlsplit(link)
        _ = address.port
    except ValueError as error:
        raise line.refused(f"its address cannot be read ({error}); correct it") from error
    if address.scheme in {"http", "https"} and not address.hostname:
        raise line.refused("its address names no host; correct it")
    return address.scheme


def check_filename(line: Line, filename: str) -> None:
    """Refuse an archive whose name does not say what it is."""
    try:
        if filename.endswith(".whl"):
            parse_wheel_filename(filename)
        else:
            parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise line.refused(f"{filename} is not the name of a wheel (.whl) or of a source archive (.tar.gz)") from error

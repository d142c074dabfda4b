"""Build a distribution alone into a package, install the same lock whole with uv, and compare what both can do."""

from __future__ import annotations

import json
import os
import subprocess
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sawhorse.build.build import build
from sawhorse.build.build_inputs import merged
from sawhorse.build.bytecode_client import bytecode_name, compile_sources
from sawhorse.build.compiler_process import version_of
from sawhorse.build.compilers import find_compiler
from sawhorse.build.config import read_config
from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
from sawhorse.build.lock_files import find_lock
from sawhorse.build.lock_resolver import make_lock
from sawhorse.build.platform import Target
from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.build.wheel_request import Wanted
from sawhorse.build.wheels_of_lock import prepared_parts
from sawhorse.build.zip_writer import content_of_member, pack
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import python_environments
from sawhorse.toolchain.machine import run_tool
from tests.unit.sawhorse.support import make_tiny_project

HERE = Path(__file__).parent
LOOK = HERE / "look.py"
TARGET = Target("3.13", "x86_64-manylinux_2_28")
DECLARED = ("lambda/tiny/requirements.in", '"make lock APP=tiny"')
# What each installer writes of itself, and what a package keeps only when it says so, or never: headers for compilers.
INSTALLERS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
OUTSIDE = ("bin/", "include/", "../")
# pip lists bytecode and uv does not; importlib.metadata takes directories for modules.
NO_MODULES = {"..", "__pycache__", "bin"}
MANY_SECONDS = 3600
SHOWN = 5


@dataclass(frozen=True)
class Case:
    """A distribution to try; `imports` are modules that a handler imports."""

    name: str
    why: str
    requirement: str
    imports: tuple[str, ...]
    oddities: Mapping[str, Any]
    uses: str = ""
    # A line of package.toml.
    settings: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Case:
        name = entry["name"]
        imports = tuple(entry.get("imports", [name.replace("-", "_")]))
        requirement, oddities = entry.get("requirement", name), entry.get("oddities", {})
        uses, settings = entry.get("uses", ""), entry.get("settings", "")
        return cls(name, entry["why"], requirement, imports, oddities, uses, settings)


@dataclass
class Row:
    """What was found of one distribution. Sizes are in bytes, `faults` are sentences and should be none."""

    name: str
    why: str
    version: str = ""
    built: str = ""
    refused: str = ""
    modules: int = 0
    whole: int = 0
    pruned_away: int = 0
    less: int = 0
    broken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unzipped_before: int = 0
    unzipped: int = 0
    zipped_before: int = 0
    zipped: int = 0
    lock_seconds: float = 0
    build_seconds: float = 0
    pruned: dict[str, dict[str, int]] = field(default_factory=dict)
    distributions: int = 0
    used: str = ""


def cases() -> tuple[str, list[Case]]:
    """Return the day that locks resolve as on, and every distribution."""
    content = yaml.safe_load((HERE / "distributions.yaml").read_text())
    return str(content["as_of"]), [Case.read(entry) for entry in content["packages"]]


@dataclass(frozen=True)
class Trial:
    """One distribution's project, its cache and a directory to work in."""

    case: Case
    project: Project
    cache: Cache
    place: Path
    interpreter: Path
    # Distributions whose modules another trial imports.
    elsewhere: frozenset[str] = frozenset()

    @classmethod
    def begin(
        cls, case: Case, place: Path, repository: Path, *, as_of: str | None = None, others: Sequence[Case] = ()
    ) -> Trial:
        """Write a project of one app that imports the distribution, whose lock resolves as on a day."""
        project = make_tiny_project(place / "project", repository=repository)
        lines = [f"import {module}" for module in case.imports]
        handler = "\n\n\ndef handler(event, context):\n    return 1\n"
        (project.lambda_path / "tiny/main.py").write_text("\n".join(lines) + handler)
        config = project.lambda_path / "tiny/package.toml"
        config.write_text(f"{case.settings}\n{config.read_text()}")
        (project.lambda_path / "tiny/requirements.in").write_text(f"{case.requirement}\n")
        if as_of:
            (project.path / "uv.toml").write_text(f'exclude-newer = "{as_of}T00:00:00Z"\n')
        cache = Cache.of_user()
        interpreter = find_compiler(project, TARGET.python, cache)
        assert interpreter
        elsewhere = frozenset(canonical(other.name) for other in others if other.name != case.name)
        return cls(case, project, cache, place, interpreter, elsewhere)

    def run(self, *, lock: bool = True) -> Row:
        """Lock, build, install whole, and compare."""
        row = Row(self.case.name, self.case.why)
        begin = time.monotonic()
        if lock:
            make_lock(self.project, "tiny", upgrade=True)
        row.lock_seconds, begin = time.monotonic() - begin, time.monotonic()
        try:
            parts = self.parts()
        except BuildFailed as error:
            row.refused = str(error)
            return row
        row.build_seconds = time.monotonic() - begin
        row.distributions = len(parts)
        row.version = next(part.version for part in parts if canonical(part.name) == canonical(self.case.name))
        package = self.package(row, parts)
        self.measure(row, parts)
        whole = self.install_whole()
        self.compare_files(row, whole, package, parts)
        self.compare_metadata(row, whole, package, parts)
        self.compare_imports(row, whole, package, parts)
        self.compare_uses(row, whole, package)
        return row

    def parts(self) -> list[Part]:
        found = find_lock(self.project, "tiny", TARGET.python, self.interpreter)
        commands = read_config(self.project, "tiny").commands
        version = version_of(str(self.interpreter))
        wanted = Wanted(
            found.path, found.content, found.base, DECLARED, TARGET, self.interpreter, version, commands=commands
        )
        return prepared_parts(self.project, wanted, self.cache)

    def package(self, row: Row, parts: Sequence[Part]) -> Path:
        """Build the package and unpack it; one over a limit is laid out of its parts."""
        directory = self.place / "package"
        try:
            done = build(self.project, "tiny")
        except BuildFailed as error:
            row.built = sentence_of(error)
            for member in merged("tiny", parts, DECLARED):
                write(directory / member.name, content_of_member(member), executable=member.executable)
            return directory
        row.built = "built"
        with zipfile.ZipFile(done.path) as archive:
            for info in archive.infolist():
                write(directory / info.filename, archive.read(info), executable=bool(info.external_attr >> 16 & 0o100))
        return directory

    def measure(self, row: Row, parts: Sequence[Part]) -> None:
        """Add up what lies in the package, and what would lie there had nothing been pruned."""
        members = merged("tiny", parts, DECLARED)
        row.unzipped = row.unzipped_before = sum(member.size for member in members)
        row.zipped = row.zipped_before = sum(len(member.data) for member in members)
        for part in parts:
            files = self.left_out(part)
            if not files:
                continue
            directories = row.pruned.setdefault(f"{part.name} {part.version}", {})
            for name, content in files.items():
                size = len(content)
                row.unzipped_before += size
                row.zipped_before += len(pack(name, content).data)
                top = name.partition("/tests/")[0] + "/tests" if "/tests/" in name else name.partition("/")[0]
                directories[top] = directories.get(top, 0) + size

    def left_out(self, part: Part) -> dict[str, bytes]:
        """Return what was pruned of a part, with the bytecode that would have been there."""
        names = {name for found in part.pruned.values() for name in found}
        if not names:
            return {}
        path = self.cache.archive_path(part.archive)
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in names if name in archive.namelist()}
        sources = [(name, content) for name, content in files.items() if name.endswith(".py")]
        for one in compile_sources(str(self.interpreter), TARGET.python, sources):
            if one.bytecode:
                files[bytecode_name(one.name, TARGET.python)] = one.bytecode
        return files

    def install_whole(self) -> Path:
        """Install the same lock with uv, everything that its wheels hold."""
        directory = self.place / "whole"
        lock = self.project.lambda_path / "tiny/requirements.txt"
        command: list[str | Path] = [
            python_environments.ensure_uv(self.project.path),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
        ]
        command += ["--require-hashes", "--target", directory, "--python", self.interpreter, "-r", lock]
        command += ["--python-version", TARGET.python, "--python-platform", str(TARGET.platform), "--compile-bytecode"]
        ended = run_tool(command, directory=self.project.path)
        assert ended.returncode == 0, ended.stderr
        return directory

    def compare_files(self, row: Row, whole: Path, package: Path, parts: Sequence[Part]) -> None:
        """Every file of the package is the wheel's own, and nothing but what was pruned is missing."""
        before, after = files_below(whole), files_below(package)
        pruned = {name for part in parts for names in part.pruned.values() for name in names}
        own = ("tiny/", "shared/")
        missing = {
            name
            for name in before.keys() - after.keys() - pruned
            if not is_of_installer(name) and not is_bytecode(name)
        }
        more = {name for name in after.keys() - before.keys() if not name.startswith(own) and not is_bytecode(name)}
        other = {
            name
            for name in before.keys() & after.keys()
            if not is_of_installer(name) and not is_bytecode(name) and before[name] != after[name]
        }
        for what, names in (("is missing", missing), ("is in no wheel", more), ("differs from its wheel's", other)):
            row.faults += [f"{name} {what}" for name in sorted(names)[:SHOWN]]

    def compare_metadata(self, row: Row, whole: Path, package: Path, parts: Sequence[Part]) -> None:
        """importlib.metadata says the same of both, and the files that it names are there and true."""
        before, after = (self.look("metadata", directory) for directory in (whole, package))
        pruned = {name for part in parts for names in part.pruned.values() for name in names}
        one, other = before["distributions"], after["distributions"]
        if one.keys() != other.keys():
            row.faults.append(f"distributions differ: {sorted(one.keys() ^ other.keys())}")
        for name in one.keys() & other.keys():
            for key in ("version", "requires", "metadata", "entry_points", "top_level"):
                if one[name][key] != other[name][key]:
                    row.faults.append(f"{name}: {key} is {other[name][key]!r:.200}, not {one[name][key]!r:.200}")
            files = other[name]["files"]
            if files is None:
                row.faults.append(f"{name}: files() is None")
                continue
            faults = {**dict.fromkeys(other[name]["absent"], "is not there"), **files}
            row.faults += [f"{name}: {file} {fault}" for file, fault in sorted(faults.items()) if fault][:SHOWN]
            lost = [
                file
                for file in (one[name]["files"] or {}).keys() - files.keys() - pruned
                if not is_of_installer(file) and not is_bytecode(file)
            ]
            row.faults += [f"{name}: files() lacks {file}" for file in sorted(lost)[:SHOWN]]
        listed = {file for found in other.values() for file in found["files"] or ()}
        unlisted = [
            name for name in files_below(package) if name not in listed and not name.startswith(("tiny/", "shared/"))
        ]
        row.faults += [f"{name} is in no RECORD" for name in sorted(unlisted)[:SHOWN]]
        owners = [
            {name: owned for name, owned in one["packages_distributions"].items() if name not in NO_MODULES}
            for one in (before, after)
        ]
        if owners[0] != owners[1]:
            differing = {
                name for name in owners[0].keys() | owners[1].keys() if owners[0].get(name) != owners[1].get(name)
            }
            row.faults.append(f"packages_distributions() differs: {sorted(differing)[:SHOWN]}")

    def compare_imports(self, row: Row, whole: Path, package: Path, parts: Sequence[Part]) -> None:
        """Every module that imports whole imports from the package, but for those that were pruned."""
        pruned = modules_of(name for part in parts for names in part.pruned.values() for name in names)
        others = [part for part in parts if canonical(part.name) in self.elsewhere]
        tried_there = modules_of(member.name for part in others for member in part.members)
        tried_there |= modules_of(name for part in others for names in part.pruned.values() for name in names)
        names = sorted(modules_of(name for name, _ in walked(whole)) - tried_there)
        before = self.imported(whole, names)
        after = self.imported(package, [name for name in names if name not in pruned])
        row.modules = len(names)
        row.whole = sum(not reason for reason in before.values())
        row.pruned_away = sum(not before[name] for name in pruned & before.keys())
        row.less = sum(not reason for reason in after.values())
        suspects = [name for name, reason in after.items() if reason and not before[name]]
        # Again, since a machine with too much to do lets a module run out of time.
        again = self.imported(package, suspects) if suspects else {}
        row.broken = [f"{name}: {reason}" for name, reason in again.items() if reason]
        row.less += len(suspects) - len(row.broken)

    def imported(self, directory: Path, names: Sequence[str]) -> dict[str, str]:
        said: dict[str, str] = {}
        for name, reason in self.look("imports", directory, "\n".join(names)):
            said.setdefault(name, reason)
        return {name: said.get(name, "its package's process ended") for name in names}

    def compare_uses(self, row: Row, whole: Path, package: Path) -> None:
        """A program that reads what lies beside modules prints the same in both."""
        if not self.case.uses:
            return
        before, after = (self.used(directory) for directory in (whole, package))
        row.used = before.stdout
        if before.returncode != 0:
            row.faults.append(f"what it is used for fails with the wheels whole: {before.stderr[-500:]}")
        elif (after.returncode, after.stdout) != (0, before.stdout):
            row.faults.append(f"used, it prints {after.stdout!r} {after.stderr[-500:]} and not {before.stdout!r}")

    def used(self, directory: Path) -> subprocess.CompletedProcess[str]:
        program = f"import sys; sys.path.insert(0, {str(directory)!r})\n{self.case.uses}"
        home, variables = self.home("uses", directory)
        command: list[str | Path] = [self.interpreter, "-I", "-S", "-B", "-c", program]
        return subprocess.run(
            command, cwd=home, env=variables, capture_output=True, text=True, check=False, timeout=300
        )

    def home(self, kind: str, directory: Path) -> tuple[Path, dict[str, str]]:
        """Return where a process may write, and its variables: none of this shell's."""
        home = self.place / f"home-{kind}-{directory.name}"
        home.mkdir(exist_ok=True)
        variables = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", "MPLBACKEND": "Agg"}
        # Forked processes and threads of linear algebra do not go together.
        threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS")
        return home, {**variables, **dict.fromkeys(threads, "1")}

    def look(self, kind: str, directory: Path, given: str = "") -> Any:
        home, variables = self.home(kind, directory)
        report = home / "report"
        report.unlink(missing_ok=True)
        with (home / "output").open("ab") as output:
            ended = subprocess.run(
                [self.interpreter, "-I", "-S", "-B", LOOK, kind, directory, report],
                input=given.encode(), cwd=home, env=variables, stdout=output, stderr=output, check=False,
                timeout=MANY_SECONDS,
            )  # fmt: skip
        assert ended.returncode == 0, (home / "output").read_text(errors="replace")[-2000:]
        text = report.read_text()
        return json.loads(text) if kind == "metadata" else [json.loads(line) for line in text.splitlines()]


def modules_of(names: Iterable[str]) -> set[str]:
    """Return every module among files by its dotted name, as the interpreter finds it."""
    suffixes = (".cpython-313-x86_64-linux-gnu.so", ".abi3.so", ".so", ".py", ".pyc")
    modules = set()
    for name in names:
        if is_bytecode(name) or name.startswith(OUTSIDE) or ".dist-info/" in name:
            continue
        suffix = next((suffix for suffix in suffixes if name.endswith(suffix)), None)
        parts = name.removesuffix(suffix).split("/") if suffix else []
        if parts and parts[-1] == "__init__":
            parts.pop()
        if parts and parts[-1] != "__main__" and not any("." in part for part in parts):
            modules.add(".".join(parts))
    return modules


def files_below(directory: Path) -> dict[str, int]:
    """Return every file by its path seen from a directory, with a checksum of what is in it."""
    return {name: zlib.crc32(Path(path).read_bytes()) for name, path in walked(directory)}


def walked(directory: Path) -> Iterator[tuple[str, str]]:
    for top, _, files in os.walk(directory):
        for file in files:
            path = os.path.join(top, file)  # noqa: PTH118 # a hundred thousand of them
            yield os.path.relpath(path, directory), path


def is_of_installer(name: str) -> bool:
    top, _, file = name.partition(".dist-info/")
    return (bool(file) and "/" not in top and file in INSTALLERS) or name.startswith(OUTSIDE) or name == ".lock"


def is_bytecode(name: str) -> bool:
    return "__pycache__/" in name


def write(path: Path, content: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def sentence_of(error: BuildFailed) -> str:
    return str(error).splitlines()[0]


def keep(directory: Path, row: Row) -> None:
    """Write a row down, and the table of all rows that are there."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{row.name}.json").write_text(json.dumps(asdict(row), indent=1))
    rows = [Row(**json.loads(path.read_text())) for path in sorted(directory.glob("*.json"))]
    (directory / "table.md").write_text(f"{table(rows)}\n")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    heads = ["package", "version", "modules whole", "pruned", "imports pruned", "broken", "refused by the import rule"]
    heads += ["MB before", "MB after", "MB zipped", "seconds to lock", "to prepare"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = [row.name, row.version, row.whole, row.pruned_away, row.less, len(row.broken), refused_by_reach(row)]
        cells += [mb(row.unzipped_before), mb(row.unzipped), mb(row.zipped)]
        cells += [f"{row.lock_seconds:.1f}", f"{row.build_seconds:.1f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def refused_by_reach(row: Row) -> str:
    return "no" if row.built == "built" or is_over_a_limit(row) else "yes"


def is_over_a_limit(row: Row) -> bool:
    """Say whether no call takes a package of this size; then the build says so, and it is measured all the same."""
    return row.unzipped > UNZIPPED_LIMIT or row.zipped > ZIPPED_LIMIT


def mb(size: int) -> str:
    return f"{size / 1_000_000:.1f}"

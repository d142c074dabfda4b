"""Whatever was built before, and in whichever order: a package holds exactly the archives that its lock names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.build_inputs import merged
from sawhorse.build.platform import Target
from sawhorse.build.wheel_cache import Cache
from sawhorse.build.wheel_request import Wanted
from sawhorse.build.wheels_of_lock import prepared_parts
from sawhorse.build.zip_writer import content_of_member
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.build.made_wheels import Held, held, make_wheel, pinned
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import make_tiny_project, sha256, write_lock

# `INPUTS=2000 pytest ...` tries more.
INPUTS = int(os.environ.get("INPUTS", "100"))
TARGET = Target("3.13", "x86_64-manylinux_2_28")
DECLARED = ("lambda/tiny/requirements.in", '"make lock APP=tiny"')
NAMES = ("alpha", "beta", "gamma")
# A few paths, so that wheels meet in them: also as file and directory, and in two spellings.
PATHS = ("common/a.py", "common/b.txt", "Common/a.py", "one/__init__.py", "one", "one/deep/x.so", "top.py", "data.bin")
CONTENTS = (b"", b"VALUE = 1\n", b"VALUE = 2\n", b"\0" * 300)
SCHEMES = ("", "", "", "purelib", "platlib", "data", "scripts", "headers")


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    executable: bool
    scheme: str

    def in_wheel(self, name: str) -> str:
        return f"{name}-1.0.data/{self.scheme}/{self.path}" if self.scheme else self.path

    @property
    def is_installed(self) -> bool:
        """Commands and headers are for machines that people work on."""
        return self.scheme not in {"scripts", "headers"}


@dataclass(frozen=True)
class Given:
    """A wheel as a test asks for it; a second one of a name differs in its build tag."""

    name: str
    build: str
    files: tuple[File, ...]
    hashes: bool

    def write(self, directory: Path) -> Path:
        return make_wheel(
            directory,
            self.name,
            [(file.in_wheel(self.name), file.content) for file in self.files],
            build=self.build,
            hashes=self.hashes,
            executable={file.in_wheel(self.name) for file in self.files if file.executable},
        )

    @property
    def installed(self) -> dict[str, tuple[bytes, bool]]:
        return {file.path: (file.content, file.executable) for file in self.files if file.is_installed}


def meets(names: Sequence[str]) -> bool:
    """A file that is a directory as well."""
    return any(name.startswith(f"{other}/") for name in names for other in names)


@dataclass(frozen=True)
class Refused:
    """What must be refused, and who is to be named."""

    names: frozenset[str]


def expected(wheels: Sequence[Given]) -> Held | Refused:
    """What a package holds of these wheels alone, or whom its refusal has to name; the first that meet are named."""
    found: Held = {}
    owners: dict[str, str] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.name):
        if meets([*wheel.installed, *(f"bin/{file.path}" for file in wheel.files if file.scheme == "scripts")]):
            return Refused(frozenset({wheel.name}))
    for wheel in sorted(wheels, key=lambda wheel: wheel.name):
        for name, (content, executable) in sorted(wheel.installed.items()):
            other = found.setdefault(name, (content, executable))
            owner = owners.setdefault(name, wheel.name)
            if other[0] != content:
                return Refused(frozenset({owner, wheel.name}))
            found[name] = (content, other[1] or executable)
    for name in found:
        for other_name in found:
            if name.startswith(f"{other_name}/"):
                return Refused(frozenset())
    return found


def files() -> st.SearchStrategy[tuple[File, ...]]:
    file = st.builds(
        File,
        path=st.sampled_from(PATHS),
        content=st.sampled_from(CONTENTS),
        executable=st.booleans(),
        scheme=st.sampled_from(SCHEMES),
    )
    return st.lists(file, max_size=5, unique_by=lambda file: file.path).map(tuple)


def wheels() -> st.SearchStrategy[list[Given]]:
    wheel = st.builds(
        Given, name=st.sampled_from(NAMES), build=st.sampled_from(("", "2")), files=files(), hashes=st.booleans()
    )
    return st.lists(wheel, min_size=1, max_size=5, unique_by=lambda wheel: (wheel.name, wheel.build))


@dataclass(frozen=True)
class Case:
    """Wheels, the apps that take some of them, and the order in which these are built, some of them twice."""

    apps: tuple[tuple[Given, ...], ...]
    order: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    given_wheels = draw(wheels())
    one_of_each = st.lists(st.sampled_from(given_wheels), max_size=3, unique_by=lambda wheel: wheel.name).map(tuple)
    apps = tuple(draw(st.lists(one_of_each, min_size=2, max_size=3)))
    order = draw(st.lists(st.integers(0, len(apps) - 1), min_size=1, max_size=5))
    return Case(apps, tuple(order))


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Project:
    return make_tiny_project(tmp_path_factory.mktemp("somewhere") / "project", repository=repository)


def taken(project: Project, wheels: Sequence[Given], cache: Cache, directory: Path) -> Held | str:
    """What a package would hold of wheels, without bytecode and what is written for it; or why there is none."""
    paths = [wheel.write(directory / wheel.build) for wheel in wheels]
    lines = "".join(f"{path} --hash=sha256:{sha256(path)}\n" for path in paths)
    wanted = Wanted(
        lock=project.lambda_path / "tiny/requirements.txt",
        locked=lines.encode(),
        base=directory,
        declared=DECLARED,
        target=TARGET,
        interpreter=None,
        compiled_by="",
    )
    try:
        members = merged("tiny", prepared_parts(project, wanted, cache), DECLARED)
    except BuildFailed as refusal:
        return str(refusal)
    return {
        member.name: (content_of_member(member), member.executable)
        for member in members
        if ".dist-info/" not in member.name
    }


@settings(max_examples=INPUTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_each_app_gets_what_it_gets_alone(somewhere: Project, case: Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        filled = Cache(directory / "filled")
        for number in case.order:
            wanted = expected(case.apps[number])
            found = taken(somewhere, case.apps[number], filled, directory / "wheels")
            alone = taken(somewhere, case.apps[number], Cache(directory / f"alone-{number}"), directory / "wheels")
            assert found == alone
            event(type(wanted).__name__)
            if isinstance(wanted, Refused):
                assert isinstance(found, str)
                assert all(one in found for one in wanted.names), found
                assert len(found.splitlines()) == 1
            else:
                assert found == wanted


# The real thing: uv finds the wheels, a package is built


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return tmp_path / "wheels"


JWT = {"jwt/__init__.py": b"from .jwt import JWT\n", "jwt/jwt.py": b"class JWT: ...\n"}
PYJWT = {"jwt/__init__.py": b"def encode(): ...\n", "jwt/api.py": b"", "jwt/py.typed": b""}


@pytest.fixture
def apps(make_tiny: MakeTiny, wheelhouse: Path) -> dict[str, Project]:
    """Apps with two distributions that own one module, with one of them, and with the other one."""
    jwt = pinned(make_wheel(wheelhouse, "jwt", JWT, version="1.3.1"))
    pyjwt = pinned(make_wheel(wheelhouse, "PyJWT", PYJWT, version="2.10.1"))
    found = {name: make_tiny(name) for name in ("both", "jwt", "pyjwt")}
    for name, lines in (("both", jwt + pyjwt), ("jwt", jwt), ("pyjwt", pyjwt)):
        write_lock(found[name], lines)
    return found


def module(project: Project) -> dict[str, bytes]:
    names = held(build(project, "tiny").path)
    return {name: content for name, (content, _) in names.items() if name.startswith("jwt/")}


def attempt(project: Project) -> object:
    try:
        return module(project)
    except BuildFailed as refusal:
        return str(refusal)


BOTH = (
    "jwt 1.3.1 and PyJWT 2.10.1 both bring jwt/__init__.py, with different content, and the package of tiny can hold "
    "one. Keep one of the two distributions in lambda/tiny/requirements.in (which is not there, and needs all that "
    'lambda/tiny/requirements.txt has) and run "make lock APP=tiny", or name the file under prune in '
    "lambda/tiny/package.toml where neither is needed."
)


def test_two_distributions_that_own_one_module_are_refused_and_each_alone_is_itself_in_every_order(
    apps: Mapping[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {"both": BOTH, "jwt": JWT, "pyjwt": PYJWT}
    sums = set()
    for number, order in enumerate(permutations(apps)):
        monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        for name in order:
            shutil.rmtree(apps[name].path / "dist", ignore_errors=True)
            assert attempt(apps[name]) == right[name], (order, name)
        sums.add(sha256(apps["pyjwt"].path / "dist/tiny.zip"))
    assert len(sums) == 1


def start(project: Project, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "SAWHORSE_PROJECT": str(project.path), "SAWHORSE_CACHE_DIR": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-m", "sawhorse.cli.start", "build", "tiny"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_they_are_so_while_other_builds_run_at_once(apps: Mapping[str, Project], tmp_path: Path) -> None:
    module(apps["pyjwt"])
    right = sha256(apps["pyjwt"].path / "dist/tiny.zip")
    for number, order in enumerate([("both", "jwt", "pyjwt"), ("pyjwt", "both", "jwt")] * 2):
        for name in order:
            shutil.rmtree(apps[name].path / "dist", ignore_errors=True)
        running = {name: start(apps[name], tmp_path / f"cache-{number // 2}") for name in order}
        ended = {name: (process.communicate(timeout=300)[1], process.returncode) for name, process in running.items()}

        assert {name: code for name, (_, code) in ended.items()} == {"both": 2, "jwt": 0, "pyjwt": 0}, ended
        assert BOTH in ended["both"][0]
        assert sha256(apps["pyjwt"].path / "dist/tiny.zip") == right
        assert held(apps["jwt"].path / "dist/tiny.zip")["jwt/__init__.py"][0] == JWT["jwt/__init__.py"]


def test_the_same_version_with_other_bytes_is_what_the_lock_names(
    make_tiny: MakeTiny, wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RECORD says nothing of either, and both call themselves twin 1.0."""
    first = make_wheel(wheelhouse, "twin", {"twin.py": b"VALUE = 1\n"}, hashes=False)
    second = make_wheel(
        wheelhouse, "twin", {"twin.py": b"VALUE = 2\n"}, build="2", hashes=False, executable={"twin.py"}
    )
    right = {"first": (b"VALUE = 1\n", False), "second": (b"VALUE = 2\n", True), "either": (b"VALUE = 2\n", True)}
    lines = {"first": pinned(first), "second": pinned(second)}
    lines["either"] = f"{lines['first'].strip()} --hash=sha256:{sha256(second)}\n"
    projects = {name: make_tiny(name) for name in lines}
    for number, order in enumerate(permutations(lines)):
        monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        for name in order:
            write_lock(projects[name], lines[name])
            shutil.rmtree(projects[name].path / "dist", ignore_errors=True)
            # Of two that fit, the higher build number is chosen, as pip does.
            assert held(build(projects[name], "tiny").path)["twin.py"] == right[name], (order, name)


def test_equal_files_of_two_wheels_are_taken_once_and_stay_executable(
    make_tiny: MakeTiny, wheelhouse: Path, cache: Cache
) -> None:
    project = make_tiny("project")
    files = {"common/run": b"#!/bin/sh\n"}
    lines = pinned(make_wheel(wheelhouse, "alpha", files, executable={"common/run"}))
    lines += pinned(make_wheel(wheelhouse, "beta", files))
    write_lock(project, lines)

    assert held(build(project, "tiny").path)["common/run"] == (b"#!/bin/sh\n", True)


def chosen(case: Case) -> Iterator[tuple[int, tuple[Given, ...]]]:
    yield from ((number, case.apps[number]) for number in case.order)


@settings(
    max_examples=max(INPUTS // 25, 1),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
def test_packages_hold_it_too(somewhere: Project, case: Case) -> None:
    """The same through uv and with bytecode, of fewer inputs."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        directory = Path(name)
        patch.setenv("UV_OFFLINE", "1")
        patch.setenv("SAWHORSE_CACHE_DIR", str(directory / "cache"))
        sums: dict[int, str] = {}
        # Every archive is in the one directory that uv looks into; the lock's hash says which of them is meant.
        patch.setenv("UV_FIND_LINKS", str(directory / "wheels"))
        paths = {wheel: wheel.write(directory / "wheels") for app in case.apps for wheel in app}
        for number, app in chosen(case):
            write_lock(somewhere, "".join(pinned(paths[wheel]) for wheel in app))
            wanted = expected(app)
            try:
                package = build(somewhere, "tiny", dist=directory / f"dist-{len(sums)}-{number}")
            except BuildFailed:
                assert isinstance(wanted, Refused)
                continue
            assert sums.setdefault(number, package.sha256) == package.sha256
            found = {
                name: content
                for name, content in held(package.path).items()
                if ".dist-info/" not in name and not name.startswith(("tiny/", "shared/"))
            }
            assert found == wanted


@pytest.mark.parametrize("name", ["common/x.py", "common/__init__.py", "Zed.py", "common/deep/one.py"])
def test_two_wheels_that_differ_in_a_source_are_refused_by_that_and_pruning_it_helps(
    make_tiny: MakeTiny, wheelhouse: Path, name: str
) -> None:
    project = make_tiny("project")
    lines = [pinned(make_wheel(wheelhouse, one, {name: f"OF = '{one}'\n".encode()})) for one in ("alpha", "beta")]
    write_lock(project, "".join(lines))

    with pytest.raises(BuildFailed, match=rf"^alpha 1\.0 and beta 1\.0 both bring {re.escape(name)}, with different"):
        build(project, "tiny")

    config = project.lambda_path / "tiny/package.toml"
    config.write_text(f'prune = ["{name}"]\n{config.read_text()}')
    assert name not in held(build(project, "tiny").path)


def test_bytecode_without_its_source_is_named_where_two_wheels_differ_in_it(
    make_tiny: MakeTiny, wheelhouse: Path
) -> None:
    project = make_tiny("project")
    name = "common/x.pyc"
    lines = [pinned(make_wheel(wheelhouse, one, {name: one.encode()})) for one in ("alpha", "beta")]
    write_lock(project, "".join(lines))

    with pytest.raises(BuildFailed, match=rf"both bring {re.escape(name)}, with different"):
        build(project, "tiny")

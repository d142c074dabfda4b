"""Every line of a lock is installed or refused by name, and `make lock` refuses what a build would refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sawhorse.build.lock_resolver import make_lock
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.http_servers import responding
from tests.unit.sawhorse.build.made_wheels import distributions, make_wheel
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import sha256, tree

LINES: dict[str, dict[str, Any]] = {
    line["form"]: line for line in yaml.safe_load((Path(__file__).parent / "lock_lines.yaml").read_text())
}
MODULE = {"{0}/__init__.py": b"VALUE = 1\n"}
BACKEND = '[build-system]\nrequires = ["{0}"]\nbuild-backend = "hatchling.build"\n'
DECLARED = '[project]\nname = "{0}"\nversion = "1.0"\n[project.optional-dependencies]\nmore = ["beta"]\n'

pytestmark = pytest.mark.usefixtures("wheel_builder")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as it is named there
        """Say nothing of requests."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels that uv finds: the same ones for all lines, so that each is prepared once."""
    directory = tmp_path_factory.mktemp("wheels")
    more = 'Provides-Extra: more\nRequires-Dist: beta ; extra == "more"\n'
    make_wheel(directory, "alpha", {"alpha/__init__.py": b"VALUE = 1\n"}, metadata=more)
    make_wheel(directory, "beta", {"beta/__init__.py": b"VALUE = 2\n"})
    make_wheel(directory, "gamma", {"gamma/__init__.py": b""}, tag="cp313-cp313-win_amd64")
    for name, requires in (("later", ">=3.14"), ("older", "<3.13"), ("patched", ">=3.13.2,!=3.13.4"), ("odd", "four")):
        make_wheel(directory, name, {f"{name}/__init__.py": b""}, metadata=f"Requires-Python: {requires}\n")
    return directory


@pytest.fixture(scope="module")
def server(wheels: Path) -> Iterator[str]:
    with responding(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(wheels)))) as served:
        yield f"http://127.0.0.1:{served.server_port}"


@pytest.fixture
def project(make_tiny: MakeTiny, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout with directories and wheels that lines can name."""
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("VERSION", "1.0")
    project = make_tiny("project")
    for directory, requires in (("libs/x", "hatchling"), ("libs/odd", "frobnicator>=3"), ("../beside", "hatchling")):
        write(project.path / directory / "pyproject.toml", DECLARED.format("libx") + BACKEND.format(requires))
        write(project.path / directory / "libx/__init__.py", "VALUE = 3\n")
    compiled = 'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("libx.fast", ["fast.c"])])\n'
    for name, text in (
        ("pyproject.toml", DECLARED.format("libx") + BACKEND.format("setuptools").replace("hatchling", "setuptools")),
        ("setup.py", compiled),
        ("fast.c", "int fast(void) { return 1; }\n"),
        ("libx/__init__.py", ""),
    ):
        write(project.path / "libs/c" / name, text.replace('setuptools.build"', 'setuptools.build_meta"'))
    write(project.path / "../loose/pyproject.toml", DECLARED.format("libx"))
    for name, text in (
        ("requirements.in", ""),
        ("more.in", "beta\n"),
        ("old.in", "alpha<2\n"),
        ("loop.in", "-r requirements.in\n"),
        ("bad.in", "beta\ngit+https://127.0.0.1:9/x\n"),
    ):
        write(project.lambda_path / "tiny" / name, text)
    write(project.path / "vendor/notes.txt", "notes\n")
    for wheel in wheels.glob("*.whl"):
        (project.path / "vendor" / wheel.name).write_bytes(wheel.read_bytes())
    for checkout in (project.path, project.path / "../beside"):
        track(checkout)
    return project


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def track(directory: Path) -> None:
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(directory), *words], check=True, capture_output=True)


def filled(text: str, project: Project, wheels: Path, server: str) -> str:
    sums = {path.name.split("-")[0]: sha256(path) for path in wheels.glob("*.whl")}
    for name, value in {**sums, "nobody": "0" * 64, "top": str(project.path), "server": server}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def locked_lines(path: Path) -> list[str]:
    """The lines of a lock without hashes and comments."""
    lines = [line.removesuffix(" \\") for line in path.read_text().splitlines()]
    return [line for line in lines if line and not line.lstrip().startswith(("#", "--hash"))]


@pytest.mark.parametrize("form", [form for form, line in LINES.items() if "source" in line])
def test_make_lock_writes_what_a_build_installs_or_refuses_the_line(
    project: Project, wheels: Path, server: str, form: str
) -> None:
    line = LINES[form]
    source, lock = project.lambda_path / "tiny/requirements.in", project.lambda_path / "tiny/requirements.txt"
    source.write_bytes(filled(line["source"], project, wheels, server).encode(line.get("encoding", "utf-8")))
    lock.write_text("# as it was\n")
    lock.unlink() if "locks" in line else None

    if "lock_says" in line:
        with pytest.raises(BuildFailed) as refusal:
            make_lock(project, "tiny", upgrade=False)
        assert line["lock_says"] in str(refusal.value)
        assert "secret" not in str(refusal.value)
        assert lock.read_text() == "# as it was\n"
        return
    make_lock(project, "tiny", upgrade=False)
    assert sorted(locked_lines(lock)) == sorted(filled(one, project, wheels, server) for one in line["locks"])
    assert distributions(project) == line.get("locked_builds", line.get("builds"))


@pytest.mark.parametrize("form", [form for form, line in LINES.items() if "lock" in line])
def test_a_build_installs_a_line_or_refuses_it_by_name(project: Project, wheels: Path, server: str, form: str) -> None:
    line = LINES[form]
    distributions(project)
    before = tree(project.path / "dist")
    text = filled(line["lock"], project, wheels, server)
    (project.lambda_path / "tiny/requirements.txt").write_bytes(text.encode(line.get("encoding", "utf-8")))

    if "build_says" in line:
        with pytest.raises(BuildFailed) as refusal:
            distributions(project)
        assert filled(line["build_says"], project, wheels, server) in str(refusal.value)
        assert "tiny/requirements.txt" in str(refusal.value) or "it is not what was locked" in str(refusal.value)
        assert "secret" not in str(refusal.value)
        assert tree(project.path / "dist") == before
        return
    assert distributions(project) == line["builds"]


def test_what_is_refused_in_a_lock_is_refused_in_its_source_or_becomes_another_line() -> None:
    """Nothing is locked that no build installs: where both have a form, both have it or neither has."""
    for form, line in LINES.items():
        if "lock_says" in line and "lock" in line and form != "==1.0 for a wheel 1.0.0 of another spelling":
            assert "build_says" in line, form
        assert ("locks" in line) <= ("builds" in line or "locked_builds" in line), form

"""Packages hold bytecode that is never stale, of the functions' own Python and of no other."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.bytecode_client import bytecode_name, compile_sources
from sawhorse.build.compiler_process import WrongInterpreter
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from tests.projects import sample_project
from tests.unit.sawhorse.build.unpacked import (
    assert_bytecode_of_every_source,
    assert_imports_alone,
    extracted,
    imported,
    runtime_of,
    writable,
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the sample app, whose package is built."""
    project = sample_project(tmp_path_factory.mktemp("compiled") / "project")
    build(project, "sample")
    return project


def test_a_package_imports_without_compiling_or_writing_anything(sample: Project, python: Path, tmp_path: Path) -> None:
    assert_imports_alone(sample, "sample", str(sample.path / "dist/sample.zip"), python, tmp_path)


def test_every_module_has_bytecode_of_its_source_under_a_name_of_the_package(sample: Project, python: Path) -> None:
    assert_bytecode_of_every_source(str(sample.path / "dist/sample.zip"), python)


@pytest.mark.usefixtures("emulators")
def test_a_package_without_what_the_runtime_provides_imports_beside_it(python: Path, tmp_path: Path) -> None:
    """`provided` is an option like any other: the same test holds for a package that uses it."""
    project = sample_project(tmp_path / "project")
    config = project.lambda_path / "sample/package.toml"
    text = "".join(
        line
        for line in config.read_text().splitlines(keepends=True)
        if not line.startswith(("aws_services", "provided"))
    )
    config.write_text('provided = ["boto3", "botocore", "jmespath", "python-dateutil", "six", "urllib3"]\n' + text)
    package = build(project, "sample", dist=tmp_path / "dist").path
    with zipfile.ZipFile(package) as archive:
        assert not any(name.startswith("botocore/") for name in archive.namelist())
    place = extracted(package, tmp_path / "task")

    alone, beside = (
        imported(python, place, "sample", runtime)
        for runtime in ([], runtime_of(project, "sample", tmp_path / "runtime"))
    )

    assert "No module named 'jmespath'" in alone.stderr
    assert (beside.returncode, beside.stdout.split()) == (0, []), beside.stderr[-2000:]
    writable(place)


@pytest.mark.usefixtures("emulators")
def test_what_is_not_provided_is_not_found_in_the_runtime(tiny: Project, python: Path, tmp_path: Path) -> None:
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text('provided = ["jmespath", "six"]\n' + config.read_text())
    (tiny.lambda_path / "tiny/main.py").write_text("import jmespath, six\nhandler = print\n")
    place = extracted(build(tiny, "tiny").path, tmp_path / "task")
    [runtime] = runtime_of(tiny, "tiny", tmp_path / "runtime")

    def imports(*path: Path) -> bool:
        code = "import sys; sys.path[:0] = sys.argv[1:]; import tiny.main"
        return subprocess.run([python, "-S", "-c", code, *path], capture_output=True, check=False).returncode == 0

    assert sorted(path.name for path in runtime.iterdir()) == ["jmespath", "six.py"]
    assert (imports(place, runtime), imports(place)) == (True, False)
    writable(place)


def test_tracebacks_name_the_file_where_it_lies(tiny: Project, python: Path, tmp_path: Path) -> None:
    (tiny.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    raise ValueError(1)\n")
    place = extracted(build(tiny, "tiny").path, tmp_path / "task")

    ended = subprocess.run(
        [python, "-c", "import tiny.main; tiny.main.handler(None, None)"],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert f'File "{place}/tiny/main.py", line 2, in handler' in ended.stderr
    writable(place)


@pytest.mark.usefixtures("cache")
def test_without_the_interpreter_there_is_no_bytecode_and_every_build_says_so(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(interpreters, "exact_python", lambda *_: None)
        packages = [build(tiny, "tiny"), build(tiny, "tiny")]

    with zipfile.ZipFile(packages[0].path) as archive:
        assert [name for name in archive.namelist() if name.endswith(".pyc")] == []
    [warning] = packages[0].warnings
    assert packages[1].warnings == [warning]
    assert warning == (
        "The package of tiny has no bytecode, so its functions start more slowly, and its sources were not checked: "
        "Python 3.13 is not on this machine and could not be fetched. Install it and build again."
    )
    healed = build(tiny, "tiny")
    assert healed.changed
    assert healed.warnings == []


@pytest.mark.usefixtures("cache")
def test_a_runtime_that_nothing_here_runs_is_refused_without_its_interpreter(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "exact_python", lambda *_: None)
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text('runtime = "python3.14"\n' + config.read_text())

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    assert str(refusal.value) == (
        "lambda/tiny/package.toml: runtime is python3.14, and Python 3.14 is not on this machine and could not be "
        "fetched, so nothing could look at the package; install it and build again, or say python3.13. An apply with "
        "python3.14 wants AWS provider 6.21 or newer."
    )
    assert list(tiny.path.glob("dist/*.zip")) == []


@pytest.mark.parametrize(
    ("version", "tag"), [("3.11", "cpython-311"), ("3.12", "cpython-312"), ("3.14", "cpython-314")]
)
def test_bytecode_is_that_of_the_packages_own_runtime(tiny: Project, version: str, tag: str) -> None:
    if interpreters.exact_python(version, tiny.path) is None:
        # Only machines that have it can compile for it.
        pytest.skip(f"Python {version} is not on this machine.")
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f'runtime = "python{version}"\n' + config.read_text())

    with zipfile.ZipFile(build(tiny, "tiny").path) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]

    assert compiled
    assert [name for name in compiled if tag not in name] == []


def test_an_interpreter_of_another_version_compiles_nothing(python: Path) -> None:
    with pytest.raises(WrongInterpreter, match=r"is Python 3\.13\.\d+, not 3\.12\."):
        compile_sources(str(python), "3.12", [("a.py", b"")])
    with pytest.raises(WrongInterpreter, match="cannot be run"):
        compile_sources("/nowhere/python", "3.12", [("a.py", b"")])
    with pytest.raises(WrongInterpreter, match="could not compile"):
        compile_sources("/bin/true", "3.12", [("a.py", b"x = 1\n" * 100_000)])


def test_this_python_reads_what_its_own_compiler_wrote(tmp_path: Path) -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    [compiled] = compile_sources(sys.executable, own, [("there.py", b"VALUE = 7\n")])
    source = tmp_path / "there.py"
    source.write_text("VALUE = 8\n")
    cached = tmp_path / bytecode_name("there.py", own)
    cached.parent.mkdir()
    cached.write_bytes(compiled.bytecode or b"")

    spec = importlib.util.spec_from_file_location("there", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    # The bytecode wins, unchecked: nothing compares it with a source that no package ever changes.
    assert module.VALUE == 7


def test_a_package_for_arm_holds_arms_libraries_and_bytecode(tmp_path: Path) -> None:
    project = sample_project(tmp_path / "project")
    config = project.lambda_path / "sample/package.toml"
    config.write_text(config.read_text().replace("x86_64", "arm64"))

    with zipfile.ZipFile(build(project, "sample").path) as archive:
        names = archive.namelist()

    libraries = [name for name in names if name.endswith(".so")]
    assert libraries
    assert [name for name in libraries if "cpython-313-aarch64-linux-gnu" not in name] == []
    assert "fastapi/__pycache__/applications.cpython-313.pyc" in names

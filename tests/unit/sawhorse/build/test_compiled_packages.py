"""Packages hold bytecode that is never stale, of the functions' own Python and of no other."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.bytecode_client import WrongInterpreter, bytecode_name, compile_sources
from sawhorse.build.config import IN_RUNTIME, read_config
from sawhorse.project import Project
from sawhorse.toolchain import installed, interpreters
from tests.conftest import copy_of_project

REPOSITORY = Path(__file__).parents[4]
APPS = Project(REPOSITORY).apps
UNCHECKED_HASH = 1
# Imports every module of the app and of `shared` under an audit hook, and tells what was compiled or opened to write
# (https://docs.python.org/3/library/audit_events.html).
IMPORT_ALL = """
import os, sys
package, app, *provided = sys.argv[1:]
seen = []
watching = True
def hook(event, arguments):
    global watching
    if event not in ("compile", "open") or not watching:
        return
    # Asking for the frame is an event, too.
    watching = False
    if event == "compile":
        # A library may parse its own source, as anyio does for its lazy imports; only the import system's counts.
        by_import = sys._getframe(1).f_code.co_filename.startswith("<frozen importlib")
        if by_import and str(arguments[1]).startswith(package):
            seen.append(f"compiled {arguments[1]}")
    elif set(str(arguments[1] or "r")) & set("wax+") or arguments[2] & (os.O_WRONLY | os.O_RDWR):
        if str(arguments[0]).startswith(tuple(provided)):
            # Whether the runtime has bytecode is its own affair; in Lambda nobody can write there either.
            watching = True
            raise PermissionError
        seen.append(f"opened {arguments[0]} for writing")
    watching = True
sys.path[:0] = [package, *provided]
import importlib, pkgutil
sys.addaudithook(hook)
for part in (app, "shared"):
    for found in pkgutil.walk_packages([os.path.join(package, part)], f"{part}."):
        if found.name.rpartition(".")[2] not in ("main", "worker_main"):
            importlib.import_module(found.name)
ours = [m for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith(package)]
assert len(ours) > 20, ours
for module in ours:
    if module.__file__.endswith(".py"):
        assert module.__spec__.cached and os.path.isfile(module.__spec__.cached), module
print(*seen, sep="\\n")
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the functions' own minor version."""
    found = interpreters.exact_python("3.13", REPOSITORY)
    assert found
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The packages of all apps."""
    dist = tmp_path_factory.mktemp("packages") / "dist"
    return {app: build(Project(REPOSITORY), app, dist=dist).path for app in APPS}


def extracted(package: str, directory: Path) -> Path:
    """Lay a package out as Lambda does, where nobody may write."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(directory)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return directory


def runtime_of(project: Project, app: str, directory: Path) -> list[Path]:
    """Link exactly what package.toml leaves to Lambda's runtime: what else the package lacks is not found there."""
    provided = read_config(project, app).provided
    if not provided:
        return []
    [runtime] = installed.ensure_emulators(REPOSITORY).runtime.glob("lib/python*/site-packages")
    directory.mkdir()
    for name in provided:
        [found] = [*runtime.glob(IN_RUNTIME[name]), *runtime.glob(f"{IN_RUNTIME[name]}.py")]
        (directory / found.name).symlink_to(found)
    return [directory]


def test_a_package_without_what_the_runtime_provides_imports_beside_it(python: Path, tmp_path: Path) -> None:
    """`provided` is an option like any other: the same test holds for a package that uses it."""
    project = copy_of_project(tmp_path / "project")
    config = project.lambda_path / "triggers_api/package.toml"
    text = "".join(
        line
        for line in config.read_text().splitlines(keepends=True)
        if not line.startswith(("aws_services", "provided"))
    )
    config.write_text('provided = ["boto3", "botocore", "jmespath", "python-dateutil", "six", "urllib3"]\n' + text)
    package = build(project, "triggers_api", dist=tmp_path / "dist").path
    with zipfile.ZipFile(package) as archive:
        assert not any(name.startswith("botocore/") for name in archive.namelist())
    place = extracted(package, tmp_path / "task")

    alone, beside = (
        imported(python, place, "triggers_api", runtime)
        for runtime in ([], runtime_of(project, "triggers_api", tmp_path / "runtime"))
    )

    assert "No module named 'jmespath'" in alone.stderr
    assert (beside.returncode, beside.stdout.split()) == (0, []), beside.stderr[-2000:]
    writable(place)


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


def imported(python: Path, place: Path, app: str, runtime: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Import all modules of an extracted package, with what the runtime brings behind it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS"))}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    command: list[str | Path] = [python, "-S", "-c", IMPORT_ALL, place, app, *runtime]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def writable(place: Path) -> None:
    """Let a directory be removed again."""
    for path in [place, *place.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


@pytest.mark.parametrize("app", APPS)
def test_a_package_imports_without_compiling_or_writing_anything(
    app: str, packages: dict[str, str], python: Path, tmp_path: Path
) -> None:
    place = extracted(packages[app], tmp_path / "task")

    ended = imported(python, place, app, runtime_of(Project(REPOSITORY), app, tmp_path / "runtime"))

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.split() == []
    writable(place)


@pytest.mark.parametrize("app", APPS)
def test_every_module_has_bytecode_of_its_source_under_a_name_of_the_package(
    app: str, packages: dict[str, str], python: Path
) -> None:
    with zipfile.ZipFile(packages[app]) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    check = (
        "import sys, importlib.util as u, marshal; "
        "[print(n, u.MAGIC_NUMBER.hex(), u.source_hash(s).hex()) for n, s in marshal.loads(sys.stdin.buffer.read())]"
    )
    sources = [(name, content) for name, content in contents.items() if name.endswith(".py")]
    said = subprocess.run(
        [python, "-c", check], input=marshal.dumps(sources, 2), capture_output=True, check=True
    ).stdout

    for line in said.decode().splitlines():
        name, magic, source_hash = line.split()
        bytecode = contents[bytecode_name(name, "3.13")]
        flags = int.from_bytes(bytecode[4:8], "little")
        assert (bytecode[:4].hex(), flags, bytecode[8:16].hex()) == (magic, UNCHECKED_HASH, source_hash)
        assert f"{name}".encode() in bytecode
    assert len(said.splitlines()) == len(sources) > 500


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


@pytest.mark.parametrize(("version", "tag"), [("3.11", "cpython-311"), ("3.12", "cpython-312")])
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
    project = copy_of_project(tmp_path / "project")
    config = project.lambda_path / "triggers_api/package.toml"
    config.write_text(config.read_text().replace("x86_64", "arm64"))

    with zipfile.ZipFile(build(project, "triggers_api").path) as archive:
        names = archive.namelist()

    libraries = [name for name in names if name.endswith(".so")]
    assert libraries
    assert [name for name in libraries if "cpython-313-aarch64-linux-gnu" not in name] == []
    assert "fastapi/__pycache__/applications.cpython-313.pyc" in names

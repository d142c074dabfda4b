"""A pyproject.toml of an app, with its uv.lock or locked by `make lock`, stands in the place of requirements."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.lock_resolver import make_lock
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import python_environments
from sawhorse.toolchain.machine import run_tool
from tests.unit.sawhorse.build.index_server import Index, serving
from tests.unit.sawhorse.build.made_wheels import distributions, make_wheel
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import sha256, tree, write_lock

pytestmark = pytest.mark.usefixtures("wheel_builder")
LIBRARY = """[project]
name = "libx"
version = "1.0"
requires-python = ">=3.11"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
MEMBER = "[tool.uv.sources]\nlibx = { workspace = true }\n"
BESIDE = '[tool.uv.sources]\nlibx = { path = "../../libs/x" }\n'


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with serving(tmp_path_factory.mktemp("index")) as index:
        make_wheel(index.directory, "alpha", {"alpha/__init__.py": b"VALUE = 1\n"})
        make_wheel(index.directory, "beta", {"beta/__init__.py": b"VALUE = 2\n"})
        yield index


@pytest.fixture
def project(make_tiny: MakeTiny, index: Index, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    project = make_tiny("project")
    (project.lambda_path / "tiny/requirements.txt").unlink()
    write(project.path / "libs/x/pyproject.toml", LIBRARY)
    write(project.path / "libs/x/libx/__init__.py", "VALUE = 3\n")
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(project.path), *words], check=True, capture_output=True)
    return project


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def declare(project: Project, *dependencies: str, more: str = "") -> Path:
    """Write the app's pyproject.toml."""
    path = project.lambda_path / "tiny/pyproject.toml"
    names = ", ".join(f'"{one}"' for one in dependencies)
    write(
        path, f'[project]\nname = "tiny"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = [{names}]\n{more}'
    )
    return path


def uv_lock(project: Project) -> Path:
    """Do what a user of uv does."""
    directory = project.lambda_path / "tiny"
    result = run_tool([python_environments.ensure_uv(project.path), "lock"], directory=directory)
    assert result.returncode == 0, result.stderr
    return directory / "uv.lock"


def test_a_pyproject_without_a_lock_names_the_command_that_makes_one(project: Project) -> None:
    declare(project, "alpha")

    with pytest.raises(BuildFailed, match=r'lambda/tiny/pyproject.toml has no lock; run "make lock APP=tiny"'):
        distributions(project)


def test_make_lock_locks_a_pyproject_with_hashes(project: Project, index: Index) -> None:
    declare(project, "alpha")

    lock = make_lock(project, "tiny", upgrade=False)

    assert lock == project.lambda_path / "tiny/requirements.txt"
    assert f"--hash=sha256:{sha256(index.directory / 'alpha-1.0-py3-none-any.whl')}" in lock.read_text()
    assert distributions(project) == ["alpha"]


def test_a_uv_lock_is_built_without_its_development_groups(project: Project) -> None:
    groups = '[dependency-groups]\ndev = ["beta"]\n[project.optional-dependencies]\nmore = ["beta"]\n'
    declare(project, "alpha", more=groups)
    uv_lock(project)

    assert distributions(project) == ["alpha"]
    assert make_lock(project, "tiny", upgrade=False) == project.lambda_path / "tiny/uv.lock"
    assert distributions(project) == ["alpha"]


def test_a_stale_uv_lock_is_refused_until_make_lock_brings_it_up_to_date(project: Project) -> None:
    declare(project, "alpha")
    uv_lock(project)
    distributions(project)
    before = tree(project.path / "dist")
    declare(project, "alpha", "beta")

    with pytest.raises(BuildFailed, match=r'lambda/tiny/uv.lock does not fit .* run "uv lock" in lambda/tiny'):
        distributions(project)

    assert tree(project.path / "dist") == before
    make_lock(project, "tiny", upgrade=False)
    assert distributions(project) == ["alpha", "beta"]


@pytest.mark.parametrize("has_uv_lock", [True, False])
@pytest.mark.parametrize("source", [BESIDE, MEMBER], ids=["path", "workspace"])
def test_a_directory_of_the_project_is_built(project: Project, source: str, has_uv_lock: bool) -> None:  # noqa: FBT001
    declare(project, "libx", "alpha", more=source)
    if source == MEMBER:
        write(project.path / "pyproject.toml", '[tool.uv.workspace]\nmembers = ["lambda/tiny", "libs/x"]\n')
    if has_uv_lock:
        uv_lock(project)
    else:
        lock = make_lock(project, "tiny", upgrade=False).read_text()
        assert str(project.path) not in lock
        assert "./libs/x" in lock

    assert distributions(project) == ["alpha", "libx"]


def test_a_uv_lock_further_up_that_is_another_ones_is_none(project: Project) -> None:
    declare(project, "alpha")
    write(project.path / "uv.lock", "version = 1\n")

    with pytest.raises(BuildFailed, match=r"lambda/tiny/pyproject.toml has no lock"):
        distributions(project)


def test_two_locks_are_refused_by_the_build_and_by_make_lock(project: Project) -> None:
    declare(project, "alpha")
    uv_lock(project)
    write_lock(project, "")

    for step in (lambda: distributions(project), lambda: make_lock(project, "tiny", upgrade=False)):
        with pytest.raises(
            BuildFailed, match=r"two locks, lambda/tiny/requirements.txt and lambda/tiny/uv.lock; remove one"
        ):
            step()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "[tool.black]\n",
            "has no [project] whose dependencies could be locked; add it, or write requirements.in beside it.",
        ),
        ("[project\n", "is not valid TOML"),
    ],
)
def test_a_pyproject_that_says_nothing_is_refused_and_no_empty_lock_is_written(
    project: Project, content: str, words: str
) -> None:
    write(project.lambda_path / "tiny/pyproject.toml", content)

    with pytest.raises(BuildFailed) as refusal:
        make_lock(project, "tiny", upgrade=False)

    assert f"lambda/tiny/pyproject.toml {words}" in str(refusal.value)
    assert not (project.lambda_path / "tiny/requirements.txt").exists()


def test_a_uv_lock_alone_is_refused_by_both(project: Project) -> None:
    write(project.lambda_path / "tiny/uv.lock", "version = 1\n")

    for step in (lambda: distributions(project), lambda: make_lock(project, "tiny", upgrade=False)):
        with pytest.raises(BuildFailed, match=r"lambda/tiny/uv.lock has no pyproject.toml beside it; put it there"):
            step()
    assert (project.lambda_path / "tiny/uv.lock").read_text() == "version = 1\n"


def test_a_uv_lock_that_no_build_could_install_stays_as_it_was(
    project: Project, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uv finds in a directory of wheels has no hash in a uv.lock."""
    declare(project, "alpha")
    before = uv_lock(project).read_bytes()
    monkeypatch.setenv("UV_FIND_LINKS", str(index.directory))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    declare(project, "alpha", "beta")

    with pytest.raises(BuildFailed, match=r"it has no SHA-256, .* use an index that has one"):
        make_lock(project, "tiny", upgrade=False)

    assert (project.lambda_path / "tiny/uv.lock").read_bytes() == before


def test_a_changed_uv_lock_of_a_workspace_makes_a_new_package(project: Project) -> None:
    declare(project, "libx", more=MEMBER)
    write(project.path / "pyproject.toml", '[tool.uv.workspace]\nmembers = ["lambda/tiny", "libs/x"]\n')
    uv_lock(project)
    assert distributions(project) == ["libx"]

    declare(project, "libx", "beta", more=MEMBER)
    uv_lock(project)

    assert distributions(project) == ["beta", "libx"]


def with_requirements(project: Project) -> None:
    (project.lambda_path / "tiny/requirements.in").write_text("alpha\n")
    make_lock(project, "tiny", upgrade=False)


def with_pyproject(project: Project) -> None:
    declare(project, "alpha")
    make_lock(project, "tiny", upgrade=False)


def with_uv_lock(project: Project) -> None:
    declare(project, "alpha")
    uv_lock(project)


def with_workspace(project: Project) -> None:
    declare(project, "alpha")
    write(project.path / "pyproject.toml", '[tool.uv.workspace]\nmembers = ["lambda/tiny"]\n')
    uv_lock_of_workspace(project)


def uv_lock_of_workspace(project: Project) -> None:
    command = [str(python_environments.ensure_uv(project.path)), "lock"]
    assert run_tool(command, directory=project.lambda_path / "tiny").returncode == 0
    assert (project.path / "uv.lock").is_file()


def with_a_lock_alone(project: Project) -> None:
    with_requirements(project)
    (project.lambda_path / "tiny/requirements.in").unlink()


PLACES: dict[Callable[[Project], None], str] = {
    with_requirements: 'lambda/tiny/requirements.in and run "make lock APP=tiny"',
    with_pyproject: 'lambda/tiny/pyproject.toml and run "make lock APP=tiny"',
    with_uv_lock: 'lambda/tiny/pyproject.toml and run "uv lock" in lambda/tiny',
    with_workspace: 'lambda/tiny/pyproject.toml and run "uv lock" in lambda/tiny',
    with_a_lock_alone: "lambda/tiny/requirements.in (which is not there, and needs all that "
    'lambda/tiny/requirements.txt has) and run "make lock APP=tiny"',
}


@pytest.mark.parametrize("prepare", PLACES, ids=lambda prepare: prepare.__name__)
def test_a_sentence_names_the_file_that_the_lock_is_made_of(
    project: Project, prepare: Callable[[Project], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(project)
    place = PLACES[prepare]
    source = project.lambda_path / "tiny/main.py"
    plain = source.read_text()
    assert distributions(project) == ["alpha"]

    # On the way of a changed source, and on that of a build anew.
    source.write_text(f"import gamma\n{plain}")
    for _ in range(2):
        with pytest.raises(BuildFailed, match=re.escape(f"Add it to {place}; where Lambda has it")):
            build(project, "tiny")
        shutil.rmtree(project.path / "dist")
    source.write_text(f"def later():\n    import gamma\n{plain}")
    assert f"Add it to {place}, or, where a layer" in build(project, "tiny").warnings[0]
    (project.lambda_path / "tiny/alpha.py").write_text("")
    config = project.lambda_path / "tiny/package.toml"
    config.write_text(f'root_files = ["alpha.py"]\n{config.read_text()}')
    with pytest.raises(BuildFailed, match=re.escape(f"leave alpha out of {place}.")):
        build(project, "tiny")
    config.write_text(config.read_text().replace('root_files = ["alpha.py"]', 'aws_services = ["nothing"]'))
    with pytest.raises(BadConfiguration, match=re.escape(f"add botocore to {place}.")):
        build(project, "tiny")
    config.write_text(config.read_text().replace('aws_services = ["nothing"]', ""))
    monkeypatch.setattr("sawhorse.build.package_writer.UNZIPPED_LIMIT", 10)
    with pytest.raises(BuildFailed, match=re.escape(f"Remove dependencies from {place}.")):
        build(project, "tiny")


def test_a_sentence_follows_when_the_requirements_move(project: Project) -> None:
    with_requirements(project)
    source = project.lambda_path / "tiny/main.py"
    source.write_text(f"def later():\n    import gamma\n{source.read_text()}")
    assert "Add it to lambda/tiny/requirements.in and" in build(project, "tiny").warnings[0]

    (project.lambda_path / "tiny/requirements.in").unlink()
    declare(project, "alpha")

    assert "Add it to lambda/tiny/pyproject.toml and" in build(project, "tiny").warnings[0]


# Which Python it is for


OTHER = [(">=3.14", "python3.13"), ("<3.13", "python3.13"), (">=3.13", "python3.11"), ("==3.12.*", "python3.13")]


def set_runtime(project: Project, runtime: str) -> None:
    config = project.lambda_path / "tiny/package.toml"
    config.write_text(f'runtime = "{runtime}"\n[functions.api]\nhandler = "tiny.main.handler"\n')


def require_python(project: Project, requires: str) -> None:
    path = project.lambda_path / "tiny/pyproject.toml"
    path.write_text(path.read_text().replace('requires-python = ">=3.11"', f'requires-python = "{requires}"'))


@pytest.mark.parametrize(("requires", "runtime"), OTHER)
@pytest.mark.parametrize("prepare", [with_pyproject, with_uv_lock])
def test_a_pyproject_for_another_python_is_refused_by_both(
    project: Project, prepare: Callable[[Project], None], requires: str, runtime: str
) -> None:
    prepare(project)
    before = tree(project.path)
    require_python(project, requires)
    set_runtime(project, runtime)
    locks = {name: content for name, content in before.items() if name.endswith(("uv.lock", "tiny.txt"))}

    words = (
        f"lambda/tiny/pyproject.toml has requires-python {requires}, and the functions of tiny run under {runtime[6:]};"
    )
    for step in (lambda: distributions(project), lambda: make_lock(project, "tiny", upgrade=False)):
        with pytest.raises(BuildFailed, match=re.escape(words)):
            step()
    now = tree(project.path)
    assert {name: now[name] for name in locks} == locks


@pytest.mark.parametrize("requires", [">=3.13", ">=3.13.1", ">=3.11,!=3.13.0", "", "~=3.13.2"])
def test_a_pyproject_for_some_patch_release_is_locked_and_built(project: Project, requires: str) -> None:
    declare(project, "alpha")
    require_python(project, requires)
    if not requires:
        path = project.lambda_path / "tiny/pyproject.toml"
        path.write_text(path.read_text().replace('requires-python = ""\n', ""))

    make_lock(project, "tiny", upgrade=False)

    assert distributions(project) == ["alpha"]


def test_a_member_of_a_workspace_for_another_python_is_named_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_workspace(project)
    distributions(project)
    before = tree(project.path / "dist")
    for name in ("pyproject.toml", "uv.lock"):
        path = project.path / name
        path.write_text(path.read_text().replace('requires-python = ">=3.11"', 'requires-python = ">=3.14"'))
    root = project.path / "pyproject.toml"
    root.write_text('[project]\nname = "top"\nversion = "0"\nrequires-python = ">=3.14"\n' + root.read_text())
    # Nothing is fetched: there is nowhere to fetch it from.
    monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", "http://127.0.0.1:9")

    with pytest.raises(BuildFailed) as refusal:
        distributions(project)

    said = str(refusal.value)
    assert said.startswith("uv.lock is for another Python than 3.13, which the functions of tiny run under; correct")
    assert "lambda/tiny/package.toml. uv says:" in said
    assert tree(project.path / "dist") == before


# Extras


@pytest.mark.parametrize("has_uv_lock", [True, False])
def test_an_extra_that_no_version_has_is_refused_and_the_lock_stays(
    project: Project,
    has_uv_lock: bool,  # noqa: FBT001
) -> None:
    (with_uv_lock if has_uv_lock else with_pyproject)(project)
    lock = project.lambda_path / "tiny/uv.lock" if has_uv_lock else project.lambda_path / "tiny/requirements.txt"
    before = lock.read_bytes()
    declare(project, "alpha[nope]")

    with pytest.raises(
        BuildFailed, match=r"alpha 1.0 has no extra nope, so nothing would come of it; correct the name"
    ):
        make_lock(project, "tiny", upgrade=False)

    assert lock.read_bytes() == before


def test_an_extra_that_another_distribution_asks_for_is_said(
    project: Project, index: Index, capfd: pytest.CaptureFixture[str]
) -> None:
    make_wheel(index.directory, "asker", {"asker.py": b""}, metadata="Requires-Dist: alpha[nope]\n")
    (project.lambda_path / "tiny/requirements.in").write_text("asker\n")

    make_lock(project, "tiny", upgrade=False)

    said = capfd.readouterr().err
    assert (
        "lambda/tiny/requirements.in: alpha 1.0 has no extra nope, which another distribution asks for; nothing comes"
        in said
    )
    assert distributions(project) == ["alpha", "asker"]

"""A build gives the same bytes for the same sources, enters what it measured, and refuses in a sentence."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import BadConfiguration, BuildFailed, UnknownName
from harness.layout import Project
from harness.package import build as building
from harness.package.build import build
from harness.package.config import PackageConfig, read_config
from harness.package.dependencies import Target, install_dependencies, lambda_target, local_target
from harness.package.manifest import Entry, code_sha256, read_manifest, write_manifest
from tests.conftest import copy_of_project
from tests.unit.harness.conftest import MakeTiny
from tests.unit.harness.support import Ended, sawhorse, tree

PACKAGE = Path("dist/triggers_api.zip")


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def date_every_file(directory: Path, seconds: int) -> None:
    for path in directory.rglob("*"):
        os.utime(path, (seconds, seconds))


@pytest.fixture(scope="module")
def built_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Two copies of this project, built at once by two users in two places."""
    here = copy_of_project(tmp_path_factory.mktemp("here") / "project")
    there = copy_of_project(tmp_path_factory.mktemp("there") / "another/place/of/the/same/project")
    date_every_file(here.path / "lambda", 1_000_000_000)
    date_every_file(there.path / "lambda", 1_700_000_000)

    def build_here() -> Ended:
        return sawhorse(
            here, "build", "triggers_api", umask=0o022, variables={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}
        )

    def build_there() -> Ended:
        home = there.path.parent / "home"
        home.mkdir()
        variables = {"TZ": "America/Los_Angeles", "HOME": str(home), "LC_ALL": "C", "PYTHONHASHSEED": "2"}
        return sawhorse(there, "build", "triggers_api", umask=0o077, variables=variables)

    with ThreadPoolExecutor() as pool:
        for ended in [future.result() for future in (pool.submit(build_here), pool.submit(build_there))]:
            assert ended.code == 0, ended
    return here, there


def test_the_same_sources_give_the_same_bytes_anywhere(built_twice: tuple[Project, Project]) -> None:
    here, there = built_twice

    assert sha256(here.path / PACKAGE) == sha256(there.path / PACKAGE)
    assert (here.path / "dist/manifest.json").read_bytes() == (there.path / "dist/manifest.json").read_bytes()


def test_nothing_in_the_package_names_the_machine_that_built_it(
    built_twice: tuple[Project, Project], repository: Path
) -> None:
    places = [str(built_twice[0].path), str(built_twice[1].path), str(repository)]
    named = [
        (name, place)
        for name, content in contents(built_twice[0].path / PACKAGE).items()
        for place in places
        if place.encode() in content
    ]

    assert named == []


def test_the_package_holds_the_app_and_shared_code_but_not_what_lambda_has(
    built_twice: tuple[Project, Project],
) -> None:
    names = set(contents(built_twice[0].path / PACKAGE))

    assert {"triggers_api/main.py", "shared/__init__.py", "fastapi/__init__.py"} <= names
    assert [name for name in names if name.startswith(("boto3", "botocore", "s3transfer"))] == []
    assert [name for name in names if name.endswith((".pyc", "package.toml", "README.md"))] == []
    assert [name for name in names if name.startswith(("bin/", "tests/", "harness/"))] == []


def test_compiled_modules_are_those_of_lambda(built_twice: tuple[Project, Project]) -> None:
    compiled = [name for name in contents(built_twice[0].path / PACKAGE) if name.endswith(".so")]

    assert compiled
    assert [name for name in compiled if "cpython-313-x86_64-linux-gnu" not in name] == []


def test_the_manifest_says_what_the_zip_is(built_twice: tuple[Project, Project]) -> None:
    project = built_twice[0]
    content = (project.path / PACKAGE).read_bytes()

    assert json.loads((project.path / "dist/manifest.json").read_text()) == {
        "triggers_api": {
            "api": {
                "path": "dist/triggers_api.zip",
                "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
                "size": len(content),
                "handler": "triggers_api.main.handler",
                "runtime": "python3.13",
                "architecture": "x86_64",
            }
        }
    }


def test_one_changed_character_changes_that_member_alone(tiny: Project) -> None:
    first = build(tiny, "tiny")
    before = contents(first.path)
    source = tiny.lambda_path / "tiny/main.py"
    source.write_text(source.read_text().replace("1", "2"))

    second = build(tiny, "tiny")

    after = contents(second.path)
    assert second.changed
    assert second.sha256 != first.sha256
    assert [name for name in after if after[name] != before.get(name)] == ["tiny/main.py"]
    assert read_manifest(tiny.path / "dist")["tiny"]["api"].sha256 == second.sha256


def test_building_again_changes_nothing(tiny: Project) -> None:
    assert build(tiny, "tiny").changed
    date_every_file(tiny.lambda_path, 1_000_000_000)
    before = {path: path.stat().st_mtime_ns for path in (tiny.path / "dist").glob("[!.]*")}

    assert not build(tiny, "tiny").changed

    assert {path: path.stat().st_mtime_ns for path in (tiny.path / "dist").glob("[!.]*")} == before


def test_what_tools_leave_beside_the_sources_is_not_packaged(tiny: Project) -> None:
    first = build(tiny, "tiny")
    for name in ("__pycache__/main.pyc", ".mypy_cache/3.11/main.json", ".main.py.swp", "README.md", "Dockerfile"):
        path = tiny.lambda_path / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left")

    assert build(tiny, "tiny").sha256 == first.sha256


def test_data_files_are_packaged_with_their_executable_bit(tiny: Project) -> None:
    script = tiny.lambda_path / "tiny/bootstrap.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    (tiny.lambda_path / "shared/data.json").write_text("{}")

    with zipfile.ZipFile(build(tiny, "tiny").path) as archive:
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}

    assert modes["tiny/bootstrap.sh"] == "0o100755"
    assert modes["shared/data.json"] == "0o100644"


def test_a_root_file_lies_at_the_top_of_the_package_and_may_be_a_handler(tiny: Project) -> None:
    script = tiny.lambda_path / "tiny/run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tiny.lambda_path / "tiny/package.toml").write_text(
        'root_files = ["run.sh"]\n[functions.web]\nhandler = "run.sh"\n'
    )

    with zipfile.ZipFile(build(tiny, "tiny").path) as archive:
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}

    assert modes["run.sh"] == "0o100755"
    assert "tiny/run.sh" not in modes
    assert read_manifest(tiny.path / "dist")["tiny"]["web"].handler == "run.sh"


def test_a_handler_that_cannot_be_executed_is_refused(tiny: Project) -> None:
    (tiny.lambda_path / "tiny/run.sh").write_text("#!/bin/sh\n")
    (tiny.lambda_path / "tiny/package.toml").write_text(
        'root_files = ["run.sh"]\n[functions.web]\nhandler = "run.sh"\n'
    )

    with pytest.raises(BadConfiguration, match=r"tiny/run\.sh cannot be executed; run chmod \+x lambda/tiny/run\.sh\."):
        build(tiny, "tiny")


def test_an_app_of_two_functions_has_one_package_and_two_entries(tiny: Project) -> None:
    with (tiny.lambda_path / "tiny/package.toml").open("a") as config:
        config.write('[functions.worker]\nhandler = "tiny.main.work"\n')

    package = build(tiny, "tiny")

    entries = read_manifest(tiny.path / "dist")["tiny"]
    assert {name: entry.handler for name, entry in entries.items()} == {
        "api": "tiny.main.handler",
        "worker": "tiny.main.work",
    }
    assert {entry.sha256 for entry in entries.values()} == {package.sha256}


def test_entries_of_other_apps_stay(tiny: Project) -> None:
    other = Entry("dist/other.zip", "x" * 44, 1, "other.main.handler", "python3.13", "arm64")
    (tiny.path / "dist").mkdir()
    write_manifest(tiny.path / "dist", {"other": {"api": other}})

    build(tiny, "tiny")

    assert read_manifest(tiny.path / "dist")["other"] == {"api": other}


def test_the_hash_is_written_as_lambda_reports_it() -> None:
    assert code_sha256(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


# Dependencies


def test_an_installed_wheel_is_the_same_under_any_umask(make_tiny: MakeTiny, locked_wheel: str) -> None:
    sums = []
    for number, umask in enumerate((0o022, 0o077)):
        project = make_tiny(f"project-{number}")
        (project.requirements / "tiny.txt").write_text(locked_wheel)
        before = os.umask(umask)
        try:
            sums.append(build(project, "tiny").sha256)
        finally:
            os.umask(before)

    assert sums[0] == sums[1]


def test_an_installed_wheel_keeps_what_imports_need_and_nothing_of_its_installer(
    tiny: Project, locked_wheel: str
) -> None:
    (tiny.requirements / "tiny.txt").write_text(locked_wheel)

    names = [name for name in contents(build(tiny, "tiny").path) if name.startswith(("tinydep", "bin", "."))]

    assert names == [
        "tinydep-1.0.dist-info/METADATA",
        "tinydep-1.0.dist-info/WHEEL",
        "tinydep-1.0.dist-info/entry_points.txt",
        "tinydep/__init__.py",
        "tinydep/__main__.py",
    ]


def test_dependencies_are_installed_once_per_lock_and_target(
    tiny: Project, locked_wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tiny.requirements / "tiny.txt"
    lock.write_text(locked_wheel)
    target = Target("3.13", "x86_64-manylinux_2_28")
    first = install_dependencies(tiny, lock, target)
    monkeypatch.setenv("UV_FIND_LINKS", str(tiny.path / "nowhere"))

    assert install_dependencies(tiny, lock, target) == first
    with pytest.raises(BuildFailed):
        install_dependencies(tiny, lock, Target("3.12", "x86_64-manylinux_2_28"))


def test_a_wheel_of_another_hash_is_refused(tiny: Project, locked_wheel: str) -> None:
    (tiny.requirements / "tiny.txt").write_text(f"tinydep==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(BuildFailed, match=r"requirements/tiny\.txt could not be installed"):
        build(tiny, "tiny")


def test_a_distribution_without_a_wheel_is_refused_and_dist_stays_as_it_was(tiny: Project, locked_wheel: str) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    source = Path(os.environ["UV_FIND_LINKS"]) / "nowheel-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        metadata = b"Metadata-Version: 2.1\nName: nowheel\nVersion: 1.0\n"
        info = tarfile.TarInfo("nowheel-1.0/PKG-INFO")
        info.size = len(metadata)
        archive.addfile(info, io.BytesIO(metadata))
    (tiny.requirements / "tiny.txt").write_text(f"nowheel==1.0 --hash=sha256:{sha256(source)}\n")

    ended = sawhorse(tiny, "build")

    assert ended.code == 2
    sentence, *words = ended.err.strip().splitlines()
    assert sentence == (
        "sawhorse: The dependencies in requirements/tiny.txt could not be installed for "
        "python3.13-x86_64-manylinux_2_28; choose versions with wheels for it in requirements/tiny.in, "
        'run "make lock" and build again. uv says:'
    )
    assert "nowheel" in " ".join(words)
    assert tree(tiny.path / "dist") == before
    assert list((tiny.private / "cache/dependencies").glob("*nowheel*")) == []


def test_a_missing_lock_says_how_to_make_it(tiny: Project) -> None:
    (tiny.requirements / "tiny.txt").unlink()

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    assert str(refusal.value) == (
        'requirements/tiny.txt does not exist; write requirements/tiny.in and run "make lock".'
    )
    assert not (tiny.path / "dist").exists()


@pytest.mark.parametrize("limit", ["ZIPPED_LIMIT", "UNZIPPED_LIMIT"])
def test_a_package_over_a_limit_of_lambda_is_refused_and_not_written(
    tiny: Project, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(building, limit, 10)

    with pytest.raises(BuildFailed, match=r"Lambda takes .*Remove dependencies from requirements/tiny\.in\."):
        build(tiny, "tiny")

    assert not (tiny.path / "dist").exists()


def test_the_target_follows_runtime_and_architecture() -> None:
    def target(runtime: str, architecture: str) -> str:
        return lambda_target(PackageConfig("app", runtime, architecture, {})).name

    assert target("python3.13", "x86_64") == "python3.13-x86_64-manylinux_2_28"
    assert target("python3.12", "arm64") == "python3.12-aarch64-manylinux_2_28"
    assert target("python3.11", "arm64") == "python3.11-aarch64-manylinux_2_17"


def test_the_local_package_is_the_one_for_lambda_only_where_both_run_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = PackageConfig("app", "python3.13", "x86_64", {})

    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    assert local_target(config, "3.13") == lambda_target(config)
    assert local_target(config, "3.11") == Target("3.11", None)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert local_target(config, "3.13") == Target("3.13", None)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "darwin")
    assert local_target(config, "3.13") == Target("3.13", None)


# package.toml


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("runtime = ", r"package\.toml is no TOML \(.*\); mend that line\."),
        ("", r'package\.toml names no function; add \[functions\.api\] with handler = "tiny\.main\.handler"\.'),
        ("functions = 3", r"package\.toml names no function"),
        ('colour = "red"', r"package\.toml has colour, which nothing reads; remove it\."),
        ("[functions.api]", r'functions\.api needs a handler such as "app\.main\.handler"\.'),
        ("[functions]\napi = 3", r"functions\.api needs a handler"),
        ('[functions.api]\nhandler = "main"', r"functions\.api needs a handler"),
        (
            '[functions.api]\nhandler = "tiny.gone.handler"',
            r"functions\.api: there is no lambda/tiny/gone\.py for handler tiny\.gone\.handler\.",
        ),
        ('root_files = "run.sh"', r'root_files must be a list of files beside it, such as \["run\.sh"\]\.'),
        ('root_files = ["run.sh"]', r"root_files has 'run\.sh', which is no file beside it; correct the name\."),
        ('root_files = ["../tiny/main.py"]', r"root_files has '\.\./tiny/main\.py', which is no file beside it"),
        (
            'runtime = "python2.7"\n[functions.api]\nhandler = "tiny.main.handler"',
            r"runtime is 'python2\.7'; choose one of python3\.11, python3\.12, python3\.13\.",
        ),
        (
            'architecture = 86\n[functions.api]\nhandler = "tiny.main.handler"',
            r"architecture is 86; choose one of x86_64, arm64\.",
        ),
    ],
)
def test_a_package_toml_that_does_not_fit_is_refused(tiny: Project, content: str, sentence: str) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_text(content)

    with pytest.raises(BadConfiguration, match=f"^lambda/tiny/.*{sentence}"):
        build(tiny, "tiny")

    assert not (tiny.path / "dist").exists()


def test_a_package_toml_of_other_bytes_than_text_is_refused(tiny: Project) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(BadConfiguration, match="is no TOML"):
        build(tiny, "tiny")


def test_runtime_and_architecture_have_defaults(tiny: Project) -> None:
    assert read_config(tiny, "tiny") == PackageConfig("tiny", "python3.13", "x86_64", {"api": "tiny.main.handler"})


def test_an_unknown_app_lists_those_that_exist(tiny: Project) -> None:
    with pytest.raises(UnknownName, match=r"^There is no app huge; choose tiny\.$"):
        build(tiny, "huge")


# The manifest


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"tiny": []}', '{"tiny": {"api": {"path": 1}}}', '{"tiny": {"api": 1}}']
)
def test_a_manifest_that_the_build_did_not_write_is_refused(tiny: Project, content: str) -> None:
    (tiny.path / "dist").mkdir()
    (tiny.path / "dist/manifest.json").write_text(content)

    with pytest.raises(
        BuildFailed, match=r'^dist/manifest\.json is not what the build writes; delete it and run "make build"\.$'
    ):
        build(tiny, "tiny")


def test_builds_at_the_same_time_enter_all_their_functions(tiny: Project) -> None:
    for name in ("one", "two", "three"):
        app = tiny.lambda_path / name
        app.mkdir()
        (app / "main.py").write_text(f"NAME = {name!r}\n")
        (app / "package.toml").write_text(f'[functions.api]\nhandler = "{name}.main.handler"\n')
        (tiny.requirements / f"{name}.txt").touch()
    fresh = Project(tiny.path)

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: build(fresh, name), ["one", "two", "three", "tiny"]))

    assert sorted(read_manifest(tiny.path / "dist")) == ["one", "three", "tiny", "two"]

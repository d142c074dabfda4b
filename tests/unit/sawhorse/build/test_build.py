"""A build gives the same bytes for the same sources, enters what it measured, and refuses in a sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sawhorse.build import package_writer
from sawhorse.build.build import build
from sawhorse.build.compiler_process import version_of
from sawhorse.build.config import read_config
from sawhorse.build.manifest import Entry, code_sha256, read_manifest, write_manifest
from sawhorse.build.zip_writer import Member, content_sha256, pack
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from tests.projects import sample_project
from tests.unit.sawhorse.support import Ended, assert_refused, sawhorse, sha256, tree, write_lock, write_wheel

PACKAGE = Path("dist/sample.zip")


def contents(path: Path | str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def members_in(path: Path) -> list[Member]:
    with zipfile.ZipFile(path) as archive:
        return [
            pack(
                info.filename,
                archive.read(info),
                executable=bool(info.external_attr >> 16 & 0o100),
                from_source=info.filename.endswith(".pyc"),
            )
            for info in archive.infolist()
        ]


def date_every_file(directory: Path, seconds: int) -> None:
    for path in directory.rglob("*"):
        os.utime(path, (seconds, seconds))


@pytest.fixture(scope="module")
def built_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Two projects with the same sources, built at once by two users in two places."""
    here = sample_project(tmp_path_factory.mktemp("here") / "project")
    there = sample_project(tmp_path_factory.mktemp("there") / "another/place/of/the/same/project")
    date_every_file(here.path / "lambda", 1_000_000_000)
    date_every_file(there.path / "lambda", 1_700_000_000)

    def build_here() -> Ended:
        return sawhorse(here, "build", "sample", umask=0o022, variables={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"})

    def build_there() -> Ended:
        home = there.path.parent / "home"
        home.mkdir()
        variables = {"TZ": "America/Los_Angeles", "HOME": str(home), "LC_ALL": "C", "PYTHONHASHSEED": "2"}
        return sawhorse(there, "build", "sample", umask=0o077, variables=variables)

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


def test_the_package_holds_the_app_and_shared_code_and_of_botocore_what_the_app_calls(
    built_twice: tuple[Project, Project],
) -> None:
    names = set(contents(built_twice[0].path / PACKAGE))
    config = read_config(built_twice[0], "sample")

    assert {"sample/main.py", "shared/__init__.py", "fastapi/__init__.py"} <= names
    assert [name for name in names if name.startswith(("boto3", "s3transfer"))] == []
    described = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    # What every call needs: where services are, and whom to trust.
    needed = {"botocore/data/endpoints.json", "botocore/data/partitions.json", "botocore/cacert.pem"}
    if "botocore" in config.provided:
        assert [name for name in names if name.startswith("botocore")] == []
    else:
        assert described == set(config.aws_services or ()) == {"dynamodb"}
        assert needed <= names
    assert [name for name in names if name.endswith(("package.toml", "README.md"))] == []
    assert [name for name in names if name.startswith(("bin/", "tests/", "harness/"))] == []


def test_compiled_modules_are_those_of_lambda(built_twice: tuple[Project, Project]) -> None:
    compiled = [name for name in contents(built_twice[0].path / PACKAGE) if name.endswith(".so")]

    assert compiled
    assert [name for name in compiled if "cpython-313-x86_64-linux-gnu" not in name] == []


def test_the_manifest_says_what_the_zip_is(built_twice: tuple[Project, Project]) -> None:
    project = built_twice[0]
    content = (project.path / PACKAGE).read_bytes()

    assert json.loads((project.path / "dist/manifest.json").read_text()) == {
        "sample": {
            "api": {
                "path": "dist/sample.zip",
                "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
                "content_sha256": content_sha256(members_in(project.path / PACKAGE)),
                "size": len(content),
                "upload": "direct",
                "handler": "sample.main.handler",
                "runtime": "python3.13",
                "architecture": "x86_64",
                "sources_sha256": read_manifest(project.path / "dist")["sample"]["api"].sources_sha256,
                "compiled_by": version_of(str(interpreters.exact_python("3.13", project.path))),
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
    assert [name for name in after if after[name] != before.get(name)] == [
        "tiny/__pycache__/main.cpython-313.pyc",
        "tiny/main.py",
    ]
    assert read_manifest(tiny.path / "dist")["tiny"]["api"].sha256 == second.sha256


def test_building_again_changes_nothing(tiny: Project) -> None:
    assert build(tiny, "tiny").changed
    date_every_file(tiny.lambda_path, 1_000_000_000)
    before = {path: path.stat().st_mtime_ns for path in (tiny.path / "dist").glob("[!.]*")}

    assert not build(tiny, "tiny").changed

    assert {path: path.stat().st_mtime_ns for path in (tiny.path / "dist").glob("[!.]*")} == before


def test_data_files_are_packaged_with_their_executable_bit(tiny: Project) -> None:
    script = tiny.lambda_path / "tiny/bootstrap.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    (tiny.lambda_path / "tiny/data.json").write_text("{}")

    with zipfile.ZipFile(build(tiny, "tiny").path) as archive:
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}

    assert modes["tiny/bootstrap.sh"] == "0o100755"
    assert modes["tiny/data.json"] == "0o100644"


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
    with (tiny.lambda_path / "tiny/main.py").open("a") as source:
        source.write("work = handler\n")

    package = build(tiny, "tiny")

    entries = read_manifest(tiny.path / "dist")["tiny"]
    assert {name: entry.handler for name, entry in entries.items()} == {
        "api": "tiny.main.handler",
        "worker": "tiny.main.work",
    }
    assert {entry.sha256 for entry in entries.values()} == {package.sha256}


def test_entries_of_other_apps_stay(tiny: Project) -> None:
    other = Entry(
        "dist/other.zip", code_sha256(b"x"), code_sha256(b"y"), 1, "other.main.handler", "python3.13", "arm64"
    )
    (tiny.path / "dist").mkdir()
    write_manifest(tiny.path / "dist", {"other": {"api": other}})

    build(tiny, "tiny")

    assert read_manifest(tiny.path / "dist")["other"] == {"api": other}


def test_the_hash_is_written_as_lambda_reports_it() -> None:
    assert code_sha256(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


# What is refused


def test_a_missing_lock_says_how_to_make_it(tiny: Project) -> None:
    (tiny.lambda_path / "tiny/requirements.txt").unlink()

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    assert str(refusal.value) == (
        'lambda/tiny/requirements.txt does not exist; write requirements.in beside it and run "make lock APP=tiny".'
    )
    assert not (tiny.path / "dist").exists()


def test_a_package_over_the_limit_of_lambda_is_refused_with_its_largest_parts_and_not_written(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_writer, "UNZIPPED_LIMIT", 10)

    with pytest.raises(
        BuildFailed,
        match=r"Lambda takes .* Its largest parts, unzipped: tiny itself \d+\. "
        r"Remove dependencies from lambda/tiny/requirements\.in and run \"make lock APP=tiny\"\.",
    ):
        build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny.zip").exists()
    assert not (tiny.path / "dist/manifest.json").exists()


def test_a_package_near_a_limit_of_lambda_is_built_and_every_build_names_its_largest_parts(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = build(tiny, "tiny").size
    monkeypatch.setattr(package_writer, "ZIPPED_LIMIT", size + 10)
    (tiny.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 3\n")

    warnings = [build(tiny, "tiny").warnings, build(tiny, "tiny").warnings]

    assert warnings[0] == warnings[1]
    assert "Its largest parts, unzipped: tiny itself" in warnings[0][0]


def test_a_source_that_is_no_python_is_named_with_its_line_and_dist_stays_as_it_was(tiny: Project) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    (tiny.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return (\n")

    ended = sawhorse(tiny, "build", "tiny")

    assert_refused(ended, "lambda/tiny/main.py, line 2: '(' was never closed. Fix it and build again.")
    assert tree(tiny.path / "dist") == before


@pytest.mark.parametrize("statement", ["import yaml", "from yaml.nodes import Node", "import json, yaml"])
def test_an_import_that_the_package_will_not_have_is_refused(tiny: Project, statement: str) -> None:
    (tiny.lambda_path / "tiny/main.py").write_text(f"{statement}\ndef handler(event, context): ...\n")

    with pytest.raises(
        BuildFailed,
        match=r"^lambda/tiny/main\.py, line 1, imports yaml, which the package of tiny will not have\. Add it to "
        r'lambda/tiny/requirements\.in and run "make lock APP=tiny"; where Lambda has it, name it under "provided" in '
        r'lambda/tiny/package\.toml, and where a layer brings it, under "expected"\.$',
    ):
        build(tiny, "tiny")


@pytest.mark.parametrize(
    "statement",
    [
        "import json, shared",
        "from . import __init__, __name__",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml",
        "import typing\nif typing.TYPE_CHECKING:\n    import yaml",
        "try:\n    import yaml\nexcept ImportError:\n    yaml = None",
        "import sys\nif sys.version_info < (3, 11):\n    import yaml",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import yaml",
        "try:\n    import yaml\nexcept (OSError, ModuleNotFoundError):\n    yaml = None",
    ],
)
def test_an_import_that_the_package_has_or_can_do_without_is_taken(tiny: Project, statement: str) -> None:
    (tiny.lambda_path / "tiny/main.py").write_text(f"{statement}\ndef handler(event, context): ...\n")

    assert build(tiny, "tiny").changed


def test_a_root_file_can_be_imported(tiny: Project) -> None:
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text('root_files = ["helper.py"]\n' + config.read_text())
    (tiny.lambda_path / "tiny/helper.py").touch()
    (tiny.lambda_path / "tiny/main.py").write_text("import helper\ndef handler(event, context): ...\n")

    assert {"helper.py", "__pycache__/helper.cpython-313.pyc"} <= set(contents(build(tiny, "tiny").path))


def test_what_lambda_has_is_left_out_by_the_apps_choice_alone(tiny: Project) -> None:
    config = tiny.lambda_path / "tiny/package.toml"
    (tiny.lambda_path / "tiny/main.py").write_text("import boto3\ndef handler(event, context): ...\n")
    with pytest.raises(BuildFailed, match="imports boto3, which the package of tiny will not have"):
        build(tiny, "tiny")

    config.write_text('provided = ["boto3"]\n' + config.read_text())

    assert "boto3" not in {name.partition("/")[0] for name in contents(build(tiny, "tiny").path)}


# Layers


def test_dependencies_lie_in_a_layer_of_their_own_when_the_app_says_so(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, locked_wheel)
    config = tiny.lambda_path / "tiny/package.toml"
    whole = config.read_text()
    config.write_text(f"layer = true\n{whole}")

    package = build(tiny, "tiny")

    entry = read_manifest(tiny.path / "dist")["tiny"]["api"]
    layer = tiny.path / "dist/tiny-layer.zip"
    assert entry.layer
    assert (entry.layer.path, entry.layer.size) == ("dist/tiny-layer.zip", layer.stat().st_size)
    assert entry.layer.sha256 == code_sha256(layer.read_bytes())
    assert "tinydep/__init__.py" not in contents(package.path)
    assert {"python/tinydep/__init__.py", "python/tinydep/__pycache__/__init__.cpython-313.pyc"} <= set(contents(layer))
    assert {"tiny/main.py", "tiny/__pycache__/main.cpython-313.pyc"} <= set(contents(package.path))

    source = tiny.lambda_path / "tiny/main.py"
    source.write_text(source.read_text() + "# changed\n")
    build(tiny, "tiny")
    changed = read_manifest(tiny.path / "dist")["tiny"]["api"]
    assert changed.layer == entry.layer
    assert changed.content_sha256 != entry.content_sha256

    config.write_text(whole)
    assert "tinydep/__init__.py" in contents(build(tiny, "tiny").path)
    assert read_manifest(tiny.path / "dist")["tiny"]["api"].layer is None
    assert not layer.exists()


@pytest.mark.parametrize("provided", ["", 'provided = ["six"]\n'])
def test_a_layer_of_nothing_is_left_out_since_aws_takes_no_empty_one(
    tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provided: str
) -> None:
    if provided:
        monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
        monkeypatch.setenv("UV_OFFLINE", "1")
        write_lock(tiny, write_wheel(tmp_path / "wheels", {"six.py": b""}, name="six"))
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f"layer = true\n{provided}{config.read_text()}")
    (tiny.path / "dist").mkdir()
    (tiny.path / "dist/tiny-layer.zip").write_bytes(b"of a build before")

    package = build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny-layer.zip").exists()
    assert read_manifest(tiny.path / "dist")["tiny"]["api"].layer is None
    assert "tiny/main.py" in contents(package.path)
    assert not build(tiny, "tiny").changed
    source = tiny.lambda_path / "tiny/main.py"
    source.write_text(source.read_text() + "# changed\n")
    assert build(tiny, "tiny").changed
    assert not (tiny.path / "dist/tiny-layer.zip").exists()


# The manifest


@pytest.mark.parametrize("content", ["{", "[]", "{}x", '"word"'])
def test_a_manifest_that_the_build_did_not_write_is_refused(tiny: Project, content: str) -> None:
    (tiny.path / "dist").mkdir()
    (tiny.path / "dist/manifest.json").write_text(content)

    with pytest.raises(
        BuildFailed, match=r'^dist/manifest\.json is not what the build writes; delete it and run "make build"\.$'
    ):
        build(tiny, "tiny")


@pytest.mark.parametrize("old", [[], {"api": {"path": "dist/old.zip", "sha256": "x", "size": 1}}, {"api": 1}])
def test_entries_of_an_older_build_are_left_out_and_those_of_today_stay(tiny: Project, old: object) -> None:
    build(tiny, "tiny")
    path = tiny.path / "dist/manifest.json"
    today = json.loads(path.read_text())
    path.write_text(json.dumps({"old": old, "other": today["tiny"]}))

    build(tiny, "tiny")

    assert json.loads(path.read_text()) == {"other": today["tiny"], "tiny": today["tiny"]}


def test_builds_at_the_same_time_enter_all_their_functions(tiny: Project) -> None:
    for name in ("one", "two", "three"):
        app = tiny.lambda_path / name
        app.mkdir()
        (app / "main.py").write_text(f"def handler(event, context):\n    return {name!r}\n")
        (app / "package.toml").write_text(f'[functions.api]\nhandler = "{name}.main.handler"\n')
        (tiny.lambda_path / name / "requirements.txt").touch()
    fresh = Project(tiny.path)

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: build(fresh, name), ["one", "two", "three", "tiny"]))

    assert sorted(read_manifest(tiny.path / "dist")) == ["one", "three", "tiny", "two"]

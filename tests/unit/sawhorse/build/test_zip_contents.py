"""Nothing that a zip can hold is outside of the hash which decides about a deployment."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.zip_writer import pack, write_archive
from sawhorse.errors import SawhorseError
from sawhorse.project import Project
from sawhorse.terraform.render import render
from tests.unit.sawhorse.build.swapped import (
    Contents,
    contents_of,
    enter,
    held,
    package_of,
)
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.packages import write_zip
from tests.unit.sawhorse.support import assert_refused, make_tiny_project, sawhorse, sha256, write_lock, write_wheel


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Project:
    """A package with a file of every kind."""
    project = make_tiny_project(tmp_path_factory.mktemp("whole") / "project", repository=repository)
    files = {"run": b"#!/bin/sh\n", "data.json": b"{}" * 40, "start.pth": b"import os\n", "ümlaut.txt": b"x"}
    for name, content in files.items():
        (project.lambda_path / "tiny" / name).write_bytes(content)
    (project.lambda_path / "tiny/run").chmod(0o755)
    build(project, "tiny")
    (project.path / "dist/.build/tiny").unlink()
    return project


def seen(path: Path) -> Contents | None:
    """What unzip programs get of a zip; None where they cannot read it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename: (archive.read(info), bool(info.external_attr >> 16 & 0o111))
                for info in archive.infolist()
            }
    except Exception:  # noqa: BLE001 # a damaged zip is told by many
        return None


def is_noticed(project: Project) -> bool:
    """Say whether a plan refuses the package although the manifest says the hash of its bytes."""
    enter(project)
    try:
        render(project.root("dev/tiny"), as_built=True)
    except SawhorseError:
        return True
    return False


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_a_package_is_noticed_or_changes_nothing_that_runs(
    whole: Project, data: st.DataObject
) -> None:
    path = package_of(whole)
    original = path.read_bytes()
    manifest = (whole.path / "dist/manifest.json").read_bytes()
    before = seen(path)
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        how = data.draw(st.sampled_from(["flip", "insert", "delete"]))
        if how == "flip":
            changed[place] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "insert":
            changed[place:place] = data.draw(st.binary(min_size=1, max_size=4))
        else:
            del changed[place]
    path.write_bytes(changed)
    try:
        assert is_noticed(whole) or seen(path) == before
    finally:
        path.write_bytes(original)
        (whole.path / "dist/manifest.json").write_bytes(manifest)


def with_field(**fields: object) -> Callable[[Path], None]:
    """Write the zip anew with these attributes on one member."""

    def change(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
        with zipfile.ZipFile(path, "w") as archive:
            for info, content in members:
                if info.filename == "tiny/data.json":
                    for name, value in fields.items():
                        setattr(info, name, value)
                archive.writestr(info, content)

    return change


def with_more(name: str, content: bytes = b"", comment: bytes = b"") -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
            # Python warns of a duplicate.
            warnings.simplefilter("ignore")
            if name:
                archive.writestr(zipfile.ZipInfo(name), content)
            archive.comment = comment

    return change


def before_it(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def after_it(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def other_local_name(path: Path) -> None:
    """Another name where the content lies than in the directory at the end."""
    path.write_bytes(path.read_bytes().replace(b"tiny/data.json", b"tiny/evil.json", 1))


def other_order(path: Path) -> None:
    members = [pack(name, data, executable=mode) for name, (data, mode) in contents_of(path).items()]
    with zipfile.ZipFile(path, "w") as archive:
        for member in reversed(members):
            archive.writestr(member.name, contents_of_member(bytes(member.data), member.method))


def contents_of_member(data: bytes, method: int) -> bytes:
    return zlib.decompress(data, -15) if method else data


CHANGES: dict[str, Callable[[Path], None]] = {
    "extra field": with_field(extra=struct.pack("<HH", 0xCAFE, 4) + b"evil"),
    "comment of a member": with_field(comment=b"evil"),
    "comment of the zip": with_more("", comment=b"evil"),
    "mode that nobody may read": with_field(external_attr=0o100600 << 16),
    "mode with setuid": with_field(external_attr=0o104755 << 16),
    "executable": with_field(external_attr=0o100755 << 16),
    "link": with_field(external_attr=0o120777 << 16),
    "another system": with_field(create_system=0),
    "another date": with_field(date_time=(2020, 1, 1, 0, 0, 0)),
    "duplicate": with_more("tiny/data.json", b"evil"),
    "other capitals": with_more("tiny/DATA.json", b"evil"),
    "other normalization": with_more("tiny/u\u0308mlaut.txt", b"evil"),
    "directory": with_more("tiny/empty/"),
    "pth": with_more("evil.pth", b"import evil\n"),
    "customization": with_more("sitecustomize.py", b"evil = 1\n"),
    "library": with_more("tiny/main.cpython-313-x86_64-linux-gnu.so", b"evil"),
    "module before ours": with_more("tiny/main/__init__.py", b"evil = 1\n"),
    "data": with_more("tiny/more.json", b"evil"),
    "bytes before it": before_it,
    "bytes after it": after_it,
    "another local name": other_local_name,
    "another order": other_order,
}


@pytest.mark.parametrize("change", CHANGES)
def test_everything_else_that_a_zip_can_hold_changes_the_hash_or_is_refused(whole: Project, change: str) -> None:
    path = package_of(whole)
    original, manifest = path.read_bytes(), (whole.path / "dist/manifest.json").read_bytes()
    try:
        CHANGES[change](path)
        assert path.read_bytes() != original

        assert is_noticed(whole)
    finally:
        path.write_bytes(original)
        (whole.path / "dist/manifest.json").write_bytes(manifest)


def test_the_package_that_these_change_is_taken(whole: Project) -> None:
    assert not is_noticed(whole)


def test_names_that_differ_in_capitals_or_normalization_alone_count_apart(tmp_path: Path) -> None:
    names = ["a.txt", "A.txt", "\u00fc.txt", "u\u0308.txt"]
    hashes = {held(write_zip(tmp_path / "one.zip", {name: b"x"})).content_sha256 for name in names}

    assert len(hashes) == len(names)


def test_a_wheel_with_bytes_behind_its_compressed_content_is_refused(
    make_tiny: MakeTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken as it is, it would lie in the package, where nothing of it counts."""
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    write_wheel(tmp_path / "wheels", {"odd.py": b"VALUE = 1\n" * 50}, name="odd")
    wheel = tmp_path / "wheels/odd-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        members = [pack(name, archive.read(name)) for name in archive.namelist()]
    longer = [one._replace(data=bytes(one.data) + b"evil") if one.name == "odd.py" else one for one in members]
    wheel.write_bytes(write_archive(longer)[0])
    project = make_tiny("odd-one")
    write_lock(project, f"odd==1.0 --hash=sha256:{sha256(wheel)}\n")

    assert_refused(sawhorse(project, "build", "tiny"), "odd.py, which cannot be unpacked")

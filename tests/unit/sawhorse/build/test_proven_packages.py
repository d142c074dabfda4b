"""Whatever is swapped in a package is caught before it is deployed, and what is proven once stays proven."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.bytecode_client import compile_sources
from sawhorse.build.compiler_process import version_of
from sawhorse.build.manifest import code_sha256, read_manifest, write_manifest
from sawhorse.errors import BuildFailed
from sawhorse.local.overlay import make_overlay
from sawhorse.project import Project
from sawhorse.terraform.render import render
from sawhorse.toolchain import interpreters
from tests.unit.sawhorse.build.swapped import (
    BUILD_AGAIN,
    ISSUER,
    SOURCE,
    SWAPPED,
    contents_of,
    enter,
    evil,
    held,
    package_of,
    swap,
    write_canonical,
)
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.packages import json_of, write_zip
from tests.unit.sawhorse.support import assert_refused, sawhorse, write_lock


def test_swapped_bytecode_with_an_edited_manifest_is_refused_and_built_anew(built: Project, python: Path) -> None:
    package = package_of(built)
    before, content = package.read_bytes(), held(package).content_sha256
    swap(package, {SWAPPED: evil(python)})
    enter(built)
    assert held(package).content_sha256 == content

    inspected = sawhorse(built, "package", "inspect", "tiny", "--no-start")
    refused = [sawhorse(built, "render"), sawhorse(built, "render", "--as-built")]

    assert inspected.code == 1
    assert f"1 files of bytecode are not those of their sources: {SWAPPED} is not what Python 3.13." in inspected.out
    for ended in refused:
        named = f"dist/tiny.zip holds bytecode that is not that of its sources: {SWAPPED} is not what Python 3.13."
        assert_refused(ended, named, BUILD_AGAIN)
    assert not (built.path / "environments/dev/tiny/terraform.tfvars").exists()
    with pytest.raises(BuildFailed, match="bytecode that is not that of its sources"):
        make_overlay(built.root("dev/tiny"), "3.13", issuer=ISSUER)
    assert build(built, "tiny").changed
    assert package.read_bytes() == before
    assert not sawhorse(built, "render").code


def test_swapped_bytecode_is_shown_and_not_run(built: Project, python: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    made, other = compile_sources(
        str(python), "3.13", [("tiny/main.py", SOURCE.encode()), ("tiny/main.py", f"open({str(ran)!r}, 'w')".encode())]
    )
    assert made.bytecode
    assert other.bytecode
    swap(package_of(built), {SWAPPED: made.bytecode[:16] + other.bytecode[16:]})
    enter(built)

    inspected = sawhorse(built, "package", "inspect", "tiny")

    assert inspected.code == 1
    assert "files of bytecode are not those of their sources" in inspected.out
    assert not ran.exists()


@pytest.mark.parametrize("loosen", [lambda path: path.chmod(0o666), lambda path: os.chown(path, 65534, 65534)])
def test_a_zip_that_others_may_write_is_handed_to_nobody_and_built_anew(
    built: Project, loosen: Callable[[Path], None]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("Only root can give a file to another user.")
    loosen(package_of(built))

    assert_refused(sawhorse(built, "render"), "dist/tiny.zip", "so nothing in it is believed")

    build(built, "tiny")
    assert sawhorse(built, "render").code == 0


@pytest.mark.parametrize("remembered", [True, False])
def test_without_its_record_a_package_is_proven_and_what_is_swapped_in_it_is_refused(
    built: Project,
    python: Path,
    remembered: bool,  # noqa: FBT001
) -> None:
    (built.path / "dist/.build/tiny").unlink()
    if remembered:
        render(built.root("dev/tiny"))
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)

    with pytest.raises(BuildFailed, match=rf"not that of its sources: {SWAPPED} is not what"):
        render(built.root("dev/tiny"))


def test_a_swapped_layer_is_refused(make_tiny: MakeTiny, locked_wheel: str, python: Path) -> None:
    project = make_tiny("layered")
    config = project.lambda_path / "tiny/package.toml"
    config.write_text("layer = true\n" + config.read_text())
    write_lock(project, locked_wheel)
    build(project, "tiny")
    dist = project.path / "dist"
    name = "python/tinydep/__pycache__/__init__.cpython-313.pyc"
    swap(dist / "tiny-layer.zip", {name: evil(python, "tinydep/__init__.py", "VALUE = 1\n")})
    entry = read_manifest(dist)["tiny"]["api"]
    assert entry.layer
    digest = code_sha256((dist / "tiny-layer.zip").read_bytes())
    write_manifest(dist, {"tiny": {"api": replace(entry, layer=replace(entry.layer, sha256=digest))}})

    inspected = sawhorse(project, "package", "inspect", str(dist / "tiny-layer.zip"))
    refused = sawhorse(project, "render")

    assert inspected.code == 1
    assert "tinydep/__pycache__/__init__.cpython-313.pyc is not what Python 3.13." in inspected.out
    assert_refused(refused, "dist/tiny-layer.zip holds bytecode that is not that of its sources", BUILD_AGAIN)


def test_a_layer_that_lies_elsewhere_is_refused(make_tiny: MakeTiny, locked_wheel: str) -> None:
    """Lambda would find nothing in it, whatever its content_sha256."""
    project = make_tiny("layered")
    config = project.lambda_path / "tiny/package.toml"
    config.write_text("layer = true\n" + config.read_text())
    write_lock(project, locked_wheel)
    build(project, "tiny")
    dist = project.path / "dist"
    write_canonical(
        dist / "tiny-layer.zip",
        {name.removeprefix("python/"): file for name, file in contents_of(dist / "tiny-layer.zip").items()},
    )
    entry = read_manifest(dist)["tiny"]["api"]
    assert entry.layer
    digest = code_sha256((dist / "tiny-layer.zip").read_bytes())
    write_manifest(dist, {"tiny": {"api": replace(entry, layer=replace(entry.layer, sha256=digest))}})

    assert_refused(sawhorse(project, "render"), "dist/tiny-layer.zip is no zip as a build writes it", BUILD_AGAIN)


def test_another_source_in_the_package_than_in_the_checkout_is_refused(built: Project, python: Path) -> None:
    """Even when the manifest says all of it."""
    source = b"def handler(event, context):\n    return 'evil'\n"
    [made] = compile_sources(str(python), "3.13", [("tiny/main.py", source)])
    assert made.bytecode
    swap(package_of(built), {"tiny/main.py": source, SWAPPED: made.bytecode, "tiny/more.txt": b""})
    enter(built)

    assert_refused(sawhorse(built, "render"), "dist/tiny.zip holds something else than dist/manifest.json says")
    enter(built, content=True)
    named = "dist/tiny.zip holds other files of tiny than stand here: tiny/main.py; tiny/more.txt."
    assert_refused(sawhorse(built, "render"), named, "--as-built")
    assert sawhorse(built, "render", "--as-built").code == 0
    build(built, "tiny")
    assert contents_of(package_of(built))["tiny/main.py"][0] == SOURCE.encode()


def test_what_plan_and_apply_render_first_takes_no_swapped_package_as_built(built: Project, python: Path) -> None:
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)

    # Without credentials a real plan ends earlier, and without an emulator a local one: what both call is asked.
    with pytest.raises(BuildFailed, match="is not what Python"):
        make_overlay(built.root("dev/tiny"), "3.13", issuer=ISSUER, as_built=True)
    with pytest.raises(BuildFailed, match="is not what Python"):
        render(built.root("dev/tiny"), as_built=True)


# --- What the proof costs, and what it believes --------------------------------------------------------------------


def nowhere(*_: object) -> Path | None:
    return None


def test_what_was_built_here_is_not_compiled_again(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "exact_python", nowhere)

    render(built.root("dev/tiny"))

    assert (built.path / "environments/dev/tiny/terraform.tfvars").is_file()


def test_what_was_proven_once_is_not_compiled_again(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (built.path / "dist/.build/tiny").unlink()
    tfvars = built.path / "environments/dev/tiny/terraform.tfvars"
    render(built.root("dev/tiny"))
    tfvars.unlink()
    monkeypatch.setattr(interpreters, "exact_python", nowhere)

    render(built.root("dev/tiny"))

    assert tfvars.is_file()


def test_a_proof_that_nobody_signed_is_not_believed(built: Project, python: Path) -> None:
    (built.path / "dist/.build/tiny").unlink()
    render(built.root("dev/tiny"))
    record = built.path / "dist/.build/tiny.zip.proof"
    before = code_sha256(package_of(built).read_bytes())
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)
    now = code_sha256(package_of(built).read_bytes())
    record.write_bytes(record.read_bytes().replace(before.encode(), now.encode()))

    with pytest.raises(BuildFailed, match="is not what Python"):
        render(built.root("dev/tiny"))


def test_a_record_of_a_build_that_nobody_signed_is_not_believed(built: Project, python: Path) -> None:
    before = code_sha256(package_of(built).read_bytes())
    signed = built.path / "dist/.build/tiny"
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)
    now = code_sha256(package_of(built).read_bytes())
    signed.write_bytes(signed.read_bytes().replace(before.encode(), now.encode()))

    with pytest.raises(BuildFailed, match="is not what Python"):
        render(built.root("dev/tiny"))
    assert build(built, "tiny").sha256 == before


def test_without_the_interpreter_nothing_is_claimed_and_nothing_is_deployed(
    built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built.path / "dist/.build/tiny").unlink()
    monkeypatch.setattr(interpreters, "exact_python", nowhere)

    with pytest.raises(BuildFailed, match=r"^Whether the bytecode of dist/tiny\.zip .* Python 3\.13 is not here"):
        render(built.root("dev/tiny"))


def test_what_another_patch_release_compiled_otherwise_is_not_called_swapped(built: Project, python: Path) -> None:
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built, compiled_by="3.13.99")

    inspected = sawhorse(built, "package", "inspect", "tiny", "--no-start")

    assert inspected.code == 1
    assert "Whether 1 files of bytecode are those of their sources is not known" in inspected.out
    assert f"{SWAPPED} is not what Python {version_of(str(python))} compiles of its source, and Python 3.13.99" in (
        inspected.out
    )
    assert "not those of their sources" not in inspected.out
    assert_refused(sawhorse(built, "render"), "Whether the bytecode of dist/tiny.zip is that of its sources", "3.13.99")


def test_what_another_patch_release_compiled_alike_is_proven(built: Project) -> None:
    enter(built, compiled_by="3.13.99")

    assert sawhorse(built, "render").code == 0
    assert sawhorse(built, "package", "inspect", "tiny", "--no-start").code == 0


def test_the_manifest_says_which_python_compiled(built: Project, python: Path) -> None:
    entry = json.loads((built.path / "dist/manifest.json").read_text())["tiny"]["api"]

    assert entry["compiled_by"] == version_of(str(python))
    assert entry["compiled_by"].startswith("3.13.")


def test_a_package_of_another_builder_is_proven_under_the_names_of_its_sources(
    tiny: Project, tmp_path: Path, python: Path
) -> None:
    place = tmp_path / "somewhere/else"
    (place / "app").mkdir(parents=True)
    for name in ("__init__", "ümlaut", "main"):
        (place / f"app/{name}.py").write_text(f"NAME = {name!r}\n\n\ndef main():\n    return lambda: 'app/main.py'\n")
    for mode in ("unchecked-hash", "checked-hash", "timestamp"):
        subprocess.run(
            [str(python), "-m", "compileall", "-q", "-f", "--invalidation-mode", mode, str(place)], check=True
        )
        files = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        if mode == "timestamp":
            files = {name: dated(content) if name.endswith(".pyc") else content for name, content in files.items()}
        path = write_zip(tmp_path / f"{mode}.zip", files)
        name = "app/__pycache__/main.cpython-313.pyc"
        swapped = {**files, name: files[name].replace(b"main", b"evil")}

        good = json_of(sawhorse(tiny, "package", "inspect", str(path), "--json"))["package"]
        bad = json_of(sawhorse(tiny, "package", "inspect", str(write_zip(path, swapped)), "--json"))["package"]

        assert (good["proof"]["proven"], good["findings"]) == (3, []), mode
        assert (bad["proof"]["proven"], list(bad["proof"]["wrong"])) == (2, [name]), mode


def dated(bytecode: bytes) -> bytes:
    """Let bytecode that is checked by a date say that of a zip."""
    return bytecode[:8] + struct.pack("<I", 315532800) + bytecode[12:]

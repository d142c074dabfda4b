"""Whatever runs decides about a deployment: bytecode is proven by compiling again, or counts whole, or is refused."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import bootstrap
from harness.errors import BuildFailed, SawhorseError
from harness.layout import Project
from harness.local.mirror import mirror
from harness.package.archive import pack, write_archive
from harness.package.build import build
from harness.package.compiling import Judged, bytecode_name, compile_sources, version_of
from harness.package.manifest import code_sha256, read_manifest, write_manifest
from harness.package.opened import opened
from harness.package.proof import Held, fault_of_form, held_in, prove, source_hash
from harness.render import render
from tests.unit.harness.conftest import MakeTiny
from tests.unit.harness.packages import told, write_zip
from tests.unit.harness.support import assert_refused, make_tiny_project, sawhorse, sha256, write_wheel

SOURCE = "def handler(event, context):\n    return 1\n"
SWAPPED = "tiny/__pycache__/main.cpython-313.pyc"
BUILD_AGAIN = 'Run "sawhorse build tiny".'
ISSUER = "http://127.0.0.1:1/"
Contents = dict[str, tuple[bytes, bool]]


@pytest.fixture(scope="module")
def python(repository: Path) -> Path:
    found = bootstrap.exact_python("3.13", repository)
    assert found
    return found


@pytest.fixture
def built(tiny: Project) -> Project:
    """A project whose package is built."""
    build(tiny, "tiny")
    return tiny


def package_of(project: Project) -> Path:
    return project.path / "dist/tiny.zip"


def contents_of(path: Path) -> Contents:
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (archive.read(info), bool(info.external_attr >> 16 & 0o111)) for info in archive.infolist()
        }


def evil(python: Path, name: str = "tiny/main.py", source: str = SOURCE) -> bytes:
    """Bytecode of another program that says it was made from this source."""
    made, other = compile_sources(
        str(python), "3.13", [(name, source.encode()), (name, b"def handler(event, context):\n    return 'evil'\n")]
    )
    assert made.bytecode
    assert other.bytecode
    return made.bytecode[:16] + other.bytecode[16:]


def write_canonical(path: Path, contents: Contents) -> None:
    """Write a zip exactly as a build does."""
    path.write_bytes(write_archive([pack(name, data, executable=mode) for name, (data, mode) in contents.items()])[0])


def swap(path: Path, changes: Mapping[str, bytes]) -> None:
    """Put other contents into a package, whose zip stays one as a build writes it."""
    contents = contents_of(path)
    write_canonical(path, {**contents, **{name: (data, False) for name, data in changes.items()}})


def enter(project: Project, *, content: bool = False, compiled_by: str | None = None) -> None:
    """Let the manifest say the hash of the zip that lies there now; with `content`, also that of its content."""
    dist = project.path / "dist"
    entry = read_manifest(dist)["tiny"]["api"]
    written = package_of(project).read_bytes()
    entry = replace(entry, sha256=code_sha256(written), size=len(written), compiled_by=compiled_by or entry.compiled_by)
    if content:
        entry = replace(entry, content_sha256=held(package_of(project)).content_sha256)
    write_manifest(dist, {"tiny": {"api": entry}})


def held(path: Path) -> Held:
    with opened(path) as package:
        return held_in(package)


# --- What is swapped is caught by plan, by inspect and by build -----------------------------------------------------


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
        mirror(built.root("dev/tiny"), "3.13", issuer=ISSUER)
    assert build(built, "tiny").changed
    assert package.read_bytes() == before
    assert not sawhorse(built, "render").code


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
    (project.requirements / "tiny.txt").write_text(locked_wheel)
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
    (project.requirements / "tiny.txt").write_text(locked_wheel)
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


def test_plan_and_apply_refuse_a_swapped_package_before_terraform_runs(built: Project, python: Path) -> None:
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)

    # Without credentials a real plan ends earlier, and without an emulator a local one: what both call is asked.
    with pytest.raises(BuildFailed, match="is not what Python"):
        mirror(built.root("dev/tiny"), "3.13", issuer=ISSUER, as_built=True)
    with pytest.raises(BuildFailed, match="is not what Python"):
        render(built.root("dev/tiny"), as_built=True)


# --- What the proof costs, and what it believes --------------------------------------------------------------------


def nowhere(*_: object) -> Path | None:
    return None


def test_what_was_built_here_is_not_compiled_again(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "exact_python", nowhere)

    render(built.root("dev/tiny"))


def test_what_was_proven_once_is_not_compiled_again(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (built.path / "dist/.build/tiny").unlink()
    render(built.root("dev/tiny"))
    monkeypatch.setattr(bootstrap, "exact_python", nowhere)

    render(built.root("dev/tiny"))


def test_a_proof_that_nobody_sealed_is_not_believed(built: Project, python: Path) -> None:
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


def test_a_record_of_a_build_that_nobody_sealed_is_not_believed(built: Project, python: Path) -> None:
    before = code_sha256(package_of(built).read_bytes())
    sealed = built.path / "dist/.build/tiny"
    swap(package_of(built), {SWAPPED: evil(python)})
    enter(built)
    now = code_sha256(package_of(built).read_bytes())
    sealed.write_bytes(sealed.read_bytes().replace(before.encode(), now.encode()))

    with pytest.raises(BuildFailed, match="is not what Python"):
        render(built.root("dev/tiny"))
    assert build(built, "tiny").sha256 == before


def test_without_the_interpreter_nothing_is_claimed_and_nothing_is_deployed(
    built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built.path / "dist/.build/tiny").unlink()
    monkeypatch.setattr(bootstrap, "exact_python", nowhere)

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

        good = told(sawhorse(tiny, "package", "inspect", str(path), "--json"))["package"]
        bad = told(sawhorse(tiny, "package", "inspect", str(write_zip(path, swapped)), "--json"))["package"]

        assert (good["proof"]["proven"], good["findings"]) == (3, []), mode
        assert (bad["proof"]["proven"], list(bad["proof"]["wrong"])) == (2, [name]), mode


def dated(bytecode: bytes) -> bytes:
    """Let bytecode that is checked by a date say that of a zip."""
    return bytecode[:8] + struct.pack("<I", 315532800) + bytecode[12:]


# --- What compiles, always compiles alike ---------------------------------------------------------------------------


def test_the_same_source_is_compiled_to_the_same_bytes_in_any_company(python: Path) -> None:
    """Alone, among others, in either order, and in a process that also looks at what is imported."""
    library = Path(importlib.util.__file__).parent.parent
    sources = [(path.name, path.read_bytes()) for path in sorted(library.glob("*.py"))[:60]]
    judged = Judged(own=["tiny"], others=[], expected=[], pruned=["gone"], modules=None, started=[], binding=["ast.py"])

    def bytecode(found: list[tuple[str, bytes]], how: Judged | None = None) -> dict[str, bytes | None]:
        return {one.name: one.bytecode for one in compile_sources(str(python), "3.13", found, how)}

    together = bytecode(sources)
    assert bytecode(sources[::-1]) == together
    assert bytecode(sources, judged) == together
    assert {name: code for one in sources[:8] for name, code in bytecode([one]).items()} == dict(
        list(together.items())[:8]
    )


# --- Bytecode that cannot be proven counts whole, or is refused ----------------------------------------------------

MADE = b"VALUE = 1\n"


def own_bytecode(python: Path) -> bytes:
    [made] = compile_sources(str(python), "3.13", [("a/b.py", MADE)])
    assert made.bytecode
    return made.bytecode


NAME = "a/__pycache__/b.cpython-313.pyc"
KINDS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "without its source": ("a/__pycache__/c.cpython-313.pyc", lambda made: made),
    "where a source would be": ("a/b.pyc", lambda made: made),
    "without a source, where one would be": ("a/c.pyc", lambda made: made),
    "of another Python by its number": (NAME, lambda made: struct.pack("<H", 3531) + made[2:]),
    "of another Python by its name": ("a/__pycache__/b.cpython-312.pyc", lambda made: made),
    "optimized": ("a/__pycache__/b.cpython-313.opt-1.pyc", lambda made: made),
    "optimized twice": ("a/__pycache__/b.cpython-313.opt-2.pyc", lambda made: made),
    "of another implementation": ("a/__pycache__/b.pypy313.pyc", lambda made: made),
    "without a tag": ("a/__pycache__/b.pyc", lambda made: made),
    "checked by its hash": (NAME, lambda made: made[:4] + struct.pack("<I", 3) + made[8:]),
    "checked by a date": (NAME, lambda made: made[:4] + bytes(12) + made[16:]),
    "of flags that nobody knows": (NAME, lambda made: made[:4] + struct.pack("<I", 5) + made[8:]),
    "of another source": (NAME, lambda made: made[:8] + bytes(8) + made[16:]),
    "a header alone": (NAME, lambda made: made[:16]),
    "less than a header": (NAME, lambda made: made[:15]),
    "empty": (NAME, lambda _: b""),
    "in a directory below": ("a/__pycache__/x/b.cpython-313.pyc", lambda made: made),
    "of another spelling": ("a/__PYCACHE__/b.cpython-313.pyc", lambda made: made),
}
PROVEN: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda made: made[:-1],
    "longer": lambda made: made + b"x",
    "twice": lambda made: made + made[16:],
    "another constant": lambda made: made.replace(b"VALUE", b"WALUE"),
    "nothing that can be unmarshalled": lambda made: made[:16] + bytes(20),
    "one byte": lambda made: made[:17],
}


@pytest.mark.parametrize("kind", KINDS)
def test_bytecode_that_no_compiler_proves_counts_whole(tmp_path: Path, python: Path, kind: str) -> None:
    name, make = KINDS[kind]
    usual = {"a/b.py": MADE, NAME: own_bytecode(python)}
    content = make(usual[NAME])
    others = [usual, {**usual, name: content}]
    others += [{**usual, name: content[:-1] + bytes([content[-1] ^ 1])}] if content else []
    others += [{**usual, name: content + b"x"}] if len(content) != 16 else []

    hashes = [held(write_zip(tmp_path / "one.zip", files)).content_sha256 for files in others]

    assert len(set(hashes)) == len(others)


@pytest.mark.parametrize("kind", PROVEN)
def test_bytecode_that_counts_as_its_source_is_proven_or_wrong(tmp_path: Path, python: Path, kind: str) -> None:
    made = own_bytecode(python)
    found = held(write_zip(tmp_path / "one.zip", {"a/b.py": MADE, NAME: PROVEN[kind](made)}))
    right = held(write_zip(tmp_path / "two.zip", {"a/b.py": MADE, NAME: made}))

    assert found.content_sha256 == right.content_sha256
    assert prove(right.compiled, lambda _: python, None).proven == 1
    assert list(prove(found.compiled, lambda _: python, None).wrong) == [NAME]
    assert list(prove(found.compiled, lambda _: python, None, under_any_name=True).wrong) == [NAME]


def test_bytecode_of_a_source_that_is_no_python_is_wrong(tmp_path: Path, python: Path) -> None:
    source, made = b"def (:\n", own_bytecode(python)
    content = made[:8] + source_hash(made, source) + made[16:]
    found = held(write_zip(tmp_path / "one.zip", {"a/b.py": source, NAME: content}))

    assert list(prove(found.compiled, lambda _: python, None).wrong) == [NAME]


def test_a_builds_own_hash_is_that_of_what_is_read_from_its_zip(built: Project, locked_wheel: str) -> None:
    (built.requirements / "tiny.txt").write_text(locked_wheel)
    build(built, "tiny")

    found = held(package_of(built))

    assert found.content_sha256 == read_manifest(built.path / "dist")["tiny"]["api"].content_sha256
    with opened(package_of(built)) as package:
        assert fault_of_form(package, found) is None


@pytest.mark.parametrize("name", ["tinydep/__pycache__/x.cpython-313.pyc", "tinydep/b.pyc", "tiny/__pycache__/x.pyc"])
def test_bytecode_that_no_build_writes_is_told_from_what_one_keeps(built: Project, name: str) -> None:
    swap(package_of(built), {name: b"x" * 20})
    enter(built, content=True)

    ended = sawhorse(built, "render", "--as-built")

    if "__pycache__" in name:
        assert_refused(ended, f"dist/tiny.zip holds bytecode that no build writes: {name}.", BUILD_AGAIN)
    else:
        # It counts whole, so it decides about the deployment.
        assert ended.code == 0, ended


# --- A wheel's own bytecode -----------------------------------------------------------------------------------------


def test_a_wheels_own_bytecode_never_takes_the_place_of_ours(
    make_tiny: MakeTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Path
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    swapped = evil(python, "odd/a.py", "VALUE = 1\n")
    own = {
        "odd/__init__.py": b"",
        "odd/a.py": b"VALUE = 1\n",
        "odd/__pycache__/a.cpython-313.pyc": swapped,
        "odd/__pycache__/a.cpython-312.pyc": swapped,
        "odd/__pycache__/a.cpython-313.opt-1.pyc": swapped,
        "odd/__pycache__/a.pyc": swapped,
        # The source of these is another wheel's, or the app's, or nowhere.
        "other/__pycache__/b.cpython-313.pyc": swapped,
        "tiny/__pycache__/main.cpython-313.pyc": swapped,
        "odd/__pycache__/gone.cpython-313.pyc": swapped,
        "odd/sourceless.pyc": swapped,
        "odd/a.pyc": swapped,
    }
    locks = write_wheel(tmp_path / "wheels", own, name="odd")
    locks += write_wheel(tmp_path / "wheels", {"other/b.py": b"VALUE = 2\n"}, name="other")
    project = make_tiny("odd-one")
    (project.requirements / "tiny.txt").write_text(locks)
    build(project, "tiny")

    found = contents_of(package_of(project))

    assert sorted(name for name, (content, _) in found.items() if content == swapped) == [
        "odd/a.pyc",
        "odd/sourceless.pyc",
    ]
    assert sorted(name for name in found if "__pycache__" in name and name.startswith(("odd/", "other/"))) == [
        "odd/__pycache__/__init__.cpython-313.pyc",
        "odd/__pycache__/a.cpython-313.pyc",
        "other/__pycache__/b.cpython-313.pyc",
    ]
    inspected = told(sawhorse(project, "package", "inspect", "tiny", "--no-start", "--json"))["package"]
    assert inspected["findings"] == []
    assert inspected["bytecode"]["sourceless"] == 2


def test_bytecode_without_a_source_decides_about_the_deployment(
    make_tiny: MakeTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Path
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    project = make_tiny("odd-one")
    hashes = []
    for content in (own_bytecode(python), own_bytecode(python) + b"x"):
        files = {"odd/__init__.py": b"", "odd/sourceless.pyc": content}
        (project.requirements / "tiny.txt").write_text(write_wheel(tmp_path / "wheels", files, name="odd"))
        build(project, "tiny")
        hashes.append(read_manifest(project.path / "dist")["tiny"]["api"].content_sha256)

    assert len(set(hashes)) == 2


# --- Nothing else of a zip is outside the hash ---------------------------------------------------------------------


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
            archive.writestr(member.name, contents_of_member(member.data, member.method))


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
    for member in members:
        if member.name == "odd.py":
            member.data += b"evil"
    wheel.write_bytes(write_archive(members)[0])
    project = make_tiny("odd-one")
    (project.requirements / "tiny.txt").write_text(f"odd==1.0 --hash=sha256:{sha256(wheel)}\n")

    assert_refused(sawhorse(project, "build", "tiny"), "odd.py, which cannot be unpacked")


def test_nothing_of_this_process_gets_into_the_compiler(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"}.items():
        monkeypatch.setenv(name, value)
    source = [("a.py", b'"""Told."""\nassert True\nX = {"a", "b", "c"}\ny = 1 in {"a", "b", "c", 2}\n')]
    first = compile_sources(str(python), "3.13", source)[0].bytecode
    monkeypatch.setenv("PYTHONHASHSEED", "99")

    assert compile_sources(str(python), "3.13", source)[0].bytecode == first
    assert first
    assert b"Told." in first


def test_bytecode_name_is_where_python_looks() -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"

    assert bytecode_name("a/b.py", own) == os.path.relpath(importlib.util.cache_from_source("a/b.py"))
    assert marshal.version >= 2

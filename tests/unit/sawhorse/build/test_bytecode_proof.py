"""Bytecode is proven by compiling again, or counts whole, or is refused; a wheel's own takes no place of ours."""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.bytecode_client import Judged, bytecode_name, compile_sources
from sawhorse.build.bytecode_proof import fault_of_form, prove, source_hash
from sawhorse.build.manifest import read_manifest
from sawhorse.build.zip_reader import opened
from sawhorse.project import Project
from tests.unit.sawhorse.build.swapped import (
    BUILD_AGAIN,
    MADE,
    contents_of,
    enter,
    evil,
    held,
    own_bytecode,
    package_of,
    swap,
)
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.inspect.test_import_variables import SETTINGS
from tests.unit.sawhorse.packages import json_of, write_zip
from tests.unit.sawhorse.support import assert_refused, sawhorse, write_lock, write_wheel

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
    write_lock(built, locked_wheel)
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
    write_lock(project, locks)
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
    inspected = json_of(sawhorse(project, "package", "inspect", "tiny", "--no-start", "--json"))["package"]
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
        write_lock(project, write_wheel(tmp_path / "wheels", files, name="odd"))
        build(project, "tiny")
        hashes.append(read_manifest(project.path / "dist")["tiny"]["api"].content_sha256)

    assert len(set(hashes)) == 2


def test_nothing_of_this_process_gets_into_the_compiler(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"}.items():
        monkeypatch.setenv(name, value)
    # A docstring, an assertion and sets: what these variables would leave out or order otherwise.
    source = [("a.py", b'"""Told."""\nassert True\nX = {"a", "b", "c"}\ny = 1 in {"a", "b", "c", 2}\n')]
    first = compile_sources(str(python), "3.13", source)[0].bytecode
    monkeypatch.setenv("PYTHONHASHSEED", "99")

    assert compile_sources(str(python), "3.13", source)[0].bytecode == first
    assert first
    assert b"Told." in first


def test_bytecode_name_is_where_python_looks() -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"

    assert bytecode_name("a/b.py", own) == os.path.relpath(importlib.util.cache_from_source("a/b.py"))


def test_what_the_compiler_has_loaded_changes_no_bytes() -> None:
    """Under any Python that runs the harness: before 3.12 it counts who else has an interned string."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    judged = Judged(own=["a"], others=[], expected=[], pruned=[], modules={}, started=[], binding=[])
    source = ("a/main.py", f"{SETTINGS}\ndef handler(event, context): ...\nimport json\n".encode())

    [alone] = compile_sources(sys.executable, own, [source])
    [_, after_another, _] = compile_sources(
        sys.executable, own, [("a/__init__.py", b""), source, ("shared/__init__.py", b"")], judged
    )

    assert alone.bytecode == after_another.bytecode

"""Looking into packages: what is in them, whom it belongs to, whether the bytecode fits, and what they import."""

from __future__ import annotations

import io
import json
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from sawhorse.build.bytecode_client import MAGIC
from sawhorse.build.bytecode_proof import held_in
from sawhorse.build.config import RUNTIMES
from sawhorse.build.manifest import code_sha256
from sawhorse.build.zip_reader import opened
from sawhorse.inspect.bytecode_check import Bytecode, examine_bytecode
from sawhorse.inspect.ownership import owners
from sawhorse.inspect.report import Inspection, inspect
from sawhorse.project import Project
from sawhorse.toolchain.interpreters import python_candidates, python_version
from sawhorse.toolchain.machine import Machine, run
from tests.unit.sawhorse.packages import SOURCE, Pack, compiled, json_of, metadata, write_zip
from tests.unit.sawhorse.support import sawhorse

# 1980-01-01 in UTC.
EPOCH_SECONDS = 315532800


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return lambda members, name="one.zip", **fields: write_zip(tmp_path / name, members, **fields)


def looked_at(path: Path, *own: str) -> Inspection:
    with opened(path) as package:
        return inspect(package, {}, own)


def bytecode_of(path: Path) -> Bytecode:
    with opened(path) as package:
        return examine_bytecode(package)


def content_of(path: Path) -> str:
    with opened(path) as package:
        return held_in(package).content_sha256


def owned(path: Path, *own: str) -> dict[str, str]:
    with opened(path) as package:
        return {name: owner.name for name, owner in owners(package, own).items()}


# --- What is in it -----------------------------------------------------------------------------------------------


def test_files_are_told_by_kind_and_by_part(pack: Pack) -> None:
    path = pack(
        {
            "tiny/main.py": SOURCE,
            "tiny/__pycache__/main.cpython-311.pyc": compiled(SOURCE),
            "dep/__init__.py": SOURCE * 10,
            "dep/fast.cpython-311-x86_64-linux-gnu.so": bytes(range(256)) * 9,
            "dep/data.json": b"{}",
            "dep-2.0.dist-info/METADATA": metadata("dep", "2.0"),
        }
    )

    found = looked_at(path, "tiny")

    assert [(part.name, part.version, part.kind, part.files) for part in found.parts] == [
        ("dep", "2.0", "distribution", 4),
        ("tiny", None, "app", 2),
    ]
    assert {kind: share.files for kind, share in found.shares.items()} == {
        "source": 2,
        "bytecode": 1,
        "native": 1,
        "metadata": 1,
        "other": 1,
    }
    assert sum(part.unzipped for part in found.parts) == found.unzipped
    assert sum(share.zipped for share in found.shares.values()) < found.zipped == path.stat().st_size
    assert found.files[0].name == "dep/fast.cpython-311-x86_64-linux-gnu.so"
    assert found.python == "3.11"
    assert found.members == 6


def test_files_belong_to_the_distribution_that_names_them(pack: Pack) -> None:
    path = pack(
        {
            "typing_extensions.py": SOURCE,
            "__pycache__/typing_extensions.cpython-311.pyc": compiled(SOURCE),
            "typing_extensions-4.0.dist-info/METADATA": metadata("typing-extensions"),
            "yaml/__init__.py": SOURCE,
            "_yaml/__init__.py": SOURCE,
            "PyYAML-6.0.dist-info/METADATA": metadata("PyYAML"),
            "telemetry/api/a.py": SOURCE,
            "telemetry_api-1.0.dist-info/METADATA": metadata("telemetry-api"),
            "google/cloud/store/a.py": SOURCE,
            "google/cloud/queue/a.py": SOURCE,
            "google_cloud_store-1.0.dist-info/METADATA": metadata("google-cloud-store"),
            "google_cloud_queue-1.0.dist-info/METADATA": metadata("google-cloud-queue"),
            "odd/a.py": SOURCE,
            "listed-1.0.dist-info/METADATA": metadata("listed"),
            "listed-1.0.dist-info/RECORD": b"odd/a.py,sha256=x,10\n",
            "entered/a.py": SOURCE,
            "other-1.0.dist-info/METADATA": metadata("other"),
            "other-1.0.dist-info/entry_points.txt": b"[console_scripts]\nrun = entered.a:main\n",
            "topped.py": SOURCE,
            "old-1.0.dist-info/METADATA": metadata("old"),
            "old-1.0.dist-info/top_level.txt": b"topped\n",
            "numbers_x.libs/libone.so.1": b"x",
            "numbers_x-1.0.dist-info/METADATA": metadata("numbers-x"),
            "nobody/a.py": SOURCE,
        }
    )

    found = owned(path)

    assert {name: owner for name, owner in found.items() if ".dist-info" not in name} == {
        "typing_extensions.py": "typing-extensions",
        "__pycache__/typing_extensions.cpython-311.pyc": "typing-extensions",
        "yaml/__init__.py": "PyYAML",
        "_yaml/__init__.py": "PyYAML",
        "telemetry/api/a.py": "telemetry-api",
        "google/cloud/store/a.py": "google-cloud-store",
        "google/cloud/queue/a.py": "google-cloud-queue",
        "odd/a.py": "listed",
        "entered/a.py": "other",
        "topped.py": "old",
        "numbers_x.libs/libone.so.1": "numbers-x",
        "nobody/a.py": "nobody",
    }


def test_a_namespace_that_several_distributions_could_have_belongs_to_none(pack: Pack) -> None:
    path = pack(
        {
            "space/shared.py": SOURCE,
            "space_one-1.0.dist-info/METADATA": metadata("space-one"),
            "space_two-1.0.dist-info/METADATA": metadata("space-two"),
        }
    )

    assert owned(path)["space/shared.py"] == "space"


def test_a_layer_is_read_below_its_directory(pack: Pack) -> None:
    path = pack({"python/dep/a.py": SOURCE, "python/dep-1.0.dist-info/METADATA": metadata("dep")})

    assert set(owned(path).values()) == {"dep"}


# --- Bytecode ----------------------------------------------------------------------------------------------------


def test_bytecode_is_told_by_python_and_by_how_it_is_checked(pack: Pack) -> None:
    path = pack(
        {
            **{f"{name}.py": SOURCE for name in ("a", "b", "c", "d")},
            "__pycache__/a.cpython-311.pyc": compiled(SOURCE),
            "__pycache__/b.cpython-313.pyc": compiled(SOURCE, flags=3, magic=3571),
            "__pycache__/c.cpython-311.pyc": compiled(
                SOURCE, flags=0, rest=struct.pack("<II", EPOCH_SECONDS, len(SOURCE))
            ),
            "__pycache__/gone.cpython-311.pyc": compiled(SOURCE),
        }
    )

    found = bytecode_of(path)

    assert found.pythons == {"3.11": 3, "3.13": 1}
    assert found.checks == {"checked-hash": 1, "timestamp": 1, "unchecked-hash": 2}
    assert (found.missing, found.sourceless, found.stale) == (1, 1, {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (compiled(b"VALUE = 2\n"), "(unchecked-hash) was made from another source"),
        (compiled(b"VALUE = 2\n", flags=3), "(checked-hash) was made from another source"),
        (
            compiled(SOURCE, flags=0, rest=struct.pack("<II", EPOCH_SECONDS, 99)),
            "(timestamp) was made from a source of 99 bytes, and this one has 10",
        ),
        (
            compiled(SOURCE, flags=0, rest=struct.pack("<II", EPOCH_SECONDS + 10**9, len(SOURCE))),
            "(timestamp) has another time than its source has in the zip",
        ),
        (compiled(SOURCE, magic=3531), "is named for Python 3.11 and made for 3.12"),
        (b"", "is not bytecode"),
        (b"VALUE = 1\n" * 9, "is not bytecode"),
    ],
)
def test_stale_bytecode_is_found(pack: Pack, content: bytes, why: str) -> None:
    found = bytecode_of(pack({"a.py": SOURCE, "__pycache__/a.cpython-311.pyc": content}))

    assert found.stale == {"__pycache__/a.cpython-311.pyc": why}


@pytest.mark.parametrize("version", sorted(MAGIC))
def test_what_each_python_compiles_is_not_stale(pack: Pack, tmp_path: Path, version: str) -> None:
    candidates = python_candidates(version, Machine.this())
    interpreter = next((one for one in candidates if python_version(one) == version), None)
    if interpreter is None:
        # Its magic number can be compared only where it is.
        pytest.skip(f"Python {version} is not on this machine")
    (tmp_path / "a.py").write_bytes(SOURCE)
    mode = "unchecked-hash"
    run([interpreter, "-m", "compileall", "-q", "--invalidation-mode", mode, tmp_path / "a.py"])
    (made,) = (tmp_path / "__pycache__").iterdir()

    found = bytecode_of(pack({"a.py": SOURCE, f"__pycache__/{made.name}": made.read_bytes()}))

    assert (found.pythons, found.checks, found.stale) == ({version: 1}, {mode: 1}, {})


def test_stale_bytecode_ends_with_a_sentence_and_exit_code_1(pack: Pack, tiny: Project) -> None:
    path = pack({"a.py": SOURCE, "__pycache__/a.cpython-311.pyc": compiled(b"VALUE = 2\n")})

    ended = sawhorse(tiny, "package", "inspect", str(path))

    assert ended.code == 1, ended
    assert "1 of 1 files of bytecode are stale: __pycache__/a.cpython-311.pyc (unchecked-hash)" in ended.out


def test_bytecode_for_another_python_than_the_functions_is_wrong(tmp_path: Path, tiny: Project) -> None:
    path = write_zip(tmp_path / "app.zip", {"a.py": SOURCE, "__pycache__/a.cpython-311.pyc": compiled(SOURCE)})
    measured = {"sha256": code_sha256(path.read_bytes()), "content_sha256": content_of(path)}
    entry = {"path": "dist/app.zip", **measured, "size": 1, "handler": "run.sh"}
    manifest = {"app": {"api": {**entry, "runtime": "python3.12", "architecture": "x86_64"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    ended = sawhorse(tiny, "package", "inspect", str(path), "--json")

    assert ended.code == 1
    finding = json_of(ended)["package"]["findings"][0]
    assert finding.startswith("1 files of bytecode are for Python 3.11; the functions run on Python 3.12,")


# --- What it imports ---------------------------------------------------------------------------------------------


def test_a_built_package_is_inspected_by_the_name_of_its_app(tiny: Project) -> None:
    (tiny.path / "lambda/tiny/main.py").write_text(
        "import shared\nimport sqlite3\n\ndef handler(event, context): ...\n"
    )
    toml = f'runtime = "python{python_here()}"\n[functions.api]\nhandler = "tiny.main.handler"\n'
    (tiny.path / "lambda/tiny/package.toml").write_text(toml)
    assert sawhorse(tiny, "build", "tiny").code == 0

    found = json_of(sawhorse(tiny, "package", "inspect", "tiny", "--json"))

    (start,) = found["starts"]
    assert (start["handler"], start["python"], start["error"]) == ("tiny.main.handler", python_here(), None)
    assert start["total"] > 0
    costly = {one["module"]: one["source"] for one in start["costly"]}
    assert costly["tiny.main"] == "package"
    assert costly["sqlite3"] == "standard library"
    assert list(start["by_source"]) == ["package", "standard library"]
    assert {part["name"]: part["kind"] for part in found["package"]["parts"]} == {"shared": "app", "tiny": "app"}


def test_an_import_that_fails_is_a_sentence_beside_the_rest(pack: Pack, tiny: Project) -> None:
    path = pack({"app/main.py": b"import json, os\nos.environ['TABLE']\n", "app/__init__.py": b""})

    without = sawhorse(tiny, "package", "inspect", str(path), "--handler", "app.main.handler")
    given = sawhorse(tiny, "package", "inspect", str(path), "--handler", "app.main.handler", "--env", "TABLE=x")

    assert without.code == given.code == 0, without
    assert "measured up to what it raised: KeyError: 'TABLE'" in without.out
    assert "app.main" in without.out
    assert "raised" not in given.out


def test_what_runs_does_not_see_this_shell_and_leaves_nothing(
    pack: Pack, tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aside").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "aside"))
    monkeypatch.setenv("OF_THIS_SHELL", "x")
    path = pack({"main.py": b"import os\nprint('said')\nassert 'OF_THIS_SHELL' not in os.environ\n"})

    found = json_of(sawhorse(tiny, "package", "inspect", str(path), "--handler", "main.handler", "--json"))

    assert found["starts"][0]["error"] is None
    assert list((tmp_path / "aside").iterdir()) == []


def test_what_comes_from_a_layer_is_told(tmp_path: Path, tiny: Project) -> None:
    dist = tmp_path / "dist"
    write_zip(dist / "app.zip", {"app/main.py": b"import dep, absent\n"})
    write_zip(dist / "app-layer.zip", {"python/dep/__init__.py": SOURCE})
    archive = {"sha256": code_sha256(b""), "content_sha256": code_sha256(b""), "size": 1}
    layer = {"path": "dist/app-layer.zip", **archive}
    entry = {"path": "dist/app.zip", **archive, "runtime": f"python{python_here()}", "architecture": "x86_64"}
    functions = {"api": {**entry, "handler": "app.main.handler", "layer": layer}, "web": {**entry, "handler": "run.sh"}}
    (dist / "manifest.json").write_text(json.dumps({"app": functions}))

    found = json_of(sawhorse(tiny, "package", "inspect", str(dist / "app.zip"), "--json"))

    (start,) = found["starts"]
    assert start["error"] == "ModuleNotFoundError: No module named 'absent'"
    assert {one["module"]: one["source"] for one in start["costly"]}["dep"] == "layer"
    assert "The handler run.sh is not a module of the package, so nothing of it was imported." in found["notes"]
    assert "The manifest beside it was written for other bytes" in found["package"]["findings"][0]


def test_no_code_runs_unless_a_handler_is_named(pack: Pack, tiny: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = pack({"main.py": f"open({str(ran)!r}, 'w')\n".encode()})

    ended = sawhorse(tiny, "package", "inspect", str(path))

    assert ended.code == 0
    assert "give one with --handler" in ended.out
    assert not ran.exists()


def test_a_python_that_is_not_here_is_a_sentence(pack: Pack, tiny: Project, tmp_path: Path) -> None:
    path = pack({"main.py": SOURCE, "__pycache__/main.cpython-314.pyc": compiled(SOURCE, magic=3627)})
    nowhere = {"PATH": "/usr/bin:/bin", "PYENV_ROOT": str(tmp_path / "no-pyenv")}
    if python_candidates("3.14", Machine(environ=nowhere, home=tmp_path)):
        # Then it cannot be made absent.
        pytest.skip("this machine has Python 3.14 in a place that every shell looks at")

    ended = sawhorse(tiny, "package", "inspect", str(path), "--handler", "main.handler", variables=nowhere)

    assert ended.code == 1, ended
    assert "Python 3.14 is not on this machine, so no import was measured." in ended.out
    assert "Whether 1 files of bytecode are those of their sources is not known: __pycache__/main.cpython" in ended.out


def python_here() -> str:
    """A runtime whose interpreter is surely on this machine: the one that runs this, where Lambda has it."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return own if f"python{own}" in RUNTIMES else "3.13"


def test_an_empty_zip_is_inspected(tmp_path: Path, tiny: Project) -> None:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    (tmp_path / "empty.zip").write_bytes(buffer.getvalue())

    ended = sawhorse(tiny, "package", "inspect", str(tmp_path / "empty.zip"))

    assert (ended.code, ended.err) == (0, "")

"""A package says of its distributions what an installer says: RECORD is true, importlib.metadata works."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.build import build
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import interpreters, python_environments
from sawhorse.toolchain.machine import run_tool
from tests.unit.sawhorse.build.made_wheels import held, make_wheel
from tests.unit.sawhorse.support import sha256, write_lock

METADATA = """Summary: A distribution
License: MIT
Requires-Python: >=3.8
Requires-Dist: beta>=1
Requires-Dist: gamma ; extra == "more"
Provides-Extra: more
"""
FILES = {
    "alpha/__init__.py": b"def main():\n    print('alpha speaks')\n    return 3\n",
    "alpha/data/table.csv": b"1,2\n",
    "alpha/odd, name.txt": b"x",
    "alpha/\u00e9.txt": b"y",
    "alpha_single.py": b"",
    "alpha-1.0.dist-info/entry_points.txt": b"[console_scripts]\nalpha-run = alpha:main\n[plugins]\none = alpha:main\n",
    "alpha-1.0.dist-info/top_level.txt": b"alpha\nalpha_single\n",
    "alpha-1.0.dist-info/licenses/LICENSE": b"free\n",
    "alpha-1.0.data/scripts/alpha-script": b"#!python\nimport alpha\nalpha.main()\n",
    "alpha-1.0.data/scripts/alpha-shell": b"#!/bin/sh\necho shell speaks\n",
    "alpha-1.0.data/data/etc/alpha.conf": b"x = 1\n",
    "alpha-1.0.data/headers/alpha.h": b"",
}
# Run by the functions' Python with the directory alone on its path.
PROGRAM = """
import json, sys
from importlib import metadata
sys.path[:] = [sys.argv[1], *[path for path in sys.path if "site-packages" not in path and path]]
found = {}
for one in sorted(metadata.distributions(path=[sys.argv[1]]), key=lambda one: one.name):
    found[one.name] = {
        "version": one.version,
        "metadata": sorted(map(list, one.metadata.items())),
        "requires": one.requires,
        "entry_points": sorted([point.group, point.name, point.value] for point in one.entry_points),
        "files": sorted(str(file) for file in one.files or []),
        "installer": one.read_text("INSTALLER") is not None,
        "record": one.read_text("RECORD") is not None,
        "hashes": {str(file): file.hash.value for file in one.files or [] if file.hash},
        "sizes": {str(file): file.size for file in one.files or [] if file.size is not None},
    }
tops = {name: sorted(set(names)) for name, names in metadata.packages_distributions().items()}
json.dump({"distributions": found, "tops": tops}, sys.stdout)
"""


@pytest.fixture
def project(tiny: Project) -> Project:
    vendor = tiny.path / "vendor"
    wheels = [
        make_wheel(vendor, "alpha", FILES, metadata=METADATA, executable={"alpha/data/table.csv"}),
        make_wheel(vendor, "beta", {"beta/__init__.py": b"", "beta/tests/test_b.py": b""}),
    ]
    lines = [f"./vendor/{wheel.name} --hash=sha256:{sha256(wheel)}\n" for wheel in wheels]
    write_lock(tiny, "".join(lines))
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f'prune = ["*/tests/*"]\n{config.read_text()}')
    return tiny


def unpacked(project: Project, into: Path) -> Path:
    """Unpack as Lambda does: with the modes that the zip has."""
    path = build(project, "tiny").path
    with zipfile.ZipFile(path) as archive:
        archive.extractall(into)  # built above
        for info in archive.infolist():
            (into / info.filename).chmod(info.external_attr >> 16)
    return into


def installed(project: Project, into: Path) -> Path:
    """Install the same wheels as uv does, with commands."""
    wheels = sorted((project.path / "vendor").glob("*.whl"))
    command: list[str | Path] = [
        python_environments.ensure_uv(project.path),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--offline",
    ]
    python = interpreters.exact_python("3.13", project.path)
    assert python
    result = run_tool([*command, "--python", python, "--target", into, *wheels])
    assert result.returncode == 0, result.stderr
    return into


def inspected(project: Project, directory: Path) -> dict[str, Any]:
    python = interpreters.exact_python("3.13", project.path)
    ended = subprocess.run([str(python), "-I", "-S", "-c", PROGRAM, str(directory)], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def without_commands(files: Mapping[str, Any] | list[str]) -> list[str]:
    """Files without bytecode, without commands, and without what each installer notes of itself."""
    notes = ("REQUESTED", "direct_url.json", "uv_cache.json", "INSTALLER", "RECORD")
    # uv puts headers below `include`, and commands below `bin`.
    return sorted(
        name for name in files
        if not name.endswith((".pyc", *notes)) and not name.startswith(("bin/", "include/", "../"))
    )  # fmt: skip


def test_importlib_metadata_says_what_it_says_after_an_installation(project: Project, tmp_path: Path) -> None:
    ours, theirs = (
        inspected(project, unpacked(project, tmp_path / "ours")),
        inspected(project, installed(project, tmp_path / "uv")),
    )

    assert ours["distributions"].keys() == theirs["distributions"].keys() == {"alpha", "beta"}
    for name, one in ours["distributions"].items():
        other = theirs["distributions"][name]
        for key in ("version", "metadata", "requires", "entry_points", "installer", "record"):
            assert one[key] == other[key], (name, key)
        # What is pruned stands in no RECORD.
        pruned = [file for file in without_commands(other["files"]) if "/tests/" in file]
        assert pruned == (["beta/tests/test_b.py"] if name == "beta" else [])
        assert without_commands(one["files"]) == sorted(set(without_commands(other["files"])) - set(pruned))
        for file in without_commands(one["hashes"]):
            assert one["hashes"][file] == other["hashes"][file]
            assert one["sizes"][file] == other["sizes"][file]
    own = {name: tops for name, tops in theirs["tops"].items() if set(tops) & {"alpha", "beta"}}
    assert {name: tops for name, tops in ours["tops"].items() if set(tops) & {"alpha", "beta"}} == own
    assert own["alpha_single"] == ["alpha"]
    assert ours["distributions"]["alpha"]["requires"] == ["beta>=1", 'gamma ; extra == "more"']


@pytest.mark.parametrize("commands", [False, True])
def test_record_is_true_of_every_file(project: Project, tmp_path: Path, commands: bool) -> None:  # noqa: FBT001
    keep_commands(project, commands=commands)
    package = held_with_bytecode(build(project, "tiny").path)
    listed: dict[str, tuple[str, str]] = {}
    for name in ("alpha", "beta"):
        record = package[f"{name}-1.0.dist-info/RECORD"].decode()
        for file, digest, size in csv.reader(io.StringIO(record)):
            assert file not in listed
            listed[file] = (digest, size)

    app = {file for file in package if file.startswith(("tiny/", "shared/"))}
    assert listed.keys() == package.keys() - app
    for file, (digest, size) in listed.items():
        if file.endswith(("/RECORD", ".pyc")):
            assert (digest, size) == ("", "")
        else:
            right = base64.urlsafe_b64encode(hashlib.sha256(package[file]).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={right}", str(len(package[file])))
    assert package["alpha-1.0.dist-info/INSTALLER"] == b"sawhorse\n"
    assert "alpha/__pycache__/__init__.cpython-313.pyc" in listed


def held_with_bytecode(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def keep_commands(project: Project, *, commands: bool) -> None:
    config = project.lambda_path / "tiny/package.toml"
    config.write_text(f"commands = {str(commands).lower()}\n{config.read_text()}")


def test_commands_are_left_out_unless_package_toml_keeps_them(project: Project) -> None:
    assert not [name for name in held(build(project, "tiny").path) if name.startswith("bin/")]

    keep_commands(project, commands=True)
    package = held(build(project, "tiny").path)

    commands = {name: content for name, content in package.items() if name.startswith("bin/")}
    assert commands.keys() == {"bin/alpha-run", "bin/alpha-script", "bin/alpha-shell"}
    assert all(executable for _, executable in commands.values())
    assert commands["bin/alpha-shell"][0] == b"#!/bin/sh\necho shell speaks\n"
    for name in ("bin/alpha-run", "bin/alpha-script"):
        assert commands[name][0].startswith(b"#!/usr/bin/env python3\n")


def test_commands_that_are_kept_run(project: Project, tmp_path: Path) -> None:
    keep_commands(project, commands=True)
    directory = unpacked(project, tmp_path / "ours")
    python = interpreters.exact_python("3.13", project.path)
    assert python
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/python3").symlink_to(python)
    # As in Lambda, where PYTHONPATH names the package.
    variables = {"PATH": f"{tmp_path / 'programs'}:{os.defpath}", "PYTHONPATH": str(directory)}

    for name, code, said in (
        ("alpha-run", 3, "alpha speaks\n"), ("alpha-script", 0, "alpha speaks\n"), ("alpha-shell", 0, "shell speaks\n"),
    ):  # fmt: skip
        ended = subprocess.run(
            [str(directory / "bin" / name)], env=variables, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (code, said), ended.stderr


@pytest.mark.parametrize(
    ("member", "name", "is_command"),
    [
        ("bin/mod.py", "bin/mod.py", False),
        ("alpha-1.0.data/purelib/bin/mod.py", "bin/mod.py", False),
        ("alpha-1.0.data/platlib/bin/mod.py", "bin/mod.py", False),
        ("alpha-1.0.data/scripts/mod.py", "bin/mod.py", True),
        ("alpha-1.0.data/scripts/deep/mod.py", "bin/deep/mod.py", True),
        ("alpha-1.0.data/data/bin/mod.py", "bin/mod.py", True),
        ("alpha-1.0.data/data/share/bin/mod.py", "share/bin/mod.py", False),
        ("alpha-1.0.data/data/mod.py", "mod.py", False),
    ],
)
@pytest.mark.parametrize("commands", [False, True])
def test_the_scheme_says_what_a_command_is(
    tiny: Project,
    member: str,
    name: str,
    is_command: bool,  # noqa: FBT001
    commands: bool,  # noqa: FBT001
) -> None:
    wheel = make_wheel(tiny.path / "vendor", "alpha", {member: b"VALUE = 1\n", "alpha.py": b""})
    write_lock(tiny, f"./vendor/{wheel.name} --hash=sha256:{sha256(wheel)}\n")
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f"commands = {str(commands).lower()}\n{config.read_text()}")

    names = held(build(tiny, "tiny").path)

    assert (name in names) is (commands or not is_command)
    assert name not in names or names[name][1] is is_command


POINTS = b"[console_scripts]\nmod = alpha:main\n"


@pytest.mark.parametrize(
    ("files", "both"),
    [
        ({"alpha-1.0.data/purelib/bin/mod": b"x", "alpha-1.0.data/scripts/mod": b"y"}, "bin/mod"),
        ({"alpha-1.0.data/purelib/bin/mod": b"x", "alpha-1.0.data/scripts/mod": b"x"}, "bin/mod"),
        ({"bin/mod": b"x", "alpha-1.0.dist-info/entry_points.txt": POINTS}, "bin/mod"),
    ],
)
def test_a_command_of_a_modules_name_stays_out_or_is_refused(tiny: Project, files: dict[str, bytes], both: str) -> None:
    wheel = make_wheel(tiny.path / "vendor", "alpha", files)
    write_lock(tiny, f"./vendor/{wheel.name} --hash=sha256:{sha256(wheel)}\n")
    assert held(build(tiny, "tiny").path)[both] == (b"x", False)

    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f"commands = true\n{config.read_text()}")

    with pytest.raises(BuildFailed, match=rf"line 1: The wheel .* has {both} as a module's file and as a command"):
        build(tiny, "tiny")

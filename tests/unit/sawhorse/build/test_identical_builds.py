"""The same commit gives the same package for anybody, anywhere, at any time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.manifest import read_manifest
from sawhorse.toolchain import interpreters
from sawhorse.toolchain.machine import Machine
from tests.projects import sample_lock
from tests.unit.sawhorse.support import make_tiny_project, sha256, write_lock

APP = "tiny"
# Real wheels, one with a native library; the whole of an app takes five times as long, and nothing else comes of it.
DISTRIBUTIONS = {"annotated-types", "pydantic", "pydantic-core", "typing-extensions", "typing-inspection"}
SOURCE = "import pydantic\n\n\ndef handler(event: object, context: object) -> str:\n    return pydantic.VERSION\n"
NOBODY = 65534
# The directories of tests, and the interpreters of some machines, are closed to other users; what is written is theirs.
REACH = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
# What the build runs under: the clock, the number of cores and the order of directories may be others there.
BUILD = """
import os, sys, time
clock, cores, backwards = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "backwards"
if clock:
    time.time = lambda: clock
os.cpu_count = lambda: cores
listed, scanned = os.listdir, os.scandir
if backwards:
    os.listdir = lambda *given: sorted(listed(*given), reverse=True)
    class Backwards(list):
        __enter__ = lambda self: self
        __exit__ = lambda self, *_: None
        close = lambda self: None
    os.scandir = lambda *given: Backwards(sorted(scanned(*given), key=lambda entry: entry.name, reverse=True))
from pathlib import Path
from sawhorse.project import Project
from sawhorse.build.build import build
project, app = Project(Path(sys.argv[4])), sys.argv[5]
exec(sys.argv[6])
print(build(project, app).sha256)
"""
# What may have happened before a build, or be otherwise in it.
WARM = "import shutil; build(project, app); shutil.rmtree(project.path / 'dist')"
QUICK = """
from sawhorse.build import build as way
main = project.lambda_path / app / "main.py"
text = main.read_text()
main.write_text("import pydantic\\n\\n\\ndef handler(event, context):\\n    return 'other'\\n")
build(project, app)
main.write_text(text)
way.settled = None
assert build(project, app).changed
"""
ONE_COMPILER = "from sawhorse.build import bytecode_client; bytecode_client.WORTH_TWO = 10**9"
TWO_COMPILERS = "from sawhorse.build import bytecode_client; bytecode_client.WORTH_TWO = 1"
COMPRESSED_LESS = "from sawhorse.build import zip_writer; zip_writer.LEVEL = 1"


@dataclass(frozen=True)
class Circumstances:
    """What surrounds a build and must not get into it."""

    name: str
    directory: str = "project"
    umask: int = 0o022
    variables: Mapping[str, str] = field(default_factory=dict)
    dated: int = 1_700_000_000
    clock: float = 0
    cores: int = 2
    order: str = "forwards"
    python: str = ""
    user: int | None = None
    before: str = ""


PLAIN = Circumstances("plain")
ALONE = [
    Circumstances("umask", umask=0o077),
    Circumstances("time zone", variables={"TZ": "Pacific/Kiritimati"}),
    Circumstances("directory", directory="another place/of the/same project"),
    Circumstances("clock", clock=86_400.0, dated=86_400),
    Circumstances("locale", variables={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "0"}),
    Circumstances("file order", order="backwards", variables={"PYTHONHASHSEED": "7"}),
    Circumstances("one process", cores=1),
    Circumstances("Python 3.12", python="3.12"),
    Circumstances("Python 3.13", python="3.13"),
    Circumstances("user", user=NOBODY),
    Circumstances("warm caches", before=WARM),
    Circumstances("one source that changed", before=QUICK),
    Circumstances("one compiler", before=ONE_COMPILER),
    Circumstances("two compilers", before=TWO_COMPILERS),
    Circumstances("settings of Python", variables={"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"}),
]
# What is tried in one build, since none of it excludes another: a build takes seconds, and one that differs is
# repeated with each of its circumstances alone.
AT_ONCE = [
    ("umask", "time zone", "directory", "clock", "one process", "Python 3.12"),
    ("locale", "file order", "user", "one compiler", "settings of Python"),
    ("Python 3.13", "warm caches"),
    ("one source that changed",),
    ("two compilers",),
]


def interpreter_of(circumstances: Circumstances, repository: Path) -> Path | None:
    if not circumstances.python:
        return Path(sys.executable)
    return interpreters.exact_python(circumstances.python, repository, Machine.this())


def run_as(user: int | None) -> Sequence[str]:
    return [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *REACH]


def built(circumstances: Circumstances, home: Path, repository: Path) -> Path:
    """Build in a project of its own, with a cache that knows nothing, and return the package."""
    home.mkdir(exist_ok=True)
    project = make_tiny_project(home / circumstances.directory, repository=repository)
    (project.lambda_path / "tiny/main.py").write_text(SOURCE)
    lock = sample_lock()
    blocks = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)
    write_lock(project, "".join(b for b in blocks if b.split("==")[0] in DISTRIBUTIONS))
    for path in project.lambda_path.rglob("*"):
        os.utime(path, (circumstances.dated, circumstances.dated))
    if circumstances.user is not None:
        for path in [home, *home.rglob("*")]:
            os.chown(path, circumstances.user, circumstances.user, follow_symlinks=False)
    own = {} if circumstances.user is None else {"HOME": str(home), "UV_CACHE_DIR": str(home / "uv")}
    environment = {
        **os.environ,
        **own,
        **circumstances.variables,
        "SAWHORSE_CACHE_DIR": str(home / "cache"),
        "SAWHORSE_STATE_DIR": str(home / "state"),
        # Whatever Python runs the builder, its libraries are these, all of them plain Python.
        "PYTHONPATH": os.pathsep.join(
            [str(repository / "harness"), *(path for path in sys.path if "site-packages" in path)]
        ),
    }
    command = [
        *run_as(circumstances.user), str(interpreter_of(circumstances, repository)), "-c", BUILD,
        str(circumstances.clock), str(circumstances.cores), circumstances.order, str(project.path), APP,
        circumstances.before,
    ]  # fmt: skip
    ended = subprocess.run(
        ["sh", "-c", f'umask {circumstances.umask:o}; exec "$@"', "sh", *command],
        env=environment, cwd=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return project.path / f"dist/{APP}.zip"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    return built(PLAIN, tmp_path_factory.mktemp("plain"), repository)


def at_once(*all_of_them: Circumstances) -> Circumstances:
    """Put circumstances together, of which each may say something else than the plain ones."""
    said: dict[str, Any] = {}
    for one in all_of_them:
        for name, value in vars(one).items():
            if name == "variables":
                said[name] = {**said.get(name, {}), **value}
            elif value != getattr(PLAIN, name):
                assert name == "name" or name not in said, f"{one.name} says {name} as well"
                said[name] = value
    return Circumstances(**{**said, "name": ", ".join(one.name for one in all_of_them)})


def possible(circumstances: Circumstances, repository: Path) -> bool:
    """Say whether this machine has what some circumstances want."""
    if circumstances.user is not None:
        # The kernel lets nobody but root change users.
        return os.geteuid() == 0 and shutil.which("setpriv") is not None
    # Only machines that have another Python can run the harness under it.
    return interpreter_of(circumstances, repository) is not None


def differing(package: Path, plain: Path) -> list[str]:
    """Name what is not the same beside two packages."""
    names = (f"{APP}.zip", "manifest.json", f"{APP}.cdx.json")
    return [name for name in names if (package.parent / name).read_bytes() != (plain.parent / name).read_bytes()]


def test_all_circumstances_are_tried() -> None:
    assert sorted(name for names in AT_ONCE for name in names) == sorted(one.name for one in ALONE)


@pytest.mark.parametrize("names", AT_ONCE, ids=", ".join)
def test_a_build_under_other_circumstances_gives_the_same_bytes(
    plain: Path, tmp_path: Path, repository: Path, names: tuple[str, ...]
) -> None:
    tried = [one for one in ALONE if one.name in names and possible(one, repository)]
    if not tried:
        pytest.skip(f"This machine cannot build under these circumstances: {', '.join(names)}.")

    if differing(built(at_once(*tried), tmp_path / "all", repository), plain):
        alone = {one.name: differing(built(one, tmp_path / one.name, repository), plain) for one in tried}
        assert {name: found for name, found in alone.items() if found} == {}
        pytest.fail(f"Together these make another package, and none of them alone: {', '.join(alone)}.")


def test_another_compression_gives_the_same_content(plain: Path, tmp_path: Path, repository: Path) -> None:
    package = built(Circumstances("compressed less", before=COMPRESSED_LESS), tmp_path, repository)

    assert sha256(package) != sha256(plain)
    first, second = (read_manifest(one.parent)[APP]["api"].content_sha256 for one in (package, plain))
    assert first == second


def test_nothing_in_the_package_names_where_it_was_built(plain: Path, repository: Path) -> None:
    places = [str(plain.parents[1]).encode(), str(repository).encode(), sys.prefix.encode()]
    with zipfile.ZipFile(plain) as archive:
        named = [(name, place) for name in archive.namelist() for place in places if place in archive.read(name)]

    assert named == []

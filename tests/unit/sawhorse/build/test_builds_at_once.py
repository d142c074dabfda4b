"""Builds at the same time, killed, interrupted or not, leave whole packages and a clean cache."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.wheel_cache import Cache
from sawhorse.project import Project
from tests.children import ignoring, started
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import sha256, write_lock, write_wheel

# How often a build is started anew that had ended before the moment came to kill it.
TRIES = 5
SOURCE = "\n".join(
    f"def function_{number}(value):\n    return [value + {number} for _ in 'abc']" for number in range(60)
)


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two wheels that take some tenths of a second to prepare."""
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return "".join(
        write_wheel(tmp_path / "wheels", {f"{name}/m{n}.py": SOURCE.encode() for n in range(40)}, name=name)
        for name in ("first", "second")
    )


def start(project: Project, cache: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    environment = {**os.environ, "SAWHORSE_PROJECT": str(project.path), "SAWHORSE_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "sawhorse.cli.start", "build", "tiny"]
    return started(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def leftovers(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.name.endswith(".tmp") or path.name == "aside"]


def built_before(project: Project, dist: Path) -> tuple[str, float]:
    """Build with nothing prepared; return what is right, and how long it took: in that time another one is killed."""
    began = time.monotonic()
    return build(project, "tiny", dist=dist).sha256, time.monotonic() - began


def killed(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill a build some seconds after its start; say whether it was still at work."""
    time.sleep(seconds)
    at_work = process.poll() is None
    if at_work:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    return at_work


@pytest.mark.drill(short=3)
def test_two_builds_at_once_and_one_killed_in_the_middle_leave_right_packages_and_a_clean_cache(
    make_tiny: MakeTiny, lock: str, tmp_path: Path, cache: Cache, moments: random.Random
) -> None:
    """All three share one cache; the killed one shares its checkout with one that lives."""
    projects = [make_tiny("one"), make_tiny("other")]
    for project in projects:
        write_lock(project, lock)
    right, length = built_before(projects[0], tmp_path / "right")
    for number in range(TRIES):
        shared = tmp_path / f"cache-{number}"
        for project in projects:
            shutil.rmtree(project.path / "dist", ignore_errors=True)
        with start(projects[0], shared) as doomed, start(projects[0], shared) as one, start(projects[1], shared) as two:
            in_the_middle = killed(doomed, moments.uniform(0, length))
            said = [process.communicate(timeout=120)[1] for process in (one, two)]
            assert [one.returncode, two.returncode] == [0, 0], said
        for project in projects:
            # As the next build would find it, and as it is without one.
            assert build(project, "tiny").sha256 == right
            assert sha256(project.path / "dist/tiny.zip") == sha256(tmp_path / "right/tiny.zip")
            assert leftovers(project.path / "dist") == []
        assert leftovers(shared) == []
        if in_the_middle:
            return
    pytest.fail(f"none of {TRIES} builds was killed in the middle")


@pytest.mark.drill(short=3)
def test_the_build_after_a_killed_one_is_right_and_sweeps_what_that_left(
    make_tiny: MakeTiny, lock: str, tmp_path: Path, cache: Cache, moments: random.Random
) -> None:
    project = make_tiny("project")
    write_lock(project, lock)
    right, length = built_before(project, tmp_path / "right")
    shared = tmp_path / "shared"
    with start(project, shared) as doomed:
        killed(doomed, moments.uniform(0, length))

    with start(project, shared) as after:
        assert "Traceback" not in after.communicate(timeout=120)[1]
    assert after.returncode == 0

    assert build(project, "tiny").sha256 == right
    assert leftovers(shared) == []
    assert leftovers(project.path / "dist") == []


# Ctrl-C


@pytest.fixture
def slow(tiny: Project) -> list[str]:
    """The command of a build that takes long: Python has a hard time with one of its sources."""
    nested = "\n".join(f"X{number} = {'[' * 60}{']' * 60}" for number in range(4000))
    (tiny.lambda_path / "tiny/slow.py").write_text(nested)
    return [sys.executable, "-m", "sawhorse.cli.start", "build", "tiny"]


@contextmanager
def interrupted(tiny: Project, command: list[str], moments: random.Random) -> Iterator[subprocess.Popen[str]]:
    """Start a build, and press Ctrl-C when it has begun: the whole group gets the signal, the compiler as well."""
    environment = {**os.environ, "SAWHORSE_PROJECT": str(tiny.path)}
    with started(command, env=environment, stderr=subprocess.PIPE) as process:
        while not (tiny.path / "dist/.build/tiny.lock").exists():
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.2))
        os.killpg(process.pid, signal.SIGINT)
        yield process


@pytest.mark.drill(short=2)
def test_ctrl_c_ends_a_build_with_a_word_and_no_traceback(
    tiny: Project, slow: list[str], moments: random.Random
) -> None:
    with interrupted(tiny, slow, moments) as process:
        assert process.communicate(timeout=30)[1] == "sawhorse: stopped.\n"

    assert process.returncode == 130
    assert not (tiny.path / "dist/tiny.zip").exists()


@pytest.mark.drill(short=2)
def test_a_build_in_the_background_goes_on_when_the_terminal_sends_ctrl_c(
    tiny: Project, slow: list[str], moments: random.Random
) -> None:
    """A shell without job control starts it with SIGINT ignored: it and what it starts belong to nobody's terminal."""
    with interrupted(tiny, [*ignoring("INT"), *slow], moments) as process:
        assert process.communicate(timeout=60)[1] == ""

    assert process.returncode == 0
    assert (tiny.path / "dist/tiny.zip").exists()


# Asks the compiler for something that takes long, and says when it begins.
ASKING = """
import sys
from sawhorse.build.bytecode_client import compile_sources
sources = [(f"slow{number}.py", b"X = " + b"[" * 60 + b"]" * 60) for number in range(20_000)]
try:
    print("now", flush=True)
    compile_sources(sys.executable, f"{sys.version_info[0]}.{sys.version_info[1]}", sources)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.drill(short=10)
def test_the_compiler_is_interrupted_without_a_word_also_while_it_starts(drill_round: int) -> None:
    with started([sys.executable, "-c", ASKING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        # A start of Python takes some tens of milliseconds.
        time.sleep(0.005 * (drill_round % 20))

        os.killpg(process.pid, signal.SIGINT)

        assert process.communicate(timeout=30) == ("interrupted\n", "")

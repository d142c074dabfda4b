"""Builds at the same time, killed or not, leave whole packages and a clean cache."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.layout import Project
from harness.package.build import build
from harness.package.cache import Cache
from tests.unit.harness.conftest import MakeTiny
from tests.unit.harness.support import sha256, write_wheel

ROUNDS = int(os.environ.get("RACES", "20"))
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


def start(project: Project, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "SAWHORSE_PROJECT": str(project.path), "SAWHORSE_CACHE_DIR": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-m", "harness.start", "build", "tiny"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def leftovers(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.name.endswith(".aside") or path.name == "aside"]


def test_two_builds_at_once_and_one_killed_in_the_middle_leave_right_packages_and_a_clean_cache(
    make_tiny: MakeTiny, lock: str, tmp_path: Path, cache: Cache
) -> None:
    """All three share one cache; the killed one shares its checkout with one that lives."""
    projects = [make_tiny("one"), make_tiny("other")]
    for project in projects:
        (project.requirements / "tiny.txt").write_text(lock)
    # How long a build takes here says when to kill one in its middle.
    began = time.monotonic()
    right = build(projects[0], "tiny", dist=tmp_path / "right").sha256
    longest = time.monotonic() - began + 0.3
    moments = random.Random(4)  # noqa: S311 # moments of death, no secrets
    killed = 0
    for number in range(ROUNDS):
        shared = tmp_path / f"cache-{number}"
        for project in projects:
            subprocess.run(["rm", "-rf", str(project.path / "dist")], check=True)
        doomed, *living = [start(projects[0], shared), start(projects[0], shared), start(projects[1], shared)]
        time.sleep(moments.uniform(0, longest))
        if doomed.poll() is None:
            os.killpg(doomed.pid, signal.SIGKILL)
            killed += 1
        said = [process.communicate(timeout=120)[1] for process in (doomed, *living)]
        assert [process.returncode for process in living] == [0, 0], said
        for project in projects:
            # As the next build would find it, and as it is without one.
            assert build(project, "tiny").sha256 == right
            assert sha256(project.path / "dist/tiny.zip") == sha256(tmp_path / "right/tiny.zip")
            assert leftovers(project.path / "dist") == []
        assert leftovers(shared) == []
    assert killed > ROUNDS // 3, "hardly one was killed in the middle"


@pytest.mark.parametrize("moment", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_the_build_after_a_killed_one_is_right_and_sweeps_what_that_left(
    make_tiny: MakeTiny, lock: str, tmp_path: Path, moment: float
) -> None:
    project = make_tiny("project")
    (project.requirements / "tiny.txt").write_text(lock)
    began = time.monotonic()
    right = build(project, "tiny", dist=tmp_path / "right").sha256
    length = time.monotonic() - began
    shared = tmp_path / "shared"
    doomed = start(project, shared)
    time.sleep(length * moment)
    os.killpg(doomed.pid, signal.SIGKILL)
    doomed.communicate()

    after = start(project, shared)

    assert after.communicate(timeout=120)[1].count("Traceback") == 0
    assert after.returncode == 0
    assert build(project, "tiny").sha256 == right
    assert leftovers(shared) == []
    assert leftovers(project.path / "dist") == []

"""What the harness has decides about what apps leave open, and about nothing that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.build.lock_files import HARNESS_LOCK
from sawhorse.build.lock_resolver import make_lock
from sawhorse.cli.lock import main as lock_main
from sawhorse.project import Project
from tests.unit.sawhorse.build.index_server import Index, serving
from tests.unit.sawhorse.build.made_wheels import distributions, make_wheel
from tests.unit.sawhorse.conftest import MakeTiny

pytestmark = pytest.mark.usefixtures("wheel_builder")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with serving(tmp_path / "index") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


@pytest.fixture
def with_harness(make_tiny: MakeTiny, index: Index) -> Project:
    """A project whose harness has older versions of what its app may have."""
    project = make_tiny("project")
    (project.lambda_path / "tiny/requirements.txt").unlink()
    lines = ""
    for name in ("gamma", "delta"):
        for version in ("1.0", "2.0"):
            make_wheel(index.directory, name, {f"{name}.py": version.encode()}, version=version)
        lines += f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n"
    lock = project.path / HARNESS_LOCK
    lock.parent.mkdir(parents=True)
    lock.write_text(f"# made by make lock\n{lines}absent==7\n")
    return project


@pytest.mark.parametrize("options", [[], ["--upgrade"]])
def test_the_harness_decides_about_no_version_that_an_app_asks_for(
    with_harness: Project,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    monkeypatch.setenv("SAWHORSE_PROJECT", str(with_harness.path))
    (with_harness.lambda_path / "tiny/requirements.in").write_text("gamma==2.0\ndelta\n")

    assert lock_main([*options, "tiny"]) == 0

    lock = (with_harness.lambda_path / "tiny/requirements.txt").read_text()
    assert "gamma==2.0" in lock
    # Where the app leaves it open, its unit tests and its package have one version.
    assert "delta==1.0" in lock
    assert "0" * 64 not in lock
    assert distributions(with_harness) == ["delta", "gamma"]
    said = capfd.readouterr().err
    assert (
        f"lambda/tiny/requirements.txt: unit tests run with {HARNESS_LOCK}, and there import gamma 1.0 and not 2.0."
        in said
    )


def test_a_lock_keeps_its_versions_before_those_of_the_harness(with_harness: Project) -> None:
    lock = with_harness.lambda_path / "tiny/requirements.txt"
    (with_harness.lambda_path / "tiny/requirements.in").write_text("delta==2.0\n")
    make_lock(with_harness, "tiny", upgrade=False)
    (with_harness.lambda_path / "tiny/requirements.in").write_text("delta\ngamma\n")
    preferred = with_harness.path / HARNESS_LOCK

    make_lock(with_harness, "tiny", upgrade=False, preferred=preferred)
    assert [name in lock.read_text() for name in ("delta==2.0", "gamma==1.0")] == [True, True]

    make_lock(with_harness, "tiny", upgrade=True, preferred=preferred)
    assert [name in lock.read_text() for name in ("delta==1.0", "gamma==1.0")] == [True, True]

    make_lock(with_harness, "tiny", upgrade=True)
    assert [name in lock.read_text() for name in ("delta==2.0", "gamma==2.0")] == [True, True]

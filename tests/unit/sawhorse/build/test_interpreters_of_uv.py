"""uv is told which Python to use: else it tries all of this machine, and asks the network for one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.lock_resolver import make_lock
from sawhorse.project import Project
from sawhorse.toolchain import interpreters, python_environments
from tests.unit.sawhorse.support import script, write_lock


@pytest.fixture
def tried(tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there once an interpreter on PATH was tried; all of them are shims that lead nowhere."""
    python_environments.ensure_uv(tiny.path)
    mark = tmp_path / "tried"
    names = ("python", "python3", "python3.11", "python3.12", "python3.13", "python3.14")
    for name in names:
        script(tmp_path / "shims" / name, f'echo {name} >> "{mark}"\nexit 127')
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), "/usr/bin", "/bin"]))
    return mark


@pytest.mark.usefixtures("cache")
def test_a_first_build_lets_uv_search_for_no_interpreter(
    tiny: Project, locked_wheel: str, tried: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(tiny, locked_wheel)
    monkeypatch.setattr(interpreters, "exact_python", lambda *_: Path(sys.executable))
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text(f'runtime = "python3.{sys.version_info[1]}"\n{config.read_text()}')

    assert Path(build(tiny, "tiny").path).is_file()

    assert not tried.exists()


@pytest.mark.usefixtures("locked_wheel")
def test_a_lock_lets_uv_search_for_no_interpreter(tiny: Project, tried: Path) -> None:
    (tiny.lambda_path / "tiny/requirements.in").write_text("tinydep\n")

    assert "tinydep==1.0" in make_lock(tiny, "tiny", upgrade=True).read_text()

    assert not tried.exists()

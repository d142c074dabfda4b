"""What the harness makes is for this user alone, whatever the umask of the shell."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.project import Project
from sawhorse.toolchain import installed
from tests.unit.sawhorse.support import make_tiny_project, sawhorse

EXECUTED_ONLY = stat.S_IXGRP | stat.S_IXOTH


@pytest.fixture
def project(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A tiny project with the emulators of this checkout, and a cache and a state of its own."""
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(tmp_path / "state"))
    found = make_tiny_project(tmp_path / "project", repository=repository)
    installed.ensure_emulators(repository)
    (found.path / ".sawhorse/emulators").symlink_to(repository / ".sawhorse/emulators")
    # As a checkout is that anybody may look at.
    found.path.chmod(0o755)
    tmp_path.chmod(0o755)
    yield found
    sawhorse(found, "local", "down")


def reached_by_others(top: Path) -> Iterator[Path]:
    """Walk what others can come to: what lies in a directory that they may enter or list."""
    found = top.lstat().st_mode
    if stat.S_ISLNK(found):
        return
    if found & (0o066 | (EXECUTED_ONLY if stat.S_ISDIR(found) else 0)):
        yield top
        if stat.S_ISDIR(found):
            for entry in top.iterdir():
                yield from reached_by_others(entry)


def is_made_for_itself(path: Path, home: Path) -> bool:
    """Say whether the harness or Terraform made this for no one else to read."""
    parts = path.relative_to(home).parts
    below = parts[:1] in {("cache",), ("state",)} or parts[:2] == ("project", ".sawhorse")
    return below or any(part in {".build", ".terraform"} or "tfstate" in part for part in parts)


@pytest.mark.end_to_end
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_made_on_the_way_is_for_this_user_alone(project: Project, tmp_path: Path, umask: int) -> None:
    for words in (
        ["build"],
        ["render"],
        ["local", "up", "--port", "0"],
        ["plan", "dev/tiny", "--local", "--as-built"],
        ["apply", "dev/tiny", "--local"],
        ["local", "env", "dev/tiny"],
    ):
        ended = sawhorse(project, *words, umask=umask)
        assert ended.code == 0, ended

    state = project.root("dev/tiny").path / "terraform.tfstate.d/local/terraform.tfstate"
    assert state.is_file()
    open_to_others = list(reached_by_others(tmp_path))
    assert project.path / "dist/tiny.zip" in open_to_others
    assert [str(path) for path in open_to_others if is_made_for_itself(path, tmp_path)] == []
    for path in (state.parents[1], state.parent, project.path / ".sawhorse", tmp_path / "cache", tmp_path / "state"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    # Packages and rendered variables keep the modes that they had.
    modes = {name: stat.S_IMODE((project.path / name).stat().st_mode) for name in ("dist", "dist/tiny.zip")}
    assert modes == {"dist": 0o755, "dist/tiny.zip": 0o644}
    assert stat.S_IMODE((project.root("dev/tiny").path / "terraform.tfvars").stat().st_mode) == 0o644

"""The engine knows no app: it names none, and with all of them gone it is linted and tested as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sawhorse.project import Project
from tests.projects import REPOSITORY

APPS = Project(REPOSITORY).apps
# All that belongs to the engine; the Makefile has this repository's choice of an app.
OF_THE_ENGINE = ("harness", "tests", "docs/packages.md", ".ci", "pyproject.toml")
OF_THE_APPS = "tests/apps/"
SECONDS = 5400


def tracked(*places: str) -> list[str]:
    """Return the files of some places that git tracks or would, and that are there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *places]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [name for name in found.split("\0") if name and (REPOSITORY / name).is_file()]


def test_nothing_of_the_engine_names_an_app() -> None:
    if not APPS:
        pytest.skip("there is no app here that could be named")
    names = re.compile("|".join(APPS).encode())
    files = [name for name in tracked(*OF_THE_ENGINE) if not name.startswith(OF_THE_APPS)]
    assert len(files) > 100
    assert [name for name in files if names.search((REPOSITORY / name).read_bytes())] == []


def without_apps(destination: Path) -> Path:
    """Copy the checkout as a commit would have it, without its apps, their modules, roots and tests."""
    for name in tracked():
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, destination / name, follow_symlinks=False)
    for app in APPS:
        for path in (
            destination / "lambda" / app,
            destination / "modules/apps" / app,
            *(destination / "environments").glob(f"*/{app}"),
        ):
            shutil.rmtree(path)
    shutil.rmtree(destination / OF_THE_APPS)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=destination, check=True)
    (destination / ".sawhorse").mkdir(mode=0o700)
    for name in ("tools", "emulators"):
        (destination / ".sawhorse" / name).symlink_to(REPOSITORY / ".sawhorse" / name)
    return destination


@pytest.mark.drill(short=0, most=1)
@pytest.mark.timeout(SECONDS)
@pytest.mark.usefixtures("terraform", "emulators")
def test_without_any_app_the_engine_is_linted_and_tested(tmp_path: Path) -> None:
    clone = without_apps(tmp_path / "clone")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SAWHORSE"))}

    for target in ("check", "test"):
        ended = subprocess.run(
            ["make", target], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"make {target}:\n{(ended.stdout + ended.stderr)[-8000:]}"

    assert Project(clone).apps == []

"""The projects that tests work in: a copy of this one with its apps, or one with the sample app alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sawhorse.build.lock_files import HARNESS_LOCK
from sawhorse.project import Project
from sawhorse.terraform.sync import sync
from sawhorse.toolchain import installed, python_environments

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "tests/sample"
COPIED = ("environments", "harness", "lambda", "modules", "Makefile", "pyproject.toml")
# What belongs to no app.
ENGINE = ("harness", "lambda/shared", "Makefile", "pyproject.toml")
# What is made once for a machine and only read afterwards.
SHARED = ("tools", "emulators")


def copy_of_project(destination: Path) -> Project:
    """Copy the project to a directory of its own, with this machine's tools linked and nothing built."""
    for name in COPIED:
        copied(REPOSITORY / name, destination / name)
    installed.ensure_emulators(REPOSITORY)
    return with_tools(destination)


def sample_project(destination: Path) -> Project:
    """Make a project of the engine, the modules and the sample app, with this machine's tools linked.

    Whoever starts its local AWS asks for the fixture `emulators` as well.
    """
    for name in ENGINE:
        copied(REPOSITORY / name, destination / name)
    for module in modules_of_no_app():
        copied(module, destination / "modules" / module.name)
    copied(SAMPLE, destination)
    (destination / "lambda/sample/requirements.txt").write_text(sample_lock())
    sync(Project(destination).roots)
    return with_tools(destination)


def with_the_sample(destination: Path) -> Path:
    """Link this project's modules, roots and apps into one place with those of the sample, to be planned."""
    for source in (REPOSITORY, SAMPLE):
        for pattern in ("modules/*", "modules/apps/*", "environments/*/*", "lambda/*"):
            for path in source.glob(pattern):
                link = destination / path.relative_to(source)
                if link.exists() or path == source / "modules/apps":
                    continue
                link.parent.mkdir(parents=True, exist_ok=True)
                if path in roots_of_the_sample():
                    # What sync writes into a root is written here and not there.
                    shutil.copytree(path, link)
                else:
                    link.symlink_to(path)
    project = Project(destination)
    sync(project.root(f"{path.parent.name}/{path.name}") for path in roots_of_the_sample())
    return destination


def roots_of_the_sample() -> list[Path]:
    """Return the directories of the sample's roots, which have nothing of what sync writes."""
    return sorted(path.parent for path in (SAMPLE / "environments").glob("*/*/main.tf"))


def every_root() -> list[str]:
    """Name the roots of this checkout, as many as there are, and the sample's."""
    return sorted(
        f"{path.parts[-3]}/{path.parts[-2]}"
        for source in (REPOSITORY, SAMPLE)
        for path in (source / "environments").glob("*/*/main.tf")
    )


def modules_of_no_app() -> list[Path]:
    """Return the directories of the modules of one AWS thing each."""
    return sorted(path for path in (REPOSITORY / "modules").iterdir() if path.name not in {"apps", "examples"})


def sample_lock() -> str:
    """Return the lock of the sample app: the harness's lines of what it needs."""
    names = set((SAMPLE / "lambda/sample/requirements.in").read_text().split("\n", 1)[1].split())
    blocks = re.split(r"^(?=[A-Za-z0-9])", (REPOSITORY / HARNESS_LOCK).read_text(), flags=re.MULTILINE)
    found = [block for block in blocks if block.partition("==")[0] in names]
    assert len(found) == len(names)
    return "".join(found)


def with_tools(destination: Path) -> Project:
    """Link what this machine has of tools and caches into a project."""
    python_environments.ensure_uv(REPOSITORY)
    link_tools(destination)
    return Project(destination)


def link_tools(destination: Path) -> None:
    """Link what this machine has of tools and caches into a checkout."""
    private = destination / ".sawhorse"
    private.mkdir()
    for name in SHARED:
        (private / name).symlink_to(REPOSITORY / ".sawhorse" / name)
    (REPOSITORY / ".sawhorse/cache").mkdir(exist_ok=True)
    (private / "cache").symlink_to(REPOSITORY / ".sawhorse/cache")


def copied(source: Path, destination: Path) -> None:
    """Copy a file or a directory with nothing that is made on the way."""
    if source.is_dir():
        shutil.copytree(source, destination, ignore=ignore_what_is_made, dirs_exist_ok=True)
    else:
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, destination)


def ignore_what_is_made(_directory: str, names: list[str]) -> set[str]:
    made = {"__pycache__", ".terraform", "terraform.tfvars", "backend.tf", "terraform.tfstate.d"}
    return {name for name in names if name in made or name.startswith("terraform.tfstate")}

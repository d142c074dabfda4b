"""Build packages from `lambda/<app>`, `lambda/shared` and the locked wheels, and enter them in the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BuildFailed
from harness.files import locked, write_atomically
from harness.layout import Project
from harness.package.archive import Member, write_archive
from harness.package.config import PackageConfig, read_config
from harness.package.dependencies import Target, install_dependencies, lambda_target
from harness.package.manifest import Entry, code_sha256, read_manifest, write_manifest

# Lambda's limit for a package of uploaded bytes and for its unzipped content
# (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
ZIPPED_LIMIT = 50 * 1024 * 1024
UNZIPPED_LIMIT = 250 * 1024 * 1024
# What lies beside the code for the reader's and the build's sake.
NOT_PACKAGED = {"package.toml", "README.md", "Dockerfile", "Dockerfile.dockerignore"}


@dataclass(frozen=True)
class Package:
    """A package on disk, and whether this build changed it."""

    app: str
    path: Path
    sha256: str
    size: int
    changed: bool


def build(project: Project, app: str, *, dist: Path | None = None, target: Target | None = None) -> Package:
    """Build an app's package into `dist` and enter it in the manifest there."""
    config = read_config(project, app)
    lock = project.requirements / f"{app}.txt"
    if not lock.is_file():
        raise BuildFailed(f'requirements/{app}.txt does not exist; write requirements/{app}.in and run "make lock".')
    dependencies = install_dependencies(project, lock, target or lambda_target(config))
    members = {**files_of(dependencies), **sources_of(project, app, root_files=config.root_files)}
    unzipped = sum(len(member.content) for member in members.values())
    content = write_archive(members)
    if len(content) > ZIPPED_LIMIT or unzipped > UNZIPPED_LIMIT:
        raise BuildFailed(
            f"The package of {app} has {len(content):,} bytes zipped and {unzipped:,} unzipped; Lambda takes "
            f"{ZIPPED_LIMIT:,} and {UNZIPPED_LIMIT:,}. Remove dependencies from requirements/{app}.in."
        )
    dist = dist or project.path / "dist"
    path = dist / f"{app}.zip"
    changed = write_atomically(path, content)
    enter(dist, config, content)
    return Package(app, path, code_sha256(content), len(content), changed)


def sources_of(project: Project, app: str, *, root_files: Sequence[str] = ()) -> dict[str, Member]:
    """Return the app's own files and the shared ones, by their path in the package: as from the source root.

    `root_files` of the app lie at the top instead.
    """
    at_top = {f"{app}/{name}": name for name in root_files}
    return {
        at_top.get(name, name): member
        for part in (app, "shared")
        for name, member in files_of(project.lambda_path / part, prefix=f"{part}/").items()
        if name.rpartition("/")[2] not in NOT_PACKAGED
    }


def files_of(directory: Path, prefix: str = "") -> dict[str, Member]:
    return {
        prefix + path.relative_to(directory).as_posix(): Member(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not is_debris(path.relative_to(directory))
    }


def is_debris(path: Path) -> bool:
    """Say whether a file was left by Python, an editor or a linter: `__pycache__`, `.mypy_cache`, `.swp`.

    Some wheels keep their shared libraries in a directory called `.libs`, which is none.
    """
    hidden_directories = [part for part in path.parts[:-1] if part.startswith(".") and part != ".libs"]
    return "__pycache__" in path.parts or path.name.startswith(".") or bool(hidden_directories)


def enter(dist: Path, config: PackageConfig, content: bytes) -> None:
    """Put a package's functions into the manifest, one build at a time."""
    with locked(dist / ".lock"):
        manifest = read_manifest(dist)
        manifest[config.app] = {
            function: Entry(
                path=f"dist/{config.app}.zip",
                sha256=code_sha256(content),
                size=len(content),
                handler=handler,
                runtime=config.runtime,
                architecture=config.architecture,
            )
            for function, handler in config.handlers.items()
        }
        write_manifest(dist, manifest)

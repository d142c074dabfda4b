"""Install an app's locked wheels for the platform that its function runs on, once per lock and platform."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import bootstrap
from harness.errors import BuildFailed
from harness.files import directory_written_atomically
from harness.layout import Project
from harness.package.config import PackageConfig

# What pip and uv leave behind that no import needs, and that names the machine that installed it.
DEBRIS = ("bin", "__pycache__", ".lock")
DEBRIS_OF_A_DISTRIBUTION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


@dataclass(frozen=True)
class Target:
    """What wheels are chosen for. `platform` is uv's name of it; None stands for this machine's own."""

    python: str
    platform: str | None

    @property
    def name(self) -> str:
        host = f"{platform.system()}-{platform.machine()}".lower()
        return f"python{self.python}-{self.platform or host}"


def lambda_target(config: PackageConfig) -> Target:
    """Return the target of AWS Lambda.

    Amazon Linux 2023 has glibc 2.34 and serves Python 3.12 and newer; Amazon Linux 2, with glibc 2.26, serves 3.11
    (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html).
    """
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[config.architecture]
    glibc = "2_17" if config.python == "3.11" else "2_28"
    return Target(config.python, f"{machine}-manylinux_{glibc}")


def local_target(config: PackageConfig, python: str) -> Target:
    """Return the target of the local AWS, which runs functions under `python` on this machine.

    Where that is what Lambda has as well, both targets are one, and the very same package runs here and there.
    """
    for_lambda = lambda_target(config)
    here = {"arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    same = sys.platform == "linux" and for_lambda.platform is not None and for_lambda.platform.startswith(f"{here}-")
    return for_lambda if same and python == config.python else Target(python, None)


def install_dependencies(project: Project, lock: Path, target: Target) -> Path:
    """Return a directory with the wheels of `lock` for `target`, from the cache or freshly installed."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:20]
    cached = project.private / "cache/dependencies" / f"{lock.stem}-{target.name}-{digest}"
    if not cached.is_dir():
        with directory_written_atomically(cached) as directory:
            run_uv(project, lock, target, directory)
            remove_debris(directory)
    return cached


def run_uv(project: Project, lock: Path, target: Target, directory: Path) -> None:
    if not re.search(r"^[a-zA-Z0-9]", lock.read_text(), re.MULTILINE):
        return
    command: list[str | Path] = [
        bootstrap.ensure_uv(project.path),
        "pip",
        "install",
        "--quiet",
        "--no-config",
        "--target",
        directory,
    ]
    command += ["--python-version", target.python, "--only-binary", ":all:", "--no-deps", "--require-hashes"]
    command += ["--link-mode", "copy", "--python", sys.executable, "-r", lock]
    if target.platform:
        command += ["--python-platform", target.platform]
    result = bootstrap.run_tool(command)
    if result.returncode != 0:
        shown = lock.relative_to(project.path) if lock.is_relative_to(project.path) else lock
        words = "\n  ".join(result.stderr.strip().splitlines()[-8:])
        raise BuildFailed(
            f"The dependencies in {shown} could not be installed for {target.name}; choose versions with wheels "
            f'for it in {shown.with_suffix(".in")}, run "make lock" and build again. uv says:\n  {words}'
        )


def remove_debris(directory: Path) -> None:
    for name in DEBRIS:
        for found in [directory / name, *directory.rglob(name)] if name == "__pycache__" else [directory / name]:
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink(missing_ok=True)
    for name in DEBRIS_OF_A_DISTRIBUTION:
        for found in directory.glob(f"*.dist-info/{name}"):
            found.unlink()

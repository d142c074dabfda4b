"""Name the platform that wheels are chosen for: Lambda's, or this machine's for the local AWS."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from sawhorse.build.config import PackageConfig


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

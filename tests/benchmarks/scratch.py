"""Make scratch places to build in: a checkout of ours, and the same application as each peer wants to have it."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sawhorse.project import Project

# The constant in the file that changes.
CONSTANT = re.compile(r"^DEFAULT_LIMIT = \d+$", re.MULTILINE)
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
SAM_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Function
{metadata}    Properties:
      CodeUri: code/
      Handler: {app}.main.handler
      Runtime: python3.13
      Architectures: [x86_64]
"""
SAM_UV_METADATA = "    Metadata:\n      BuildMethod: python-uv\n"
CHALICE_APP = '''\
"""The sources lie in vendor/, which Chalice packages as they are."""

from chalice import Chalice

app = Chalice(app_name="{app}")


@app.route("/health")
def health():
    from {app}.version import VERSION

    return {{"version": VERSION}}
'''


@dataclass(frozen=True)
class Sources:
    """The application that every builder packages, and the file in it that changes."""

    app: str
    changed: str

    @property
    def directories(self) -> tuple[str, str]:
        """The application's sources, as they lie in a package."""
        return self.app, "shared"


def make_checkout(project: Path, destination: Path) -> Project:
    """Make a checkout that builds packages like the real one: sources copied, locks and tools linked.

    It has no roots, so that a local AWS of its own finds no Terraform state to speak of. What is not installed yet is
    not linked: an installation through a link to nothing fails, and one through a link names a path that goes away.
    """
    shutil.copytree(project / "lambda", destination / "lambda", ignore=IGNORED)
    for name in ("environments", "modules", ".sawhorse"):
        (destination / name).mkdir()
    # Commits before apps had their locks beside them have `requirements`.
    for name in ("harness", "requirements", "pyproject.toml", ".sawhorse/tools", ".sawhorse/emulators"):
        if (project / name).exists():
            (destination / name).symlink_to(project / name)
    return Project(destination)


def make_sam_application(project: Path, destination: Path, sources: Sources, *, with_uv: bool) -> Path:
    """Make a directory that `sam build` takes: the sources with their requirements, and a template of a function."""
    code = destination / "code"
    copy_sources(project, code, sources)
    (code / "requirements.txt").write_text(requirements_of(project, sources.app))
    template = SAM_TEMPLATE.format(app=sources.app, metadata=SAM_UV_METADATA if with_uv else "")
    (destination / "template.yaml").write_text(template)
    return destination


def make_chalice_application(project: Path, destination: Path, sources: Sources) -> Path:
    """Make a directory that `chalice package` takes: an app of its own kind around the same sources."""
    copy_sources(project, destination / "vendor", sources)
    (destination / ".chalice").mkdir()
    config = {"version": "2.0", "app_name": sources.app, "stages": {"dev": {"api_gateway_stage": "api"}}}
    (destination / ".chalice/config.json").write_text(json.dumps(config))
    (destination / "app.py").write_text(CHALICE_APP.format(app=sources.app))
    (destination / "requirements.txt").write_text(requirements_of(project, sources.app))
    return destination


def copy_sources(project: Path, destination: Path, sources: Sources) -> None:
    for name in sources.directories:
        shutil.copytree(project / "lambda" / name, destination / name, ignore=IGNORED)


def requirements_of(project: Path, app: str) -> str:
    """Return the application's locked versions without their hashes, which not every peer can read."""
    return without_hashes((project / f"lambda/{app}/requirements.txt").read_text())


def without_hashes(lock: str) -> str:
    """Return a lock's requirements alone, one a line."""
    lines = (line.rstrip("\\ ").rstrip() for line in lock.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.lstrip().startswith(("#", "--hash")))


def change(source: Path) -> str:
    """Give the constant in a source file a value that it never had, and return the line."""
    line = f"DEFAULT_LIMIT = {time.time_ns()}"
    text, count = CONSTANT.subn(line, source.read_text())
    if count != 1:
        raise ValueError(f"{source} has no line such as DEFAULT_LIMIT = 50; name another constant in {__file__}.")
    source.write_text(text)
    return line

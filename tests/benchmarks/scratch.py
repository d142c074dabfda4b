"""Make scratch places to build in: a checkout of ours, and the same application as each peer wants to have it."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

from sawhorse.project import Project

APP = "triggers_api"
# The application's sources, as they lie in a package.
SOURCES = (APP, "shared")
# The file that changes, and the constant in it. It is not a generated one, and other modules import it.
CHANGED_FILE = f"{APP}/routes.py"
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
      Handler: triggers_api.main.handler
      Runtime: python3.13
      Architectures: [x86_64]
"""
SAM_UV_METADATA = "    Metadata:\n      BuildMethod: python-uv\n"
CHALICE_APP = '''\
"""The sources lie in vendor/, which Chalice packages as they are."""

from chalice import Chalice

app = Chalice(app_name="triggers_api")


@app.route("/health")
def health():
    from triggers_api.version import VERSION

    return {"version": VERSION}
'''
CHALICE_CONFIG = {"version": "2.0", "app_name": APP, "stages": {"dev": {"api_gateway_stage": "api"}}}


def make_checkout(project: Path, destination: Path) -> Project:
    """Make a checkout that builds packages like the real one: sources copied, locks and tools linked.

    It has no roots, so that a local AWS of its own finds no Terraform state to speak of. What is not installed yet is
    not linked: an installation through a link to nothing fails, and one through a link names a path that goes away.
    """
    shutil.copytree(project / "lambda", destination / "lambda", ignore=IGNORED)
    for name in ("environments", "modules", ".sawhorse"):
        (destination / name).mkdir()
    for name in ("harness", "pyproject.toml", ".sawhorse/tools", ".sawhorse/emulators"):
        if (project / name).exists():
            (destination / name).symlink_to(project / name)
    return Project(destination)


def make_sam_application(project: Path, destination: Path, *, with_uv: bool) -> Path:
    """Make a directory that `sam build` takes: the sources with their requirements, and a template of a function."""
    code = destination / "code"
    copy_sources(project, code)
    (code / "requirements.txt").write_text(requirements_of(project))
    (destination / "template.yaml").write_text(SAM_TEMPLATE.format(metadata=SAM_UV_METADATA if with_uv else ""))
    return destination


def make_chalice_application(project: Path, destination: Path) -> Path:
    """Make a directory that `chalice package` takes: an app of its own kind around the same sources."""
    copy_sources(project, destination / "vendor")
    (destination / ".chalice").mkdir()
    (destination / ".chalice/config.json").write_text(json.dumps(CHALICE_CONFIG))
    (destination / "app.py").write_text(CHALICE_APP)
    (destination / "requirements.txt").write_text(requirements_of(project))
    return destination


def copy_sources(project: Path, destination: Path) -> None:
    for name in SOURCES:
        shutil.copytree(project / "lambda" / name, destination / name, ignore=IGNORED)


def requirements_of(project: Path) -> str:
    """Return the application's locked versions without their hashes, which not every peer can read."""
    return without_hashes((project / f"lambda/{APP}/requirements.txt").read_text())


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

"""What tests of the harness share: the command line as a process, a tiny app, a tiny wheel, trees to compare."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sawhorse.build.manifest import Archive, code_sha256
from sawhorse.build.package_writer import LAYER_PREFIX
from sawhorse.build.zip_writer import content_sha256, pack, write_archive
from sawhorse.project import Project
from sawhorse.terraform.sync import files_of, sync

WHEEL_FILES = {
    "tinydep/__init__.py": b"VALUE = 1\n",
    "tinydep/__main__.py": b"def main() -> None: ...\n",
    "tinydep-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntinydep = tinydep.__main__:main\n",
}
# The region and the account of what tests make on the local AWS, as ARNs have them.
PLACE = "us-east-1:111111111111"
# Lets Lambda act as a role.
LAMBDA_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


def sawhorse(
    project: Project,
    *arguments: str,
    umask: int = 0o022,
    variables: Mapping[str, str] | None = None,
    limits: str = ":",
) -> Ended:
    """Run the command line in a process of its own, with these variables besides this process's.

    `limits` is what its shell says first, such as `ulimit -f 200` for files of at most 200 blocks of 512 bytes.
    """
    # The shell umask is set by a process of its own: Popen's would need a fork of this one.
    command = f"umask {umask:o}; {limits}; exec {sys.executable} -W error -m sawhorse.cli.start " + '"$@"'
    result = subprocess.run(
        ["sh", "-c", command, "sawhorse", *arguments],
        cwd=project.path,
        env={**os.environ, "SAWHORSE_PROJECT": str(project.path), **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ended(result.returncode, result.stdout, result.stderr)


def assert_refused(ended: Ended, *words: str) -> None:
    """The command ended with a sentence on standard error that holds these words, and no traceback."""
    assert ended.code == 2, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    last = ended.err.strip().splitlines()[-1]
    for word in words:
        assert word in last
    assert last.startswith("sawhorse: ")
    assert last.endswith((".", '"', ")"))


def assert_inspected(project: Project, app: str) -> None:
    """Build an app as a new user does, look into its package, and fail unless that tells of no error."""
    assert sawhorse(project, "build", app).code == 0

    ended = sawhorse(project, "package", "inspect", app)

    assert ended.code == 0, ended
    assert ended.err.startswith(f"Reading dist/{app}.zip ...\n")
    assert "raised" not in ended.out
    assert "Error" not in ended.out
    assert ended.out.count("Start of ") >= 1


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory by its path, links not followed."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def write_wheel(directory: Path, files: Mapping[str, bytes] = WHEEL_FILES, *, name: str = "tinydep") -> str:
    """Write a wheel that nobody publishes, version 1.0, and return the line that locks it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-1.0-py3-none-any.whl"
    information = f"{name}-1.0.dist-info"
    metadata = {
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    all_files = {**files, **metadata}
    record = "".join(f"{path},sha256={urlsafe(content)},{len(content)}\n" for path, content in all_files.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in all_files.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{information}/RECORD", f"{record}{information}/RECORD,,\n")
    return f"{name}==1.0 --hash=sha256:{sha256(path)}\n"


def write_lock(project: Project, lock: str) -> None:
    """Let these be the dependencies of the app `tiny`."""
    (project.lambda_path / "tiny/requirements.txt").write_text(lock)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def make_tiny_project(path: Path, *, repository: Path) -> Project:
    """Write a project of one app, `tiny`, with one environment and one root; the tools of `repository` are linked.

    The root decides nothing, and has what `sawhorse sync` writes into it.
    """
    files: Mapping[str, str] = {
        "pyproject.toml": "",
        "modules/.gitkeep": "",
        "environments/dev/environment.yaml": 'account_id: "111111111111"\nregion: us-east-1\nproduction: false\n',
        "environments/dev/tiny/main.tf": "# Nothing is decided here.\n",
        "lambda/shared/__init__.py": "",
        "lambda/tiny/__init__.py": "",
        "lambda/tiny/main.py": "def handler(event, context):\n    return 1\n",
        "lambda/tiny/package.toml": '[functions.api]\nhandler = "tiny.main.handler"\n',
        "lambda/tiny/requirements.txt": "",
    }
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    (path / ".sawhorse").mkdir()
    (path / ".sawhorse/tools").symlink_to(repository / ".sawhorse/tools")
    sync(Project(path).roots)
    return Project(path)


def plain_root(project: Project) -> Path:
    """Return the directory of the tiny root without what sync wrote, so that Terraform needs no provider in it."""
    root = project.root("dev/tiny")
    for file in files_of([root]):
        file.path.unlink()
    return root.path


def make_layer(dist: Path, *, size: int | None = None, upload: str = "direct") -> Archive:
    """Write the layer of the tiny app into `dist`, and return what a build would have measured of it."""
    members = [pack("tinydep/__init__.py", b"VALUE = 1\n")]
    content = write_archive(members, LAYER_PREFIX)[0]
    (dist / "tiny-layer.zip").write_bytes(content)
    measured = (code_sha256(content), content_sha256(members), size or len(content))
    return Archive("dist/tiny-layer.zip", *measured, upload=upload)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@contextlib.contextmanager
def as_a_user_without_rights() -> Iterator[None]:
    """Root may enter every directory, so a test of rights runs as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)

"""A provider is checked against the lock at an init, and again once a file of it is another one, and not in between."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sawhorse.errors import CommandFailed
from sawhorse.plans.plan import Tool
from sawhorse.project import Project
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.runner import Terraform
from tests.unit.sawhorse.support import plain_root

ADDRESS = "registry.terraform.io/sample/sample"
CONFIGURATION = """
terraform {
  required_providers {
    sample = {
      source = "sample/sample"
    }
  }
}
"""


@dataclass
class Directory:
    """A directory of Terraform whose provider comes from a mirror, and is locked; it is no program, and never run."""

    terraform: Terraform
    provider: Path
    lock: Path

    @property
    def lock_in_use(self) -> str:
        return (self.terraform.directory / LOCK).read_text()


def hash_of(provider: Path) -> str:
    """Hash a provider of one file as its lock does (`h1`, https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1)."""
    line = f"{hashlib.sha256(provider.read_bytes()).hexdigest()}  {provider.name}\n"
    return "h1:" + base64.b64encode(hashlib.sha256(line.encode()).digest()).decode()


@pytest.fixture
def directory(terraform: Tool, tiny: Project, tmp_path: Path) -> Directory:
    root = plain_root(tiny)
    machine = "arm64" if platform.machine() in {"aarch64", "arm64"} else "amd64"
    provider = tmp_path / f"mirror/{ADDRESS}/1.0.0/{sys.platform}_{machine}/terraform-provider-sample_v1.0.0"
    provider.parent.mkdir(parents=True)
    provider.write_text("one\n")
    provider.chmod(0o755)
    mirror = tmp_path / "terraform.rc"
    mirror.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/mirror"\n  }}\n}}\n')
    (root / "main.tf").write_text(CONFIGURATION)
    lock = tmp_path / "lock.hcl"
    lock.write_text(
        f'provider "{ADDRESS}" {{\n  version = "1.0.0"\n  hashes = [\n    "{hash_of(provider)}",\n  ]\n}}\n'
    )
    one = Terraform(tiny, root, environment={"TF_CLI_CONFIG_FILE": str(mirror)}, local=True)
    one.checked_once = lock
    return Directory(one, provider, lock)


def test_what_was_checked_is_not_checked_again(directory: Directory, capfd: pytest.CaptureFixture[str]) -> None:
    directory.terraform.init()
    assert "hashes" not in directory.lock_in_use
    assert "1.0.0" in directory.lock_in_use
    capfd.readouterr()

    directory.terraform.init()

    assert capfd.readouterr() == ("", "")


def test_another_provider_than_the_locked_one_is_refused_though_it_was_checked_before(directory: Directory) -> None:
    directory.terraform.init()
    was = directory.provider.stat()
    directory.provider.write_text("two\n")
    # Whoever swaps it can set its time, and its length, but not the time of that.
    os.utime(directory.provider, ns=(was.st_atime_ns, was.st_mtime_ns))

    for _ in range(2):
        with pytest.raises(CommandFailed, match="terraform init failed"):
            directory.terraform.init()

    directory.provider.write_text("one\n")
    directory.terraform.init()


def test_a_provider_that_is_taken_away_is_looked_for_again(directory: Directory) -> None:
    directory.terraform.init()
    directory.provider.rename(directory.provider.with_name("elsewhere"))

    with pytest.raises(CommandFailed, match="terraform init failed"):
        directory.terraform.init()


def test_another_lock_is_checked_against(directory: Directory) -> None:
    directory.terraform.init()
    sound = directory.lock.read_text()
    directory.lock.write_text(sound.replace(hash_of(directory.provider), f"h1:{'A' * 43}="))

    with pytest.raises(CommandFailed, match="terraform init failed"):
        directory.terraform.init()

    directory.lock.write_text(sound)
    directory.terraform.init()


def test_where_every_run_is_to_check_the_lock_stays_as_it_is(directory: Directory) -> None:
    directory.terraform.checked_once = None
    lock = directory.terraform.directory / LOCK
    lock.write_text(directory.lock.read_text())

    directory.terraform.init()

    assert lock.read_text() == directory.lock.read_text()

"""Let Terraform check its providers against a lock once for each file of theirs, and not at every run.

Every command of Terraform hashes what its lock has hashes of, and the provider of AWS has 700 MB.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sawhorse.files import write_shared

LOCK = ".terraform.lock.hcl"
# Where Terraform installs providers of a directory, or links them from a mirror or a cache of plugins.
PROVIDERS = ".terraform/providers"
HASHES = re.compile(r"^  hashes = \[.*?^  \]\n", flags=re.MULTILINE | re.DOTALL)


def take_hashes(directory: Path, lock: Path) -> None:
    """Give a directory that lock with all of its hashes, for an init to check what it installs."""
    write_shared(directory / LOCK, lock.read_text())


def forget_hashes(directory: Path) -> None:
    """Take the hashes out of the lock of a directory that was initialized with them: later runs check nothing again."""
    lock = directory / LOCK
    write_shared(lock, HASHES.sub("", lock.read_text()))


def files_of_providers(directory: Path) -> Iterator[str]:
    """Walk what tells whether a file of a provider is still the one that an init has checked.

    The time of its last change (`st_ctime_ns`) is the kernel's own: nobody but root can set it.
    """
    for place, directories, names in os.walk(directory / PROVIDERS, followlinks=True):
        directories.sort()
        for name in sorted(names):
            path = Path(place, name)
            # What a link leads to is not there once its mirror was taken away.
            found = path.stat() if path.exists() else path.lstat()
            yield f"{path} {found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"

"""Say who holds the lock of a state, since when, and what releases it."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import platform
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from sawhorse.printable import one_line

# What Terraform calls what it locks a state for, and what its commands are called.
OPERATIONS = {
    "OperationTypeApply": "apply",
    "OperationTypePlan": "plan",
    "OperationTypeRefresh": "refresh",
    "backend from plan": "apply",
    "migration destination state": "init -migrate-state",
    "migration source state": "init -migrate-state",
    "state-push": "state push",
}
MOVE = "sawhorse state move"


@dataclass(frozen=True)
class Lock:
    """A lock as Terraform writes it, in `<key>.tflock` or `.terraform.tfstate.lock.info`.

    `is_of_a_file` says that the system holds it for a process, and lets go of it when that ends.
    """

    id: str
    who: str
    operation: str
    created: str
    info: str = ""
    is_of_a_file: bool = False

    @classmethod
    def read(cls, content: bytes, *, is_of_a_file: bool = False) -> Lock:
        """Read what was written; of what no Terraform wrote, as much as there is."""
        try:
            found: Any = json.loads(content)
        except ValueError:
            found = None
        said = found if isinstance(found, dict) else {}
        words = {name: one_line(str(said.get(name) or "")) for name in ("ID", "Who", "Operation", "Created", "Info")}
        return cls(words["ID"], words["Who"], words["Operation"], words["Created"], words["Info"], is_of_a_file)

    @property
    def as_terraform(self) -> dict[str, str]:
        """The lock by Terraform's names."""
        return {
            "ID": self.id,
            "Operation": self.operation,
            "Info": self.info,
            "Who": self.who,
            "Created": self.created,
        }

    @property
    def since(self) -> str:
        """When it was taken, to the second, in UTC."""
        moment = self.created.replace("T", " ")
        return f"{moment[:19]} UTC" if moment else "a moment that it does not name"

    @property
    def is_left_behind(self) -> bool:
        """Whether a move of a state took it, on this machine, whose process is known to have ended."""
        if self.operation != MOVE or self.who != this_user():
            return False
        try:
            pid, _, started = self.info.partition(" ")
            return bool(psutil.Process(int(pid)).create_time() != float(started))
        except psutil.NoSuchProcess:
            return True
        except ValueError:
            return False

    def told(self, root: str, *, local: bool) -> str:
        """Say who holds it, and what is to be done about it."""
        operation = OPERATIONS.get(self.operation, self.operation)
        what = f"{self.who or 'Somebody'} has held the lock of {root} since {self.since}"
        what += f" ({operation})." if operation else "."
        if self.is_of_a_file:
            return f"{what} It is that of a process on this machine; wait until that ends, or end it."
        command = f"sawhorse state unlock {root}{' --local' if local else ''} {self.id}"
        return f'{what} Wait until that run ends; if it is over, release the lock with "{command}".'


def this_user() -> str:
    """Name whoever runs this, as Terraform does in its locks."""
    return f"{getpass.getuser()}@{platform.node()}"


def new_lock(operation: str) -> Lock:
    """Return a lock of this process."""
    created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return Lock(str(uuid.uuid4()), this_user(), operation, created, f"{os.getpid()} {psutil.Process().create_time()}")


def lock_of_file(state: Path) -> Lock | None:
    """Return the lock of a state in a file; None when no process holds it, whatever one that was killed has left."""
    if not is_locked(state):
        return None
    content = b""
    with contextlib.suppress(OSError):
        content = state.with_name(f".{state.name}.lock.info").read_bytes()
    return Lock.read(content, is_of_a_file=True)


def is_locked(path: Path) -> bool:
    """Whether another process holds Terraform's lock of a file, which is one of POSIX."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Held for no longer than it takes to ask; Terraform tries again for a while.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    else:
        return False
    finally:
        os.close(descriptor)

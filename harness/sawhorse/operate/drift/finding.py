"""What was found to differ, as data, and what every look for it is given."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sawhorse.operate.releases.applied import values_of
from sawhorse.operate.releases.record import Record
from sawhorse.terraform.state_store import State

# How services say that a thing is not there: then a plan makes it again, and says so.
GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "PolicyNotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


@dataclass(frozen=True)
class Finding:
    """One difference: its kind, the address in the state that it belongs to, what it is, and what to do."""

    kind: str
    address: str
    sentence: str
    fix: str


@dataclass(frozen=True)
class Asked:
    """What a look is given: the root's name, its state, the record of its releases, and clients by service."""

    root: str
    local: bool
    state: State
    record: Record
    client: Callable[[str], Any]

    def command(self, name: str) -> str:
        """Write a command of ours for this root, in quotes."""
        return f'"sawhorse {name} {self.root}{" --local" if self.local else ""}"'

    def known(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the resources of a type that the state has: addresses and values."""
        return list(values_of(self.state, kind))


Look = Callable[[Asked], Iterator[Finding]]


@contextlib.contextmanager
def unless_gone() -> Iterator[None]:
    """Go on where something is not there, which a plan tells. Raises every other error of AWS."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def same_policy(one: str | None, other: str | None) -> bool:
    """Compare two policies as JSON; none and an empty one are the same."""
    return bool(parsed(one) == parsed(other))


def parsed(policy: str | None) -> Any:
    try:
        return json.loads(policy or "null") or None
    except ValueError:
        return policy


def number(things: int, one: str) -> str:
    return f"1 {one}" if things == 1 else f"{things} {one}s"

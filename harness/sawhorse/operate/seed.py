"""Put in what an app needs before its first call: keys, sample data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from sawhorse.errors import UnknownName
from sawhorse.operations import file_of, operation
from sawhorse.project import Root
from sawhorse.workspace import Deployment


@dataclass(frozen=True)
class Seeded:
    """What was put in: a line for each, and secrets by name, which are shown once."""

    lines: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class SeedModule(Protocol):
    """What `lambda/<app>/ops/seed.py` offers."""

    def seed(self, deployment: Deployment) -> Seeded:
        """Put in what the app needs."""

    def still_valid(self, deployment: Deployment, secrets: Mapping[str, str]) -> bool:
        """Say whether the secrets of an earlier seed still open what they opened."""

    def calls(self, deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
        """Return lines that show how to call the app from a shell."""


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a call with a token."""
    return {"Authorization": f"Bearer {token}"}


def seed_module(root: Root) -> SeedModule:
    """Find the seed of a root's app."""
    module = operation(root.project, root.app, "seed")
    if module is None:
        raise UnknownName(f"{root.app} has nothing to seed; write {file_of(root.app, 'seed')} if it needs to.")
    return cast("SeedModule", module)

"""Put in what an app needs before its first call: keys, sample data."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from harness.errors import UnknownName
from harness.workspace import Deployment


@dataclass(frozen=True)
class Seeded:
    """What was put in: a line for each, and secrets by name, which are shown once."""

    lines: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class SeedModule(Protocol):
    """What `harness/seed/<app>.py` offers."""

    def seed(self, deployment: Deployment) -> Seeded:
        """Put in what the app needs."""

    def still_valid(self, deployment: Deployment, secrets: Mapping[str, str]) -> bool:
        """Say whether the secrets of an earlier seed still open what they opened."""

    def calls(self, deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
        """Return lines that show how to call the app from a shell."""


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a call with a token."""
    return {"Authorization": f"Bearer {token}"}


def seed_module(app: str) -> SeedModule:
    """Find an app's seed."""
    name = f"{__name__}.{app}"
    try:
        return cast("SeedModule", importlib.import_module(name))
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnknownName(f"{app} has nothing to seed; write harness/seed/{app}.py if it needs to.") from None

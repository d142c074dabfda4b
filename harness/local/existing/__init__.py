"""Make on the local AWS what an account is expected to have before a root is applied: another team's role, for one.

What an app expects stands in `harness/local/existing/<app>.py`; most expect nothing and have no such file.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from harness.environment import Environment

ClientOf = Callable[[str], Any]


def make_existing(app: str, client_of: ClientOf, environment: Environment) -> None:
    """Make what the app expects, unless it is there; `client_of` makes clients of the local AWS."""
    name = f"{__name__}.{app}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return
    module.make(client_of, environment)

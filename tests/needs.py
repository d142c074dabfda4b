"""Mark what a test needs besides Python, by its fixtures, so that `make test-fast` can leave it out: a plugin.

A test that runs Terraform asks for `terraform`; one that starts the local AWS, or whose fixtures do, for `emulators`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# The fixtures that say it, and the markers of the same names; `local_aws` and what is made of it ask for `emulators`.
NEEDS = ("emulators", "terraform")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in NEEDS:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(name)

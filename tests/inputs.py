"""Try properties with fewer inputs where time is short, as `make test-fast` does: a plugin of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis

from tests.counts import at_least_one

if TYPE_CHECKING:
    import pytest

# Where Hypothesis keeps a test's settings, at its function; its own plugin of pytest reads them there too.
SETTINGS = "_hypothesis_internal_use_settings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--inputs-by",
        type=at_least_one("parts"),
        metavar="N",
        default=1,
        help="try each property with one of N parts of its inputs",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave each property one input at least; what it names as its examples is always tried."""
    by = config.getoption("inputs_by")
    tests = {getattr(item, "obj", None) for item in items if by > 1}
    for function in {getattr(test, "__func__", test) for test in tests}:
        if hypothesis.is_hypothesis_test(function):
            given = getattr(function, SETTINGS)
            setattr(function, SETTINGS, hypothesis.settings(given, max_examples=max(given.max_examples // by, 1)))

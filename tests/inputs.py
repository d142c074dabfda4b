"""Try properties with fewer inputs where time is short, as `make test-fast` does: a plugin of pytest."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import hypothesis

if TYPE_CHECKING:
    import pytest

# Where Hypothesis keeps a test's settings, at its function; its own plugin of pytest reads them there too.
SETTINGS = "_hypothesis_internal_use_settings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--inputs-by",
        type=at_least_one,
        metavar="N",
        default=1,
        help="divide the number of inputs that each property is tried with by N",
    )


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} divides nothing; name 1 or more.")
    return int(text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave each property one input at least; what it names as its examples is always tried."""
    by = config.getoption("inputs_by")
    tests = {getattr(item, "obj", None) for item in items if by > 1}
    for function in {getattr(test, "__func__", test) for test in tests}:
        if hypothesis.is_hypothesis_test(function):
            given = getattr(function, SETTINGS)
            setattr(function, SETTINGS, hypothesis.settings(given, max_examples=max(given.max_examples // by, 1)))

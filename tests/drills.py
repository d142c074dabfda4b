"""Repeat tests that kill, interrupt or race something: a few rounds in the suite, many in `make drill`.

Each round is a test of its own, with fixtures and a time limit of its own. What takes too long for the suite has no
short form (`short=0`), and what gives the same in every round says so (`most=1`).
"""

from __future__ import annotations

import random

import pytest

from tests.counts import at_least_one


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rounds",
        type=at_least_one("rounds"),
        metavar="N",
        help="rounds of each test that is marked as a drill; few without it",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("drill")
    if marker is None:
        return
    rounds = metafunc.config.getoption("rounds") or max(marker.kwargs["short"], 1)
    rounds = min(rounds, marker.kwargs.get("most", rounds))
    metafunc.fixturenames.append("drill_round")
    metafunc.parametrize("drill_round", range(rounds), ids=lambda number: f"round {number + 1}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("rounds"):
        return
    markers = [(item, item.get_closest_marker("drill")) for item in items]
    long = [item for item, marker in markers if marker and not marker.kwargs["short"]]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


@pytest.fixture
def moments(drill_round: int) -> random.Random:
    """Where in its work something is hit: elsewhere in each round, and there again when the round is repeated."""
    return random.Random(drill_round)  # noqa: S311 # moments, no secrets

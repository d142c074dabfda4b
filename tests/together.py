"""Send files that look at the same plans or applied apps to one process, the slowest kinds first: a plugin of pytest.

What a process has made, such as a plan or an applied root, serves its later files. Small files come last, so that all
processes end together.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Files that lie apart; of an app, all files below its `end_to_end` go together, for the sake of its applied root.
TOGETHER = (
    # Plans of every root and every example.
    (
        "tests/apps/every/plans/test_alarms.py",
        "tests/apps/every/plans/test_roots.py",
        "tests/apps/every/plans/test_deployers.py",
        "tests/plans/test_permissions.py",
        "tests/plans/test_readmes.py",
    ),
    # One plan of every change and every promise, and one state from before.
    ("tests/plans/test_cases.py", "tests/plans/test_promises.py", "tests/plans/test_mutants.py"),
    # The prepared wheels of an app.
    ("tests/unit/sawhorse/build/test_build.py", "tests/unit/sawhorse/build/test_compiled_packages.py"),
)
OF_AN_APP = re.compile(r"tests/apps/(?!every/)\w+/end_to_end/")
# One file that takes as long as half of the whole run, so that it has to begin with it.
LONGEST = ("tests/workflows/test_deploys.py",)
# A drill waits for most of its time, which is best done while others work.
SLOWEST_FIRST = ("end_to_end", "whole_plans", "drill")


def group_of(nodeid: str) -> str:
    """Return what a test shares a process for: a directory, the first of files that go together, or its own file."""
    file = nodeid.split("::", 1)[0]
    directory = OF_AN_APP.match(file)
    return directory[0] if directory else next((group[0] for group in TOGETHER if file in group), file)


class Together(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Like `--dist loadfile`, but for the files that go together."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return Together(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    places = dict.fromkeys(LONGEST, -1)
    for item in items:
        place = next((n for n, name in enumerate(SLOWEST_FIRST) if item.get_closest_marker(name)), len(SLOWEST_FIRST))
        group = group_of(item.nodeid)
        places[group] = min(place, places.get(group, place))
    items.sort(key=lambda item: places[group_of(item.nodeid)])

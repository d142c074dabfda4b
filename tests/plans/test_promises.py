"""Every module plans what its file of promises says, and nothing else.

`tests/plans/promises/MODULE.yaml` says what is given, and `REFRESH_PLANS=1` writes what is then planned: all that comes
of the base, and for each further case what is planned otherwise. Give values that differ from each other and from every
default, so that no two can be taken for one another, and read what was written before you keep it.
"""

from __future__ import annotations

from typing import Any

import pytest

from sawhorse.plans.plan import Plan
from sawhorse.plans.promises import Promise, planned_of, read_promises, refresh_promises
from tests.planning import PROMISES, all_promises
from tests.projects import REPOSITORY

pytestmark = pytest.mark.whole_plans

ALL = all_promises()
REFRESH = "REFRESH_PLANS=1 python -m pytest tests/plans/test_promises.py"


@pytest.fixture(scope="module")
def found(changes_plan: Plan, refresh: str | None) -> dict[str, dict[str, Any]]:
    """What is planned of every case; written into the files first when that is asked for."""
    found = planned_of(changes_plan, [promise.name for promise in ALL])
    if refresh:
        for path in PROMISES:
            refresh_promises(path, found)
    return found


@pytest.mark.parametrize("promise", ALL, ids=lambda promise: promise.name)
def test_a_module_plans_what_it_promises_and_nothing_else(promise: Promise, found: dict[str, dict[str, Any]]) -> None:
    # What was just written is read again.
    now = next(one for path in PROMISES for one in read_promises(path) if one.name == promise.name)
    differences = "\n".join(now.differences(found[promise.name]))
    assert not differences, f"{differences}\nWhen the plan is right, rewrite the file: {REFRESH}"


def test_every_module_that_makes_something_has_promises() -> None:
    making = {path.parent.name for path in (REPOSITORY / "modules").glob("*/*.tf") if "\nresource " in path.read_text()}
    assert {path.stem for path in PROMISES} == making

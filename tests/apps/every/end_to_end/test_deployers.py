"""The deployer of every root does all that there is to do with it, and needs every permission that it has."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.operate.deployer.policies import operations_of
from tests.deploying import DONE_WITHOUT, Deployer, Tampering, have_deployers_made, steps_of
from tests.end_to_end.support import Sawhorse, brought_up
from tests.growing import grow
from tests.projects import copy_of_project

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(5400),
    # What a step fails without once it fails without always.
    pytest.mark.drill(short=0, most=1),
]

LOG = logging.getLogger(__name__)
REPOSITORY = Path(__file__).resolve().parents[4]
ENVIRONMENT = "dev"
ROOTS = sorted(
    f"{ENVIRONMENT}/{path.parent.name}" for path in (REPOSITORY / "environments" / ENVIRONMENT).glob("*/main.tf")
)


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A copy of the project with a local AWS of its own, on which every root has its deployer and none is applied."""
    with brought_up(copy_of_project(tmp_path_factory.mktemp("deployers") / "project")) as command:
        have_deployers_made(command, ENVIRONMENT)
        yield command


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The kinds of permissions that some step of an earlier root failed without."""
    return set()


@pytest.mark.parametrize("root", ROOTS)
def test_every_permission_is_needed_by_some_step(sawhorse: Sawhorse, known: set[str], root: str) -> None:
    """A kind that an earlier root needed is needed here where it allows a call that nothing else allows.

    What an app's own seed and smoke checks ask for is taken away from each.
    """
    deployer = Deployer(sawhorse, root)
    rules = [rule for rules in operations_of(sawhorse.project.root(root)).values() for rule in rules]
    own = {action for rule in rules for action in (*rule.read, *rule.write)}
    start = time.monotonic()
    growth = grow(
        deployer,
        steps_of(deployer, Tampering(deployer)),
        frozenset(kind for kind in known if kind.partition(" ")[0] not in own),
    )
    known |= {one.kind for one in growth.granted}
    LOG.info(
        "%s: %d permissions in %d statements, %d of them judged here; %d runs in %.0f s with %d calls; done without %s",
        root,
        len(deployer.permissions),
        deployer.statements,
        len(deployer.proven),
        growth.runs,
        time.monotonic() - start,
        sum(growth.calls.values()),
        sorted(growth.refused(deployer.permissions)),
    )
    assert growth.idle == set()
    assert growth.refused(deployer.permissions) <= DONE_WITHOUT

"""Smoke turns red when any grant of any role is lost, so that a policy that was cut by hand is seen at once."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from sawhorse.operate.smoke import Result, run_checks
from sawhorse.workspace import Deployment, Workspace
from stock_track_record.ops import smoke as stock_track_record
from tests.end_to_end.support import applied
from tests.grants import Grant, all_grants, taken_away

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(1800),
    # A grant that is noticed once is noticed always.
    pytest.mark.drill(short=0, most=1),
]

LOG = logging.getLogger(__name__)
APPS = ("fileshare", "hybrid_ci_cd", "stock_track_record", "triggers_api", "turbotech_portal")
# A worker that may not work is waited for as long; one that may takes a few seconds here.
WAIT_SECONDS = 20.0


def first_failure(deployment: Deployment) -> Result | None:
    """Run the checks until one does not pass, and clean up after them."""
    results = run_checks(deployment)
    failed = next((result for result in results if not result.passed), None)
    # Whatever follows says no more.
    results.close()
    return failed


def seen(deployment: Deployment, grant: Grant) -> bool:
    """Take a grant away, say what smoke makes of that, and give it back."""
    start = time.monotonic()
    with taken_away(deployment.client("iam"), grant):
        failed = first_failure(deployment)
    told = f'"{failed.name}": {failed.finding}' if failed else "not noticed"
    LOG.info("%s (%.1f s) %s", grant, time.monotonic() - start, told)
    return failed is not None


@pytest.mark.parametrize("app", APPS)
def test_the_loss_of_every_grant_is_noticed(app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_track_record, "WORK_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(stock_track_record, "DEAD_LETTER_SECONDS", WAIT_SECONDS)
    with applied(tmp_path, f"dev/{app}") as sawhorse:
        sawhorse("seed", f"dev/{app}", "--local")
        root = sawhorse.project.roots_named(f"dev/{app}")[0]
        deployment = Workspace(root, local=True).deployment()
        assert first_failure(deployment) is None
        grants = all_grants(deployment.client("iam"))
        assert {grant.resource.split(":")[2] for grant in grants} >= {"dynamodb", "logs"}
        unnoticed = [str(grant) for grant in grants if not seen(deployment, grant)]
        assert not unnoticed
        assert first_failure(deployment) is None

"""No smoke check of any app passes where nothing answers."""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from sawhorse.environment import Environment
from sawhorse.operate.smoke import run_in_order
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from tests.projects import REPOSITORY


def deaf(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


class DeafAWS:
    """AWS that nobody reaches."""

    def __call__(self, _service: str) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.mark.parametrize("app", Project(REPOSITORY).apps)
def test_with_everything_down_no_check_of_any_app_passes(app: str, tmp_path: Path) -> None:
    """Nothing is asked of an app that is not there, nor of AWS: whoever passes all the same has shown nothing."""
    module = importlib.import_module(f"{app}.ops.smoke")
    http = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(deaf))
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)
    outputs: Any = defaultdict(lambda: "sample")
    deployment = Deployment(Root(Project(tmp_path), "dev", app), environment, outputs, None)
    object.__setattr__(deployment, "client", DeafAWS())
    secrets = [] if app in {"fileshare", "hybrid_ci_cd", "stock_track_record"} else ["secret"]
    checks = module.Checks(deployment, http, *secrets).in_order()

    with pytest.MonkeyPatch.context() as patched:
        # Nobody has to wait for what does not come.
        patched.setattr("time.sleep", lambda _seconds: None)
        results = list(run_in_order(checks, deployment.calls))

    assert len(results) == len(checks) >= 9
    assert [result.name for result in results if result.passed] == []
    assert [result.finding for result in results if "IndexError" in str(result.finding)] == []
    assert [result.finding for result in results if "KeyError" in str(result.finding)] == []

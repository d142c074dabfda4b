"""The daily look for drift: one issue for a root, opened, renewed and closed, on the local AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workflows.platform import Run
from tests.workflows.support import Shop

pytestmark = pytest.mark.end_to_end

FUNCTION = "sample-dev"


def looked(shop: Shop) -> Run:
    run = shop.scheduled("drift")
    shop.platform.work()
    return run


def issues(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.platform.repository.issues.values())


def test_one_issue_says_what_drifted_and_is_closed_once_nothing_does(dev: Shop) -> None:
    # What is on main and not deployed is no drift.
    dev.version("9.0.0")
    dev.commit("Say 9.0.0")
    run = looked(dev)
    assert run.results == {"roots": "success", "drift": "success"}, run.job_named("drift of dev/sample").log
    assert issues(dev) == []
    assert run.job_named("drift of dev/sample").summary.strip() == "dev/sample is as it was applied."

    functions = dev.client("lambda", "dev")
    functions.add_permission(
        FunctionName=FUNCTION, StatementId="guest", Action="lambda:InvokeFunction", Principal="444444444444"
    )
    assert looked(dev).results["drift"] == "success"
    (issue,) = issues(dev)
    assert issue["title"] == "dev/sample drifted"
    assert issue["state"] == "open"
    assert "**permission:**" in issue["body"]

    functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=1024)
    looked(dev)
    (issue,) = issues(dev)
    assert "memory_size" in issue["body"]

    # An error is no drift, and closes nothing.
    iam = dev.client("iam", "dev")
    denied = {"Effect": "Deny", "Action": "lambda:*", "Resource": "*"}
    own = {"RoleName": "sample-reader-dev", "PolicyName": "denied"}
    iam.put_role_policy(**own, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    before = dict(issue)
    run = looked(dev)
    job = run.job_named("drift of dev/sample")
    assert run.results["drift"] == "failure"
    assert "That is an error and no drift; its issue is left as it is." in job.summary
    assert job.last_line.startswith("The step drift of dev/sample failed: ")
    assert issues(dev) == [before]
    iam.delete_role_policy(**own)

    functions.remove_permission(FunctionName=FUNCTION, StatementId="guest")
    functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=512)
    looked(dev)
    (issue,) = issues(dev)
    assert issue["state"] == "closed"

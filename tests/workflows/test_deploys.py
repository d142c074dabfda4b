"""Pushes to main, from the build to production, on the local AWS: one repository, and any test can come first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflows.jobs import Job
from tests.workflows.platform import Run
from tests.workflows.shown import show
from tests.workflows.support import NAME, Shop, bucket_of

pytestmark = pytest.mark.end_to_end

# Whatever calls it finds it broken, in staging alone.
IN_STAGING = """
import os

if os.environ["AWS_LAMBDA_FUNCTION_NAME"] == "sample-staging":
    raise RuntimeError("sample: it does not start here")
"""


def deployed(shop: Shop, version: str, fault: str = "") -> Run:
    """Push a version of the app, and carry its run on as far as it goes by itself."""
    shop.version(version, fault)
    shop.commit(f"Say {version}")
    run = shop.push()
    shop.platform.work()
    return run


@pytest.fixture(scope="module")
def first(shop: Shop) -> Run:
    """A run that has brought the app to all three environments."""
    run = deployed(shop, "1.0.0")
    assert run.results == {"build": "success", "dev": "success", "staging": "success", "production": None}
    assert [job.name for job in run.jobs if job.waits_for] == ["production/sample"]
    shop.platform.approve(run, "production")
    shop.platform.work()
    show("the_first_deployment", shop.platform, [run])
    assert set(run.results.values()) == {"success"}, run.job_named("production/sample").log
    return run


def test_a_push_reaches_production_once_somebody_approved(shop: Shop, first: Run) -> None:
    production = first.job_named("production/sample")
    assert "These packages are release 1 of staging/sample, which is live there" in production.summary
    for command in ("apply", "release", "smoke", "verify"):
        assert f"- `sawhorse {command} production/sample`: done" in production.summary
    assert "| `production/sample` | 0 |" in production.summary
    record = shop.record("production/sample")
    assert record["releases"][-1]["smoke"]["passed"]
    assert record["applied"]["commit"] == first.sha
    assert not record["applied"]["dirty"]
    assert [one.stood for one in production.results if one.name.startswith("credentials")] == [
        "AssumeRoleWithWebIdentity of the local STS, for repo:octo-org/shop:environment:production",
        "AssumeRole of the local STS",
        "AssumeRoleWithWebIdentity of the local STS, for repo:octo-org/shop:environment:production",
        "AssumeRole of the local STS",
    ]
    builds = [one for job in first.jobs for one in job.job.results if one.name == "build"]  # type: ignore[union-attr]
    assert len(builds) == 1


@pytest.mark.usefixtures("first")
def test_production_is_refused_once_staging_was_rolled_back(shop: Shop) -> None:
    staging, live = shop.record("staging/sample")["live"], shop.record("production/sample")["live"]
    run = deployed(shop, "2.0.0")
    assert run.results["staging"] == "success", run.job_named("staging/sample").log
    rollback = shop.by_hand("rollback", environment="staging", app="sample", why="callers get 502")
    shop.platform.work()
    rolled = rollback.job_named("roll staging/sample back")
    assert rolled.result == "success", rolled.log
    assert "- `sawhorse rollback staging/sample`: done" in rolled.summary
    assert shop.record("staging/sample")["pinned"]["why"] == f"callers get 502 (octocat, run {rollback.number})"

    shop.platform.approve(run, "production")
    shop.platform.work()
    refused = run.job_named("production/sample")
    assert run.results["production"] == "failure"
    why = f"production/sample was refused: staging/sample runs other contents than these packages (release {staging})"
    assert why in refused.log
    assert why in refused.summary
    assert refused.last_line.startswith(
        "The step promote of production/sample failed: sawhorse pipeline promote production/sample ended with exit "
        f"code 2: {why}"
    )
    assert "Nothing was changed." in refused.summary
    assert shop.record("production/sample")["live"] == live


@pytest.mark.usefixtures("first")
def test_what_fails_in_staging_is_put_back_and_never_reaches_production(shop: Shop) -> None:
    before = shop.record("staging/sample")
    run = deployed(shop, "3.0.0", IN_STAGING)
    assert run.results == {"build": "success", "dev": "success", "staging": "failure", "production": "skipped"}
    staging = run.job_named("staging/sample")
    number = before["releases"][-1]["id"] + 1
    assert f"Release {number} of staging/sample was refused" in staging.summary
    assert staging.last_line.startswith("The step release of staging/sample failed: ")
    assert shop.record("staging/sample")["live"] == before["live"]
    assert shop.record("dev/sample")["releases"][-1]["smoke"]["passed"]


@pytest.mark.usefixtures("first")
def test_of_pushes_during_a_deployment_the_newest_comes_after_it(shop: Shop) -> None:
    live = shop.record("production/sample")["live"]
    later: list[Run] = []

    def push_twice(job: Job, step: str) -> None:
        if job.key == "dev-deploy" and not later:
            for version in ("4.1.0", "4.2.0"):
                shop.version(version)
                shop.commit(f"Say {version}")
                later.append(shop.push())

    shop.platform.before_step = push_twice
    first = deployed(shop, "4.0.0")
    second, third = later
    assert first.results["dev"] == "success"
    # The second waited for its turn in dev, and the third took that place.
    assert second.results == {"build": "success", "dev": "cancelled", "staging": "skipped", "production": "skipped"}
    assert third.results["dev"] == third.results["staging"] == "success"
    assert shop.record("staging/sample")["applied"]["commit"] == third.sha
    # The first one waits for an approval, and the newest for its turn; what is in staging by then is the newest's.
    shop.platform.approve(first, "production")
    shop.platform.work()
    refused = first.job_named("production/sample")
    assert "staging/sample runs other contents than these packages" in refused.summary
    assert shop.record("production/sample")["live"] == live
    assert [job.name for job in third.jobs if job.waits_for] == ["production/sample"]


@pytest.mark.usefixtures("first")
def test_credentials_that_end_in_the_middle_are_told_and_the_deployment_can_be_run_again(shop: Shop) -> None:
    live = shop.record("dev/sample")["live"]

    def end_credentials(job: Job, step: str) -> None:
        if (job.key, step) == ("dev-deploy", "apply"):
            job.environment["AWS_SESSION_TOKEN"] = "ended"

    shop.platform.before_step = end_credentials
    run = deployed(shop, "5.0.0")
    job = run.job_named("dev/sample")
    assert run.results == {"build": "success", "dev": "failure", "staging": "skipped", "production": "skipped"}
    why = "AWS did not accept the credentials for dev:"
    assert why in job.summary
    assert why in job.log
    assert job.last_line.startswith("The step apply of dev/sample failed: ")
    assert why in job.last_line
    assert shop.record("dev/sample")["live"] == live

    shop.platform.before_step = stop_before_staging
    again = shop.by_hand("deploy")
    shop.platform.work()
    assert again.results["dev"] == "success", again.job_named("dev/sample").log
    record = shop.record("dev/sample")
    assert record["applied"]["commit"] == again.sha == run.sha
    assert record["live"] > live


@pytest.mark.usefixtures("first")
def test_an_older_commit_than_what_is_there_is_refused(shop: Shop) -> None:
    applied = shop.record("dev/sample")["applied"]["commit"]
    run = shop.push(shop.git("rev-parse", f"{applied}~1"))
    shop.platform.work()
    job = run.job_named("dev/sample")
    assert run.results["dev"] == "failure"
    assert f"commit {applied[:12]}, which is later than {run.sha[:12]}" in job.summary
    assert "The step admit of dev/sample failed" in job.last_line


@pytest.mark.usefixtures("first")
def test_a_cancelled_deployment_leaves_no_lock_and_nothing_unknown(shop: Shop) -> None:
    topic = shop.project.path / "modules/apps/sample/resources.tf"
    sound = topic.read_text()
    # Something that takes a while to make.
    topic.write_text(f'{sound}\nresource "aws_sqs_queue" "slow" {{\n  name = "${{local.name}}-slow"\n}}\n')
    shop.commit("Make a queue")

    def cancel(job: Job, log: Path) -> None:
        if job.current == "apply" and "aws_sqs_queue.slow: Creating" in log.read_text():
            job.run.cancelled = True

    shop.platform.meanwhile = cancel
    run = shop.push()
    shop.platform.work()
    assert run.results == {"build": "success", "dev": "cancelled", "staging": "cancelled", "production": "cancelled"}
    job = run.job_named("dev/sample")
    assert job.last_line == "The step apply of dev/sample was cancelled; the steps after it did not run."
    assert "terraform apply was stopped" in job.log
    listed = shop.client("s3", "dev").list_objects_v2(Bucket=bucket_of("dev"), Prefix="dev/")
    assert sorted(one["Key"] for one in listed["Contents"]) == ["dev/sample.releases.json", "dev/sample.tfstate"]

    shop.platform.let_nobody_interfere()
    shop.platform.before_step = stop_before_staging
    topic.write_text(sound)
    shop.commit("Make no queue")
    again = shop.push()
    shop.platform.work()
    assert again.results["dev"] == "success", again.job_named("dev/sample").log


def test_a_commit_that_is_not_on_main_is_refused_before_anything_is_built(shop: Shop) -> None:
    shop.git("switch", "--quiet", "--create", "feature")
    shop.commit("Try something")
    run = shop.by_hand("deploy", "feature")
    shop.platform.work()
    shop.git("switch", "--quiet", "main")
    build = run.job_named("build")
    assert run.results == {"build": "failure", "dev": "skipped", "staging": "skipped", "production": "skipped"}
    assert f"Commit {run.sha[:12]} is not on main of octo-org/shop (it is ahead of it)" in build.summary
    assert build.last_line.startswith("The step admit failed: ")
    assert "is not on main of octo-org/shop" in build.last_line
    assert "build" not in [one.name for one in build.results if one.outcome == "success"]


def test_environments_without_approval_or_branches_are_told(shop: Shop) -> None:
    environments = shop.platform.repository.environments
    shop.platform.repository.environments = {**environments, "production": {}, "drift": {}}
    shop.platform.before_step = stop_before_the_build
    run = shop.push()
    shop.platform.work()
    shop.platform.repository.environments = environments
    summary = run.job_named("build").summary
    assert "Nobody has to approve a deployment to production, which is production" in summary
    assert "Every branch, or every protected one, may deploy to production" in summary


def stop_before_the_build(job: Job, step: str) -> None:
    if step == "build":
        job.run.cancelled = True


def stop_before_staging(job: Job, step: str) -> None:
    """Cancel a run at its first step in staging, of which nothing is asked."""
    if job.key == "staging-deploy":
        job.run.cancelled = True


def run_elsewhere(shop: Shop) -> Job:
    """Push to a repository of another name, and return the first job that wants credentials."""
    shop.platform.repository.name = "somebody/shop"
    run = shop.push()
    shop.platform.work()
    shop.platform.repository.name = NAME
    assert run.results["dev"] == "failure"
    return run.job_named("dev/sample")


def test_another_repository_is_told_before_aws_is_asked(shop: Shop) -> None:
    job = run_elsewhere(shop)

    told = "This run is of somebody/shop, and environments/dev/environment.yaml says that octo-org/shop deploys there."
    assert job.last_line.startswith("The step roles of dev/sample failed: ")
    assert f"{told} AWS was not asked" in job.last_line
    assert f"{told} AWS was not asked" in job.summary


def test_another_repository_that_says_it_deploys_there_gets_no_credentials_and_is_told(shop: Shop) -> None:
    facts = shop.project.path / "environments/dev/environment.yaml"
    ours = facts.read_text()
    facts.write_text(ours.replace(NAME, "somebody/shop"))
    shop.commit("Deploy from here")

    job = run_elsewhere(shop)

    facts.write_text(ours)
    shop.commit("Deploy from there again")
    assert job.last_line.startswith(
        "The step credentials-environment of dev/sample got no credentials of AWS for a run of somebody/shop."
    )
    assert job.last_line in job.summary

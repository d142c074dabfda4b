"""What runs before anything is deployed: ci for pushes and pull requests, and the weekly audit. Neither knows AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sawhorse.toolchain import installed
from sawhorse.toolchain.installed import Emulators
from tests.workflows.jobs import Job
from tests.workflows.platform import Run
from tests.workflows.support import Shop, shop_at

pytestmark = pytest.mark.end_to_end

# The sample's own, as every repository brings one: its workflows are ours.
CHECK_AND_TEST = """#!/usr/bin/env bash
set -euo pipefail
make build
.venv/bin/sawhorse sync --check
"""
# A proxy that nobody listens at: no database of advisories can be reached.
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}


@pytest.fixture(scope="module")
def shop(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A repository whose environments have no account: what is wanted here needs none."""
    with shop_at(tmp_path_factory.mktemp("checks"), ()) as found:
        script = found.project.path / ".ci/run"
        script.parent.mkdir()
        script.write_text(CHECK_AND_TEST)
        script.chmod(0o755)
        found.commit("Check and test")
        yield found


def checked(shop: Shop, sha: str, ref: str = "refs/heads/main", *, proposed: bool = False) -> Run:
    """Run ci for a push to main, or for what somebody proposes from a fork."""
    if proposed:
        request = {"number": 7, "head": {"sha": sha, "repo": {"full_name": "somebody/fork"}}}
        event, payload = "pull_request", {"pull_request": request, "number": 7}
    else:
        event, payload = "push", {"ref": ref, "after": sha}
    run = shop.platform.start("ci", event, payload, sha=sha, ref=ref)
    shop.platform.work()
    return run


def test_a_push_that_is_sound_passes(shop: Shop) -> None:
    run = checked(shop, shop.git("rev-parse", "main"))

    job = run.job_named("check and test")
    assert run.results == {"test": "success"}, job.log
    assert "dist/sample.zip built" in job.log
    ran = {one.name: one.outcome for one in job.results}
    assert ran[".ci/run"] == "success"


def test_a_fork_that_changes_what_sync_writes_fails_with_that_sentence_and_has_no_credentials(shop: Shop) -> None:
    written = shop.project.path / "environments/dev/sample/sawhorse.tf"
    sound = written.read_text()
    shop.git("switch", "--quiet", "--create", "theirs")
    written.write_text(f"{sound}# Theirs.\n")
    sha = shop.commit("Change what sync writes")
    shop.git("switch", "--quiet", "main")

    run = checked(shop, sha, "refs/pull/7/merge", proposed=True)

    job = run.job_named("check and test")
    assert run.results == {"test": "failure"}
    assert "environments/dev/sample/sawhorse.tf" in job.log
    assert job.permissions == {"contents": "read"}
    assert not {name for name in job.environment if name.startswith("AWS_")}


def test_a_newer_push_takes_the_place_of_one_that_is_still_checked(shop: Shop) -> None:
    later: list[Run] = []

    def push(job: Job, step: str) -> None:
        if step == ".ci/run" and not later:
            sha = shop.commit("Something newer")
            event = {"ref": "refs/heads/main", "after": sha}
            later.append(shop.platform.start("ci", "push", event, sha=sha, ref="refs/heads/main"))

    shop.platform.before_step = push
    run = checked(shop, shop.git("rev-parse", "main"))

    assert run.results == {"test": "cancelled"}
    assert [one.results for one in later] == [{"test": "success"}]


def test_an_audit_without_a_database_is_no_good_news(shop: Shop) -> None:
    def cut_off(job: Job, step: str) -> None:
        if step.startswith("Audit"):
            # The program comes from the index, and only what it asks is out of reach.
            installed.ensure_pip_audit(job.workspace)
            job.environment |= NO_NETWORK

    shop.platform.before_step = cut_off
    run = shop.scheduled("audit")
    shop.platform.work()

    job = run.job_named("advisories and licences")
    assert run.results == {"audit": "failure"}
    ran = {one.name: one.outcome for one in job.results}
    assert ran["Build the packages"] == "success"
    assert ran["Audit the locks and the licences"] == "failure"
    assert "no database" in job.log.lower()

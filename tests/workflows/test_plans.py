"""Pull requests: what they would do, as one comment, on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows.github_api import BOT
from tests.workflows.platform import Run
from tests.workflows.support import Shop

pytestmark = pytest.mark.end_to_end

NUMBER = 7
TABLE = "module.sample.module.notes.aws_dynamodb_table.this[0]"
ROOT = "environments/dev/sample"
NEXT_STEPS = "the job that looks for roots and builds packages failed"


@pytest.fixture
def branch(dev: Shop) -> Iterator[str]:
    dev.platform.repository.comments.clear()
    dev.git("switch", "--quiet", "--create", "proposal")
    yield "proposal"
    dev.git("switch", "--quiet", "--force", "main")
    dev.git("branch", "--quiet", "-D", "proposal")


def proposed(shop: Shop, message: str, repository: str = "octo-org/shop") -> Run:
    shop.commit(message)
    run = shop.pull_request(NUMBER, "proposal", repository)
    shop.platform.work()
    return run


def change_root(shop: Shop, text: str) -> None:
    """Give the app's call in dev an argument more."""
    main = shop.project.path / ROOT / "main.tf"
    main.write_text(main.read_text().replace('  stage   = "dev"\n', f'  stage   = "dev"\n{text}'))


def comments(shop: Shop) -> list[str]:
    return [one["body"] for one in shop.platform.repository.comments_of(NUMBER)]


def test_a_replaced_table_stands_first_in_the_one_comment_which_is_kept_up_to_date(dev: Shop, branch: str) -> None:
    change_root(dev, '  hash_key = "title"\n')
    first = proposed(dev, "Call it a title")
    assert first.results == {"build": "success", "plan": "success", "comment": "success"}
    (told,) = comments(dev)
    assert "| `dev/sample` | **1** |" in told
    lines = [line for line in told.splitlines() if line.startswith(("###", "- "))]
    assert lines[:2] == [
        "### Destroyed or replaced",
        f"- `dev/sample`: `{TABLE}` is **replaced**, because `hash_key` cannot be changed in place",
    ]
    assert first.event["pull_request"]["head"]["sha"][:12] in told
    assert (first.artifacts / "plan-dev-sample/dev-sample.plan.txt").read_text().count("# forces replacement")

    change_root(dev, "  # A second thought.\n")
    second = proposed(dev, "Think again")
    (told,) = comments(dev)
    assert second.event["pull_request"]["head"]["sha"][:12] in told
    assert first.event["pull_request"]["head"]["sha"][:12] not in told

    change_root(dev, "  capacity_of_nothing = 1\n")
    third = proposed(dev, "Say what no module knows")
    assert third.results == {"build": "success", "plan": "failure", "comment": "success"}
    (told,) = comments(dev)
    assert third.event["pull_request"]["head"]["sha"][:12] in told
    assert "- **`dev/sample` could not be planned:**" in told
    assert "replaced" not in told
    plan = third.job_named("plan dev/sample")
    assert plan.last_line.startswith("The step plan of dev/sample failed: ")
    assert "ended with exit code" in plan.summary


def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(dev: Shop, branch: str) -> None:
    theirs = {"id": 1, "issue": NUMBER, "user": {"login": "octocat"}, "body": "<!-- sawhorse plan --> mine"}
    dev.platform.repository.comments[1] = theirs
    dev.version("1.1.0")
    proposed(dev, "Say 1.1.0")
    assert len(comments(dev)) == 2
    assert comments(dev)[0] == "<!-- sawhorse plan --> mine"


def test_a_fork_gets_no_token_and_no_plan_and_is_told_so(dev: Shop, branch: str) -> None:
    change_root(dev, '  hash_key = "title"\n')
    run = proposed(dev, "Call it a title", "somebody/shop")
    assert run.results == {"build": "success", "plan": "skipped", "comment": "skipped"}
    assert "nothing is planned" in run.job_named("find roots and build").summary
    assert comments(dev) == []


def test_where_roots_cannot_be_found_the_comment_says_so(dev: Shop, branch: str) -> None:
    dev.platform.repository.comments[2] = {
        "id": 2,
        "issue": NUMBER,
        "user": BOT,
        "body": "<!-- sawhorse plan --> an old plan",
    }
    (dev.project.path / ROOT / "main.tf").write_text("module {")
    run = proposed(dev, "Forget half of it")
    assert run.results == {"build": "failure", "plan": "skipped", "comment": "success"}
    (told,) = comments(dev)
    assert NEXT_STEPS in told
    assert "an old plan" not in told


def test_the_plan_of_a_commit_that_is_not_the_last_one_touches_no_comment(dev: Shop, branch: str) -> None:
    dev.version("1.2.0")
    dev.commit("Say 1.2.0")
    older = dev.pull_request(NUMBER, "proposal")
    dev.version("1.3.0")
    dev.commit("Say 1.3.0")
    newer = dev.pull_request(NUMBER, "proposal")
    dev.platform.work()
    assert older.cancelled
    assert not newer.cancelled
    (told,) = comments(dev)
    assert newer.event["pull_request"]["head"]["sha"][:12] in told

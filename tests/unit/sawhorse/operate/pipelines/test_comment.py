"""The comment of a pull request: its order, its limit, what it never shows, and whose comment it is."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sawhorse.operate.pipelines.changes import LOSSES, PlannedChange, planned_changes
from sawhorse.operate.pipelines.comment import MOST_COMMENT, Reviewing, code, plain, text_of
from sawhorse.operate.pipelines.planned import RootPlan

COMMIT = "0123456789abcdef"
words = st.text(alphabet="abcdeü_[]\"'`|<@. \n", min_size=1, max_size=40)
changes = st.builds(
    PlannedChange,
    address=words,
    type=st.sampled_from(["aws_iam_role", "aws_dynamodb_table", "aws_lambda_permission", "aws_sqs_queue"]),
    action=st.sampled_from(["destroy", "replace", "forget", "create", "update", "import"]),
    arguments=st.lists(words, max_size=3).map(tuple),
    forced_by=st.lists(words, max_size=2).map(tuple),
)
plans = st.lists(changes, max_size=30).map(tuple)


def about(*planned: RootPlan, **others: Any) -> Reviewing:
    roots = others.pop("roots", [plan.root for plan in planned])
    return Reviewing(
        COMMIT, "https://github.com/o/r/actions/runs/1", roots, {one.root: one for one in planned}, **others
    )


def planned(root: str, *found: PlannedChange) -> RootPlan:
    return RootPlan(root=root, commit=COMMIT, changes=found)


def change(address: str, action: str = "create", kind: str = "aws_sqs_queue") -> PlannedChange:
    return PlannedChange.model_validate({"address": address, "type": kind, "action": action})


@given(plans, plans)
def test_what_is_lost_of_any_root_stands_before_iam_and_that_before_the_rest(
    one: tuple[PlannedChange, ...], other: tuple[PlannedChange, ...]
) -> None:
    text = text_of(about(planned("dev/a", *one), planned("dev/b", *other)))
    titles = [line for line in text.splitlines() if line.startswith("### ")]
    order = ["### Destroyed or replaced", "### IAM", "### Everything else"]
    assert titles == [title for title in order if title in titles]
    every = [*one, *other]
    assert ("### Destroyed or replaced" in titles) == any(found.action in LOSSES for found in every)
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == len(every)


@given(st.integers(300, 5000), st.lists(changes, min_size=40, max_size=60))
def test_it_never_has_more_than_its_limit_and_says_how_much_is_left_out(most: int, found: list[PlannedChange]) -> None:
    text = text_of(about(planned("dev/a", *found)), most=most)
    assert len(text.encode()) <= most
    shown = len([line for line in text.splitlines() if line.startswith("- ")])
    left = re.search(r"\*\*(\d+) more changes did not fit here", text)
    assert shown == len(found) or "too long for a comment" in text or (left and int(left[1]) == len(found) - shown)


def test_a_plan_of_thousands_of_changes_fits_and_keeps_every_loss() -> None:
    many = [change(f'module.a.aws_sqs_queue.this["{number}"]') for number in range(5000)]
    lost = [change(f"aws_dynamodb_table.t{number}", "destroy", "aws_dynamodb_table") for number in range(50)]
    text = text_of(about(planned("dev/a", *many, *lost)))
    assert MOST_COMMENT * 0.9 < len(text.encode()) <= MOST_COMMENT
    assert all(f"`aws_dynamodb_table.t{number}` is **destroyed**" in text for number in range(50))


def test_roots_that_failed_or_never_planned_are_named_and_show_no_change() -> None:
    failed = RootPlan(root="dev/b", commit=COMMIT, sentence="terraform plan failed in <b>, @octocat.")
    text = text_of(about(planned("dev/a"), failed, roots=["dev/a", "dev/b", "dev/c"], removed=["dev/d"]))
    assert "- **`dev/b` could not be planned:** terraform plan failed in &lt;b&gt;, @\u200boctocat." in text
    assert "- **`dev/c` was not planned:** its job ended before it planned" in text
    assert "- **`dev/d` is taken away, and what it made stays.**" in text
    assert "| `dev/a` | 0 | 0 | 0 |" in text
    assert "| `dev/b` |" not in text


@given(st.text(max_size=60))
def test_no_text_leaves_its_code_or_calls_somebody(text: str) -> None:
    assert code(text).count("`") == 2
    assert "\n" not in code(text) + plain(text)
    assert not re.search(r"@\w", plain(text))
    assert "<" not in plain(text)


PIECES = [
    "![x](http://a.example/b)", "[c](d)", "**b**", "_e_", "__f__", "~~g~~", "# h", "- i", "1. j", "2) k", "+ l", "> m",
    "| n |", "$o$", "<b>", "&amp;", "\\*", "\\", "`p`", "***", "---", "===", "[q]: r", "a_b", "&#42;", "![", "\n", " ",
    "s",
]  # fmt: skip
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.mark.timeout(60)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join) | st.text(max_size=30), st.booleans())
def test_a_text_is_no_markup_and_is_read_as_it_was_written(text: str, in_a_list: bool) -> None:  # noqa: FBT001 # given
    written = " ".join(text.replace("`", "'").replace("\0", "\ufffd").split())
    before, around = (
        ("- **a:** ", "<ul>\n<li><strong>a:</strong> {}</li>\n</ul>\n") if in_a_list else ("", "<p>{}</p>\n")
    )
    found = RENDERER.render(before + plain(text)).replace("\u200b", "")
    if written:
        shown = html.escape(written.replace("\u200b", ""), quote=False).replace('"', "&quot;")
        assert found == around.format(shown)


@pytest.mark.parametrize(
    "text", ["@octocat", "acme/shop#2", "#2", "GH-2", "http://a.example", "www.a.example", "a@b.c"]
)
def test_whom_and_what_a_text_names_is_not_linked(text: str) -> None:
    assert "\u200b" in plain(text)
    assert plain(text).replace("\u200b", "").removeprefix("\\") == text


secrets = st.text(alphabet="klmnopqr0123456789", min_size=12, max_size=20)


@given(secrets, st.sampled_from(["before", "after", "both"]), st.booleans())
def test_no_value_of_a_plan_is_in_the_comment(secret: str, side: str, in_policy: bool) -> None:  # noqa: FBT001 # given
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": secret, "Resource": "*"}]})
    values = {"policy": policy} if in_policy else {"value": secret, "tags": {"a": secret}, "list": [secret]}
    empty: dict[str, Any] = {"policy": None} if in_policy else {"value": "", "tags": {}, "list": []}
    raw = {
        "address": "aws_iam_role_policy.a",
        "type": "aws_iam_role_policy",
        "change": {
            "actions": ["update"],
            "before": values if side in {"before", "both"} else empty,
            "after": values if side in {"after", "both"} else empty,
            "before_sensitive": {"policy": True},
            "after_sensitive": {"policy": True},
        },
    }
    assert secret not in text_of(about(planned("dev/a", *planned_changes([raw]))))

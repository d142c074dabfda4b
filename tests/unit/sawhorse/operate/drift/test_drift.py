"""What an apply would change is told once, by the arguments that change, and what was only built is no drift."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.operate.drift.drift import differ, named, only_follows, planned
from sawhorse.operate.drift.finding import Asked
from sawhorse.operate.drift.packages import packages_as_applied, written
from sawhorse.operate.releases import uploaded
from sawhorse.operate.releases.record import Record
from sawhorse.operate.releases.uploaded import UNPUBLISHED, ForeignCode, built_code
from sawhorse.project import Project
from sawhorse.terraform.render import packages_of
from sawhorse.terraform.runner import CHANGES
from sawhorse.terraform.state import Snapshot
from sawhorse.terraform.state_store import State
from sawhorse.workspace import Workspace

VALUES = st.recursive(
    st.sampled_from(["a", "b", 1, 2.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(before=VALUES, after=VALUES)
def test_what_is_known_differs_where_it_is_not_equal(before: Any, after: Any) -> None:
    assert differ(before, after, False) == (before != after)  # noqa: FBT003 # as a plan tells it
    assert not differ(before, after, True)  # noqa: FBT003


@given(value=VALUES, other=VALUES.filter(lambda value: value != "known"))
def test_a_known_part_is_seen_beside_an_unknown_one(value: Any, other: Any) -> None:
    """As of an environment, of which one variable is not known before the apply and another one was changed."""
    before = [{"variables": {"TABLE": value, "LEVEL": other}}]
    after, unknown = [{"variables": {"LEVEL": "known"}}], [{"variables": {"TABLE": True}}]

    change = {"actions": ["update"], "before": {"environment": before}, "after": {"environment": after}}

    assert named({**change, "after_unknown": {"environment": unknown}}) == " (environment)"
    same = {"environment": [{"variables": {"LEVEL": other}}]}
    assert named({**change, "after": same, "after_unknown": {"environment": unknown}}) == ""


FOLLOWS = {"actions": ["update"], "before": {"version": "1"}, "after": {}, "after_unknown": {"version": True}}
CHANGES_ITSELF = {"actions": ["update"], "before": {"timeout": 3}, "after": {"timeout": 9}, "after_unknown": {}}


def told(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> list[str]:
    """Let a plan have these changes by address, and return what drift says of it."""
    terraform = SimpleNamespace(
        refuse_unsaved_state=lambda: None,
        lock=True,
        run=lambda *_, **__: CHANGES,
        changes_of=lambda _: [
            {"address": address, "type": "any", "change": change} for address, change in changes.items()
        ],
    )
    workspace = SimpleNamespace(terraform=terraform, refuse_unfinished=lambda *_: None)
    monkeypatch.setattr("sawhorse.operate.drift.drift.packages_as_applied", lambda *_: {})
    asked = Asked("dev/shop", local=False, state=state_of(), record=Record(root="dev/shop"), client=lambda _: None)
    return [found.sentence for found in planned(cast("Workspace", workspace), asked)]


def test_what_only_follows_from_another_change_is_not_told_besides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert only_follows(FOLLOWS)
    assert told(monkeypatch, {"alias": FOLLOWS, "function": CHANGES_ITSELF}) == [
        "an apply would update function (timeout)"
    ]
    # Alone it is all that there is to tell.
    assert told(monkeypatch, {"alias": FOLLOWS}) == ["an apply would update alias"]
    assert told(monkeypatch, {"alias": {**FOLLOWS, "actions": ["create"], "before": None}}) == [
        "an apply would create alias"
    ]
    assert told(monkeypatch, {}) == ["an apply would change outputs"]


def state_of(*resources: tuple[str, dict[str, Any]]) -> State:
    found = tuple(
        {"address": f"{kind}.this[{index}]", "type": kind, "values": values, "status": None}
        for index, (kind, values) in enumerate(resources)
    )
    return State(Snapshot("lineage", 1, found), {})


def workspace_of(project: Project) -> Workspace:
    root = project.root("dev/tiny")
    return cast("Workspace", SimpleNamespace(root=root, local=None))


def function(content: str, **where: str) -> tuple[str, dict[str, Any]]:
    return "aws_lambda_function", {"function_name": "tiny", "source_code_hash": content, **where}


BESIDE = {"filename": "../../../dist/tiny.zip"}
IN_S3 = {"s3_key": "111111111111/dev-tiny/tiny/content.zip"}


def test_a_plan_is_given_the_content_of_the_last_apply_and_the_zip_that_is_there(
    built: Project, tmp_path: Path
) -> None:
    [(name, there)] = packages_of(built.path / "dist", "tiny").items()

    as_applied = packages_as_applied(workspace_of(built), state_of(function("applied", **BESIDE)))
    [variable] = json.loads(written(as_applied, tmp_path).read_text())["packages"].values()

    assert list(as_applied) == [name]
    assert variable == {
        "path": "../../../dist/tiny.zip",
        "sha256": there.sha256,
        "content_sha256": "applied",
        "size": there.size,
        "upload": "direct",
        "handler": there.handler,
        "runtime": there.runtime,
        "architecture": there.architecture,
    }
    through_s3 = packages_as_applied(workspace_of(built), state_of(function("applied", **IN_S3)))
    assert (through_s3[name].upload, through_s3[name].content_sha256) == ("s3", "applied")


@pytest.mark.parametrize(
    "state", [state_of(), state_of(function("one", **BESIDE), function("other", **BESIDE)), state_of(function(""))]
)
def test_a_zip_without_one_content_that_was_applied_is_as_it_was_built(built: Project, state: State) -> None:
    there = packages_of(built.path / "dist", "tiny")

    assert packages_as_applied(workspace_of(built), state) == there


def test_what_was_built_is_not_asked_where_it_was_taken_away(built: Project) -> None:
    workspace, manifest = workspace_of(built), built.path / "dist/manifest.json"
    assert list(built_code(workspace)) == ["tiny.zip"]

    elsewhere = manifest.rename(built.path / "elsewhere.json")
    assert built_code(workspace) == {}
    # As a local run links it.
    manifest.symlink_to(elsewhere.with_name("nowhere.json"))
    assert built_code(workspace) == {}


@pytest.mark.parametrize(("version", "option"), [(UNPUBLISHED, ""), ("7", " --qualifier 7")])
def test_code_that_is_not_live_is_looked_at_where_it_is(version: str, option: str) -> None:
    found = ForeignCode("a", "triggers-api", "uploaded", version, "hash", "6")

    assert f"aws lambda get-function --function-name triggers-api{option} --query" in found.way_to_it
    assert "verify" not in found.way_to_it


def test_a_refusal_begins_no_sentence_with_the_name_of_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [ForeignCode("a", "triggers-api", "uploaded", UNPUBLISHED, "hash", "6")]
    monkeypatch.setattr(uploaded, "foreign_code", lambda _: found)
    workspace = SimpleNamespace(root=SimpleNamespace(name="dev/shop"), local=None)

    with pytest.raises(Exception, match=r"applied to dev/shop: triggers-api has other code.*--restore-code") as error:
        uploaded.refuse_foreign_code(cast("Workspace", workspace))

    assert "Triggers-api" not in str(error.value)
    assert "verify" not in str(error.value)

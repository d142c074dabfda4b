"""Inventories that share a base: it holds where they say nothing else, and a refresh writes both again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.inventory import assert_plan, refresh_inventories, refresh_inventory
from sawhorse.plans.inventory_base import MISSING, alike, expand_all, expanded, in_common, merged, otherwise
from sawhorse.plans.plan import ABSENT, Plan
from tests.plans.support import ADDRESS, leaves, plan_of, texts, written_as

REFRESH = "make it so"
AT = f"values > {ADDRESS}"
BASE = """# Why.
values:
  module.app.aws_thing.this:
    name: things-<stage>
    size: 1
    list:
    - text: a
      more: b
counts:
  aws_thing: 1
"""
DEV = "# Dev.\nbase: things.yaml\nnames:\n  stage: dev\n"
PROD = """base: things.yaml
names:
  stage: prod
values:
  module.app.aws_thing.this:
    size: 2
    list:
    - more: c
    gone: (not planned)
"""
STAGES = {"dev": DEV, "staging": DEV.replace("dev", "staging").replace("Dev", "Staging"), "prod": PROD}


@pytest.fixture
def inventories(tmp_path: Path) -> dict[str, Path]:
    """Three inventories with a base, by what stands for the base's one name."""
    (tmp_path / "things.yaml").write_text(BASE)
    paths = {stage: tmp_path / f"{stage}.yaml" for stage in STAGES}
    for stage, path in paths.items():
        path.write_text(STAGES[stage])
    return paths


def planned(stage: str, **changed: Any) -> Plan:
    """Plan what the inventories say, and something else where a test says so."""
    size, more = (2, "c") if stage == "prod" else (1, "b")
    return plan_of({"name": f"things-{stage}", "size": size, "list": [{"text": "a", "more": more}], **changed})


def failure(plan: Plan, inventory: Path) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_plan(plan, inventory, refresh=REFRESH)
    return str(caught.value)


@pytest.mark.parametrize("stage", STAGES)
def test_a_base_holds_where_an_inventory_says_nothing_else(inventories: dict[str, Path], stage: str) -> None:
    assert_plan(planned(stage), inventories[stage], refresh=REFRESH)


@pytest.mark.parametrize(
    ("stage", "changed", "shown"),
    [
        ("dev", {"size": 2}, f"things.yaml:5: {AT} > size\n    - 1\n    + 2"),
        ("prod", {"size": 1}, f"prod.yaml:6: {AT} > size\n    - 2\n    + 1"),
        (
            "prod",
            {"name": "things-dev"},
            f'things.yaml:4: {AT} > name\n    - "things-prod"',
        ),
        (
            "prod",
            {"list": [{"text": "b", "more": "c"}]},
            f"things.yaml:7: {AT} > list > 0",
        ),
        ("prod", {"list": [{"text": "a", "more": "b"}]}, f"prod.yaml:8: {AT} > list > 0"),
        ("prod", {"gone": 1}, f"prod.yaml:9: {AT} > gone\n    - (not planned)\n    + 1"),
    ],
)
def test_a_difference_is_shown_in_the_file_that_expects_it(
    inventories: dict[str, Path], stage: str, changed: dict[str, Any], shown: str
) -> None:
    sentence = failure(planned(stage, **changed), inventories[stage])
    assert f"{inventories[stage].parent}/{shown}" in sentence
    assert sentence.count("\n    - ") == 1


def test_what_a_base_names_is_missed_in_every_inventory(inventories: dict[str, Path]) -> None:
    for path in inventories.values():
        assert f"{path.parent}/things.yaml:3: values > {ADDRESS}\n" in failure(Plan({}), path)
        assert f"{path.parent}/things.yaml:10: counts > aws_thing\n    - 1\n    + 0" in failure(Plan({}), path)


def test_what_must_not_be_planned_stands_without_quotes(inventories: dict[str, Path]) -> None:
    path = inventories["prod"]
    path.write_text(PROD.replace("(not planned)", "'(not planned)'"))
    assert_plan(planned("prod", gone="(not planned)"), path, refresh=REFRESH)
    assert "prod.yaml:9: " in failure(planned("prod"), path)


def contents(inventories: Mapping[str, Path]) -> dict[str, str]:
    return {path.name: path.read_text() for path in (*inventories.values(), inventories["dev"].parent / "things.yaml")}


def refresh(inventories: Mapping[str, Path], **changed: dict[str, Any]) -> dict[str, Any]:
    """Refresh everything twice, and return what stands in the files."""
    plans = {stage: planned(stage, **changed.get(stage, {})) for stage in inventories}
    refresh_inventories({inventories[stage]: plan for stage, plan in plans.items()})
    once = contents(inventories)
    refresh_inventories({inventories[stage]: plan for stage, plan in plans.items()})
    assert contents(inventories) == once
    for stage, plan in plans.items():
        assert_plan(plan, inventories[stage], refresh=REFRESH)
    return {name: yaml.safe_load(text) for name, text in once.items()}


def test_a_refresh_without_a_change_changes_nothing(inventories: dict[str, Path]) -> None:
    before = contents(inventories)
    refresh(inventories)
    assert contents(inventories) == before


def test_what_changed_everywhere_is_written_into_the_base(inventories: dict[str, Path]) -> None:
    before = contents(inventories)
    found = refresh(inventories, **{stage: {"name": f"more-things-of-{stage}"} for stage in STAGES})
    assert found["things.yaml"]["values"][ADDRESS]["name"] == "more-things-of-<stage>"
    assert {name: text for name, text in contents(inventories).items() if before[name] != text}.keys() == {
        "things.yaml"
    }


def test_what_changed_in_one_is_written_there_and_goes_when_it_is_as_the_base(inventories: dict[str, Path]) -> None:
    before = contents(inventories)
    found = refresh(inventories, dev={"size": 7})
    assert found["dev.yaml"]["values"] == {ADDRESS: {"size": 7}}
    # No size is that of most now, so each says its own.
    assert "size" not in found["things.yaml"]["values"][ADDRESS]
    assert found["staging.yaml"]["values"] == {ADDRESS: {"size": 1}}
    assert {key: value["values"][ADDRESS]["size"] for key, value in refresh(inventories).items() if "prod" in key} == {
        "prod.yaml": 2
    }
    assert {name: yaml.safe_load(text) for name, text in contents(inventories).items()} == {
        name: yaml.safe_load(text) for name, text in before.items()
    }


def test_what_is_gone_in_one_is_said_to_be_no_longer_planned(inventories: dict[str, Path]) -> None:
    plans = {path: planned(stage) for stage, path in inventories.items()}
    plans[inventories["dev"]] = plan_of({"name": "things-dev", "list": [{"text": "a", "more": "b"}]})
    inventories["prod"].write_text(PROD.replace("    size: 2\n", ""))
    plans[inventories["prod"]] = planned("prod", size=1)
    refresh_inventories(plans)
    assert inventories["dev"].read_text() == f"{DEV}values:\n  {ADDRESS}:\n    size: (not planned)\n"
    assert "dev.yaml:7: " in failure(planned("dev"), inventories["dev"])
    refresh(inventories, prod={"size": 1})
    assert inventories["dev"].read_text() == DEV


def test_inventories_with_one_base_are_refreshed_together(inventories: dict[str, Path]) -> None:
    before = contents(inventories)
    with pytest.raises(BadConfiguration, match=r"things.yaml is the base of prod.yaml, staging.yaml as well"):
        refresh_inventory(planned("dev"), inventories["dev"])
    assert contents(inventories) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "names: {a: b}\nvalues: {}\n",
            "dev.yaml:1: names stand for the <name> of a base; name the file as base, too.",
        ),
        ("base: other.yaml\n", "dev.yaml:1: there is no other.yaml beside this file; write it, or remove base."),
        ("base: 1\n", "dev.yaml:1: base must be the name of a file beside this one."),
        ("base: things.yaml\nnames:\n  stage: 1\n", "dev.yaml:3: stage must be a text; put it in quotes."),
        ("base: things.yaml\nnames: [a]\n", "dev.yaml:2: names must be a mapping of texts."),
        ("base: prod.yaml\n", "prod.yaml:1: nothing reads base in an inventory; choose from values, counts, outputs"),
    ],
)
def test_a_base_that_cannot_be_read_is_refused_with_the_line(
    inventories: dict[str, Path], content: str, sentence: str
) -> None:
    path = inventories["dev"]
    path.write_text(content)
    with pytest.raises(BadConfiguration) as compared:
        assert_plan(planned("dev"), path, refresh=REFRESH)
    with pytest.raises(BadConfiguration) as refreshed:
        refresh_inventory(planned("dev"), path)
    assert [str(caught.value).startswith(f"{path.parent}/{sentence}") for caught in (compared, refreshed)] == [True] * 2
    assert path.read_text() == content


NAMES = [{"stage": "dev", "account": "1"}, {"stage": "staging", "account": "2"}, {"stage": "prod", "account": "3"}]
words = st.one_of(leaves, texts, st.sampled_from(["dev", "prod", "of-dev", "a/prod/1", "<stage>", "1", "<other>"]))
documents = st.recursive(
    words,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "of-dev", "of-prod", "of-staging", "<stage>"]), inner, max_size=4),
    ),
    max_leaves=12,
)


def without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_marks(inner) for key, inner in value.items() if inner is not ABSENT}
    return [without_marks(inner) for inner in value] if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "of-dev", "of-prod"]), documents), min_size=1, max_size=3))
def test_a_base_and_what_is_said_otherwise_say_together_what_was_said_before(contents: list[dict[str, Any]]) -> None:
    names = NAMES[: len(contents)]
    base = in_common(contents, names)
    for content, known in zip(contents, names, strict=True):
        if base is MISSING:
            continue
        held = expanded(written_as(base), known)
        said = otherwise(expand_all(base, known), content)
        found = held if said is MISSING else merged(held, written_as(said))
        assert alike(without_marks(found.plain()), content)

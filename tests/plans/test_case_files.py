"""Changes and refusals are read from YAML whole, or refused with the line of what does not fit."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.cases import (
    Change,
    Refusal,
    apply_drift,
    read_bases,
    read_changes,
    read_refusals,
    state_of,
    write_calls,
)
from sawhorse.plans.plan import Plan
from tests.plans.support import at, changed, leaves, places, values, written

CHANGES: dict[str, Any] = {
    "dynamodb_table": {
        "base": {"name": "a"},
        "watched": ["aws_a", "aws_b"],
        "changes": {
            "one": {
                "before": {},
                "drift": {"aws_a": {"size": 1}},
                "given": {"size": 2},
                "actions": {'module.x.aws_a.this["b.c"]': ["delete", "create"], "aws_b.this": ["update"]},
            },
            "other": {"given": {}, "actions": {}},
        },
    },
}
OTHER: dict[str, Any] = {"given": {}, "actions": {}}
REFUSALS: dict[str, Any] = {
    "apps/sample": {
        "base": {"name": "a"},
        "refusals": {
            "one": {"given": {"name": "b"}, "sentence": "name must be a"},
            "other": {"given": {}, "sentence": "b"},
        },
    },
}


def read(content: str, reader: Callable[[Path], Any]) -> Any:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "cases.yaml"
        path.write_text(content)
        return reader(path)


def read_both(content: str) -> tuple[Any, str]:
    """Return what both readers make of a text, and the sentence of the last that refused it."""
    sentence = ""
    found = []
    for reader in (read_changes, read_refusals):
        try:
            found += read(content, reader)
        except BadConfiguration as error:
            sentence = str(error)
    return found, sentence


def test_cases_are_read_with_their_base_and_their_place() -> None:
    one, other = read(written(CHANGES), read_changes)
    assert (one.name, one.module, one.given, one.before) == (
        *("dynamodb_table_one", "dynamodb_table"),
        *({"name": "a", "size": 2}, {"name": "a"}),
    )
    assert (one.drift, other.before, other.actions, one.watched) == (
        {"aws_a": {"size": 1}},
        None,
        {},
        ("aws_a", "aws_b"),
    )
    assert [Path(place).name for place in (one.place, other.place, *one.places.values())] == [
        *("cases.yaml:8", "cases.yaml:21"),
        *("cases.yaml:16", "cases.yaml:19"),
    ]
    refusal, _ = read(written(REFUSALS), read_refusals)
    assert (refusal.name, refusal.sentence) == ("sample_one", "name must be a")
    assert read(written(REFUSALS), read_bases) == {"apps/sample": {"name": "a"}}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([(CHANGES, read_changes), (REFUSALS, read_refusals)]), values | leaves, st.data())
def test_whatever_stands_in_a_file_of_cases_is_read_or_refused_with_a_line(
    file: tuple[dict[str, Any], Callable[[Path], list[Change | Refusal]]], value: Any, data: st.DataObject
) -> None:
    whole, reader = file
    path = data.draw(st.sampled_from(list(places(whole))))
    try:
        cases = read(written(changed(whole, path, value)), reader)
    except BadConfiguration as error:
        assert re.search(r"cases\.yaml:\d+: .*\.$", str(error), re.DOTALL), error  # noqa: PT017 # one of two outcomes
        return
    assert cases, "nothing is tested"
    for case in cases:
        assert isinstance(case.given, dict)
        assert all(isinstance(attributes, dict) for attributes in case.drift.values())
        if isinstance(case, Refusal):
            assert case.sentence.strip(), "any sentence would do"
        else:
            assert isinstance(case, Change)
            assert case.watched, "nothing could be noticed"
            assert all(actions and "no-op" not in actions for actions in case.actions.values())


def test_a_change_may_watch_other_types_than_its_module() -> None:
    content = changed(CHANGES, ("dynamodb_table", "changes", "other"), OTHER | {"watched": ["aws_c"]})

    assert [case.watched for case in read(written(content), read_changes)] == [("aws_a", "aws_b"), ("aws_c",)]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([CHANGES, REFUSALS]), st.data())
def test_what_is_missing_or_not_read_is_refused_with_a_line(whole: dict[str, Any], data: st.DataObject) -> None:
    (group,) = whole
    cases = "changes" if whole is CHANGES else "refusals"
    path = data.draw(st.sampled_from([(group,), (group, cases, "one")]))
    found = at(whole, path)
    removed = data.draw(st.sampled_from([key for key in found if key not in ("drift", "before")]))
    reader = read_changes if whole is CHANGES else read_refusals
    for other in ({key: value for key, value in found.items() if key != removed}, {**found, "sentance": "a"}):
        with pytest.raises(BadConfiguration, match=r"cases\.yaml:\d+: (\w+ is missing in|nothing reads sentance in) "):
            read(written(changed(whole, path, other)), reader)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ((), None, ":1: there must be modules with their cases."),
        ((), {}, ":1: there must be modules with their cases."),
        (("dynamodb_table", "watched"), [], ":4: watched must name a type"),
        (("dynamodb_table", "watched"), "aws_a", ":4: watched must be a list"),
        (("dynamodb_table", "watched"), ["aws_a"], "nobody watches the type of aws_b.this; add it to watched."),
        (("dynamodb_table", "changes", "other"), OTHER | {"watched": []}, ":24: watched must name a type"),
        (
            ("dynamodb_table", "changes", "other"),
            OTHER | {"watched": ["aws_a"], "actions": {"aws_b.this": ["update"]}},
            "nobody watches the type of aws_b.this; add it to watched.",
        ),
        (("dynamodb_table", "changes"), {}, ":7: changes must hold a case, or dynamodb_table is not tested at all."),
        (("dynamodb_table", "changes", "other"), None, ":21: other must be a mapping."),
        (("dynamodb_table", "changes", "other", "given"), None, ":22: given must be a mapping from names to values."),
        (("dynamodb_table", "changes", "one", "actions"), {"aws_a.this": "update"}, ':16: Terraform does no "update"'),
        (("dynamodb_table", "changes", "one", "actions"), {"aws_a.this": ["no-op"]}, ":16: Terraform does no"),
        (("dynamodb_table", "changes", "one", "actions"), {"aws_a.this": [False]}, ":16: Terraform does no [false]"),
        (("dynamodb_table", "changes", "one", "drift"), {"aws_a": 1}, ":11: drift must have a mapping of attributes"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(path: tuple[str, ...], value: Any, sentence: str) -> None:
    whole = changed(CHANGES, path, value)
    with pytest.raises(BadConfiguration) as caught:
        read(written(whole) if whole else "# none", read_changes)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"sentence": "b"', '"sentence": ""', ":11: sentence must be a text, and not empty."),
        ('"sentence": "b"', '"sentence": " "', ":11: sentence must be a text, and not empty."),
        ('"sentence": "b"', '"sentence": 5', ":11: sentence must be a text, and not empty."),
        ('"other":', '"an other":', ":9: an other is not a name; write small letters, digits and underscores."),
        ('"other":', '"one":', "stands twice"),
        ('"apps/sample":', '"../apps":', ":1: ../apps is not a path in modules; write one such as apps/sample."),
        ('    "other":', '    "other":\n      "drift": {aws_a: {b: 1}}', "what never was cannot have drifted"),
    ],
)
def test_a_refusal_that_could_not_fail_is_refused(old: str, new: str, sentence: str) -> None:
    content = written(REFUSALS)
    assert old in content
    with pytest.raises(BadConfiguration) as caught:
        read(content.replace(old, new), read_refusals)
    assert sentence in str(caught.value)


def test_two_cases_of_one_name_are_refused() -> None:
    group = REFUSALS["apps/sample"]
    with pytest.raises(
        BadConfiguration, match=r"cases\.yaml:16: sample_one is the name of the case at .*:5; rename one"
    ):
        read(written({"apps/sample": group, "sample": group}), read_refusals)


def planned(address: str, actions: list[str]) -> Plan:
    change = {"actions": actions, "after": {"size": 1, "id": None}, "after_unknown": {"id": True}}
    resource = {"address": address, "mode": "managed", "type": "aws_a", "name": "this"}
    data = {"address": "module.c.data.aws_d.this", "mode": "data", "type": "aws_d", "name": "this"}
    module = {
        "address": "module.c",
        "resources": [{**resource, "provider_name": "registry.terraform.io/a/b", "schema_version": 0}, data],
    }
    return Plan(
        {
            "terraform_version": "1.11.4",
            "resource_changes": [{**resource, "change": change}],
            "planned_values": {"root_module": {"child_modules": [module]}},
        }
    )


@pytest.mark.parametrize(
    ("actions", "done", "shown"),
    [
        ({}, ["update"], "cases.yaml:1: c > aws_a.this\n    - (nothing)\n    + ['update']"),
        ({"aws_a.this": ["update"]}, ["no-op"], "cases.yaml:2: c > aws_a.this\n    - ['update']\n    + (nothing)"),
        ({"aws_a.this": ["create"]}, ["delete", "create"], "    - ['create']\n    + ['delete', 'create']"),
    ],
)
def test_another_change_is_shown_with_its_line(actions: dict[str, list[str]], done: list[str], shown: str) -> None:
    places = {"aws_a.this": "cases.yaml:2"} if actions else {}
    change = Change("c", "m", {}, place="cases.yaml:1", watched=("aws_a",), actions=actions, places=places)
    (difference,) = change.differences(planned("module.c.aws_a.this", done))
    assert shown in difference
    assert Change("c", "m", {}, watched=("aws_a",), actions={"aws_a.this": done}).differences(
        planned("module.c.aws_a.this", done)
    ) == ([] if done != ["no-op"] else [difference.replace("cases.yaml:2", "").replace("['update']", "['no-op']")])


def test_another_sentence_is_shown_with_the_line_of_the_refusal() -> None:
    refusal = Refusal("r", "m", {}, place="cases.yaml:3", sentence="say a or b")
    assert refusal.differences(["No:\nsay a\n or b."]) == ""
    assert refusal.differences(["say c"]) == "cases.yaml:3: r\n    - say a or b\n    + say c"
    assert refusal.differences([]) == "cases.yaml:3: r\n    - say a or b\n    + (not refused)"


def test_a_state_holds_what_is_managed_under_its_own_provider() -> None:
    (resource,) = state_of(planned("module.c.aws_a.this", ["create"]))["resources"]
    assert resource["provider"] == 'provider["registry.terraform.io/a/b"]'
    assert resource["instances"][0]["attributes"] == {"size": 1, "id": "arn:aws:placeholder:us-east-1:111111111111:any"}


def test_what_a_resource_does_not_have_cannot_have_moved() -> None:
    resources = state_of(planned("module.c.aws_a.this", ["create"]))["resources"]
    apply_drift(Change("c", "m", {}, drift={"aws_a": {"size": 7}}), resources)
    assert resources[0]["instances"][0]["attributes"]["size"] == 7
    with pytest.raises(
        BadConfiguration, match=r"^cases.yaml:1: drift names siez, which aws_a does not have; correct it.$"
    ):
        apply_drift(Change("c", "m", {}, drift={"aws_a": {"siez": 7}}, place="cases.yaml:1"), resources)


def test_a_case_of_no_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "modules/m").mkdir(parents=True)
    directory = tmp_path / "environments/cases/all"
    directory.mkdir(parents=True)
    with pytest.raises(
        BadConfiguration, match=r"^cases.yaml:1: there is no modules/mm; write the path of one that is.$"
    ):
        write_calls(directory, [(Change("c", "mm", {}, place="cases.yaml:1"), {})])

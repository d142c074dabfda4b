"""A file of promises is read whole, compared strictly, and written anew as the same promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.plans.plan import ABSENT, Plan
from sawhorse.plans.promises import change_between, changed, planned_of, read_promises, refresh_promises

FILE = """\
# What a sample promises.
base: {name: a, size: 1}
planned:
  aws_a.this: {name: a, size: 1, policy: {Effect: Deny}}
outputs: {arn: from aws_a.this.arn}
promises:
  larger:
    given: {size: 2}
    planned:
      aws_a.this: {size: 2, policy: (not planned)}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sample.yaml"
    path.write_text(FILE)
    return path


def test_a_case_is_what_its_base_is_but_for_what_it_says(file: Path) -> None:
    base, larger = read_promises(file)
    assert (base.name, larger.name, larger.module) == ("sample_promised", "sample_promised_larger", "sample")
    assert larger.given == {"name": "a", "size": 2}
    assert larger.expected == {"planned": {"aws_a.this": {"name": "a", "size": 2}}, "outputs": base.expected["outputs"]}


@pytest.mark.parametrize(
    ("found", "line", "difference"),
    [
        ({"planned": {"aws_a.this": {"name": "b", "size": 2}}}, 4, "planned > aws_a.this > name"),
        ({"planned": {"aws_a.this": {"name": "a", "size": 3}}}, 10, "planned > aws_a.this > size"),
        ({"planned": {"aws_a.this": {"name": "a", "size": 2, "tags": {"a": "b"}}}}, 10, "planned > aws_a.this > tags"),
        ({"planned": {"aws_a.this": {"name": "a", "size": True}}}, 10, "planned > aws_a.this > size"),
        ({"planned": {"aws_a.this": {"name": "a", "size": 2}, "aws_b.this": {}}}, 9, "planned > aws_b.this"),
        ({"planned": {}}, 10, "planned > aws_a.this"),
    ],
)
def test_whatever_is_planned_otherwise_is_shown_with_its_line(
    file: Path, found: dict[str, Any], line: int, difference: str
) -> None:
    _, larger = read_promises(file)
    outputs = {"outputs": {"arn": "from aws_a.this.arn"}}
    assert larger.differences(larger.expected) == []
    (shown,) = larger.differences(found | outputs)
    assert f"sample.yaml:{line}: sample_promised_larger > {difference}\n" in shown
    assert larger.differences({**larger.expected, "outputs": {"arn": "from aws_b.this.arn"}}) != []


def test_what_is_planned_is_written_as_promises_of_the_same(file: Path) -> None:
    before = read_promises(file)
    found = {promise.name: dict(promise.expected) for promise in before}
    refresh_promises(file, found)
    assert [promise.expected for promise in read_promises(file)] == [promise.expected for promise in before]
    assert [promise.given for promise in read_promises(file)] == [promise.given for promise in before]
    assert file.read_text().startswith("# What a sample promises.\n")
    found["sample_promised_larger"] = {"planned": {"aws_a.this": {"name": "c"}}}
    refresh_promises(file, found)
    assert read_promises(file)[1].expected == found["sample_promised_larger"]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": ABSENT}}),
        ({"a": [1]}, {"a": [1, 2], "b": {}}, {"a": [1, 2], "b": {}}),
    ],
)
def test_a_change_makes_one_of_the_other(before: dict[str, Any], after: dict[str, Any], change: dict[str, Any]) -> None:
    assert change_between(before, after) == change
    assert changed(before, change) == after


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("base: {name: a, size: 1}\n", "", "sample.yaml:2: base is missing in the promises of sample; add it."),
        ("given: {size: 2}", "taken: {size: 2}", "sample.yaml:8: nothing reads taken in larger"),
        ("  larger:", "  a larger one:", "a larger one is not a name"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(file: Path, old: str, new: str, sentence: str) -> None:
    file.write_text(FILE.replace(old, new))
    with pytest.raises(BadConfiguration) as caught:
        read_promises(file)
    assert sentence in str(caught.value)


def test_what_only_aws_knows_is_told_by_where_it_comes_from() -> None:
    resource = {
        "address": "aws_a.this",
        "expressions": {
            "queue": {"references": ["aws_b.this.id", "aws_b.this"]},
            "policy": {"references": ["local.policy"]},
            "block": [{"target": {"references": ["aws_c.this[0].arn", "aws_c.this"]}}],
        },
        "depends_on": ["aws_c.this"],
    }
    module = {"resources": [resource], "outputs": {"id": {"expression": {"references": ["aws_a.this.id"]}}}}
    change = {
        "actions": ["create"],
        "after": {"policy": '{"Statement": [{"Effect": "Deny"}]}', "block": [{"size": 0}], "off": False, "none": None},
        "after_unknown": {"queue": True, "id": True, "block": [{"target": True}]},
    }
    raw = {
        "configuration": {"root_module": {"module_calls": {"c": {"module": module}}}},
        "resource_changes": [{"address": "module.c.aws_a.this", "mode": "managed", "type": "aws_a", "change": change}],
        "output_changes": {"c": {"actions": ["create"], "after": {"name": "n"}, "after_unknown": {"id": True}}},
    }
    told = {
        "queue": "from aws_b.this.id",
        "policy": {"Statement": {"Effect": "Deny"}},
        "block": {"size": 0, "target": "from aws_c.this.arn"},
        "off": False,
        "depends_on": ["aws_c.this"],
    }
    assert planned_of(Plan(raw), ["c", "d"]) == {
        "c": {"planned": {"aws_a.this": told}, "outputs": {"name": "n", "id": "from aws_a.this.id"}},
        "d": {"planned": {}},
    }

"""Whatever stands in an inventory or a plan: what agrees passes, what differs fails with its line, nothing crashes."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.inventory import assert_plan, refresh_inventory
from sawhorse.plans.plan import Plan
from tests.plans.support import (
    ADDRESS,
    LOOKALIKES,
    at,
    changed,
    holds,
    leaves,
    line_of,
    places,
    plan_doing,
    plan_of,
    texts,
    values,
    written,
)

REFRESH = "make it so"
AWS_DECIDES = True
DONE = {
    "created": [["create"]],
    "updated": [["update"]],
    "replaced": [["delete", "create"], ["create", "delete"]],
    "deleted": [["delete"]],
    "forgotten": [["forget"]],
    "kept": [["no-op"]],
}
AFTER = ("created", "updated", "replaced", "kept")
actions = st.lists(
    st.tuples(st.sampled_from(["aws_a", "aws_b"]), st.sampled_from([done for ways in DONE.values() for done in ways])),
    max_size=6,
)
mappings = st.dictionaries(texts, values, min_size=1, max_size=4)
many = settings(max_examples=100, deadline=None)


@contextmanager
def inventory(content: str | bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.yaml"
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        yield path


def failure(plan: Plan, content: str | bytes) -> str:
    """Return the sentence that a plan gets from an inventory, nothing when it passes; all else is a crash."""
    with inventory(content) as path:
        try:
            assert_plan(plan, path, refresh=REFRESH)
        except (AssertionError, BadConfiguration) as error:
            sentence = str(error)
        else:
            return ""
    assert "events.yaml" in sentence
    return sentence


def refreshed(plan: Plan, content: str | None) -> str:
    with inventory(content or "") as path:
        if content is None:
            path.unlink()
        refresh_inventory(plan, path)
        return path.read_text()


def inventory_of(attributes: Any) -> dict[str, Any]:
    return {"values": {ADDRESS: attributes}}


@many
@given(values, values)
@example({}, {"a": 1})
@example({"a": 1}, "")
@example([1], "[")
def test_a_value_passes_exactly_when_it_is_what_the_inventory_says(expected: Any, found: Any) -> None:
    passes = failure(plan_of({"a": found}), written(inventory_of({"a": expected}))) == ""
    assert passes == holds(expected, found)


@pytest.mark.parametrize("expected", LOOKALIKES, ids=repr)
def test_no_value_is_taken_for_another(expected: Any) -> None:
    taken = [
        found
        for found in LOOKALIKES
        if not failure(plan_of({"a": found}), written(inventory_of({"a": expected}))) and not holds(expected, found)
    ]
    assert taken == []


@many
@given(mappings)
def test_a_value_equals_itself(attributes: dict[str, Any]) -> None:
    assert (
        failure(plan_of(attributes, outputs=attributes), written({**inventory_of(attributes), "outputs": attributes}))
        == ""
    )


@many
@given(mappings, st.data())
def test_what_differs_is_shown_with_its_path_and_line(attributes: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(places(attributes))))
    other = data.draw(values)
    assume(not holds(other, at(attributes, path)) and not isinstance(other, (dict, list)))
    content = inventory_of(changed(attributes, path, other))

    sentence = failure(plan_of(attributes), written(content))

    line = line_of(content, ("values", ADDRESS, *path))
    assert re.search(rf"^  \S*events\.yaml:{line}: ", sentence, re.MULTILINE), sentence
    assert f": values > {ADDRESS} > {' > '.join(map(str, path))}\n    - " in sentence
    assert sentence.endswith(REFRESH)


@many
@given(mappings, st.data())
def test_a_name_that_is_not_planned_is_shown_with_its_line(attributes: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(texts.filter(lambda text: text not in attributes))
    content = inventory_of({**attributes, name: data.draw(values)})
    sentence = failure(plan_of(attributes), written(content))
    assert f"events.yaml:{line_of(content, ('values', ADDRESS, name))}: " in sentence
    assert "(not planned)" in sentence


@many
@given(mappings, mappings)
def test_what_an_inventory_does_not_name_is_not_looked_at(named: dict[str, Any], more: dict[str, Any]) -> None:
    def within(one: Any, other: Any) -> Any:
        """Add to each mapping what another one has besides."""
        if isinstance(one, dict) and one:
            return {**more, **{key: within(value, other) for key, value in one.items()}}
        return [within(value, other) for value in one] if isinstance(one, list) else one

    assert failure(plan_of(within(named, more)), written(inventory_of(named))) == ""


@many
@given(mappings, st.data())
def test_an_empty_mapping_or_list_is_an_empty_one(attributes: dict[str, Any], data: st.DataObject) -> None:
    full = [path for path in places(attributes) if isinstance(at(attributes, path), (dict, list))]
    assume(full)
    path = data.draw(st.sampled_from(full))
    value = at(attributes, path)
    sentence = failure(plan_of(attributes), written(inventory_of(changed(attributes, path, type(value)()))))
    assert bool(sentence) == bool(value)


@many
@given(mappings)
def test_a_mapping_of_the_inventory_may_be_json_in_the_plan(document: dict[str, Any]) -> None:
    content = written(inventory_of({"policy": document}))
    assert failure(plan_of({"policy": json.dumps(document)}), content) == ""
    assert failure(plan_of({"policy": json.dumps({**document, next(iter(document)): "other than it was"})}), content)


@many
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="{}[]:,-&*!|>'\"%@#?<= \n\tab01.~_\\xuU")))
@example("")
@example("# nothing\n")
@example("null")
@example("values:")
@example("values: []")
@example("values: {aws_a.this: {a: &a [*a]}}")
@example("values: &a {<<: *a, b: 1}")
@example("values: {a: 1, a: 1}")
@example("values: {[a]: 1}")
@example("values: {a: !!int x}")
@example("values: {a: !!int ''}")
@example("values: {a: !!bool x}")
@example("values: {a: !!set {b}}")
@example("values: {a: !b c}")
@example("values: {a: 0b_}")
@example("values: {a: 2012-13-45}")
@example("values: {a: =}")
@example('values: {a: "\\UFFFFFFFF"}')
@example("%YAML 1." + "9" * 5000 + "\n--- {}")
@example("values: {a: " + "9" * 5000 + "}")
@example("values: {a: 0x" + "f" * 5000 + "}")
@example("values: " + "[" * 2000)
@example("values: " + "{a: " * 2000)
@example(
    "a: &a [1,1]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9))
)
@example(b"\xff\xfe")
@example("a: \x00")
@example("--- {}\n--- {}")
def test_no_file_crashes_and_none_that_cannot_be_read_is_written(content: str | bytes) -> None:
    plan = plan_of({"a": {"b": 1}})
    sentence = failure(plan, content)
    assert sentence, "an inventory that passes names something of the plan"
    with inventory(content) as path:
        before = path.read_bytes()
        try:
            refresh_inventory(plan, path)
        except BadConfiguration as error:
            refused = str(error)
        else:
            refused = ""
        assert path.read_bytes() == before if "events.yaml" in refused else not failure(plan, path.read_bytes())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a: 2012-10-17", {"a": "2012-10-17"}),
        ("a: 2012-10-17T10:00:00Z", {"a": "2012-10-17T10:00:00Z"}),
        ("a: =", {"a": "="}),
        ("1: a", {"1": "a"}),
        ("true: a", {"true": "a"}),
        ("null: a", {"null": "a"}),
        ("1.5: a", {"1.5": "a"}),
        ("2012-10-17: a", {"2012-10-17": "a"}),
        ("on: yes", {"on": True}),
        ("a: .nan", {"a": float("nan")}),
        ("a: .inf", {"a": float("inf")}),
        ("a: &b {c: 1}\nd: *b\ne: {<<: *b, f: 2}", {"a": {"c": 1}, "d": {"c": 1}, "e": {"c": 1, "f": 2}}),
        ("a: &b {c: 1}\ne: {<<: *b, c: 2}", {"a": {"c": 1}, "e": {"c": 2}}),
    ],
)
def test_what_yaml_has_and_json_has_not_is_read_as_json(content: str, found: dict[str, Any]) -> None:
    indented = content.replace("\n", "\n    ")
    text = f"values:\n  {ADDRESS}:\n    {indented}\n"
    assert failure(plan_of(found), text) == ""
    assert "events.yaml:3: " in failure(plan_of(dict.fromkeys(found, "other")), text)


@many
@given(actions)
def test_counts_are_of_what_there_is_after_the_apply(done: list[tuple[str, list[str]]]) -> None:
    words = [(kind, next(word for word, ways in DONE.items() if way in ways)) for kind, way in done]
    counted = {word: dict(Counter(kind for kind, did in words if did == word)) for word in DONE if word != "kept"}
    after = dict(Counter(kind for kind, word in words if word in AFTER))
    plan = plan_doing(done)

    replaced = {"replaced": counted["replaced"]}
    assert failure(plan, written({"counts": {"aws_a": 0, "aws_b": 0, **after}, **replaced})) == ""
    assert failure(plan, written({"counts": {"aws_a": after.get("aws_a", 0) + 1}, **replaced}))
    assert bool(failure(plan, written({"counts": {"aws_a": after.get("aws_a", 0)}}))) == (
        "aws_a" in counted["replaced"]
    ), "what replaces a thing is not taken for a new one"
    for word, counts in counted.items():
        assert failure(plan, written({word: {"aws_a": 0, "aws_b": 0, **counts}})) == ""
        assert failure(plan, written({word: {"aws_b": counts.get("aws_b", 0) + 1}}))
        assert bool(failure(plan, written({word: {}}))) == bool(counts)


@many
@given(actions)
def test_a_first_inventory_tells_what_is_lost(done: list[tuple[str, list[str]]]) -> None:
    plan = plan_doing(done)
    content = refreshed(plan, None)
    assert failure(plan, content) == ""
    for number, (kind, did) in enumerate(done):
        if did in (["create"], ["no-op"], ["update"]):
            assert failure(plan_doing([*done[:number], (kind, ["delete"]), *done[number + 1 :]]), content)
            assert failure(plan_doing([*done[:number], (kind, ["delete", "create"]), *done[number + 1 :]]), content)


def fails_when_a_leaf_changes(attributes: Mapping[str, Any], content: str, data: st.DataObject) -> None:
    """Assert that a plan with another value somewhere is told from the one that an inventory was written of."""
    path = data.draw(st.sampled_from([path for path in places(attributes) if at(attributes, path) in LOOKALIKES]))
    other = data.draw(leaves)
    assume(not holds(at(attributes, path), other) and not holds(other, at(attributes, path)))
    assert failure(plan_of(changed(attributes, path, other)), content)


@many
@given(mappings, st.data())
def test_a_first_inventory_passes_and_notices_every_change(attributes: dict[str, Any], data: st.DataObject) -> None:
    plan = plan_of({**attributes, "leaf": True}, outputs=attributes, unknown={"arn": True})
    content = refreshed(plan, None)
    assert failure(plan, content) == ""
    assert refreshed(plan, content) == content
    fails_when_a_leaf_changes({**attributes, "leaf": True}, content, data)


@many
@given(mappings, mappings)
def test_a_refreshed_inventory_passes_and_keeps_to_what_it_names(
    before: dict[str, Any], attributes: dict[str, Any]
) -> None:
    plan = plan_of({**attributes, "leaf": 1}, outputs=attributes)
    old = f"# Why.\n{written({**inventory_of({**before, 'leaf': 0}), 'counts': {'aws_thing': 7}})}"

    content = refreshed(plan, old)

    assert failure(plan, content) == ""
    assert refreshed(plan, content) == content
    assert content.startswith("# Why.\n")
    read = yaml.safe_load(content)
    assert list(read) == ["values", "counts"]
    assert set(read["values"][ADDRESS]) <= {*before, "leaf"}
    assert failure(plan_of({**attributes, "leaf": 0}, outputs=attributes), content)


@many
@given(mappings, st.data())
def test_a_plan_that_changed_since_the_refresh_fails(attributes: dict[str, Any], data: st.DataObject) -> None:
    plan = plan_of({**attributes, "leaf": 1})
    content = refreshed(plan, written(inventory_of({**attributes, "leaf": 0})))
    assert failure(plan, content) == ""
    fails_when_a_leaf_changes({**attributes, "leaf": 1}, content, data)


@pytest.mark.parametrize(
    "make",
    [lambda inner: inner, lambda inner: [inner], lambda inner: {"b": inner}],
    ids=["alone", "in a list", "in a mapping"],
)
@many
@given(values)
def test_what_only_aws_knows_is_no_value(make: Callable[[Any], Any], value: Any) -> None:
    """The mark stands without quotes; in quotes it is the text, which Terraform could plan as well."""
    marked = plan_of({"a": make(None)}, unknown={"a": make(AWS_DECIDES)})
    mark, text = (
        written(inventory_of({"a": make("the mark")})).replace('"the mark"', shown)
        for shown in ("(known after apply)", '"(known after apply)"')
    )
    assert failure(marked, mark) == ""
    assert failure(marked, text)
    assert failure(plan_of({"a": make("(known after apply)")}), text) == ""
    assert failure(plan_of({"a": make("(known after apply)")}), mark)
    assert failure(plan_of({"a": make(value)}), mark)
    assert failure(marked, written(inventory_of({"a": make(value)})))
    assert refreshed(marked, text) == refreshed(marked, mark)

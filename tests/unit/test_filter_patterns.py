"""The evaluator of filter patterns, which tests lean on, matches what CloudWatch Logs is documented to match."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.filter_patterns import counted, read


@given(status=st.integers(100, 599), message=st.sampled_from(["request", "requests", "", "other"]))
def test_a_pattern_counts_a_line_where_both_of_its_conditions_hold(status: int, message: str) -> None:
    line = json.dumps({"message": message, "status": status})
    found = counted('{ $.message = "request" && $.status >= 500 }', "1", [line])
    assert found == ([1.0] if message == "request" and status >= 500 else [])


@pytest.mark.parametrize(
    ("pattern", "event", "matches"),
    [
        ("{ $.a > 0 }", {"a": 1}, True),
        ("{ $.a > 0 }", {"a": "1"}, False),
        ("{ $.a > 0 }", {}, False),
        ("{ $.a != 1 }", {"a": True}, False),
        ('{ $.a = "x*z" }', {"a": "xyz"}, True),
        ('{ $.a = "x*z" }', {"a": "xy"}, False),
        ('{ $.a = "[x]" }', {"a": "x"}, False),
        ('{ $.a != "x" }', {"a": "y"}, True),
        ('{ $.a = "1" }', {"a": 1}, False),
        ("{ $.a.b.c <= -1.5 }", {"a": {"b": {"c": -2}}}, True),
        ("{ $.a.b.c <= -1.5 }", {"a": {"b": 3}}, False),
        ("{ $.a = 1 || $.b = 1 && $.c = 1 }", {"a": 1}, True),
        ("{ ($.a = 1 || $.b = 1) && $.c = 1 }", {"a": 1}, False),
    ],
)
def test_a_pattern_matches_as_documented(pattern: str, event: dict[str, object], *, matches: bool) -> None:
    assert read(pattern)(event) is matches


def test_lines_of_text_are_never_counted_and_a_selector_gives_the_value() -> None:
    lines = ["START RequestId: x", "[1]", '{"mb": 12}', '{"mb": "many"}', '{"mb": 0.5}']
    assert counted("{ $.mb > 0 }", "$.mb", lines) == [12.0, 0.5]
    assert counted('{ $.mb = "many" }', "$.mb", lines) == []


@pytest.mark.parametrize(
    "pattern",
    ["ERROR", "{ $.a }", "{ $.a = 1", '{ $.a > "x" }', "{ $.a IS TRUE }", "{ ($.a = 1 }", "{ $.a = 1 $.b = 1 }"],
)
def test_a_pattern_that_it_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(pattern)

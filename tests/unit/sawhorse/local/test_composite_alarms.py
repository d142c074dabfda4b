"""The rule of a composite alarm holds where CloudWatch's would, and what is no rule is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.local.composite_alarms import STATES, BadRule, read_rule

NAMES = st.text(alphabet="abz/-_ .$", min_size=1, max_size=5).map(str.strip).filter(bool)
ALARM_STATES = st.sampled_from(STATES)


def written(rule: Any) -> tuple[str, Any]:
    """Return a rule as text, and what it makes of states, told apart from how it is read."""
    kind, *parts = rule
    if kind in STATES:
        return f'{kind}("{parts[0]}")', lambda states: states[parts[0]] == kind
    if kind == "constant":
        return str(parts[0]).upper(), lambda _: parts[0]
    (left, of_left), *others = [written(part) for part in parts]
    if kind == "NOT":
        return f"NOT ({left})", lambda states: not of_left(states)
    (right, of_right) = others[0]
    if kind == "AND":
        return f"({left}) AND ({right})", lambda states: of_left(states) and of_right(states)
    return f"({left}) or ({right})", lambda states: of_left(states) or of_right(states)


LEAVES = st.tuples(ALARM_STATES, NAMES) | st.tuples(st.just("constant"), st.booleans())
RULES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.just("NOT"), inner) | st.tuples(st.sampled_from(["AND", "OR"]), inner, inner),
    max_leaves=8,
)


def names_in(rule: Any) -> set[str]:
    kind, *parts = rule
    if kind in STATES:
        return {parts[0]}
    return set() if kind == "constant" else {name for part in parts for name in names_in(part)}


@given(rule=RULES, data=st.data())
def test_a_rule_is_read_as_it_is_written(rule: Any, data: st.DataObject) -> None:
    text, holds = written(rule)
    names = names_in(rule)
    states = {name: data.draw(ALARM_STATES) for name in sorted(names)}

    read = read_rule(text)

    assert read.names == names
    assert read.holds(states) == holds(states)


def test_and_binds_more_than_or_and_not_more_than_both() -> None:
    states = {"a": "ALARM", "b": "OK", "c": "OK"}
    assert read_rule('ALARM("a") OR ALARM("b") AND ALARM("c")').holds(states)
    assert not read_rule('NOT ALARM("a") OR ALARM("b")').holds(states)


def test_an_alarm_is_named_without_quotes_and_by_its_arn() -> None:
    rule = read_rule("ALARM(a-b) AND OK(arn:aws:cloudwatch:us-east-1:111111111111:alarm:orders/throttles)")
    assert rule.names == {"a-b", "orders/throttles"}
    assert rule.holds({"a-b": "ALARM", "orders/throttles": "OK"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ALARM",
        'ALARM("a"',
        'ALARM("")',
        'ALARM("a") ALARM("b")',
        'ALARM("a") OR',
        "(TRUE",
        "TRUE)",
        "AND TRUE",
        "RED(a)",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(BadRule, match=r"\w"):
        read_rule(text)

"""Whoever reads an alarm is told what to do, every alarm tells somebody, and what has one cause tells them once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sawhorse.local.composite_alarms import read_rule
from sawhorse.plans.plan import Plan

pytestmark = pytest.mark.whole_plans

REPOSITORY = Path(__file__).resolve().parents[4]
ROOTS = sorted(f"{path.parts[-3]}/{path.parts[-2]}" for path in (REPOSITORY / "environments").glob("*/*/main.tf"))
METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
# What somebody who was woken can type.
COMMAND = re.compile(r"\b(?:aws [a-z0-9]+ [a-z-]+|sawhorse [a-z]+)\b")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
LONGEST_DESCRIPTION, LONGEST_NAME = 1024, 255


def alarms_of(plan: Plan, *kinds: str) -> dict[str, dict[str, Any]]:
    """Return the alarms that a plan makes, by their names; no two have one."""
    found = [values for address, values in plan.resources.items() if plan.types[address] in kinds]
    named = {values["alarm_name"]: values for values in found}
    assert len(named) == len(found)
    return named


@pytest.mark.parametrize("root", ROOTS)
def test_every_alarm_says_what_it_means_and_what_to_type(root: str, root_plan: Callable[[str], Plan]) -> None:
    alarms = alarms_of(root_plan(root), METRIC, COMPOSITE)
    assert alarms
    for name, values in alarms.items():
        description = values["alarm_description"]
        assert COMMAND.search(description), (name, description)
        assert len(description) <= LONGEST_DESCRIPTION
        assert len(name) <= LONGEST_NAME


@pytest.mark.parametrize("root", ROOTS)
def test_every_alarm_tells_the_topic_or_is_a_part_of_one_that_does(root: str, root_plan: Callable[[str], Plan]) -> None:
    plan = root_plan(root)
    metrics, composites = alarms_of(plan, METRIC), alarms_of(plan, COMPOSITE)
    parts = [name for values in composites.values() for name in read_rule(values["alarm_rule"]).names]

    assert {name.rpartition("-")[2] for name in composites} == {"failing", "throttled"}
    assert all(values["alarm_actions"] and values["ok_actions"] for values in composites.values())
    assert sorted(parts) == sorted(name for name, values in metrics.items() if not values["alarm_actions"])
    assert all(bool(values["alarm_actions"]) == bool(values["ok_actions"]) for values in metrics.values())


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_counted_in_a_log_is_what_an_alarm_looks_at(root: str, root_plan: Callable[[str], Plan]) -> None:
    plan = root_plan(root)
    counted = {
        (published["namespace"], published["name"])
        for address, values in plan.resources.items()
        if plan.types[address] == "aws_cloudwatch_log_metric_filter"
        for published in values["metric_transformation"]
    }
    looked_at = {(values["namespace"], values["metric_name"]) for values in alarms_of(plan, METRIC).values()}
    own = {metric for metric in looked_at if metric[0] and not metric[0].startswith("AWS/")}
    functions = [address for address, kind in plan.types.items() if kind == "aws_lambda_function"]

    assert counted == own
    # A worker answers no requests.
    assert len([name for _, name in own if name == "ServerErrors"]) == 1
    assert len([name for _, name in own if name == "MaxMemoryUsed"]) == len(functions)


@pytest.mark.parametrize("app", sorted({root.partition("/")[2] for root in ROOTS}))
def test_an_environment_that_is_no_production_has_no_alarm_that_production_has_not(
    app: str, root_plan: Callable[[str], Plan]
) -> None:
    def kinds(environment: str) -> set[str]:
        plan = root_plan(f"{environment}/{app}")
        return {address for address, kind in plan.types.items() if kind in {METRIC, COMPOSITE}}

    more = kinds("production") - kinds("dev")
    assert kinds("dev") <= kinds("production")
    # Refused requests are told of in production alone.
    assert [re.findall(r'\["([^"]*)"\]$', address) for address in more] == [["4xx"]]

"""Say which alarms CloudWatch would raise for what was measured, and which of them tell somebody."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMPARED = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

# What an alarm looks at: a namespace, a metric, and its dimensions.
Metric = tuple[str, str, frozenset[tuple[str, str]]]
# What was measured of it, a value of the alarm's statistic for each of its periods, the last one at the end.
Measured = Mapping[Metric, Sequence[float]]


def metric(namespace: str, name: str, **dimensions: str) -> Metric:
    return namespace, name, frozenset(dimensions.items())


def put_alarm(cloudwatch: Any, name: str, **arguments: Any) -> None:
    """Make an alarm of a function's errors."""
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        **arguments,
    )


def metric_of(alarm: Mapping[str, Any]) -> Metric:
    dimensions = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    return metric(alarm.get("Namespace", ""), alarm.get("MetricName", ""), **dimensions)


@dataclass(frozen=True)
class Ringing:
    """The alarms that would be red, by name, and those of them that tell somebody."""

    red: frozenset[str]
    telling: frozenset[str]


def would_ring(alarm: Mapping[str, Any], measured: Measured) -> bool:
    """Say whether a metric alarm goes off: so many of its last periods are beyond its threshold, a missing one is not.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
    """
    compared, periods = COMPARED[alarm["ComparisonOperator"]], alarm["EvaluationPeriods"]
    beyond = [value for value in measured.get(metric_of(alarm), ())[-periods:] if compared(value, alarm["Threshold"])]
    return len(beyond) >= int(alarm.get("DatapointsToAlarm", periods))


def ring(cloudwatch: Any, names: Iterable[str], measured: Measured) -> Ringing:
    """Set every metric alarm of these to what it would be, and read what the composites make of them.

    It expects each that was measured to be looked at by an alarm, and sets all to OK in the end.
    """
    wanted = set(names)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    described = list(pages)
    metrics = [alarm for page in described for alarm in page["MetricAlarms"] if alarm["AlarmName"] in wanted]
    composites = [alarm["AlarmName"] for page in described for alarm in page["CompositeAlarms"]]
    assert {alarm["AlarmName"] for alarm in metrics} | set(composites) >= wanted
    red = {alarm["AlarmName"] for alarm in metrics if would_ring(alarm, measured)}
    try:
        for alarm in metrics:
            state = "ALARM" if alarm["AlarmName"] in red else "OK"
            cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason="Measured.")
        found = cloudwatch.describe_alarms(
            AlarmNames=sorted(wanted), AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
        alarms = [one for one in [*found["MetricAlarms"], *found["CompositeAlarms"]] if one["StateValue"] == "ALARM"]
    finally:
        for name in red:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Measured.")
    return Ringing(
        frozenset(one["AlarmName"] for one in alarms),
        frozenset(one["AlarmName"] for one in alarms if one["AlarmActions"]),
    )

"""What the harness leans on in moto's Application Auto Scaling and CloudWatch."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import Account, unique
from tests.ringing import put_alarm

DIMENSION = "dynamodb:table:WriteCapacityUnits"


@pytest.fixture
def scaling(account: Account) -> Any:
    """Application Auto Scaling of the account."""
    return account.client("application-autoscaling")


@pytest.fixture
def target(scaling: Any) -> str:
    """The ARN of a scalable target that was registered with a tag."""
    response = scaling.register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId=f"table/{unique('table')}",
        ScalableDimension=DIMENSION,
        MinCapacity=1,
        MaxCapacity=10,
        Tags={"app": "tiny"},
    )
    return str(response["ScalableTargetARN"])


def test_a_targets_tags_are_told_at_once(scaling: Any, target: str) -> None:
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"app": "tiny"}


def test_a_targets_tags_change(scaling: Any, target: str) -> None:
    scaling.tag_resource(ResourceARN=target, Tags={"environment": "dev", "app": "other"})
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"app": "other", "environment": "dev"}

    scaling.untag_resource(ResourceARN=target, TagKeys=["app", "never"])
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"environment": "dev"}


def test_a_target_and_its_policy_are_told_as_they_were_given(scaling: Any) -> None:
    resource = f"table/{unique('table')}"
    names = {"ServiceNamespace": "dynamodb", "ResourceId": resource, "ScalableDimension": DIMENSION}
    scaling.register_scalable_target(**names, MinCapacity=2, MaxCapacity=20)
    scaling.put_scaling_policy(
        **names,
        PolicyName="write",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
        },
    )

    (found,) = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[resource])["ScalableTargets"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=resource)["ScalingPolicies"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 20)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0


def test_an_alarm_is_told_as_it_was_given(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    alarm: dict[str, Any] = {
        "AlarmName": unique("alarm"),
        "AlarmDescription": "The table refuses writes.",
        "Namespace": "AWS/DynamoDB",
        "MetricName": "WriteThrottleEvents",
        "Dimensions": [{"Name": "TableName", "Value": "events"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws:sns:us-east-1:111111111111:alarms"],
    }
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "app", "Value": "tiny"}])

    (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert {name: found[name] for name in alarm} == alarm
    tags = cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "app", "Value": "tiny"}]


def test_a_dashboard_is_told_as_it_was_given(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    name = unique("dashboard")
    body = {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": {"markdown": "hello"}}]}
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))

    assert json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]) == body
    cloudwatch.delete_dashboards(DashboardNames=[name])
    assert name not in [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]]


def an_alarm(cloudwatch: Any) -> str:
    """Make an alarm, and return its name."""
    name = unique("alarm")
    put_alarm(cloudwatch, name)
    return name


def composite(cloudwatch: Any, rule: str, **more: Any) -> str:
    name = unique("composite")
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule, **more)
    return name


def told(cloudwatch: Any, name: str) -> Any:
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return found


def test_a_composite_alarm_is_told_as_it_was_given(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    given: dict[str, Any] = {
        "AlarmDescription": "Something fails.",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:111111111111:alarms"],
        "OKActions": ["arn:aws:sns:us-east-1:111111111111:over"],
    }
    rule = f'ALARM("{an_alarm(cloudwatch)}")'
    name = composite(cloudwatch, rule, **given, Tags=[{"Key": "app", "Value": "tiny"}])

    found = told(cloudwatch, name)
    assert {key: found[key] for key in given} == given
    assert found["AlarmRule"] == rule
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "app", "Value": "tiny"}]
    # Only metric alarms are told of to whoever does not ask for others.
    everything = cloudwatch.describe_alarms(AlarmNames=[name])
    assert (everything["MetricAlarms"], everything.get("CompositeAlarms", [])) == ([], [])


def test_a_composite_alarm_follows_what_it_names(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    one, other = an_alarm(cloudwatch), an_alarm(cloudwatch)
    either = composite(cloudwatch, f'ALARM("{one}") OR ALARM("{other}")')
    above = composite(cloudwatch, f'ALARM("{either}") AND NOT ALARM("{other}")')

    for states, wanted in (
        ({one: "ALARM"}, ("ALARM", "ALARM")),
        ({other: "ALARM"}, ("ALARM", "OK")),
        ({one: "OK"}, ("ALARM", "OK")),
        ({other: "OK"}, ("OK", "OK")),
    ):
        for name, state in states.items():
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="A test.")
        assert (told(cloudwatch, either)["StateValue"], told(cloudwatch, above)["StateValue"]) == wanted


def test_a_composite_alarm_that_is_set_stays_so_until_what_it_names_changes(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    one = an_alarm(cloudwatch)
    name = composite(cloudwatch, f'ALARM("{one}")')
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="A test.")
    assert told(cloudwatch, name)["StateValue"] == "ALARM"

    cloudwatch.set_alarm_state(AlarmName=one, StateValue="INSUFFICIENT_DATA", StateReason="A test.")
    assert told(cloudwatch, name)["StateValue"] == "OK"


def test_an_alarm_that_a_composite_names_is_not_deleted(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    one, other = an_alarm(cloudwatch), an_alarm(cloudwatch)
    name = composite(cloudwatch, f'ALARM("{one}") OR ALARM("{other}")')
    with pytest.raises(ClientError, match=f"Cannot delete {one} as there are composite alarm.* depending on it"):
        cloudwatch.delete_alarms(AlarmNames=[one])

    cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.delete_alarms(AlarmNames=[one, other])
    assert cloudwatch.describe_alarms(AlarmNames=[one, other])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [('ALARM("nobody")', "alarms .nobody. in the alarm rule do not exist"), ('ALARM("a" OR', "AlarmRule is not valid")],
)
def test_a_composite_alarm_of_nothing_is_refused(account: Account, rule: str, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        composite(account.client("cloudwatch"), rule)


def test_the_history_of_an_alarm_has_its_states_and_no_action_since_nobody_is_told(account: Account) -> None:
    cloudwatch = account.client("cloudwatch")
    name = an_alarm(cloudwatch)
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"It is {state}.")

    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert sorted(item["HistorySummary"] for item in items) == ["Alarm updated to ALARM", "Alarm updated to OK"]
    assert cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"] == []


def test_a_metric_filter_is_told_as_it_was_given_and_goes(account: Account) -> None:
    logs = account.client("logs")
    group = unique("group")
    logs.create_log_group(logGroupName=group)
    transformation = {
        "metricName": "Memory",
        "metricNamespace": "FunctionLogs/a",
        "metricValue": "$.mb",
        "unit": "Megabytes",
    }
    pattern = '{ $.type = "platform.report" && $.mb > 0 }'
    logs.put_metric_filter(
        logGroupName=group, filterName="memory", filterPattern=pattern, metricTransformations=[transformation]
    )

    (found,) = logs.describe_metric_filters(logGroupName=group, filterNamePrefix="memory")["metricFilters"]
    assert (found["filterPattern"], found["metricTransformations"]) == (pattern, [transformation])
    logs.delete_metric_filter(logGroupName=group, filterName="memory")
    assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []

"""What the harness leans on in moto's Application Auto Scaling and CloudWatch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contracts.support import Account, unique

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

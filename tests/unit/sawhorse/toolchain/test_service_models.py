"""What botocore says of a member is read with all that it holds; a call or a member that is not there is refused."""

from __future__ import annotations

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.toolchain.service_models import constraints, words


@pytest.mark.parametrize(
    ("call", "member", "said"),
    [
        ("lambda.CreateFunction", "Description", {"length": "0 to 256"}),
        ("lambda.CreateFunction", "EphemeralStorage.Size", {"range": "512 to 32768"}),
        ("lambda.CreateFunction", "PackageType", {"values": "one of Zip, Image"}),
        ("lambda.CreateFunction", "Environment.Variables", {"key pattern": "matches [a-zA-Z]([a-zA-Z0-9_])+"}),
        ("lambda.PutFunctionConcurrency", "ReservedConcurrentExecutions", {"range": "at least 0"}),
        ("cloudwatch.PutMetricAlarm", "OKActions", {"items": "at most 5", "item length": "1 to 1024"}),
        (
            "dynamodb.CreateTable",
            "GlobalSecondaryIndexes[].Projection.NonKeyAttributes",
            {"items": "1 to 20", "item length": "1 to 255"},
        ),
        # In the name of the shape alone.
        ("apigatewayv2.CreateRoute", "AuthorizationScopes", {"item length": "1 to 64"}),
        ("apigatewayv2.CreateIntegration", "RequestTemplates", {"value length": "0 to 32768"}),
        ("apigatewayv2.CreateIntegration", "ResponseParameters{}", {"value length": "1 to 512"}),
        ("sns.CreateTopic", "Name", {}),
        ("ssm.PutParameter", "Value", {}),
    ],
)
def test_what_the_models_say_is_read(call: str, member: str, said: dict[str, str]) -> None:
    assert constraints(call, member) == said


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("lambda.PutFunctionConcurrency", "leave at least 100 simultaneous executions unreserved for functions"),
        ("lambda.CreateFunction Timeout", "integer: The amount of time (in seconds) that Lambda allows a function"),
        ("iam.CreateRole Tags[].Key", "; length: 1 to 128"),
        # Of the response alone.
        ("apigateway.GetStage methodSettings{}.throttlingBurstLimit", "integer: Specifies the throttling burst limit."),
    ],
)
def test_what_the_models_say_in_words_is_read_without_tags(of: str, said: str) -> None:
    assert said in words(of)
    assert "<" not in words(of)


@pytest.mark.parametrize("of", ["lambda.MakeFunction", "lambda.CreateFunction Timeouts"])
def test_words_of_what_is_not_there_are_refused(of: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^botocore \S+ knows no "):
        words(of)


@pytest.mark.parametrize(
    ("call", "member", "sentence"),
    [
        ("lamda.CreateFunction", "Description", r"knows no service lamda; correct lamda\.CreateFunction\.$"),
        ("lambda.MakeFunction", "Description", r"knows no lambda\.MakeFunction; name an operation of lambda\.$"),
        (
            "lambda.CreateFunction",
            "Describtion",
            r"knows no Describtion in lambda\.CreateFunction; correct the member\.$",
        ),
        (
            "lambda.CreateFunction",
            "Code.Bucket",
            r"knows no Code\.Bucket in lambda\.CreateFunction; correct the member\.$",
        ),
        ("lambda.CreateFunction", "Description.Length", r"knows no Description\.Length in "),
        ("lambda.CreateFunction", "Description[].Length", r"knows no Description\[\]\.Length in "),
    ],
)
def test_what_is_not_there_is_refused(call: str, member: str, sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        constraints(call, member)

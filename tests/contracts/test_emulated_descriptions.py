"""What the local AWS tells of what it keeps is what AWS tells, so that a second plan finds nothing to change."""

from __future__ import annotations

from tests.contracts.support import Account


def test_an_index_of_a_table_that_turns_to_on_demand_has_no_capacity(account: Account) -> None:
    dynamodb, units = account.client("dynamodb"), {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}
    table = account.table(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "owner")],
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units,
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": units,
            }
        ],
    )

    updated = dynamodb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")["TableDescription"]

    for told in (updated, dynamodb.describe_table(TableName=table)["Table"]):
        for part in (told, told["GlobalSecondaryIndexes"][0]):
            capacity = part["ProvisionedThroughput"]
            assert (capacity["ReadCapacityUnits"], capacity["WriteCapacityUnits"]) == (0, 0)


def test_a_stage_of_a_rest_api_says_nothing_of_access_logs_that_it_does_not_write(account: Account) -> None:
    gateway = account.client("apigateway")
    api = account.rest_api(account.function("handler = print"), stage="silent")
    logs = {"destinationArn": "arn:aws:logs:us-east-1:111111111111:log-group:access", "format": "$context.requestId"}

    def told() -> list[object]:
        one, many = gateway.get_stage(restApiId=api, stageName="silent"), gateway.get_stages(restApiId=api)["item"]
        return [stage.get("accessLogSettings") for stage in (one, *many)]

    assert told() == [None, None]
    patch = [{"op": "replace", "path": f"/accessLogSettings/{name}", "value": value} for name, value in logs.items()]
    gateway.update_stage(restApiId=api, stageName="silent", patchOperations=patch)
    assert told() == [logs, logs]


def test_the_workers_of_all_versions_that_are_kept_warm_are_listed(account: Account) -> None:
    functions = account.client("lambda")
    name = account.function("handler = print", Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def told() -> dict[str, int]:
        configs = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
        return {one["FunctionArn"]: one["RequestedProvisionedConcurrentExecutions"] for one in configs}

    assert told() == {}
    for qualifier, workers in (("1", 2), ("live", 3)):
        functions.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=workers
        )
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert told() == {f"{arn}:1": 2, f"{arn}:live": 3}
    one = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert one["RequestedProvisionedConcurrentExecutions"] == 3

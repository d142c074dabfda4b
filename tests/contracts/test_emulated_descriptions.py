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

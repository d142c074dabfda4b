"""What the apps lean on in the local DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import Account


@pytest.fixture(scope="module")
def dynamodb(account: Account) -> Any:
    """DynamoDB of the account."""
    return account.client("dynamodb")


@pytest.fixture
def table(account: Account) -> str:
    """A table with the key `id`."""
    return account.table()


@pytest.fixture
def inbox(account: Account) -> str:
    """A table with an index by status and time."""
    return account.table(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "status", "created_at")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-status",
                "KeySchema": [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def code_of(refusal: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refusal.value.response["Error"]["Code"])


def put_pending(dynamodb: Any, table: str, number: int) -> None:
    dynamodb.put_item(
        TableName=table,
        Item={"id": {"S": f"e{number}"}, "status": {"S": "pending"}, "created_at": {"S": f"2026-01-0{number}"}},
    )


def query_pending(dynamodb: Any, table: str, **options: Any) -> dict[str, Any]:
    response: dict[str, Any] = dynamodb.query(
        TableName=table,
        IndexName="by-status",
        KeyConditionExpression="#status = :pending",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":pending": {"S": "pending"}},
        **options,
    )
    return response


def ids(response: dict[str, Any]) -> list[str]:
    return [item["id"]["S"] for item in response["Items"]]


@pytest.mark.parametrize("word", ["status", "ttl", "name", "Source", "agent"])
def test_a_reserved_word_in_an_expression_is_refused(dynamodb: Any, table: str, word: str) -> None:
    with pytest.raises(ClientError, match="reserved keyword") as refusal:
        dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": "1"}},
            UpdateExpression=f"SET {word} = :value",
            ExpressionAttributeValues={":value": {"S": "x"}},
        )

    assert code_of(refusal) == "ValidationException"


def test_a_transaction_with_a_failing_condition_writes_nothing_and_says_why(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={"id": {"S": "taken"}})

    def put(key: str) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": table,
                "Item": {"id": {"S": key}},
                "ConditionExpression": "attribute_not_exists(id)",
            }
        }

    with pytest.raises(ClientError) as refusal:
        dynamodb.transact_write_items(TransactItems=[put("new"), put("taken")])

    assert code_of(refusal) == "TransactionCanceledException"
    reasons = refusal.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "new"}}, ConsistentRead=True)


def test_a_transaction_whose_conditions_hold_writes_all(dynamodb: Any, table: str) -> None:
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": table, "Item": {"id": {"S": key}}}} for key in ("a", "b")]
    )

    assert sorted(item["id"]["S"] for item in dynamodb.scan(TableName=table)["Items"]) == ["a", "b"]


def test_a_failing_condition_is_refused(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})

    with pytest.raises(ClientError) as refusal:
        dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}}, ConditionExpression="attribute_not_exists(id)")

    assert code_of(refusal) == "ConditionalCheckFailedException"


def test_an_item_of_400_kb_is_taken_and_a_larger_one_refused(dynamodb: Any, table: str) -> None:
    limit = 400 * 1024
    names = len("id") + len("1") + len("body")

    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "body": {"S": "x" * (limit - names)}})
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size") as refusal:
        dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "body": {"S": "x" * (limit - names + 1)}})

    assert code_of(refusal) == "ValidationException"


def test_a_page_goes_on_after_an_item_that_left_the_index(dynamodb: Any, inbox: str) -> None:
    for number in range(1, 6):
        put_pending(dynamodb, inbox, number)
    first = query_pending(dynamodb, inbox, Limit=2)
    assert ids(first) == ["e1", "e2"]
    dynamodb.update_item(
        TableName=inbox,
        Key={"id": {"S": "e2"}},
        UpdateExpression="SET #status = :done",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":done": {"S": "acknowledged"}},
    )

    rest = query_pending(dynamodb, inbox, ExclusiveStartKey=first["LastEvaluatedKey"])

    assert ids(rest) == ["e3", "e4", "e5"]


def test_a_page_goes_on_from_a_key_that_never_was(dynamodb: Any, inbox: str) -> None:
    for number in (1, 3, 5):
        put_pending(dynamodb, inbox, number)
    between = {"id": {"S": "gone"}, "status": {"S": "pending"}, "created_at": {"S": "2026-01-02"}}

    assert ids(query_pending(dynamodb, inbox, ExclusiveStartKey=between)) == ["e3", "e5"]
    assert ids(query_pending(dynamodb, inbox, ExclusiveStartKey=between, ScanIndexForward=False)) == ["e1"]


def test_a_page_that_took_everything_may_still_name_its_last_key(dynamodb: Any, inbox: str) -> None:
    put_pending(dynamodb, inbox, 1)

    response = query_pending(dynamodb, inbox, Limit=1)

    rest = query_pending(dynamodb, inbox, ExclusiveStartKey=response["LastEvaluatedKey"])
    assert (ids(response), ids(rest)) == (["e1"], [])


def test_an_item_without_the_indexs_key_is_not_in_the_index(dynamodb: Any, inbox: str) -> None:
    dynamodb.put_item(TableName=inbox, Item={"id": {"S": "record"}, "created_at": {"S": "2026-01-01"}})
    put_pending(dynamodb, inbox, 1)

    assert ids(query_pending(dynamodb, inbox)) == ["e1"]


def test_an_index_refuses_consistent_reads_and_a_table_takes_them(dynamodb: Any, inbox: str) -> None:
    put_pending(dynamodb, inbox, 1)

    with pytest.raises(ClientError) as refusal:
        query_pending(dynamodb, inbox, ConsistentRead=True)
    response = dynamodb.query(
        TableName=inbox,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "e1"}},
        ConsistentRead=True,
    )

    assert code_of(refusal) == "ValidationException"
    assert ids(response) == ["e1"]


def test_the_expiry_setting_is_told(dynamodb: Any, table: str) -> None:
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )

    description = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert description == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_the_attribute_of_time_to_live_is_not_changed_in_one_step(dynamodb: Any, table: str) -> None:
    def use(attribute: str, *, enabled: bool = True) -> None:
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute}
        )

    use("expires_at")
    with pytest.raises(ClientError) as refusal:
        use("deleted_at")

    assert code_of(refusal) == "ValidationException"
    assert "current AttributeName is expires_at" in str(refusal.value)
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    use("expires_at", enabled=False)
    use("deleted_at")
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "deleted_at"


def test_a_protected_table_is_not_deleted(dynamodb: Any, account: Account) -> None:
    table = account.table(DeletionProtectionEnabled=True)

    with pytest.raises(ClientError) as refusal:
        dynamodb.delete_table(TableName=table)

    assert code_of(refusal) == "ValidationException"
    assert dynamodb.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"] is True
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)

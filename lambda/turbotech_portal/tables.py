"""Read and change the items of one table: what the four adapters have in common."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.api_errors import ApiError
from shared.dynamodb import ConditionFailed
from shared.items import from_item, to_item
from shared.waiting import AsyncDynamoDB

# Every number that JavaScript and DynamoDB hold exactly alike fits into fifteen digits.
NUMBER_ID = re.compile(r"[1-9][0-9]{0,14}", flags=re.ASCII)

Values = dict[str, Any]


class Table:
    """A table whose hash key is `id`; `subject` is what one of its items is called in sentences."""

    def __init__(self, *, name: str, subject: str, dynamodb: AsyncDynamoDB) -> None:
        self.name = name
        self.subject = subject
        self.dynamodb = dynamodb

    async def everything(self) -> list[Values]:
        """Read all items, in no order, as they are now and not as they were a moment ago."""
        found: list[Values] = []
        start: dict[str, Any] = {}
        while True:
            page = await self.dynamodb.scan(self.name, ConsistentRead=True, **start)
            found += [from_item(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def find(self, key: int | str) -> Values | None:
        """Read the item with this id."""
        answer = await self.dynamodb.get_item(self.name, Key=to_item({"id": key}), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    async def change(self, key: int | str, values: Mapping[str, Any]) -> Values:
        """Set attributes of an item that is there, and return all of it as it is then."""
        try:
            answer = await self.dynamodb.update_item(
                self.name,
                Key=to_item({"id": key}),
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
                ConditionExpression="attribute_exists(#id)",
                ExpressionAttributeNames={"#id": "id", **{f"#{name}": name for name in values}},
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            raise self.not_found() from None
        return from_item(answer["Attributes"])

    def not_found(self) -> ApiError:
        return ApiError(HTTPStatus.NOT_FOUND, "not_found", f"There is no {self.subject} with this id.")

    def number_id(self, text: str) -> int:
        """Read the id of a path; what cannot be one is not found, without asking DynamoDB."""
        if not NUMBER_ID.fullmatch(text):
            raise self.not_found()
        return int(text)

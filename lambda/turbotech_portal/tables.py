"""Read and change the items of one table: what the four adapters have in common."""

import re
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ValidationError

from shared.api_errors import ApiError, not_found
from shared.dynamodb import ConditionFailed, Item
from shared.items import from_item, to_item
from shared.personal import public_id
from shared.waiting import AsyncDynamoDB, every_item_awaited

# Every number that JavaScript and DynamoDB hold exactly alike fits into fifteen digits.
NUMBER_ID = re.compile(r"[1-9][0-9]{0,14}", flags=re.ASCII)

Shape = TypeVar("Shape", bound=BaseModel)


class Table(Generic[Shape]):
    """A table whose hash key is `id`; `subject` is what one of its items is called in sentences.

    Other people's scripts write the table, too. An item that has not the shape that is asked for is logged and left
    out, and its id is not found: it must not take all the others along.
    """

    def __init__(self, *, name: str, subject: str, shape: type[Shape], dynamodb: AsyncDynamoDB, logger: Logger) -> None:
        self.name = name
        self.subject = subject
        self.dynamodb = dynamodb
        self._shape = shape
        self._logger = logger

    @property
    def required(self) -> set[str]:
        """Name the attributes without which an item does not fit."""
        return {name for name, field in self._shape.model_fields.items() if field.is_required()}

    async def everything(self) -> list[Shape]:
        """Read all items, in no order, as they are now and not as they were a moment ago."""
        return await self.all_of(every_item_awaited(partial(self.dynamodb.scan, self.name, ConsistentRead=True)))

    async def all_of(self, items: AsyncIterator[Item]) -> list[Shape]:
        """Read items to their end, all that fit."""
        return [found async for item in items if (found := self.fitting(item)) is not None]

    async def find(self, key: int | str) -> Shape | None:
        """Read the item with this id."""
        answer = await self.dynamodb.get_item(self.name, Key=to_item({"id": key}), ConsistentRead=True)
        return self.fitting(answer["Item"]) if "Item" in answer else None

    async def get(self, key: int | str) -> Shape:
        """Read the item with this id, or refuse with 404."""
        found = await self.find(key)
        if found is None:
            raise self.not_found()
        return found

    async def change(self, key: int | str, values: Mapping[str, Any]) -> Shape:
        """Set attributes of an item that is there, and return all of it as it is then.

        One that lacks what is not set here stays as it is, so that nothing is written behind a 404.
        """
        there = sorted({"id", *self.required} - values.keys())
        try:
            answer = await self.dynamodb.update_item(
                self.name,
                Key=to_item({"id": key}),
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
                ConditionExpression=" AND ".join(f"attribute_exists(#{name})" for name in there),
                ExpressionAttributeNames={f"#{name}": name for name in (*there, *values)},
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            raise self.not_found() from None
        return self.whole(answer["Attributes"])

    def whole(self, item: Item) -> Shape:
        """Read an item that was just written, or refuse with 404 when it does not fit."""
        found = self.fitting(item)
        if found is None:
            raise self.not_found()
        return found

    def fitting(self, item: Item) -> Shape | None:
        """Read an item, or log which one does not fit and where: never its values."""
        values = from_item(item)
        try:
            return self._shape.model_validate(values)
        except ValidationError as error:
            members = sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]})
            item_id = values.get("id")
            shown = public_id(item_id) if isinstance(item_id, str) else item_id
            line = {"table": self.name, "item_id": shown, "members": members}
            self._logger.warning("An item does not fit and is left out.", extra=line)
            return None

    def not_found(self) -> ApiError:
        return not_found(f"There is no {self.subject} with this id.")

    def number_id(self, text: str) -> int:
        """Read the id of a path; what cannot be one is not found, without asking DynamoDB."""
        if not NUMBER_ID.fullmatch(text):
            raise self.not_found()
        return int(text)

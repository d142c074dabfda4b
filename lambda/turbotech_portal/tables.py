"""Read and change the items of one table: what the four adapters have in common."""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from shared.api_errors import ApiError, not_found
from shared.async_dynamodb import AsyncDynamoDB, every_item_awaited
from shared.dynamodb import ConditionFailed, Item
from shared.items import to_item
from shared.personal import public_id
from shared.stored import Reader, Stored

# As many digits as `stored.MAX_ID`.
NUMBER_ID = re.compile(r"[1-9][0-9]{0,14}", flags=re.ASCII)

Shown = TypeVar("Shown", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition of a write, with the names and values that it mentions."""

    expression: str
    names: dict[str, str]
    values: Item


class Table(Generic[Shown]):
    """A table whose hash key is `id`; `subject` is what one of its items is called in sentences.

    Other people's scripts write the table, too. An item that has not the shape that is asked for is logged and left
    out, and its id is not found: it must not take all the others along.
    """

    def __init__(  # noqa: PLR0913 - what is read, and what it is shown as
        self,
        *,
        name: str,
        subject: str,
        shape: type[Stored],
        shown: type[Shown],
        dynamodb: AsyncDynamoDB,
        logger: Logger,
    ) -> None:
        self.name = name
        self.subject = subject
        self.dynamodb = dynamodb
        self._shape = shape
        self._shown = shown
        self._reader = Reader(shape, table=name, key=("id",), logger=logger, shown=public_id)

    async def everything(self) -> list[Shown]:
        """Read all items, in no order, as they are now and not as they were a moment ago."""
        return await self.all_of(every_item_awaited(partial(self.dynamodb.scan, self.name, ConsistentRead=True)))

    async def all_of(self, items: AsyncIterator[Item]) -> list[Shown]:
        """Read items to their end, all that fit."""
        return [found async for item in items if (found := self.fitting(item)) is not None]

    async def item(self, key: int | str) -> Item | None:
        """Read what the table has under this id, whatever that is."""
        response = await self.dynamodb.get_item(self.name, Key=to_item({"id": key}), ConsistentRead=True)
        item: Item | None = response.get("Item")
        return item

    async def get(self, key: int | str) -> Shown:
        """Read the item with this id, or refuse with 404."""
        return self.whole(await self.item(key))

    async def change(self, key: int | str, values: Mapping[str, Any]) -> Shown:
        """Set attributes of an item that is there, and return all of it as it is then."""
        return await self.set(key, values, there=await self.item(key))

    async def set(self, key: int | str, values: Mapping[str, Any], *, there: Item | None) -> Shown:
        """Set attributes of an item that was read, and return all of it as it is then.

        One that would not fit with them stays as it is, so that nothing is written behind a 404.
        """
        if there is None:
            raise self.not_found()
        written = to_item(values)
        changed = self.whole({**there, **written})
        still = self.still_fits(there, besides=set(values))
        try:
            response = await self.dynamodb.update_item(
                self.name,
                Key=to_item({"id": key}),
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
                ConditionExpression=still.expression,
                ExpressionAttributeNames=still.names | {f"#{name}": name for name in values},
                ExpressionAttributeValues=still.values | {f":{name}": value for name, value in written.items()},
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            raise self.not_found() from None
        # Somebody else may have written what does not fit at the same moment: this was written all the same.
        return self.fitting(response["Attributes"]) or changed

    def still_fits(self, there: Item, *, besides: Collection[str] = ()) -> Condition:
        """Make the condition that an item which fitted when it was read is there, with attributes of the same kinds."""
        needed = [name for name, field in self._shape.model_fields.items() if field.is_required()]
        kinds = {name: next(iter(there[name])) for name in needed if name != "id" and name not in besides}
        return Condition(
            expression=" AND ".join(["attribute_exists(#id)", *(f"attribute_type(#{n}, :kind_of_{n})" for n in kinds)]),
            names={f"#{name}": name for name in ("id", *kinds)},
            values={f":kind_of_{name}": {"S": kind} for name, kind in kinds.items()},
        )

    def whole(self, item: Item | None) -> Shown:
        """Read an item, or refuse with 404 when there is none or it does not fit."""
        found = self.fitting(item)
        if found is None:
            raise self.not_found()
        return found

    def fitting(self, item: Item | None) -> Shown | None:
        """Read an item, or log once which one does not fit and where: never its values."""
        found = self._reader.find(item)
        return self._shown.model_validate(found.model_dump()) if found else None

    def not_found(self) -> ApiError:
        return not_found(missing(self.subject))

    def number_id(self, text: str) -> int:
        """Read the id of a path; what cannot be one is not found, without asking DynamoDB."""
        if not NUMBER_ID.fullmatch(text):
            raise self.not_found()
        return int(text)


def missing(subject: str) -> str:
    """Say that there is none of these."""
    return f"There is no {subject} with this id."

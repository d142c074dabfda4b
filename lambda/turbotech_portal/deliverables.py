"""Keep deliverables in DynamoDB."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from shared.async_dynamodb import AsyncDynamoDB, every_item_awaited
from shared.items import to_item
from turbotech_portal.models import Deliverable, DeliverableChanges
from turbotech_portal.stored import StoredDeliverable
from turbotech_portal.tables import Table

MONTH_INDEX = "MonthIndex"


class DeliverableAdapter:
    """Read and change deliverables; they are made by `seed` or by an operator, never by the API."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, logger: Logger) -> None:
        self.table = Table(
            name=table,
            subject="deliverable",
            shape=StoredDeliverable,
            shown=Deliverable,
            dynamodb=dynamodb,
            logger=logger,
        )

    async def get_all(self) -> list[Deliverable]:
        """Return every deliverable by its id."""
        return _in_order(await self.table.everything())

    async def get_by_month(self, month: int) -> list[Deliverable]:
        """Return the deliverables of a month by their id; the index follows a change a moment later."""
        read = partial(
            self.table.dynamodb.query,
            self.table.name,
            IndexName=MONTH_INDEX,
            KeyConditionExpression="#month = :month",
            ExpressionAttributeNames={"#month": "month"},
            ExpressionAttributeValues=to_item({":month": month}),
        )
        return _in_order(await self.table.all_of(every_item_awaited(read)))

    async def get_by_id(self, deliverable_id: int) -> Deliverable:
        """Return a deliverable, or refuse with 404."""
        return await self.table.get(deliverable_id)

    async def update(self, deliverable_id: int, changes: Mapping[str, Any]) -> Deliverable:
        """Change a deliverable that is there: only what is known of one, and only to what it may be."""
        return await self.table.change(deliverable_id, DeliverableChanges.model_validate(dict(changes)).values())


def _in_order(deliverables: Iterable[Deliverable]) -> list[Deliverable]:
    return sorted(deliverables, key=lambda deliverable: deliverable.id)

"""Keep deliverables in DynamoDB."""

from collections.abc import Mapping
from typing import Any

from shared.items import from_item, to_item
from shared.waiting import AsyncDynamoDB
from turbotech_portal.models import Deliverable, DeliverableChanges
from turbotech_portal.tables import Table

MONTH_INDEX = "MonthIndex"


class DeliverableAdapter:
    """Read and change deliverables; they are made by `seed` or by an operator, never by the API."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB) -> None:
        self.table = Table(name=table, subject="deliverable", dynamodb=dynamodb)

    async def get_all(self) -> list[Deliverable]:
        """Return every deliverable by its id."""
        return _in_order(await self.table.everything())

    async def get_by_month(self, month: int) -> list[Deliverable]:
        """Return the deliverables of a month by their id; the index follows a change a moment later."""
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = await self.table.dynamodb.query(
                self.table.name,
                IndexName=MONTH_INDEX,
                KeyConditionExpression="#month = :month",
                ExpressionAttributeNames={"#month": "month"},
                ExpressionAttributeValues=to_item({":month": month}),
                **start,
            )
            found += [from_item(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return _in_order(found)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def get_by_id(self, deliverable_id: int) -> Deliverable:
        """Return a deliverable, or refuse with 404."""
        found = await self.table.find(deliverable_id)
        if found is None:
            raise self.table.not_found()
        return Deliverable.model_validate(found)

    async def update(self, deliverable_id: int, changes: Mapping[str, Any]) -> Deliverable:
        """Change a deliverable that is there: only what is known of one, and only to what it may be."""
        values = DeliverableChanges.model_validate(dict(changes)).values()
        return Deliverable.model_validate(await self.table.change(deliverable_id, values))


def _in_order(items: list[dict[str, Any]]) -> list[Deliverable]:
    return sorted((Deliverable.model_validate(item) for item in items), key=lambda deliverable: deliverable.id)

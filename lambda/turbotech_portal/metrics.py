"""Keep metrics in DynamoDB."""

from collections.abc import Mapping
from typing import Any

from shared.waiting import AsyncDynamoDB
from turbotech_portal.models import Metric, MetricChanges
from turbotech_portal.tables import Table


class MetricAdapter:
    """Read and change metrics; they are made by `seed` or by an operator, never by the API."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB) -> None:
        self.table = Table(name=table, subject="metric", dynamodb=dynamodb)

    async def get_all(self) -> list[Metric]:
        """Return every metric by its id."""
        found = [Metric.model_validate(item) for item in await self.table.everything()]
        return sorted(found, key=lambda metric: metric.id)

    async def get_by_id(self, metric_id: int) -> Metric:
        """Return a metric, or refuse with 404."""
        found = await self.table.find(metric_id)
        if found is None:
            raise self.table.not_found()
        return Metric.model_validate(found)

    async def update(self, metric_id: int, changes: Mapping[str, Any]) -> Metric:
        """Change a metric that is there: only what is known of one, and only to what it may be."""
        values = MetricChanges.model_validate(dict(changes)).values()
        return Metric.model_validate(await self.table.change(metric_id, values))

"""Keep metrics in DynamoDB."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from shared.async_dynamodb import AsyncDynamoDB
from turbotech_portal.models import Metric, MetricChanges
from turbotech_portal.stored import StoredMetric
from turbotech_portal.tables import Table


class MetricAdapter:
    """Read and change metrics; they are made by `seed` or by an operator, never by the API."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, logger: Logger) -> None:
        self.table = Table(
            name=table, subject="metric", shape=StoredMetric, shown=Metric, dynamodb=dynamodb, logger=logger
        )

    async def get_all(self) -> list[Metric]:
        """Return every metric by its id."""
        return sorted(await self.table.everything(), key=lambda metric: metric.id)

    async def get_by_id(self, metric_id: int) -> Metric:
        """Return a metric, or refuse with 404."""
        return await self.table.get(metric_id)

    async def update(self, metric_id: int, changes: Mapping[str, Any]) -> Metric:
        """Change a metric that is there: only what is known of one, and only to what it may be."""
        return await self.table.change(metric_id, MetricChanges.model_validate(dict(changes)).values())

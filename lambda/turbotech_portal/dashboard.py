"""Make the dashboard: read everything at once, and turn it into the numbers that a frontend shows."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from shared.visible_text import visible
from turbotech_portal.deliverables import DeliverableAdapter
from turbotech_portal.metrics import MetricAdapter
from turbotech_portal.models import (
    STATUSES,
    Dashboard,
    Deliverable,
    DeliverableNumbers,
    Metric,
    MetricNumbers,
    UpdateNumbers,
)
from turbotech_portal.updates import UpdateAdapter

LATEST_UPDATES = 5


async def make_dashboard(
    *, deliverables: DeliverableAdapter, metrics: MetricAdapter, updates: UpdateAdapter, user_id: str
) -> Dashboard:
    """Read side by side, so that the whole takes as long as the slowest part."""
    all_deliverables = asyncio.create_task(deliverables.get_all())
    all_metrics = asyncio.create_task(metrics.get_all())
    latest = asyncio.create_task(updates.page(limit=LATEST_UPDATES))
    unread = asyncio.create_task(updates.count_unread(user_id))
    # When one fails, the others still come to their end: nothing may go on behind a response, where Lambda freezes it.
    await asyncio.gather(all_deliverables, all_metrics, latest, unread, return_exceptions=True)
    return Dashboard(
        deliverables=deliverable_numbers(all_deliverables.result()),
        metrics=[metric_numbers(metric) for metric in all_metrics.result()],
        updates=UpdateNumbers(latest=latest.result().updates, unread=unread.result()),
    )


def deliverable_numbers(deliverables: Sequence[Deliverable]) -> DeliverableNumbers:
    """Count by status, every known one included, and take the mean of what is done: 0 when there is nothing to do."""
    counted = Counter(visible(deliverable.status) for deliverable in deliverables)
    done = sum(deliverable.completion_percentage for deliverable in deliverables)
    return DeliverableNumbers(
        total=len(deliverables),
        by_status={status: counted[status] for status in sorted({*STATUSES, *counted}, key=_place)},
        overall_completion=round(done / len(deliverables), 1) if deliverables else 0.0,
    )


def metric_numbers(metric: Metric) -> MetricNumbers:
    """Compare a metric with its target: more is better."""
    percent = round(100 * metric.current_value / metric.target, 1) if metric.target else None
    return MetricNumbers(
        **metric.model_dump(), percent_of_target=percent, reached=metric.current_value >= metric.target
    )


def _place(status: str) -> tuple[int, str]:
    known: Sequence[str] = STATUSES
    return (known.index(status) if status in known else len(known), status)

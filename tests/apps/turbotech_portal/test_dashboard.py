"""The dashboard has the numbers that a frontend shows, in one call that reads everything at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.turbotech_portal.support import Api, MakeApi, Tables, deliverable, metric, put
from tests.unit.support import Refusing, client_error
from turbotech_portal.dashboard import deliverable_numbers, metric_numbers
from turbotech_portal.models import STATUSES, Deliverable, Metric


def test_an_empty_project_has_numbers_too(api: Api) -> None:
    assert api.read("/api/dashboard") == {
        "deliverables": {
            "total": 0,
            "by_status": {"NOT_STARTED": 0, "IN_PROGRESS": 0, "BLOCKED": 0, "COMPLETED": 0},
            "overall_completion": 0.0,
        },
        "metrics": [],
        "updates": {"latest": [], "unread": 0},
    }


def test_deliverables_are_counted_by_status_and_their_completion_is_the_mean(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    put(
        dynamodb,
        tables.deliverables,
        deliverable(1, status="COMPLETED", completion_percentage=100),
        deliverable(2, status="IN_PROGRESS", completion_percentage=25),
        deliverable(3),
        deliverable(4, status="CANCELLED"),
    )

    assert api.read("/api/dashboard")["deliverables"] == {
        "total": 4,
        "by_status": {"NOT_STARTED": 1, "IN_PROGRESS": 1, "BLOCKED": 0, "COMPLETED": 1, "CANCELLED": 1},
        "overall_completion": 31.2,
    }


@pytest.mark.parametrize(
    ("target", "value", "percent", "reached"),
    [
        (100, 92, 92.0, False),
        (100, 100, 100.0, True),
        (80, 100, 125.0, True),
        (3, 1, 33.3, False),
        (0, 5, None, True),
        (0.5, 0.25, 50.0, False),
        (-10, -20, 200.0, False),
    ],
)
def test_a_metric_stands_against_its_target(
    target: float,
    value: float,
    percent: float | None,
    reached: bool,  # noqa: FBT001 - a column of the table
) -> None:
    numbers = metric_numbers(Metric(id=1, name="M", target=target, current_value=value))

    assert (numbers.percent_of_target, numbers.reached) == (percent, reached)


def test_metrics_come_with_what_they_are(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.metrics, metric(1, current_value=92))

    assert api.read("/api/dashboard")["metrics"] == [
        metric(1, current_value=92) | {"percent_of_target": 92.0, "reached": False}
    ]


@given(st.lists(st.tuples(st.sampled_from([*STATUSES, "OTHER"]), st.integers(0, 100))))
def test_every_deliverable_is_counted_once_and_the_mean_stays_within_bounds(parts: list[tuple[str, int]]) -> None:
    numbers = deliverable_numbers(
        [
            Deliverable(id=number, name="D", status=status, completion_percentage=percentage, month=1)
            for number, (status, percentage) in enumerate(parts, start=1)
        ]
    )

    assert sum(numbers.by_status.values()) == numbers.total == len(parts)
    assert set(STATUSES) <= numbers.by_status.keys()
    assert 0 <= numbers.overall_completion <= 100


def test_the_latest_five_are_shown_and_all_unread_ones_counted(api: Api, make_api: MakeApi) -> None:
    written = [api.write(title=f"Number {number}") for number in range(7)]
    reader = make_api(claims={"sub": "auth0|grace"})
    reader.post(f"/api/updates/{written[0]['id']}/read")

    numbers = reader.read("/api/dashboard")["updates"]

    assert [update["title"] for update in numbers["latest"]] == [f"Number {number}" for number in (6, 5, 4, 3, 2)]
    assert numbers["unread"] == 6
    assert api.read("/api/dashboard")["updates"]["unread"] == 0


@pytest.mark.parametrize("operation", ["scan", "query"])
def test_a_part_that_is_throttled_throttles_the_whole(make_api: MakeApi, dynamodb: Any, operation: str) -> None:
    client = Refusing(dynamodb, client_error("ThrottlingException"), operation)

    response = make_api(client=client).get("/api/dashboard")

    assert (response.status, response.error_code) == (429, "throttled")

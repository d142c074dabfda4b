"""Metrics are listed, read and changed, and their numbers come back as they were written."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.turbotech_portal.support import Api, Tables, metric, put
from turbotech_portal.models import MAX_VALUE, MetricChanges
from turbotech_portal.routes import Adapters


def test_the_adapters_methods_are_called_as_the_specification_has_them(
    adapters: Adapters, dynamodb: Any, tables: Tables
) -> None:
    put(dynamodb, tables.metrics, metric(2), metric(1))

    async def use() -> None:
        assert [found.id for found in await adapters.metrics.get_all()] == [1, 2]
        assert (await adapters.metrics.update(1, {"current_value": 92})).current_value == 92

    asyncio.run(use())


@pytest.mark.parametrize("value", ["92", "92.5", "0", "-3.25", "999999999.999999", "1e3", "1000000000", "0.1"])
def test_a_number_comes_back_as_a_number(api: Api, dynamodb: Any, tables: Tables, value: str) -> None:
    put(dynamodb, tables.metrics, metric(1))

    response = api.send("PATCH", "/api/metrics/1", body=f'{{"current_value": {value}}}')

    assert response.status == 200, response
    assert response.json() == metric(1, current_value=json.loads(value))
    assert api.read("/api/metrics") == {"metrics": [response.json()]}
    assert api.read("/api/metrics/1") == response.json()


def test_a_whole_number_has_no_fraction(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.metrics, metric(1))

    assert '"current_value":92}' in api.send("PATCH", "/api/metrics/1", body='{"current_value": 92}').body


@given(st.integers(-(10**15), 10**15))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_number_of_six_decimals_within_the_bounds_is_kept_exactly(millionths: int) -> None:
    value = millionths / 10**6

    kept = MetricChanges.model_validate_json(f'{{"target": {value!r}}}').values()["target"]

    assert abs(value) <= MAX_VALUE
    assert kept * 10**6 == millionths


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"current_value": 1e-7}', "current_value: may have 10 digits before its point and 6 after it"),
        ('{"current_value": 1e-300}', "current_value: may have 10 digits before its point and 6 after it"),
        ('{"current_value": 1e10}', "current_value: may have 10 digits before its point and 6 after it"),
        ('{"current_value": -1000000000.1}', "current_value: input should be greater than or equal to -1000000000"),
        ('{"current_value": 1e400}', "current_value: may have 10 digits before its point and 6 after it"),
        ('{"current_value": NaN}', "NaN is not a JSON number"),
        ('{"current_value": "92"}', "current_value: input should be a valid number"),
        ('{"current_value": true}', "current_value: input should be a valid number"),
        ('{"target": null}', "target: input should be a valid number"),
        ('{"target": [1]}', "target: input should be a valid number"),
        ("{}", "name at least one member to change"),
        ('{"value": 1}', "value: extra inputs are not permitted"),
    ],
)
def test_a_number_that_cannot_be_kept_is_refused(
    api: Api, dynamodb: Any, tables: Tables, body: str, words: str
) -> None:
    put(dynamodb, tables.metrics, metric(1))

    response = api.send("PATCH", "/api/metrics/1", body=body)

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert words in response.json()["error"]["message"]
    assert api.read("/api/metrics/1") == metric(1)


def test_an_unknown_metric_is_neither_found_nor_made(api: Api) -> None:
    assert api.get("/api/metrics/7").error_code == "not_found"
    assert api.patch("/api/metrics/7", {"target": 1}).error_code == "not_found"
    assert api.read("/api/metrics") == {"metrics": []}

"""Do what no caller asked for: when it fails, the log and a metric say so, and the response stays what it is."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aws_lambda_powertools import Logger

METRIC = "HousekeepingFailed"


class Housekeeping:
    """Run what tidies up, so that no failure of it reaches a caller.

    The line of a failure is at once its metric (EMF), and an error, so that every LOG_LEVEL has it. It counts under the
    logger's service and, where `dimensions` has more, under those.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self, *, logger: Logger, namespace: str, dimensions: Mapping[str, str] | None = None) -> None:
        self._logger = logger
        self._namespace = namespace
        self._dimensions = dict(dimensions or {})

    @contextmanager
    def task(self, name: str, **fields: str) -> Iterator[None]:
        """Run the block as a task of this name; `fields` stand in the line of its failure."""
        try:
            yield
        except Exception:  # whatever it is, it is not the caller's, and its stack belongs into the log
            self._logger.exception("Housekeeping failed. The response stands.", extra=self._line(name, fields))

    def _line(self, name: str, fields: Mapping[str, str]) -> dict[str, object]:
        described = {
            "Namespace": self._namespace,
            "Dimensions": [[*self._dimensions, "service"]],
            "Metrics": [{"Name": METRIC, "Unit": "Count"}],
        }
        metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]}
        return {**fields, **self._dimensions, "task": name, METRIC: 1, "_aws": metadata}

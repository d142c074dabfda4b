"""Count what happens as CloudWatch metrics in the log (EMF), flushed at the end of each request."""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from shared.asgi import App, Receive, Scope, Send


class Counters:
    """Count things that happened, by name."""

    def __init__(self, *, namespace: str, service: str, stage: str) -> None:
        self._metrics = EphemeralMetrics(namespace=namespace, service=service)
        self._metrics.set_default_dimensions(stage=stage)

    def count(self, name: str) -> None:
        """Count one."""
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)

    def flush(self) -> None:
        """Write what was counted since the last flush, if anything was."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


class FlushCounters:
    """Write the counters when a request is over, however it ended."""

    def __init__(self, app: App, *, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        try:
            await self._app(scope, receive, send)
        finally:
            self._counters.flush()

"""Count what one claim of hybrid_ci_cd costs in calls of DynamoDB, when many agents drain one queue at once.

Calls do not depend on the machine, as seconds do. Each agent has an application and a client of its own, as Lambda
gives each request that it serves at once an environment of its own. For another commit, checked out in DIRECTORY:

    PYTHONPATH=DIRECTORY/lambda python -m tests.apps.hybrid_ci_cd.claims
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_ci_cd.app import SERVICE, create_app
from hybrid_ci_cd.settings import Settings
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.toolchain import installed
from shared.lambda_handler import make_handler
from shared.logs import make_logger
from shared.times import system_clock
from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, Tables, make_tables
from tests.benchmarks.samples import percentile
from tests.benchmarks.scratch import make_checkout

PROJECT = Path(__file__).resolve().parents[3]
AGENTS = 20
JOBS = 500
OK, NO_CONTENT, TOO_MANY = 200, 204, 429


@dataclass
class Counting:
    """A client that counts its calls, and the writes that a condition refused.

    With an index that is `behind`, all agents read the same responses of it until those are so many seconds old.
    """

    client: Any
    behind: float = 0
    read: dict[str, tuple[float, Any]] = field(default_factory=dict)
    calls: int = 0
    refused: int = 0

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls += 1
            if operation == "query" and self.behind:
                return self._stale(request)
            try:
                return getattr(self.client, operation)(**request)
            except self.client.exceptions.ConditionalCheckFailedException:
                self.refused += 1
                raise

        return call

    def _stale(self, request: dict[str, Any]) -> Any:
        name = json.dumps(request, sort_keys=True)
        when, response = self.read.get(name, (0.0, None))
        if time.monotonic() - when > self.behind:
            when, response = time.monotonic(), self.client.query(**request)
            self.read[name] = (when, response)
        return response


@dataclass(frozen=True)
class Claim:
    """The response to one call for the next job, and what it cost."""

    status: int
    job_id: str | None
    claimed_at: str
    calls: int
    refused: int


@dataclass
class Agent:
    """An agent with an application of its own."""

    client: Counting
    api: Api
    caller: AgentCaller
    claims: list[Claim] = field(default_factory=list)

    def drain(self, start: threading.Barrier) -> None:
        """Claim and finish jobs until there are none."""
        with loop_of_its_own():
            start.wait(timeout=60)
            self._drain()

    def _drain(self) -> None:
        while True:
            self.client.calls = self.client.refused = 0
            response = self.api.claim_next(self.caller)
            job = response.json() if response.status == OK else {}
            told = (response.status, job.get("job_id"), job.get("claimed_at", ""))
            self.claims.append(Claim(*told, self.client.calls, self.client.refused))
            if response.status == NO_CONTENT:
                break
            if response.status == TOO_MANY:
                time.sleep(float(response.headers["Retry-After"]))
            elif response.status == OK:
                self.api.finish(job["job_id"], self.caller, attempt=job["attempt"])
            else:
                raise AssertionError(response)


@dataclass(frozen=True)
class Drained:
    """All claims of a queue that was drained, and the jobs that were in it, oldest first."""

    jobs: Sequence[str]
    claims: Sequence[Claim]

    @property
    def table(self) -> str:
        """Write the figures as Markdown."""
        rows = []
        for title, shown in (("got a job", {OK}), ("all", {OK, NO_CONTENT, TOO_MANY})):
            claims = [claim for claim in self.claims if claim.status in shown]
            for what in ("calls", "refused"):
                figures = [getattr(claim, what) for claim in claims]
                shares = [f"{percentile(figures, share):g}" for share in (50, 99, 100)]
                rows.append(f"| {title} | {len(claims)} | {what} | {' | '.join(shares)} |\n")
        responses = ", ".join(f"{status}: {count}" for status, count in sorted(Counter(self.statuses).items()))
        head = "| claims | number | per claim | p50 | p99 | most |\n| --- | ---: | --- | ---: | ---: | ---: |\n"
        order = f"Jobs given once: {self.once}; out of order by {self.places_early} places at most."
        return f"{head}{''.join(rows)}\nStatuses: {responses}. {order}\n"

    @property
    def statuses(self) -> list[int]:
        return [claim.status for claim in self.claims]

    @property
    def places_early(self) -> int:
        """How many older jobs were still in the queue, at most, when one was claimed."""
        place = {job_id: number for number, job_id in enumerate(self.jobs)}
        claims = sorted((claim for claim in self.claims if claim.job_id), key=lambda claim: claim.claimed_at)
        return max(place[str(claim.job_id)] - before for before, claim in enumerate(claims))

    def calls(self, percent: float) -> float:
        """Return a percentile of the calls of one claim."""
        return percentile([claim.calls for claim in self.claims], percent)

    @property
    def once(self) -> str:
        given = Counter(claim.job_id for claim in self.claims if claim.job_id)
        return f"{sum(given[job_id] == 1 for job_id in self.jobs)} of {len(self.jobs)}"


@contextmanager
def loop_of_its_own() -> Iterator[None]:
    """Give the thread an event loop, which Mangum takes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def drain(
    make_client: Callable[[], Any], tables: Tables, *, agents: int = AGENTS, jobs: int = JOBS, behind: float = 0
) -> Drained:
    """Let agents of one user drain a queue of jobs, all at once."""
    logger = make_logger(SERVICE, "ERROR")
    settings = Settings(sessions_table=tables.sessions, jobs_table=tables.jobs, agents_table=tables.agents, stage="dev")
    read: dict[str, tuple[float, Any]] = {}

    def made() -> tuple[Counting, Api]:
        client = Counting(make_client(), behind, read)
        return client, Api(
            make_handler(create_app(settings=settings, client=client, clock=system_clock, logger=logger))
        )

    # The metrics of every request go to standard output.
    with redirect_stdout(io.StringIO()), ThreadPoolExecutor(agents) as pool:
        with loop_of_its_own():
            _, api = made()
            user = api.log_in()
            ids = [api.queue(user, f"job {number}") for number in range(jobs)]
            crowd = [Agent(*made(), api.register(user)) for _ in range(agents)]
        start = threading.Barrier(agents)
        for done in [pool.submit(agent.drain, start) for agent in crowd]:
            done.result()
    return Drained(ids, [claim for agent in crowd for claim in agent.claims])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.apps.hybrid_ci_cd.claims", description=__doc__)
    parser.add_argument("--agents", type=int, default=AGENTS, help=f"how many claim at once ({AGENTS})")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"how many are in the queue ({JOBS})")
    parser.add_argument("--behind", type=float, default=0, help="seconds that the index is behind the table (0)")
    options = parser.parse_args()
    installed.ensure_emulators(PROJECT)
    with tempfile.TemporaryDirectory() as scratch:
        aws = LocalAWS(make_checkout(PROJECT, Path(scratch) / "checkout"))
        try:
            variables = aws.up(port=0).environment()
            tables = make_tables(local_client("dynamodb", variables))
            found = drain(
                lambda: local_client("dynamodb", variables),
                tables,
                agents=options.agents,
                jobs=options.jobs,
                behind=options.behind,
            )
        finally:
            aws.down()
    sys.stdout.write(found.table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

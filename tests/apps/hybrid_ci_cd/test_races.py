"""Many agents at once want one job, on the local DynamoDB with a thread for each."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import botocore.config
import botocore.session
import pytest
from aws_lambda_powertools import Logger

from hybrid_ci_cd.agents import AgentStore, KnownAgent
from hybrid_ci_cd.jobs import JobStore
from hybrid_ci_cd.models import AGENT_SCOPES, NewAgent, NewJob
from hybrid_ci_cd.next_job import WINDOW
from hybrid_ci_cd.settings import Settings
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from shared.api_errors import ApiError
from shared.dynamodb import DynamoDB
from shared.housekeeping import Housekeeping
from shared.times import system_clock
from tests.apps.hybrid_ci_cd.claims import drain
from tests.apps.hybrid_ci_cd.support import Tables

AGENTS = 20
# In the queue that they drain; of five hundred `python -m tests.apps.hybrid_ci_cd.claims` tells.
JOBS = 150
# Calls of DynamoDB for one claim, those included that check the token and look for lost agents: 95 of 100 take no more.
CALLS = 12
# Five of these are for every claim; the others read the queue, look at jobs and write.
MOST_CALLS = 24
# Claims for one job after another, by the same agents.
RACES = 10


@pytest.fixture
def at_once(local_aws: Running, store_settings: Settings, logger: Any) -> tuple[AgentStore, JobStore]:
    """Stores for many threads: their client holds a connection for each."""
    variables = local_aws.environment()
    client: Any = botocore.session.get_session().create_client(
        "dynamodb",
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(max_pool_connections=AGENTS),
    )
    logger.setLevel("INFO")
    dynamodb = DynamoDB(client=client, logger=logger)
    agents = AgentStore(
        settings=store_settings,
        dynamodb=dynamodb,
        clock=system_clock,
        housekeeping=Housekeeping(logger=logger, namespace="hybrid-ci-cd"),
        logger=logger,
    )
    return agents, JobStore(
        settings=store_settings, dynamodb=dynamodb, clock=system_clock, agents=agents, logger=logger
    )


def registered(agents: AgentStore) -> list[KnownAgent]:
    made = [agents.register(NewAgent(name=f"agent-{number}"), user_id="user123") for number in range(AGENTS)]
    scopes = frozenset(AGENT_SCOPES)
    return [KnownAgent(agent_id=agent.agent_id, user_id="user123", is_lost=False, scopes=scopes) for _, agent in made]


@pytest.mark.drill(short=1)
def test_twenty_agents_claim_one_job_at_once_and_one_gets_it(at_once: tuple[AgentStore, JobStore]) -> None:
    agents, jobs = at_once
    known = registered(agents)
    start = Barrier(AGENTS)

    def claim(agent: KnownAgent, job_id: str) -> str:
        start.wait(timeout=30)
        try:
            return str(jobs.claim(job_id, agent).job.agent_id)
        except ApiError as error:
            return error.code

    with ThreadPoolExecutor(AGENTS) as pool:
        for number in range(RACES):
            job = jobs.create(NewJob(name=f"race-{number}"), user_id="user123")
            outcomes = list(pool.map(claim, known, [job.job_id] * AGENTS))
            [winner] = [outcome for outcome in outcomes if outcome != "job_taken"]
            assert jobs.get(job.job_id, user_id="user123").agent_id == winner
            assert jobs.get(job.job_id, user_id="user123").attempt == 1


@pytest.mark.drill(short=1)
@pytest.mark.parametrize("behind", [0.0, 0.3])
def test_twenty_agents_drain_a_queue_with_a_dozen_calls_for_each_claim(
    local_aws: Running, tables: Tables, logger: Logger, behind: float
) -> None:
    """The index is as old as `behind` says, so that all agents read the same page that is no longer true."""
    variables = local_aws.environment()

    drained = drain(lambda: local_client("dynamodb", variables), tables, agents=AGENTS, jobs=JOBS, behind=behind)

    assert drained.once == f"{JOBS} of {JOBS}"
    # The last jobs of so short a queue are a tenth of its claims, and there are fewer of them than agents.
    assert drained.calls(95) <= CALLS, drained.table
    assert drained.calls(100) <= MOST_CALLS, drained.table
    assert drained.statuses.count(429) <= len(drained.claims) / 50, drained.table
    # As many as are read, and as many as the others claim meanwhile.
    assert drained.places_early <= WINDOW + AGENTS, drained.table


@pytest.mark.drill(short=1)
def test_twenty_agents_ask_for_any_job_at_once_and_each_gets_another(at_once: tuple[AgentStore, JobStore]) -> None:
    agents, jobs = at_once
    known = registered(agents)
    ids = {jobs.create(NewJob(name=f"job-{number}"), user_id="user123").job_id for number in range(AGENTS)}

    with ThreadPoolExecutor(AGENTS) as pool:
        claimed = list(pool.map(jobs.claim_next, known))

    assert {job.job_id for job in claimed if job} == ids

"""The demo user, whom a seed leaves with one session, one agent and one job, however often it runs."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from hybrid_ci_cd.ops import seed as seeding
from sawhorse.operate.seed import Seeded
from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, Tables, User

DEPLOYMENT: Any = None


@pytest.fixture
def seed(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Seeded]:
    """The seed, whose calls reach an application in this process."""

    def respond(request: httpx.Request) -> httpx.Response:
        query = {name: request.url.params.get_list(name) for name in request.url.params}
        response = api.send(
            request.method,
            request.url.path,
            body=request.content or None,
            headers={name.title(): value for name, value in request.headers.items()},
            query=query,
        )
        return httpx.Response(response.status, text=response.body)

    http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(respond))
    monkeypatch.setattr(seeding, "open_http", lambda _deployment: nullcontext(http))
    return lambda: seeding.seed(DEPLOYMENT)


def user_of(seeded: Seeded) -> User:
    return User(seeded.secrets["session_id"], "")


def agent_of(seeded: Seeded) -> AgentCaller:
    return AgentCaller(seeded.secrets["agent_id"], seeded.secrets["agent_token"])


def test_a_second_seed_leaves_one_session_one_agent_and_one_job(
    seed: Callable[[], Seeded], api: Api, dynamodb: Any, tables: Tables
) -> None:
    first, second = seed(), seed()

    assert not api.validate(first.secrets["session_id"])["valid"]
    assert api.heartbeat(agent_of(first)).status == 401
    assert len(api.devices(user_of(second))) == 1
    assert [agent["agent_id"] for agent in api.agents(user_of(second))] == [second.secrets["agent_id"]]
    assert dynamodb.scan(TableName=tables.jobs)["Count"] == 1
    assert seeding.still_valid(DEPLOYMENT, second.secrets)
    assert not seeding.still_valid(DEPLOYMENT, first.secrets)


def test_a_job_that_an_earlier_seeds_agent_runs_is_kept_and_can_be_claimed(
    seed: Callable[[], Seeded], api: Api
) -> None:
    claimed = api.claim_next(agent_of(seed())).json()

    again = api.claim_next(agent_of(seed())).json()

    assert (again["job_id"], again["attempt"]) == (claimed["job_id"], 2)


def test_a_job_that_has_ended_is_followed_by_another(seed: Callable[[], Seeded], api: Api) -> None:
    agent = agent_of(seed())
    ended = api.claim_next(agent).json()["job_id"]
    api.finish(ended, agent)

    assert api.claim_next(agent_of(seed())).json()["job_id"] != ended

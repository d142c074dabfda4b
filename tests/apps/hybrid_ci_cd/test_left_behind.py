"""Jobs of agents that are lost or removed: nothing is lost with them, and looking for it costs little."""

from datetime import timedelta
from typing import Any

import pytest

from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, StoppedClock, Tables, User
from tests.unit.support import Recording

LOST_AFTER = timedelta(seconds=90)


@pytest.fixture
def user(api: Api) -> User:
    return api.log_in()


@pytest.fixture
def agent(api: Api, user: User) -> AgentCaller:
    return api.register(user)


@pytest.fixture
def held(timed_api: Api) -> tuple[User, AgentCaller, str]:
    """A user, an agent of theirs, and a job that it has claimed."""
    user = timed_api.log_in()
    agent = timed_api.register(user, "first")
    job_id = timed_api.queue(user)
    assert timed_api.claim(job_id, agent).status == 200
    return user, agent, job_id


@pytest.mark.parametrize("path", ["/jobs/claim", "/jobs/{job_id}/claim"])
def test_the_job_of_a_lost_agent_is_claimed_again(
    timed_api: Api, clock: StoppedClock, held: tuple[User, AgentCaller, str], path: str
) -> None:
    user, first, job_id = held
    path = path.format(job_id=job_id)
    clock.now += LOST_AFTER - timedelta(microseconds=1)
    second = timed_api.register(user, "second")
    assert timed_api.post(path, headers=second.headers).status in (204, 409)
    clock.now += timedelta(microseconds=1)

    response = timed_api.post(path, headers=second.headers)

    assert (response.status, response.json()["job_id"]) == (200, job_id)
    assert (response.json()["agent_id"], response.json()["attempt"]) == (second.agent_id, 2)
    late = timed_api.finish(job_id, first, attempt=1)
    assert (late.status, late.error_code) == (409, "claim_lost")
    assert timed_api.finish(job_id, second, attempt=2).status == 200


@pytest.mark.parametrize("path", ["/jobs/claim", "/jobs/{job_id}/claim"])
def test_the_job_of_a_removed_agent_is_claimed_again(
    timed_api: Api, held: tuple[User, AgentCaller, str], path: str
) -> None:
    user, first, job_id = held
    second = timed_api.register(user)
    timed_api.delete(f"/agents/{first.agent_id}", headers=user.headers)

    assert timed_api.post(path.format(job_id=job_id), headers=second.headers).json()["agent_id"] == second.agent_id


def test_asking_for_work_costs_the_same_however_many_jobs_run(
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller
) -> None:
    for _ in range(30):
        api.claim(api.queue(user), api.register(user))
    client = Recording(dynamodb)

    assert make_api(client=client).claim_next(agent).status == 204

    # The agent's token and generation; who is lost among the idle and the busy, and who was removed; and the queue.
    assert [operation for operation, _ in client.requests] == ["get_item", "get_item", *["query"] * 4]
    tables = [request["TableName"].rsplit("-", maxsplit=1)[0] for _, request in client.requests]
    assert tables == [*["hybrid-ci-cd-agents"] * 5, "hybrid-ci-cd-jobs"]


def test_a_look_for_jobs_left_behind_ends_somewhere(
    timed_api: Api, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_ci_cd.claiming.FIRST_LOOK", 1)
    monkeypatch.setattr("hybrid_ci_cd.claiming.RUNNING_AT_MOST", 2)
    user = timed_api.log_in()
    lost, alive = timed_api.register(user), timed_api.register(user)
    ids = []
    for holder in (alive, alive, lost):
        clock.now += timedelta(seconds=1)
        ids.append(timed_api.queue(user))
        timed_api.claim(ids[-1], holder)
    clock.now += LOST_AFTER
    timed_api.heartbeat(alive, "busy")
    other = timed_api.register(user)

    assert timed_api.claim_next(other).status == 204
    timed_api.finish(ids[0], alive)
    assert timed_api.claim_next(other).json()["job_id"] == ids[2]


def test_the_last_heartbeat_decides_where_the_index_is_behind(
    make_api: MakeApi, clock: StoppedClock, dynamodb: Any, timed_api: Api, held: tuple[User, AgentCaller, str]
) -> None:
    user, first, _ = held
    clock.now += LOST_AFTER
    second = timed_api.register(user)

    class HeardMeanwhile:
        """A client that hears the first agent once the index has told that it is lost."""

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                response = getattr(dynamodb, operation)(**request)
                if operation == "query" and "jobs" in request["TableName"]:
                    body = '{"status": "busy"}'
                    timed_api.send_concurrently(
                        "POST", f"/agents/{first.agent_id}/heartbeat", body=body, headers=first.headers
                    )
                return response

            return call

    assert make_api(client=HeardMeanwhile(), clock=clock).claim_next(second).status == 204


def test_what_is_left_of_a_removed_agent_goes_when_it_can_have_no_jobs(
    timed_api: Api, clock: StoppedClock, dynamodb: Any, tables: Tables, held: tuple[User, AgentCaller, str]
) -> None:
    user, first, job_id = held
    timed_api.delete(f"/agents/{first.agent_id}", headers=user.headers)
    second = timed_api.register(user)

    def agents() -> set[str]:
        return {item["agent_id"]["S"] for item in dynamodb.scan(TableName=tables.agents)["Items"]}

    assert timed_api.claim_next(second).json()["job_id"] == job_id
    assert timed_api.claim_next(second).status == 204
    assert agents() == {first.agent_id, second.agent_id}
    clock.now += timedelta(hours=1)
    timed_api.heartbeat(second, "busy")
    assert timed_api.claim_next(second).status == 204
    assert agents() == {second.agent_id}


def test_an_agent_that_lives_keeps_its_job_however_long_it_takes(
    timed_api: Api, clock: StoppedClock, held: tuple[User, AgentCaller, str]
) -> None:
    user, first, job_id = held
    for _ in range(10):
        clock.now += LOST_AFTER / 3
        timed_api.heartbeat(first, "busy")

    second = timed_api.register(user)
    assert timed_api.claim(job_id, second).error_code == "job_taken"
    assert timed_api.claim_next(second).status == 204


def test_a_lost_agent_whose_job_nobody_took_may_still_finish(
    timed_api: Api, clock: StoppedClock, held: tuple[User, AgentCaller, str]
) -> None:
    _, first, job_id = held
    clock.now += LOST_AFTER * 2

    assert timed_api.finish(job_id, first).json()["status"] == "succeeded"


def test_a_lost_agent_claims_nothing_until_it_is_heard(timed_api: Api, clock: StoppedClock) -> None:
    user = timed_api.log_in()
    agent = timed_api.register(user)
    job_id = timed_api.queue(user)
    clock.now += LOST_AFTER

    assert timed_api.claim(job_id, agent).error_code == "agent_lost"
    assert timed_api.claim_next(agent).error_code == "agent_lost"
    timed_api.heartbeat(agent)
    assert timed_api.claim_next(agent).json()["job_id"] == job_id


def test_a_job_that_was_left_behind_comes_before_the_queue(
    timed_api: Api, clock: StoppedClock, held: tuple[User, AgentCaller, str]
) -> None:
    user, _, job_id = held
    clock.now += LOST_AFTER
    timed_api.queue(user)

    assert timed_api.claim_next(timed_api.register(user)).json()["job_id"] == job_id


def test_a_job_that_was_left_behind_is_found_among_many_that_run(
    timed_api: Api, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_ci_cd.claiming.FIRST_LOOK", 2)
    monkeypatch.setattr("hybrid_ci_cd.claiming.RUNNING_PAGE", 3)
    user = timed_api.log_in()
    lost, alive = timed_api.register(user), timed_api.register(user)
    ids = []
    for number in range(9):
        clock.now += timedelta(seconds=1)
        ids.append(timed_api.queue(user))
        timed_api.claim(ids[-1], lost if number == 7 else alive)
    clock.now += LOST_AFTER
    timed_api.heartbeat(alive, "busy")
    waiting = timed_api.queue(user)

    claimed = [timed_api.claim_next(timed_api.register(user)) for _ in range(3)]

    # The queue comes before a look at all that run, and such a look finds it.
    assert [response.json()["job_id"] for response in claimed[:2]] == [waiting, ids[7]]
    assert claimed[2].status == 204


def test_two_agents_take_a_job_over_and_one_gets_it(
    make_api: MakeApi, dynamodb: Any, clock: StoppedClock, timed_api: Api, held: tuple[User, AgentCaller, str]
) -> None:
    user, _, job_id = held
    clock.now += LOST_AFTER
    second, third = timed_api.register(user), timed_api.register(user)
    responses = []

    def take_over() -> None:
        responses.append(timed_api.send_concurrently("POST", f"/jobs/{job_id}/claim", headers=third.headers))

    class JustBefore:
        """A client that lets another agent come first when a job is about to be taken over."""

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "update_item" and "#attempt = " in request["ConditionExpression"] and not responses:
                    take_over()
                return getattr(dynamodb, operation)(**request)

            return call

    late = make_api(client=JustBefore(), clock=clock).claim(job_id, second)

    assert [response.json()["attempt"] for response in responses] == [2]
    assert (late.status, late.error_code) == (409, "job_taken")

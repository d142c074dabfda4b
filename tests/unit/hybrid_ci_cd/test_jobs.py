"""Jobs: one agent an attempt, whoever else asks at that moment, and nothing is lost with a lost agent."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, StoppedClock, User
from tests.unit.support import Interrupting, Recording

LOST_AFTER = timedelta(seconds=90)


@pytest.fixture
def user(api: Api) -> User:
    return api.log_in()


@pytest.fixture
def agent(api: Api, user: User) -> AgentCaller:
    return api.register(user)


def test_a_job_goes_through_its_life(api: Api, user: User, agent: AgentCaller) -> None:
    payload = {"steps": ["make test"], "ratio": 0.1, "big": 2**70, "é": None}
    job_id = api.queue(user, "build main", payload)

    waiting = api.get(f"/jobs/{job_id}", headers=user.headers).json()
    claimed = api.claim(job_id, agent).json()
    finished = api.finish(job_id, agent, result={"tests": 312}).json()

    assert (waiting["status"], waiting["attempt"], waiting["payload"]) == ("queued", 0, payload)
    assert (waiting["agent_id"], waiting["claimed_at"], waiting["finished_at"], waiting["result"]) == (None,) * 4
    assert claimed == waiting | {
        "status": "running",
        "attempt": 1,
        "agent_id": agent.agent_id,
        "claimed_at": claimed["claimed_at"],
    }
    assert finished == claimed | {
        "status": "succeeded",
        "finished_at": finished["finished_at"],
        "result": {"tests": 312},
    }
    assert waiting["created_at"] < claimed["claimed_at"] < finished["finished_at"]
    assert api.get(f"/jobs/{job_id}", headers=user.headers).json() == finished


def test_jobs_are_listed_by_status_oldest_first_and_in_pages(api: Api, user: User, agent: AgentCaller) -> None:
    ids = [api.queue(user) for _ in range(7)]
    api.claim(ids[0], agent)
    api.claim(ids[1], agent)
    api.finish(ids[1], agent, status="failed")

    def listed(**query: str) -> list[str]:
        return [job["job_id"] for job in api.jobs(user, limit="2", **query)]

    assert listed() == listed(status="queued") == ids[2:]
    assert listed(status="running") == [ids[0]]
    assert listed(status="failed") == [ids[1]]
    assert listed(status="succeeded") == []


def test_a_list_has_what_its_jobs_have_but_for_payload_and_result(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user, payload={"secret": "in-the-payload"})
    api.claim(job_id, agent)
    job = api.finish(job_id, agent, result={"out": "put"}).json()

    assert api.jobs(user, status="succeeded") == [
        {name: value for name, value in job.items() if name not in ("payload", "result")}
    ]


def test_the_second_of_two_agents_is_told_that_the_job_is_taken(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)

    assert api.claim(job_id, agent).status == 200
    answer = api.claim(job_id, api.register(user))

    assert (answer.status, answer.error_code) == (409, "job_taken")


def test_an_agent_that_claims_what_it_has_gets_the_same_claim(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)

    assert api.claim(job_id, agent).json() == api.claim(job_id, agent).json()


def test_the_oldest_queued_job_is_next_until_there_is_none(api: Api, user: User, agent: AgentCaller) -> None:
    ids = [api.queue(user) for _ in range(3)]

    assert [api.claim_next(agent).json()["job_id"] for _ in ids] == ids
    answer = api.claim_next(agent)
    assert (answer.status, answer.body) == (204, "")


def test_an_agent_that_comes_second_gets_the_next_job(make_api: MakeApi, dynamodb: Any, api: Api, user: User) -> None:
    first, second = api.register(user), api.register(user)
    ids = [api.queue(user) for _ in range(2)]
    client = Interrupting(
        dynamodb, "update_item", lambda: api.send_aside("POST", f"/jobs/{ids[0]}/claim", headers=first.headers)
    )

    assert make_api(client=client).claim_next(second).json()["job_id"] == ids[1]


def test_an_index_that_is_behind_gives_no_job_twice(
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller
) -> None:
    taken, free = api.queue(user), api.queue(user)
    api.claim(taken, agent)
    entries = [
        {"job_id": {"S": job_id}, "status": {"S": "queued#user123"}, "attempt": {"N": "0"}} for job_id in (taken, free)
    ]

    class Behind:
        """A client whose index still shows both jobs in the queue."""

        def __getattr__(self, operation: str) -> Any:
            return query if operation == "query" else getattr(dynamodb, operation)

    def query(**request: Any) -> Any:
        [partition] = request["ExpressionAttributeValues"].values()
        return {"Items": entries if partition == {"S": "queued#user123"} else []}

    api_behind = make_api(client=Behind())
    assert api_behind.claim_next(api.register(user)).json()["job_id"] == free
    assert api_behind.claim_next(api.register(user)).status == 204


def test_a_claim_is_one_conditional_write(make_api: MakeApi, dynamodb: Any, api: Api, user: User) -> None:
    job_id, agent = api.queue(user), api.register(user)
    client = Recording(dynamodb)

    make_api(client=client).claim(job_id, agent)

    # The first one reads the agent's token.
    assert [operation for operation, _ in client.requests] == ["get_item", "update_item"]


class AnswerLost:
    """A client that behaves as botocore does when an answer got lost: it writes, and then writes again."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client = client
        self._operation = operation

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if operation == self._operation:
                getattr(self._client, operation)(**request)
            return getattr(self._client, operation)(**request)

        return call


@pytest.mark.parametrize("path", ["/jobs/claim", "/jobs/{job_id}/claim"])
def test_a_claim_whose_answer_got_lost_on_our_side_is_still_the_agents(  # noqa: PLR0913, PLR0917 - who takes part in it
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller, path: str
) -> None:
    job_id = api.queue(user)
    unlucky = make_api(client=AnswerLost(dynamodb, "update_item"))

    answer = unlucky.post(path.format(job_id=job_id), headers=agent.headers)

    assert (answer.status, answer.json()["job_id"], answer.json()["attempt"]) == (200, job_id, 1)


def test_a_job_whose_answer_got_lost_on_our_side_is_queued_once(make_api: MakeApi, dynamodb: Any, user: User) -> None:
    unlucky = make_api(client=AnswerLost(dynamodb, "put_item"))

    job_id = unlucky.queue(user)

    assert [job["job_id"] for job in unlucky.jobs(user)] == [job_id]


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

    answer = timed_api.post(path, headers=second.headers)

    assert (answer.status, answer.json()["job_id"]) == (200, job_id)
    assert (answer.json()["agent_id"], answer.json()["attempt"]) == (second.agent_id, 2)
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
    monkeypatch.setattr("hybrid_ci_cd.jobs.FIRST_LOOK", 2)
    monkeypatch.setattr("hybrid_ci_cd.jobs.BATCH", 3)
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
    assert [answer.json()["job_id"] for answer in claimed[:2]] == [waiting, ids[7]]
    assert claimed[2].status == 204


def test_two_agents_take_a_job_over_and_one_gets_it(
    make_api: MakeApi, dynamodb: Any, clock: StoppedClock, timed_api: Api, held: tuple[User, AgentCaller, str]
) -> None:
    user, _, job_id = held
    clock.now += LOST_AFTER
    second, third = timed_api.register(user), timed_api.register(user)
    answers = []

    def take_over() -> None:
        answers.append(timed_api.send_aside("POST", f"/jobs/{job_id}/claim", headers=third.headers))

    class JustBefore:
        """A client that lets another agent come first when a job is about to be taken over."""

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "update_item" and "#attempt = " in request["ConditionExpression"] and not answers:
                    take_over()
                return getattr(dynamodb, operation)(**request)

            return call

    late = make_api(client=JustBefore(), clock=clock).claim(job_id, second)

    assert [answer.json()["attempt"] for answer in answers] == [2]
    assert (late.status, late.error_code) == (409, "job_taken")


def test_finishing_twice_with_the_same_result_changes_nothing(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)
    api.claim(job_id, agent)

    first = api.finish(job_id, agent, result={"b": [1, 0.5], "a": "é"})
    again = api.finish(job_id, agent, result={"a": "é", "b": [1, 0.5]})

    assert first.status == again.status == 200
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("status", "result"), [("failed", {"a": 1}), ("succeeded", {"a": 2}), ("succeeded", {"a": True})]
)
def test_the_first_result_stays(api: Api, user: User, agent: AgentCaller, status: str, result: dict[str, Any]) -> None:
    job_id = api.queue(user)
    api.claim(job_id, agent)
    api.finish(job_id, agent, result={"a": 1})

    answer = api.finish(job_id, agent, status=status, result=result)

    assert (answer.status, answer.error_code) == (409, "job_finished")
    assert api.get(f"/jobs/{job_id}", headers=user.headers).json()["result"] == {"a": 1}


def test_only_the_claimed_attempt_is_finished(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)
    assert api.finish(job_id, agent).error_code == "claim_lost"
    api.claim(job_id, agent)

    assert api.finish(job_id, agent, attempt=2).error_code == "claim_lost"
    assert api.finish(job_id, api.register(user)).error_code == "claim_lost"
    assert api.finish(job_id, agent).status == 200


def test_a_finished_job_is_claimed_no_more(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)
    api.claim(job_id, agent)
    api.finish(job_id, agent)

    assert api.claim(job_id, agent).error_code == "job_finished"
    assert api.claim_next(agent).status == 204


def test_jobs_belong_to_their_user(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)
    stranger = api.log_in("somebody else")
    other = api.register(stranger)

    assert api.jobs(stranger) == []
    assert api.get(f"/jobs/{job_id}", headers=stranger.headers).error_code == "not_found"
    assert api.claim(job_id, other).error_code == "not_found"
    assert api.claim_next(other).status == 204
    api.claim(job_id, agent)
    assert api.finish(job_id, other).error_code == "not_found"


@pytest.mark.parametrize("user_id", ["user", "user#", "#user"])
def test_no_user_id_reaches_into_the_queue_of_another(api: Api, user_id: str) -> None:
    api.queue(api.log_in("user#1"))
    stranger = api.log_in(user_id)

    assert api.jobs(stranger) == []
    assert api.claim_next(api.register(stranger)).status == 204


def test_the_largest_payload_and_result_fit_into_one_item(api: Api, user: User, agent: AgentCaller) -> None:
    large = {"text": "x" * (128 * 1024 - len('{"text":""}'))}
    job_id = api.queue(user, payload=large)
    api.claim(job_id, agent)

    assert api.finish(job_id, agent, result=large).status == 200

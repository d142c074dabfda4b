"""Jobs: one agent an attempt, whoever else asks at that moment, and one result."""

from typing import Any

import pytest

from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, ResponseLost, Tables, User
from tests.unit.support import Interrupting, Recording


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
    response = api.claim(job_id, api.register(user))

    assert (response.status, response.error_code) == (409, "job_taken")


def test_an_agent_that_claims_what_it_has_gets_the_same_claim(api: Api, user: User, agent: AgentCaller) -> None:
    job_id = api.queue(user)

    assert api.claim(job_id, agent).json() == api.claim(job_id, agent).json()


def test_the_oldest_queued_job_is_next_until_there_is_none(api: Api, user: User, agent: AgentCaller) -> None:
    ids = [api.queue(user) for _ in range(3)]

    assert [api.claim_next(agent).json()["job_id"] for _ in ids] == ids
    response = api.claim_next(agent)
    assert (response.status, response.body) == (204, "")


def test_an_agent_that_comes_second_gets_the_next_job(make_api: MakeApi, dynamodb: Any, api: Api, user: User) -> None:
    first, second = api.register(user), api.register(user)
    ids = [api.queue(user) for _ in range(2)]
    client = Interrupting(
        dynamodb, "update_item", lambda: api.send_concurrently("POST", f"/jobs/{ids[0]}/claim", headers=first.headers)
    )

    assert make_api(client=client).claim_next(second).json()["job_id"] == ids[1]


def test_an_index_that_is_behind_gives_no_job_twice(
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller
) -> None:
    taken, free = api.queue(user), api.queue(user)
    api.claim(taken, agent)
    entry = {
        "name": {"S": "build"},
        "status": {"S": "queued#user123"},
        "attempt": {"N": "0"},
        "created_at": {"S": "2026-01-31T09:15:02.104233Z"},
    }
    entries = [entry | {"job_id": {"S": job_id}} for job_id in (taken, free)]

    class Behind:
        """A client whose index still shows both jobs in the queue."""

        def __getattr__(self, operation: str) -> Any:
            return query if operation == "query" else getattr(dynamodb, operation)

    def query(**request: Any) -> Any:
        partition = request["ExpressionAttributeValues"][":partition"]
        return {"Items": entries if partition == {"S": "queued#user123"} else []}

    api_behind = make_api(client=Behind())
    assert api_behind.claim_next(api.register(user)).json()["job_id"] == free
    assert api_behind.claim_next(api.register(user)).status == 204


def test_a_claim_is_one_conditional_write(make_api: MakeApi, dynamodb: Any, api: Api, user: User) -> None:
    job_id, agent = api.queue(user), api.register(user)
    client = Recording(dynamodb)

    make_api(client=client).claim(job_id, agent)

    # The first two read the agent's token, and whether all of its user's agents were ended; the third reads the job.
    assert [operation for operation, _ in client.requests] == [*["get_item"] * 3, "update_item"]


@pytest.mark.parametrize("path", ["/jobs/claim", "/jobs/{job_id}/claim"])
def test_a_claim_whose_response_got_lost_on_our_side_is_still_the_agents(  # noqa: PLR0913, PLR0917 - who takes part in it
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller, path: str
) -> None:
    job_id = api.queue(user)
    unlucky = make_api(client=ResponseLost(dynamodb, "update_item"))

    response = unlucky.post(path.format(job_id=job_id), headers=agent.headers)

    assert (response.status, response.json()["job_id"], response.json()["attempt"]) == (200, job_id, 1)


def test_a_result_whose_response_got_lost_on_our_side_is_counted_once(
    make_api: MakeApi, dynamodb: Any, user: User, agent: AgentCaller, capsys: pytest.CaptureFixture[str]
) -> None:
    unlucky = make_api(client=ResponseLost(dynamodb, "update_item"))
    job_id = unlucky.queue(user)
    unlucky.claim(job_id, agent)
    capsys.readouterr()

    assert [unlucky.finish(job_id, agent).status for _ in range(2)] == [200, 200]

    assert capsys.readouterr().out.count('"JobsFinished":') == 1


def test_a_job_whose_response_got_lost_on_our_side_is_queued_once(make_api: MakeApi, dynamodb: Any, user: User) -> None:
    unlucky = make_api(client=ResponseLost(dynamodb, "put_item"))

    job_id = unlucky.queue(user)

    assert [job["job_id"] for job in unlucky.jobs(user)] == [job_id]


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

    response = api.finish(job_id, agent, status=status, result=result)

    assert (response.status, response.error_code) == (409, "job_finished")
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


def test_names_of_before_there_was_a_rule_are_shown_without_what_nobody_sees(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    user = api.log_in()
    agent = api.register(user)
    job_id = api.queue(user)
    for table, key in (
        (tables.jobs, {"job_id": {"S": job_id}}),
        (tables.agents, {"agent_id": {"S": agent.agent_id}}),
    ):
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET #n = :n",
            ExpressionAttributeNames={"#n": "name"},
            ExpressionAttributeValues={":n": {"S": "a\u202eb\u2800"}},
        )

    assert [job["name"] for job in api.jobs(user)] == ["ab"]
    assert [found["name"] for found in api.agents(user)] == ["ab"]
    claimed = api.claim(job_id, agent).json()
    assert claimed == api.get(f"/jobs/{job_id}", headers=user.headers).json()
    assert claimed["name"] == "ab"

"""Agents: they register, live by their heartbeats, and are lost when they stop."""

from datetime import timedelta
from typing import Any

import pytest

from shared.api_keys import hash_key
from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, ResponseLost, StoppedClock, Tables, bearer
from tests.unit.support import Interrupting

LOST_AFTER = timedelta(seconds=90)


def test_an_agent_registers_and_gets_its_token_once(api: Api, dynamodb: Any, tables: Tables) -> None:
    user = api.log_in()

    made = api.send_json("/agents", {"name": "build-7", "runs_on": "cloud"}, headers=user.headers).json()

    assert made["lost_after_seconds"] == 90
    [listed] = api.agents(user)
    assert listed == {name: value for name, value in made.items() if name not in {"agent_token", "scopes"}}
    assert (listed["name"], listed["runs_on"], listed["status"]) == ("build-7", "cloud", "idle")
    [item] = dynamodb.scan(TableName=tables.agents)["Items"]
    assert item["token_hash"]["S"] == hash_key(made["agent_token"])
    assert made["agent_token"] not in str(item)


def test_a_hash_from_the_table_opens_nothing(api: Api) -> None:
    agent = api.register(api.log_in())

    for token in (hash_key(agent.token), f"{agent.agent_id}.{hash_key(agent.token)}", agent.agent_id):
        assert api.heartbeat(AgentCaller(agent.agent_id, token)).status == 401


def test_the_index_has_no_hash_of_a_token(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.register(api.log_in())

    [item] = dynamodb.scan(TableName=tables.agents, IndexName="status-last_heartbeat_at-index")["Items"]
    assert set(item) == {"agent_id", "status", "last_heartbeat_at", "name", "registered_at", "runs_on"}


def test_a_heartbeat_says_what_the_agent_does_and_that_it_lives(timed_api: Api, clock: StoppedClock) -> None:
    user = timed_api.log_in()
    agent = timed_api.register(user)
    clock.now += timedelta(seconds=30)

    response = timed_api.heartbeat(agent, "busy")

    assert response.json()["status"] == "busy"
    assert response.json()["last_heartbeat_at"] > response.json()["registered_at"]
    assert timed_api.agents(user) == [response.json()]


def test_an_agent_is_lost_from_the_very_moment_on(timed_api: Api, clock: StoppedClock) -> None:
    user = timed_api.log_in()
    timed_api.register(user)

    clock.now += LOST_AFTER - timedelta(microseconds=1)
    assert [agent["status"] for agent in timed_api.agents(user)] == ["idle"]
    clock.now += timedelta(microseconds=1)
    assert [agent["status"] for agent in timed_api.agents(user)] == ["lost"]


def test_a_lost_agent_is_back_with_its_next_heartbeat(timed_api: Api, clock: StoppedClock) -> None:
    user = timed_api.log_in()
    agent = timed_api.register(user)
    clock.now += LOST_AFTER

    assert timed_api.heartbeat(agent).json()["status"] == "idle"
    assert [agent["status"] for agent in timed_api.agents(user)] == ["idle"]


def test_how_long_the_silence_may_last_is_a_setting(make_api: MakeApi, clock: StoppedClock) -> None:
    api = make_api(clock=clock, agent_lost_after=timedelta(seconds=5))
    user = api.log_in()
    api.register(user)
    clock.now += timedelta(seconds=5)

    assert [(agent["status"], agent["lost_after_seconds"]) for agent in api.agents(user)] == [("lost", 5)]


@pytest.mark.parametrize("limit", ["1", "2", "100"])
def test_agents_are_listed_by_status(timed_api: Api, clock: StoppedClock, limit: str) -> None:
    user = timed_api.log_in()
    lost = [timed_api.register(user, f"lost-{number}") for number in range(3)]
    timed_api.heartbeat(lost[2], "busy")
    clock.now += LOST_AFTER
    idle, busy = timed_api.register(user, "idle"), timed_api.register(user, "busy")
    timed_api.heartbeat(busy, "busy")
    timed_api.register(timed_api.log_in("somebody else"))

    def ids(**query: str) -> set[str]:
        listed = [agent["agent_id"] for agent in timed_api.agents(user, limit=limit, **query)]
        assert len(listed) == len(set(listed))
        return set(listed)

    assert ids(status="idle") == {idle.agent_id}
    assert ids(status="busy") == {busy.agent_id}
    assert ids(status="lost") == {agent.agent_id for agent in lost}
    assert ids() == {agent.agent_id for agent in (*lost, idle, busy)}


def test_an_agent_sends_its_own_heartbeats_only(api: Api) -> None:
    user = api.log_in()
    mine, other = api.register(user), api.register(user)

    response = api.heartbeat(AgentCaller(other.agent_id, mine.token))

    assert (response.status, response.error_code) == (403, "forbidden")


def test_a_removed_agents_token_stops_at_once(api: Api) -> None:
    user = api.log_in()
    agent = api.register(user)

    assert api.delete(f"/agents/{agent.agent_id}", headers=user.headers).status == 204

    assert api.heartbeat(agent).status == 401
    assert api.claim_next(agent).status == 401
    assert api.agents(user) == []
    assert api.delete(f"/agents/{agent.agent_id}", headers=user.headers).error_code == "not_found"


@pytest.mark.parametrize("operation", ["delete_item", "update_item"])
def test_a_removal_whose_response_got_lost_on_our_side_has_removed(
    make_api: MakeApi, dynamodb: Any, api: Api, operation: str
) -> None:
    user = api.log_in()
    agent = api.register(user)

    response = make_api(client=ResponseLost(dynamodb, operation)).delete(
        f"/agents/{agent.agent_id}", headers=user.headers
    )

    assert response.status == 204
    assert api.heartbeat(agent).status == 401


def test_nothing_that_opens_something_is_left_of_a_removed_agent(api: Api, dynamodb: Any, tables: Tables) -> None:
    user = api.log_in()
    agent = api.register(user)

    api.delete(f"/agents/{agent.agent_id}", headers=user.headers)

    assert hash_key(agent.token) not in str(dynamodb.scan(TableName=tables.agents)["Items"])
    for status in ("idle", "busy", "lost"):
        assert api.agents(user, status=status) == []


def test_a_heartbeat_of_an_agent_that_is_removed_meanwhile_brings_nothing_back(
    make_api: MakeApi, dynamodb: Any
) -> None:
    other = make_api()
    user = other.log_in()
    agent = other.register(user)

    def remove() -> None:
        other.send_concurrently("DELETE", f"/agents/{agent.agent_id}", headers=user.headers)

    assert make_api(client=Interrupting(dynamodb, "update_item", remove)).heartbeat(agent).status == 401
    assert other.agents(user) == []


def test_nobody_removes_the_agent_of_somebody_else(api: Api) -> None:
    agent = api.register(api.log_in("me"))
    stranger = api.log_in("you")

    assert api.delete(f"/agents/{agent.agent_id}", headers=stranger.headers).error_code == "not_found"
    assert api.heartbeat(agent).status == 200


def test_an_agent_outlives_the_session_that_registered_it(api: Api) -> None:
    user = api.log_in()
    agent = api.register(user)

    api.delete("/auth/sessions", headers=user.headers)

    assert api.heartbeat(agent).status == 200


def test_an_agent_may_see_what_its_user_sees_but_not_act_for_the_user(api: Api) -> None:
    user = api.log_in()
    agent = api.register(user)
    job_id = api.queue(user)

    assert api.get("/jobs", headers=agent.headers).json()["jobs"][0]["job_id"] == job_id
    assert api.get(f"/jobs/{job_id}", headers=agent.headers).status == 200
    assert api.get("/agents", headers=agent.headers).status == 200
    for method, path in [
        ("POST", "/jobs"),
        ("POST", "/agents"),
        ("DELETE", f"/agents/{agent.agent_id}"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions"),
    ]:
        assert api.send(method, path, body="{}", headers=bearer(agent.token)).status == 401

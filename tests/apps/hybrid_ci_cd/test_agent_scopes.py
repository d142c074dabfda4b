"""What an agent's token may do, and how all of a user's agents are ended."""

from typing import Any

import pytest

from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, Tables, User
from tests.unit.support import Interrupting

ID = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
READS = [("GET", "/jobs"), ("GET", f"/jobs/{ID}"), ("GET", "/agents")]
RUNS = [("POST", "/jobs/claim"), ("POST", f"/jobs/{ID}/claim"), ("POST", f"/jobs/{ID}/finish")]


def registered(api: Api, user: User, **members: Any) -> AgentCaller:
    response = api.send_json("/agents", {"name": "agent", **members}, headers=user.headers)
    assert response.status == 201, response
    return AgentCaller(response.json()["agent_id"], response.json()["agent_token"])


def refused(api: Api, agent: AgentCaller) -> set[tuple[str, str]]:
    """Return which routes of agents refuse this one because of its scopes."""
    responses = {route: api.send(*route, body="{}", headers=agent.headers) for route in READS + RUNS}
    assert {response.error_code for response in responses.values() if response.status == 403} <= {"forbidden"}
    return {route for route, response in responses.items() if response.status == 403}


@pytest.mark.parametrize(
    ("members", "closed"),
    [
        ({}, []),
        ({"scopes": ["read", "run"]}, []),
        ({"scopes": ["run", "run"]}, READS),
        ({"scopes": ["run"]}, READS),
        ({"scopes": ["read"]}, RUNS),
    ],
    ids=str,
)
def test_an_agent_does_what_its_scopes_say(api: Api, members: dict[str, Any], closed: list[tuple[str, str]]) -> None:
    agent = registered(api, api.log_in(), **members)

    assert refused(api, agent) == set(closed)
    assert api.heartbeat(agent).status == 200


@pytest.mark.parametrize("scopes", [[], ["admin"], "run", None, ["read", "run", "read"], [1]], ids=str)
def test_scopes_that_there_are_not_are_refused(api: Api, scopes: object) -> None:
    response = api.send_json("/agents", {"name": "agent", "scopes": scopes}, headers=api.log_in().headers)

    assert (response.status, response.error_code) == (422, "invalid_request")


def test_an_agent_from_before_there_were_scopes_does_everything(api: Api, dynamodb: Any, tables: Tables) -> None:
    agent = registered(api, api.log_in(), scopes=["run"])
    dynamodb.update_item(
        TableName=tables.agents, Key={"agent_id": {"S": agent.agent_id}}, UpdateExpression="REMOVE scopes, generation"
    )

    assert refused(api, agent) == set()


@pytest.mark.parametrize("told", [{"S": "run"}, {"NULL": True}, {"SS": ["admin"]}, {"L": [{"S": "run"}]}], ids=str)
def test_scopes_that_nobody_can_read_allow_nothing(api: Api, dynamodb: Any, tables: Tables, told: Any) -> None:
    agent = registered(api, api.log_in())
    dynamodb.update_item(
        TableName=tables.agents,
        Key={"agent_id": {"S": agent.agent_id}},
        UpdateExpression="SET scopes = :told",
        ExpressionAttributeValues={":told": told},
    )

    assert refused(api, agent) == set(READS + RUNS)


def log_out(api: Api, user: User, agents: str) -> int:
    return api.delete("/auth/sessions", headers=user.headers, query={"agents": [agents]}).status


def test_logging_out_with_the_agents_ends_them_all_and_nobody_elses(api: Api) -> None:
    user, other = api.log_in("me"), api.log_in("you")
    mine, others = [api.register(user) for _ in range(3)], api.register(other)

    assert log_out(api, user, "true") == 204

    assert [api.heartbeat(agent).status for agent in mine] == [401] * 3
    assert api.heartbeat(others).status == 200
    again = api.log_in("me")
    assert api.agents(again) == []
    new = api.register(again)
    assert api.heartbeat(new).status == 200
    assert [agent["agent_id"] for agent in api.agents(again)] == [new.agent_id]


@pytest.mark.parametrize("asked", [{}, {"agents": ["false"]}], ids=str)
def test_logging_out_leaves_the_agents_unless_it_says_otherwise(api: Api, asked: dict[str, list[str]]) -> None:
    user = api.log_in()
    agent = api.register(user)

    assert api.delete("/auth/sessions", headers=user.headers, query=asked).status == 204
    assert api.heartbeat(agent).status == 200


@pytest.mark.parametrize("word", ["", "yes", "1", "TRUE", "null"])
def test_another_word_than_true_and_false_ends_nothing(api: Api, word: str) -> None:
    user = api.log_in()

    assert log_out(api, user, word) == 422
    assert api.validate(user.session_id)["valid"]


def test_agents_from_before_there_were_generations_are_ended_as_well(api: Api, dynamodb: Any, tables: Tables) -> None:
    user = api.log_in()
    agent = api.register(user)
    dynamodb.update_item(
        TableName=tables.agents, Key={"agent_id": {"S": agent.agent_id}}, UpdateExpression="REMOVE generation"
    )

    assert log_out(api, user, "true") == 204
    assert api.heartbeat(agent).status == 401


def test_an_agent_that_the_index_does_not_show_yet_is_ended_as_well(make_api: MakeApi, dynamodb: Any) -> None:
    class BehindTheTable:
        """A client whose index shows nothing."""

        def __getattr__(self, operation: str) -> Any:
            if operation == "query":
                return lambda **_request: {"Items": []}
            return getattr(dynamodb, operation)

    api = make_api(client=BehindTheTable())
    user = api.log_in()
    agent = api.register(user)

    assert log_out(api, user, "true") == 204
    assert make_api().heartbeat(agent).status == 401


def test_a_session_that_ends_while_it_registers_an_agent_leaves_none(make_api: MakeApi, dynamodb: Any) -> None:
    """Whoever logs out everywhere, agents and all, must not find one that came through at that moment."""
    other = make_api()
    user = other.log_in()
    responses = []

    def log_out_aside() -> None:
        asked = {"agents": ["true"]}
        responses.append(other.send_concurrently("DELETE", "/auth/sessions", headers=user.headers, query=asked))

    api = make_api(client=Interrupting(dynamodb, "put_item", log_out_aside))

    response = api.send_json("/agents", {"name": "late"}, headers=user.headers)

    assert [done.status for done in responses] == [204]
    assert (response.status, response.error_code) == (401, "unauthorized")
    assert other.agents(other.log_in()) == []


def test_an_agent_registered_between_the_writes_of_a_logout_is_ended(make_api: MakeApi, dynamodb: Any) -> None:
    other = make_api()
    user = other.log_in()
    late: list[AgentCaller] = []

    class BeforeTheSessionsEnd:
        """A client whose first write ends the agents, and whose second ends the sessions."""

        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                if operation == "put_item" and "session_id" in request["Item"]:
                    made = other.send_concurrently(
                        "POST", "/agents", body='{"name": "late"}', headers=user.headers
                    ).json()
                    late.append(AgentCaller(made["agent_id"], made["agent_token"]))
                return getattr(dynamodb, operation)(**request)

            return call

    api = make_api(client=BeforeTheSessionsEnd())

    assert log_out(api, user, "true") == 204
    assert [other.heartbeat(agent).status for agent in late] == [401]

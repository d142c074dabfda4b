"""What a caller did not ask for: denied, throttled or failing, it changes no response."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.apps.hybrid_ci_cd.support import Api, MakeApi, StoppedClock, Tables
from tests.unit.support import Interrupting, client_error, counted

Capture = pytest.CaptureFixture[str]
FAILURES = [
    client_error("AccessDeniedException"),
    client_error("ThrottlingException"),
    client_error("InternalServerError"),
    client_error("ResourceNotFoundException"),
    ConnectionError("DynamoDB is away"),
]


class Failing:
    """A client that fails at an operation on one table, once `is_on`."""

    def __init__(self, client: Any, error: Exception, operation: str, table: str) -> None:
        self._client = client
        self._error = error
        self._place = (operation, table)
        self.is_on = True
        self.failed = 0

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if self.is_on and (operation, request.get("TableName")) == self._place:
                self.failed += 1
                raise self._error
            return getattr(self._client, operation)(**request)

        return call


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_an_empty_claim_is_204_though_old_agents_cannot_be_deleted(  # noqa: PLR0913, PLR0917 - who takes part in it
    make_api: MakeApi, clock: StoppedClock, dynamodb: Any, tables: Tables, error: Exception, capsys: Capture
) -> None:
    api = make_api(clock=clock)
    user = api.log_in()
    api.delete(f"/agents/{api.register(user).agent_id}", headers=user.headers)
    clock.now += timedelta(hours=1)
    agent = api.register(user)
    client = Failing(dynamodb, error, "delete_item", tables.agents)

    response = make_api(client=client, clock=clock).claim_next(agent)

    assert (response.status, client.failed) == (204, 1)
    assert counted(capsys) == ["forget removed agents"]
    assert make_api(clock=clock).claim_next(agent).status == 204
    assert len(dynamodb.scan(TableName=tables.agents)["Items"]) == 1


@pytest.mark.parametrize("error", FAILURES, ids=str)
@pytest.mark.parametrize("operation", ["query", "delete_item"])
def test_a_logout_everywhere_is_204_though_its_sessions_cannot_be_deleted(  # noqa: PLR0913, PLR0917 - who takes part
    make_api: MakeApi, dynamodb: Any, tables: Tables, operation: str, error: Exception, capsys: Capture
) -> None:
    client = Failing(dynamodb, error, operation, tables.sessions)
    api = make_api(client=client)
    user = api.log_in()

    response = api.delete("/auth/sessions", headers=user.headers)

    assert (response.status, client.failed) == (204, 1)
    assert counted(capsys) == ["delete ended sessions"]
    assert api.validate(user.session_id) == {"valid": False}


@pytest.mark.parametrize("error", FAILURES, ids=str)
@pytest.mark.parametrize("operation", ["query", "update_item"])
def test_a_logout_with_agents_is_204_though_they_cannot_be_taken_out_of_lists(  # noqa: PLR0913, PLR0917 - who takes part
    make_api: MakeApi, dynamodb: Any, tables: Tables, operation: str, error: Exception, capsys: Capture
) -> None:
    client = Failing(dynamodb, error, operation, tables.agents)
    api = make_api(client=client)
    user = api.log_in()
    agent = api.register(user)

    response = api.delete("/auth/sessions", headers=user.headers, query={"agents": ["true"]})

    assert (response.status, client.failed) == (204, 1)
    assert counted(capsys) == ["remove ended agents"]
    assert api.heartbeat(agent).status == 401


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_a_session_that_ends_while_it_registers_an_agent_is_401_though_that_cannot_be_taken_back(
    make_api: MakeApi, dynamodb: Any, tables: Tables, error: Exception, capsys: Capture
) -> None:
    api = make_api()
    user = api.log_in()
    failing = Failing(dynamodb, error, "update_item", tables.agents)
    client: Any = Interrupting(
        failing, "put_item", lambda: api.send_concurrently("DELETE", "/auth/sessions", headers=user.headers)
    )

    response = make_api(client=client).send_json("/agents", {"name": "late"}, headers=user.headers)

    assert (response.status, failing.failed) == (401, 1)
    assert counted(capsys) == ["take back an agent"]


@pytest.mark.parametrize("operation", ["query", "batch_get_item"])
def test_what_a_claim_is_about_is_no_housekeeping(
    make_api: MakeApi, dynamodb: Any, tables: Tables, api: Api, operation: str
) -> None:
    user = api.log_in()
    agent = api.register(user)
    api.queue(user)

    class Denied:
        """A client that may not look for jobs."""

        def __getattr__(self, called: str) -> Callable[..., Any]:
            def call(**request: Any) -> Any:
                if called == operation and tables.jobs in (request.get("TableName"), *request.get("RequestItems", {})):
                    raise client_error("AccessDeniedException")
                return getattr(dynamodb, called)(**request)

            return call

    client: Any = Denied()
    assert make_api(client=client).claim_next(agent).status == 500

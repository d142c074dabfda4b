"""What stands in the log, and what never does."""

import json
from typing import Any

import pytest

from shared.api_keys import hash_key
from tests.apps.hybrid_ci_cd.support import Api, MakeApi
from tests.unit.support import Refusing, client_error

Capture = pytest.CaptureFixture[str]
TOKENS = {"access_token": "ya29.secret-access", "refresh_token": "1//secret-refresh", "id_token": "eyJ.secret-id"}


def lines(capture: Capture, message: str = "request") -> list[dict[str, Any]]:
    read = [json.loads(line) for line in capture.readouterr().out.splitlines()]
    return [line for line in read if line.get("message") == message]


def test_no_token_reaches_the_log(api: Api, capsys: Capture) -> None:
    user = api.log_in(oauth_tokens=TOKENS, user_info={"email": "ada@example.com"})
    api.send_json("/auth/session", {"user_id": 1, "oauth_tokens": TOKENS})
    api.validate(user.session_id)
    agent = api.register(user)
    job_id = api.queue(user, payload={"secret": "in-the-payload"})
    api.claim(job_id, agent)
    api.finish(job_id, agent, result={"secret": "in-the-result"})
    api.delete("/auth/sessions", headers=user.headers)

    written = capsys.readouterr().out
    secrets = [user.session_id, agent.token, agent.token.split(".")[1], hash_key(agent.token)]
    secrets += [*TOKENS.values(), "ada@example.com", "in-the-payload", "in-the-result"]
    assert len(written.splitlines()) > 10
    assert not [secret for secret in secrets if secret in written]


def test_an_error_of_ours_logs_its_stack_and_still_no_token(make_api: MakeApi, dynamodb: Any, capsys: Capture) -> None:
    api = make_api(client=Refusing(dynamodb, client_error("InternalServerError"), "put_item"))

    response = api.send_json("/auth/session", {"user_id": "u", "provider": "google", "oauth_tokens": TOKENS})

    written = capsys.readouterr().out
    assert response.status == 500
    assert "Traceback (most recent call last)" in written
    assert not [token for token in TOKENS.values() if token in written]


def test_the_log_names_the_session_by_a_part_of_its_handle_and_the_agent_and_the_job(api: Api, capsys: Capture) -> None:
    user = api.log_in()
    agent = api.register(user)
    job_id = api.queue(user)
    capsys.readouterr()

    api.claim(job_id, agent)
    api.get("/jobs", headers=user.headers)

    claimed, listed = lines(capsys)
    assert (claimed["agent_id"], claimed["job_id"]) == (agent.agent_id, job_id)
    assert listed["session"] == user.handle[:12]


def test_what_happens_is_counted(api: Api, capsys: Capture) -> None:
    user = api.log_in()
    agent = api.register(user)
    job_id = api.queue(user)
    # What is said again changes nothing, and is not counted.
    for _ in range(3):
        api.claim(job_id, agent)
    for _ in range(3):
        api.finish(job_id, agent)
    api.claim_next(agent)
    api.delete(f"/auth/sessions/{api.log_in().handle}", headers=user.headers)
    api.delete("/auth/sessions", headers=user.headers)

    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = [line["_aws"]["CloudWatchMetrics"][0] for line in written if "_aws" in line]
    assert {described["Namespace"] for described in metrics} == {"hybrid-ci-cd"}
    assert [described["Metrics"][0]["Name"] for described in metrics] == [
        "SessionsCreated",
        "AgentsRegistered",
        "JobsCreated",
        "JobsClaimed",
        "JobsFinished",
        "SessionsCreated",
        "SessionsEnded",
        "LoggedOutEverywhere",
    ]

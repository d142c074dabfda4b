"""Give hybrid_ci_cd a demo user with a session, an agent and a queued job, all over the API."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx

from harness.errors import BadConfiguration
from harness.seed import Seeded
from harness.smoke.parts import open_http
from harness.workspace import Deployment

USER = "demo-user"
# The login service's key, where the root has set one.
SESSION_KEY_VARIABLE = "HYBRID_CI_CD_SESSION_KEY"


def seed(deployment: Deployment) -> Seeded:
    """Make a session, an agent and a job of the demo user, who sees nothing of anybody else's."""
    with open_http(deployment) as http:
        session_id = log_in(http, USER)
        agent = post(http, "agents", {"name": "demo-agent", "runs_on": "cloud"}, session_id)
        job = post(http, "jobs", {"name": "demo job", "payload": {"steps": ["make test"]}}, session_id)
    lines = (
        f"{USER} has a session. Keep its id now: the table has only its hash.",
        f"Agent {agent['agent_id']} is registered, and its token is shown this once.",
        f"Job {job['job_id']} waits to be claimed.",
    )
    secrets = {"session_id": session_id, "agent_id": str(agent["agent_id"]), "agent_token": str(agent["agent_token"])}
    return Seeded(lines, secrets)


def still_valid(deployment: Deployment, secrets: Mapping[str, str]) -> bool:
    """Say whether the session and the agent of an earlier seed are still let in."""
    with open_http(deployment) as http:
        tokens = (secrets["session_id"], secrets["agent_token"])
        return all(http.get("agents", headers=bearer(token)).is_success for token in tokens)


def calls(deployment: Deployment, secrets: Mapping[str, str]) -> list[str]:
    """Return calls of the user, calls of the agent, and the page that documents all."""
    url = deployment.outputs["api_endpoint"]
    json = "-H 'Content-Type: application/json' -d"
    user = f"-H 'Authorization: Bearer {secrets['session_id']}'"
    agent = f"-H 'Authorization: Bearer {secrets['agent_token']}'"
    return [
        f"curl -s {url}/health",
        f'curl -s {url}/auth/validate {json} \'{{"session_id": "{secrets["session_id"]}"}}\'',
        f"curl -s {url}/auth/sessions {user}",
        f'curl -s {url}/jobs {user} {json} \'{{"name": "build", "payload": {{}}}}\'',
        f'curl -s {url}/agents/{secrets["agent_id"]}/heartbeat {agent} {json} \'{{"status": "idle"}}\'',
        f"curl -s -X POST {url}/jobs/claim {agent}",
        f"API pages: {url}/docs",
    ]


def log_in(http: httpx.Client, user_id: str) -> str:
    """Make a session as a login service does, and return its id."""
    login = {"user_id": user_id, "provider": "sawhorse", "oauth_tokens": {}, "user_info": {}}
    key = os.environ.get(SESSION_KEY_VARIABLE)
    response = http.post("auth/session", json=login, headers={"X-Session-Key": key} if key else {})
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise BadConfiguration(
            f"Only a login service makes sessions here. Set {SESSION_KEY_VARIABLE} to the key whose hash the root has."
        )
    return str(response.raise_for_status().json()["session_id"])


def post(http: httpx.Client, path: str, body: Mapping[str, object], token: str) -> Mapping[str, object]:
    """Send a body with a token and return the answer."""
    answer: Mapping[str, object] = http.post(path, json=body, headers=bearer(token)).raise_for_status().json()
    return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}

"""Give hybrid_ci_cd a demo user with a session, an agent and a queued job, all over the API."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx

from sawhorse.api import BadConfiguration, Deployment, Seeded, bearer, open_http

USER = "demo-user"
AGENT = "demo-agent"
JOB = "demo job"
# The login service's key, where the root has set one.
SESSION_KEY_VARIABLE = "HYBRID_CI_CD_SESSION_KEY"


def seed(deployment: Deployment) -> Seeded:
    """Leave the demo user, who sees nothing of anybody else's, with one session, one agent and one job.

    The session and the agent of an earlier seed are replaced: nobody can read their secrets back. Its job is kept.
    """
    with open_http(deployment) as http:
        http.delete("auth/sessions", headers=bearer(log_in(http, USER))).raise_for_status()
        session_id = log_in(http, USER)
        replaced = [earlier["agent_id"] for earlier in named(http, "agents", AGENT, session_id)]
        for agent_id in replaced:
            removed = http.delete(f"agents/{agent_id}", headers=bearer(session_id))
            # The list can be a moment behind a seed that has just removed it.
            if removed.status_code != httpx.codes.NOT_FOUND:
                removed.raise_for_status()
        agent = post(http, "agents", {"name": AGENT, "runs_on": "cloud"}, session_id)
        # One that ran on an agent that was replaced can be claimed again.
        running = named(http, "jobs", JOB, session_id, status="running")
        jobs = named(http, "jobs", JOB, session_id) + [job for job in running if job["agent_id"] in replaced]
        job = jobs[0] if jobs else post(http, "jobs", {"name": JOB, "payload": {"steps": ["make test"]}}, session_id)
    lines = (
        f"{USER} has one session, this one. Keep its id now: the table has only its hash.",
        f"Agent {agent['agent_id']} is registered in place of any {AGENT} before it, and its token is shown this once.",
        f"Job {job['job_id']} {'was there before and' if jobs else 'is new and'} waits to be claimed.",
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
    url = deployment.output("api_endpoint")
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


def named(http: httpx.Client, things: str, name: str, token: str, **query: str) -> list[Mapping[str, object]]:
    """Read which of a list's first hundred have this name."""
    response = http.get(things, params={"limit": "100", **query}, headers=bearer(token)).raise_for_status().json()
    return [entry for entry in response[things] if entry["name"] == name]


def post(http: httpx.Client, path: str, body: Mapping[str, object], token: str) -> Mapping[str, object]:
    """Send a body with a token and return the response."""
    response: Mapping[str, object] = http.post(path, json=body, headers=bearer(token)).raise_for_status().json()
    return response

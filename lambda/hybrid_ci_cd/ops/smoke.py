"""What must be true of hybrid_ci_cd after a deployment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx

from hybrid_ci_cd.ops.seed import log_in, post
from hybrid_ci_cd.tokens import logout_key
from sawhorse.api import (
    Check,
    Deployment,
    Suite,
    arn_of_table,
    bearer,
    cleaned_up,
    cors_headers_come,
    eventually,
    expect,
    expect_status,
    expect_version,
    log_line_appears,
    pages_work,
    role_may,
    role_may_not_scan,
)

# An index shows a change a moment later.
INDEX_SECONDS = 10.0


def suite(deployment: Deployment) -> Suite:
    """Return the checks of a user who exists for as long as they run."""
    return cleaned_up(deployment, Checks)


class Checks:
    """The checks of one run, which share a user, two agents and a job."""

    def __init__(self, deployment: Deployment, http: httpx.Client) -> None:
        self.deployment = deployment
        self.http = http
        self.user_id = f"smoke-{uuid.uuid4()}"
        self.sessions: list[str] = []
        # Tokens by agent id.
        self.agents: dict[str, str] = {}
        self.job_id = ""
        self.next_job_id = ""
        self.winner = ""

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""
        return [
            Check("health responds with its version", self.health),
            Check("a session is made and valid", self.log_in, writes=True),
            Check("an unknown session is invalid and opens nothing", self.unknown),
            Check("the active devices are listed", self.devices, needs=[self.log_in]),
            Check("two agents claim a job at once and one gets it", self.claim, needs=[self.log_in], writes=True),
            Check("a job is finished once", self.finish, needs=[self.claim], writes=True),
            Check("an agent gets the next job, and then none", self.claim_next, needs=[self.claim], writes=True),
            Check("an agent's heartbeat is noted", self.heartbeat, needs=[self.claim], writes=True),
            Check("one session is ended and the others live", self.end_one, needs=[self.devices], writes=True),
            Check("log out everywhere ends every session", self.log_out, needs=[self.log_in], writes=True),
            Check("OPTIONS gives the CORS headers", self.cors, through_live=True),
            Check("the API pages work under the stage", self.pages),
            Check("the request id is in the log", self.log_line),
            Check("the role may not scan the table of sessions", self.scan),
            Check("the role may forget old agents, as housekeeping does", self.forget),
        ]

    def clean_up(self) -> None:
        """Delete what the checks made, also after one that failed or an interrupt."""
        # An API that does not respond has failed its checks already.
        with suppress(httpx.HTTPError):
            for session_id in self.sessions:
                self.http.delete("auth/sessions", headers=bearer(session_id))
        dynamodb = self.deployment.client("dynamodb")
        made = [("sessions", "session_id", logout_key(self.user_id))]
        made += [("agents", "agent_id", agent_id) for agent_id in self.agents]
        made += [("jobs", "job_id", job_id) for job_id in (self.job_id, self.next_job_id) if job_id]
        for table, key, value in made:
            name = self.deployment.output(f"dynamodb_{table}_table")
            dynamodb.delete_item(TableName=name, Key={key: {"S": value}})

    def health(self) -> None:
        response = self.http.get("health")
        version = expect_version(self.deployment, response)
        healthy = {"status": "healthy", "version": version}
        expect(response.json() == healthy, f"The response is another one: {response.text}")

    def log_in(self) -> None:
        for _ in range(3):
            self.sessions.append(log_in(self.http, self.user_id))
        for session_id in self.sessions:
            told = self.validate(session_id)
            expect(told["valid"] is True and told["user_id"] == self.user_id, f"A new session is told to be {told}")

    def validate(self, session_id: str) -> dict[str, object]:
        response = self.http.post("auth/validate", json={"session_id": session_id})
        expect_status(response, 200)
        told: dict[str, object] = response.json()
        return told

    def unknown(self) -> None:
        expect(self.validate("unknown") == {"valid": False}, "An unknown session is not told to be invalid.")
        for path in ("auth/sessions", "jobs", "agents"):
            expect_status(self.http.get(path), 401)
            expect_status(self.http.get(path, headers=bearer("unknown")), 401)

    def devices(self) -> None:
        def all_of_them() -> bool:
            response = self.http.get("auth/sessions", headers=bearer(self.sessions[0]))
            expect_status(response, 200)
            return [device["current"] for device in response.json()["sessions"]].count(True) == 1 and (
                len(response.json()["sessions"]) == len(self.sessions)
            )

        eventually(all_of_them, seconds=INDEX_SECONDS, finding="The list of devices does not show the sessions.")

    def claim(self) -> None:
        for number in range(2):
            agent = post(self.http, "agents", {"name": f"smoke-{number}"}, self.sessions[0])
            self.agents[str(agent["agent_id"])] = str(agent["agent_token"])
        job = post(self.http, "jobs", {"name": "smoke", "payload": {"number": 1}}, self.sessions[0])
        self.job_id = str(job["job_id"])
        with ThreadPoolExecutor() as pool:
            statuses = dict(zip(self.agents, pool.map(self.claim_as, self.agents.values()), strict=True))
        expect(sorted(statuses.values()) == [200, 409], f"The two claims were returned {sorted(statuses.values())}")
        self.winner = next(agent_id for agent_id, status in statuses.items() if status == httpx.codes.OK)

    def claim_as(self, token: str) -> int:
        return self.http.post(f"jobs/{self.job_id}/claim", headers=bearer(token)).status_code

    def finish(self) -> None:
        finished = {"attempt": 1, "status": "succeeded", "result": {"number": 2}}
        responses = {
            agent_id: [
                self.http.post(f"jobs/{self.job_id}/finish", json=finished, headers=bearer(token)) for _ in range(2)
            ]
            for agent_id, token in self.agents.items()
        }
        for agent_id, (first, again) in responses.items():
            expect_status(first, 200 if agent_id == self.winner else 409)
            expect(first.text == again.text, f"Finishing once more changed {first.text} to {again.text}")

    def claim_next(self) -> None:
        token = self.agents[self.winner]
        job = post(self.http, "jobs", {"name": "smoke next", "payload": {}}, self.sessions[0])
        self.next_job_id = str(job["job_id"])

        def given() -> bool:
            response = self.http.post("jobs/claim", headers=bearer(token))
            if response.status_code == httpx.codes.NO_CONTENT:
                return False
            expect_status(response, 200)
            return bool(response.json()["job_id"] == self.next_job_id)

        eventually(given, seconds=INDEX_SECONDS, finding="The job that was queued is not given to an agent that asks.")
        expect_status(self.http.post("jobs/claim", headers=bearer(token)), 204)

    def heartbeat(self) -> None:
        agent_id = self.winner
        response = self.http.post(
            f"agents/{agent_id}/heartbeat", json={"status": "idle"}, headers=bearer(self.agents[agent_id])
        )
        expect_status(response, 200)
        expect(response.json()["status"] == "idle", f"The agent is said to be {response.text}")

    def end_one(self) -> None:
        first, *others = self.sessions
        listed = self.http.get("auth/sessions", headers=bearer(others[0])).json()["sessions"]
        handle = next(device["handle"] for device in listed if device["current"])
        expect_status(self.http.delete(f"auth/sessions/{handle}", headers=bearer(first)), 204)
        valid = [self.validate(session_id)["valid"] for session_id in self.sessions]
        expect(valid == [True, False, True], f"After the second of three was ended, their validity is {valid}")

    def log_out(self) -> None:
        expect_status(self.http.delete("auth/sessions", headers=bearer(self.sessions[0])), 204)
        for session_id in self.sessions:
            expect(self.validate(session_id) == {"valid": False}, "A session is still valid after the log-out.")

    def cors(self) -> None:
        headers = "authorization,content-type,x-request-id"
        cors_headers_come(
            self.deployment, self.http, "auth/session", methods={"GET", "POST", "DELETE"}, headers=headers
        )

    def pages(self) -> None:
        pages_work(self.http)

    def log_line(self) -> None:
        log_line_appears(self.deployment, self.http, "health")

    def scan(self) -> None:
        role_may_not_scan(self.deployment, "dynamodb_sessions_table", allowed="dynamodb:PutItem")

    def forget(self) -> None:
        """An agent is forgotten an hour after it was removed, and no response shows that it could not be."""
        agents = arn_of_table(self.deployment, "dynamodb_agents_table")
        role_may(self.deployment, agents, ["dynamodb:DeleteItem"])

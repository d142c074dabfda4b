"""Whatever the tables hold, every route responds, no error changes anything, and routes agree about what there is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_ci_cd.tokens import logout_key
from shared.ids import new_id
from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, StoppedClock, Tables, User
from tests.hostile import KEYS, Typed, Watch, changed, changes
from tests.unit.support import Response, filled

if TYPE_CHECKING:
    import pytest

SLOW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
TIME = {"S": "2026-01-31T09:15:02.104233Z"}
USER = "user123"
# Attributes that no index has, so that a list cannot know of them.
UNLISTED = {"payload", "result", "user_id"}
Changes = Mapping[str, Typed | None]

SESSIONS = changes(
    *("created_at", "generation", "provider", "user_agent", "user_info", "other"),
    index={"user_id": "S", "expires_at": "N"},
    own={
        "expires_at": [{"N": digits} for digits in ("2000000000", "2000000000.5", "253402300800", "1e10", "-1")],
        "generation": [{"S": "first"}, {"S": "another"}],
        "user_info": [{"S": '{"a": 1e400}'}, {"S": '{"a": 1.50}'}, {"S": '{"a": "\\ud800"}'}],
        "user_agent": [{"S": "x" * 1000}],
    },
)
RECORDS = changes(
    *("generation", "name", "other"), index={"user_id": "S", "expires_at": "N"}, own={"generation": [{"S": "first"}]}
)
AGENTS = changes(
    *("generation", "name", "registered_at", "runs_on", "scopes", "token_hash", "user_id", "other"),
    index={"status": "S", "last_heartbeat_at": "S"},
    own={
        "status": [
            {"S": text} for text in ("idle#user123", "busy#user123", "removed#user123", "idle#", "lost#user123")
        ],
        "last_heartbeat_at": [TIME, {"S": "2020-01-31T09:15:02.104233Z"}, {"S": "9999-12-31T23:59:59.999999Z"}],
        "scopes": [{"SS": ["run"]}, {"SS": ["read"]}, {"L": [{"S": "run"}]}],
        "token_hash": [{"S": "\u00e9" * 32}, {"S": "0" * 64}],
        "generation": [{"S": "another"}],
    },
)
JOBS = changes(
    *("agent_id", "attempt", "claim_id", "claimed_at", "finished_at", "name", "payload", "result", "user_id", "other"),
    index={"status": "S", "created_at": "S"},
    own={
        "status": [{"S": f"{status}#user123"} for status in ("queued", "running", "succeeded", "failed", "lost")],
        "attempt": [{"N": digits} for digits in ("999999999", "1000000000", "1e9", "1.5", "-1")],
        "agent_id": [{"S": "nobody"}, {"S": ""}, {"S": "x" * 3000}],
        "created_at": [TIME, {"S": "2020-01-31T09:15:02.104233Z"}],
        "payload": [{"S": "[]"}, {"S": '{"a": 1e400}'}],
        "claimed_at": [TIME],
    },
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A user with a session, an agent and a job that fit, and what watches the calls."""

    api: Api
    client: Any
    tables: Tables
    watch: Watch
    user: User
    user_id: str
    agent: AgentCaller
    job_id: str

    @classmethod
    def set(cls, api: Api, client: Any, tables: Tables) -> Scene:
        """Make the user, the only one that the example has; those of other examples are other users'."""
        user_id = new_id()
        user = api.log_in(user_id)
        agent = api.register(user)
        return cls(
            api=api,
            client=client,
            tables=tables,
            watch=Watch(client, astuple(tables)),
            user=user,
            user_id=user_id,
            agent=agent,
            job_id=api.queue(user),
        )

    def call(self, route: str, headers: Mapping[str, str], **request: Any) -> Response:
        """Send a request, whose route is told without ids and query."""
        method, path = route.split()
        shown = re.sub(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{id}", route)
        response: Response = self.watch.send(
            shown, lambda: self.api.send(method, path, headers=dict(headers), **request)
        )
        return response

    def listed(self, path: str, member: str, headers: Mapping[str, str], **query: str) -> list[Any] | None:
        """Read a list entry by entry, and all at once: None where it cannot be read."""
        pages: list[list[Any]] = []
        for limit in ("1", "100"):
            entries: list[Any] = []
            place: dict[str, list[str]] = {}
            while True:
                asked = {"limit": [limit], **{name: [value] for name, value in query.items()}, **place}
                response = self.call(f"GET {path}", headers, query=asked)
                if response.status != 200:
                    if place and response.status == 422:
                        self.watch.found.append(f"cursor refused: GET {path}")
                    return None
                entries += response.json()[member]
                if response.json()["next_cursor"] is None:
                    break
                place = {"cursor": [response.json()["next_cursor"]]}
            pages.append(entries)
        self.watch.agree(f"pages of {path}", *pages)
        return pages[0]

    def change(self, table: str, key: Typed, new: Changes, **renamed: Typed) -> None:
        """Change an item as another program does; a user id in it is this example's."""
        item = self.client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        made = {name: self.mine(value) if value else None for name, value in new.items()}
        self.client.put_item(TableName=table, Item={**changed(item, made), **renamed})

    def mine(self, value: Typed) -> Typed:
        return {"S": value["S"].replace(USER, self.user_id)} if isinstance(value.get("S"), str) else value


def session_findings(scene: Scene, new: Changes, stray: Typed) -> list[str]:
    """Compare what validating a session says with the list, and what it opens with both."""
    odd = scene.api.log_in(scene.user_id)
    key = {"session_id": {"S": odd.handle}}
    scene.change(scene.tables.sessions, key, {}, session_id=stray)
    scene.change(scene.tables.sessions, key, new)
    body = f'{{"session_id": "{odd.session_id}"}}'
    told = scene.call("POST /auth/validate", {}, body=body)
    valid = told.status == 200 and told.json()["valid"]
    opened = scene.listed("/auth/sessions", "sessions", odd.headers)
    mine = scene.listed("/auth/sessions", "sessions", scene.user.headers)

    scene.watch.expect("a session that fits and its list", agrees=scene.user.handle in handles(mine))
    scene.watch.agree("validate and what a session opens", valid, opened is not None)
    if valid:
        scene.watch.expect("validate and sessions", agrees=odd.handle in handles(opened))
        of_list: Any = next((one for one in opened or () if one["handle"] == odd.handle), {})
        both = ("provider", "created_at", "expires_at")
        scene.watch.agree("validate and its entry", [told.json()[n] for n in both], [of_list.get(n) for n in both])
    is_mine = valid and told.json()["user_id"] == scene.user_id
    scene.watch.agree("validate and the list of the user", odd.handle in handles(mine), is_mine)
    ended = scene.call(f"DELETE /auth/sessions/{odd.handle}", scene.user.headers)
    scene.watch.agree("list and end", ended.status, 204 if odd.handle in handles(mine) else 404)
    for session in (odd, scene.user):
        for route in ("GET /jobs", "GET /agents", "POST /jobs", "POST /agents", "DELETE /auth/sessions"):
            scene.call(route, session.headers, body='{"name": "n"}' if route.startswith("POST") else None)
    scene.watch.agree("log out everywhere", scene.api.validate(scene.user.session_id), {"valid": False})
    return scene.watch.found


def handles(listed: list[Any] | None) -> set[str]:
    return {one["handle"] for one in listed or ()}


def record_findings(scene: Scene, table: str, new: Changes) -> list[str]:
    """Let the record of a log-out be anything: what was before has ended, and what is made from then on holds."""
    key = "session_id" if table == scene.tables.sessions else "agent_id"
    item = {key: {"S": logout_key(scene.user_id)}, "generation": {"S": new_id()}}
    scene.client.put_item(TableName=table, Item=changed(item, new))
    for route in ("GET /auth/sessions", "GET /jobs", "GET /agents"):
        scene.call(route, scene.user.headers)
    scene.call("POST /jobs/claim", scene.agent.headers)
    ended = scene.user if table == scene.tables.sessions else None
    made = scene.call("POST /auth/session", {}, body=f'{{"user_id": "{scene.user_id}", "provider": "p"}}')
    if made.status != 201:
        return scene.watch.found
    user = User(made.json()["session_id"], made.json()["handle"])
    listed = scene.listed("/auth/sessions", "sessions", user.headers)
    scene.watch.expect("a new session and the record", agrees=user.handle in handles(listed))
    for one in (ended, user):
        if one:
            told = scene.call("POST /auth/validate", {}, body=f'{{"session_id": "{one.session_id}"}}')
            valid = told.status == 200 and told.json()["valid"]
            scene.watch.agree("validate and sessions", valid, one.handle in handles(listed))
    registered = scene.call("POST /agents", user.headers, body='{"name": "n"}')
    if registered.status == 201:
        agent = AgentCaller(registered.json()["agent_id"], registered.json()["agent_token"])
        beat = scene.call(f"POST /agents/{agent.agent_id}/heartbeat", agent.headers, body="{}")
        scene.watch.agree("register and heartbeat", beat.status, 200)
        gone = scene.call("DELETE /auth/sessions", user.headers, query={"agents": ["true"]})
        scene.watch.agree("log out with a record that is anything", gone.status, 204)
        scene.watch.agree("log out everywhere", scene.api.validate(user.session_id), {"valid": False})
        beat = scene.call(f"POST /agents/{agent.agent_id}/heartbeat", agent.headers, body="{}")
        scene.watch.agree("log out with agents", beat.status, 401)
    return scene.watch.found


def agent_findings(scene: Scene, new: Changes, stray: Typed) -> list[str]:
    """Compare lists of agents with heartbeats and removals, and see that no job is lost with an odd agent."""
    odd = scene.api.register(scene.user)
    held = scene.api.queue(scene.user)
    scene.api.claim(held, odd)
    key = {"agent_id": {"S": odd.agent_id}}
    scene.change(scene.tables.agents, key, {}, agent_id=stray)
    scene.change(scene.tables.agents, key, new)

    def ids(**query: str) -> set[str]:
        return {one["agent_id"] for one in scene.listed("/agents", "agents", scene.user.headers, **query) or ()}

    of_each = [ids(status=status) for status in ("idle", "busy", "lost")]
    scene.watch.agree("agents of each status and all", set().union(*of_each), ids())
    scene.watch.expect("an agent that fits and its list", agrees=scene.agent.agent_id in ids())
    for route in ("GET /jobs", "GET /agents", "POST /jobs/claim", f"POST /jobs/{held}/claim"):
        scene.call(route, odd.headers)
    beat = scene.call(f"POST /agents/{odd.agent_id}/heartbeat", odd.headers, body='{"status": "busy"}')
    if beat.status == 200:
        entries = scene.listed("/agents", "agents", scene.user.headers) or []
        entry = next((one for one in entries if one["agent_id"] == odd.agent_id), None)
        is_mine = new.get("user_id", {"S": USER}) == {"S": USER}
        scene.watch.agree("heartbeat and list", entry, beat.json() if is_mine else entry)
        scene.watch.expect(
            "heartbeat and claim", agrees=scene.call("POST /jobs/claim", odd.headers).status in (200, 204, 403)
        )
    shown = odd.agent_id in ids()
    removed = scene.call(f"DELETE /agents/{odd.agent_id}", scene.user.headers)
    if "user_id" not in new:
        scene.watch.agree("list and remove", removed.status if shown else 204, 204)
    if removed.status == 204:
        again = scene.call(f"POST /agents/{odd.agent_id}/heartbeat", odd.headers, body="{}")
        scene.watch.agree("remove and list", (again.status, odd.agent_id in ids()), (401, False))
    claims = [scene.call("POST /jobs/claim", scene.api.register(scene.user).headers) for _ in range(2)]
    taken = {claim.json()["job_id"] for claim in claims if claim.status == 200}
    if removed.status == 204:
        taken |= {job["job_id"] for job in scene.api.jobs(scene.user, status="running")}
        scene.watch.expect("jobs and claims of an odd agent", agrees={held, scene.job_id} <= taken)
    return scene.watch.found


def job_findings(scene: Scene, new: Changes, stray: Typed, *, runs: bool) -> list[str]:
    """Compare lists of jobs with single ones and with claims, and see that none is lost with an odd one."""
    odd = scene.api.queue(scene.user)
    holder = scene.api.register(scene.user)
    if runs:
        scene.api.claim(odd, holder)
    key = {"job_id": {"S": odd}}
    scene.change(scene.tables.jobs, key, {}, job_id=stray)
    scene.change(scene.tables.jobs, key, new)
    lists = {
        status: {one["job_id"]: one for one in scene.listed("/jobs", "jobs", scene.user.headers, status=status) or ()}
        for status in ("queued", "running", "succeeded", "failed")
    }
    single = scene.call(f"GET /jobs/{odd}", scene.user.headers)
    entry = next((listed[odd] for listed in lists.values() if odd in listed), None)
    if single.status == 200:
        scene.watch.agree("list and get", entry, {name: single.json()[name] for name in entry or {"job_id": None}})
    elif not UNLISTED & new.keys():
        scene.watch.agree("list and get", entry, None)
    scene.watch.expect("a job that fits and its list", agrees=scene.job_id in lists["queued"])
    status = single.json()["status"] if single.status == 200 else None

    finished = scene.call(f"POST /jobs/{odd}/finish", holder.headers, body='{"attempt": 1, "status": "failed"}')
    if finished.status == 200:
        told = scene.call(f"GET /jobs/{odd}", scene.user.headers)
        scene.watch.agree("finish and get", told.body, finished.body)
    claimed = scene.call(f"POST /jobs/{odd}/claim", scene.agent.headers)
    if status in (None, "queued"):
        scene.watch.agree("get and claim", claimed.status, 200 if status else 404)
    if claimed.status == 200:
        told = scene.call(f"GET /jobs/{odd}", scene.user.headers)
        scene.watch.agree("claim and get", told.body, claimed.body)
    other = scene.api.register(scene.user)
    claims = [scene.call("POST /jobs/claim", other.headers) for _ in range(2)]
    taken = [claim.json()["job_id"] for claim in claims if claim.status == 200]
    scene.watch.agree("jobs and claims", taken, [scene.job_id])
    return scene.watch.found


@SLOW
@given(new=SESSIONS, stray=KEYS["S"])
@example(new={"generation": None}, stray={"S": "x"})
@example(new={"expires_at": {"N": "1e100"}}, stray={"S": "x"})
@example(new={"user_info": {"S": "["}}, stray={"S": "logout#x"})
@example(new={"provider": None}, stray={"S": "x"})
@example(new={"provider": {"S": "\u202eelgoog"}}, stray={"S": "x"})
@example(new={"user_id": {"S": "x" * 300}}, stray={"S": "x"})
def test_sessions_may_be_anything(timed_api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert session_findings(Scene.set(timed_api, dynamodb, tables), new, stray) == []


@SLOW
@given(new=RECORDS, of_agents=st.booleans())
@example(new={"generation": None}, of_agents=False)
@example(new={"generation": {"NULL": True}}, of_agents=True)
@example(new={"generation": {"S": ""}}, of_agents=False)
def test_the_record_of_a_log_out_may_be_anything(
    timed_api: Api,
    dynamodb: Any,
    tables: Tables,
    new: Changes,
    of_agents: bool,  # noqa: FBT001 - an example
) -> None:
    table = tables.agents if of_agents else tables.sessions
    assert record_findings(Scene.set(timed_api, dynamodb, tables), table, new) == []


@SLOW
@given(new=AGENTS, stray=KEYS["S"])
@example(new={"name": None}, stray={"S": "x"})
@example(new={"token_hash": {"S": "\u00e9"}}, stray={"S": "x"})
@example(new={"user_id": {"S": "x" * 3000}}, stray={"S": "x"})
@example(new={"last_heartbeat_at": None}, stray={"S": "x"})
@example(new={"last_heartbeat_at": {"S": "~"}}, stray={"S": "x"})
@example(new={"status": None, "name": None}, stray={"S": "x"})
@example(new={"token_hash": None}, stray={"S": "x"})
def test_agents_may_be_anything(timed_api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert agent_findings(Scene.set(timed_api, dynamodb, tables), new, stray) == []


@SLOW
@given(new=JOBS, stray=KEYS["S"], runs=st.booleans())
@example(new={"agent_id": {"S": "x" * 3000}}, stray={"S": "x"}, runs=True)
@example(new={"attempt": {"N": "1e9"}}, stray={"S": "x"}, runs=False)
@example(new={"created_at": {"S": "\u0662026-01-31T09:15:02.104233Z"}}, stray={"S": "x"}, runs=False)
def test_jobs_may_be_anything(  # noqa: PLR0913, PLR0917 - an API, its tables, and an example
    timed_api: Api,
    dynamodb: Any,
    tables: Tables,
    new: Changes,
    stray: Typed,
    runs: bool,  # noqa: FBT001 - an example
) -> None:
    assert job_findings(Scene.set(timed_api, dynamodb, tables), new, stray, runs=runs) == []


def test_an_agent_that_cannot_be_shown_is_told_so_and_stays_as_it_is(
    timed_api: Api, clock: StoppedClock, dynamodb: Any, tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene.set(timed_api, dynamodb, tables)
    scene.change(tables.agents, {"agent_id": {"S": scene.agent.agent_id}}, {"name": {"L": [{"S": "a secret"}]}})

    beats = [timed_api.heartbeat(scene.agent) for _ in range(2)]

    assert [(beat.status, beat.error_code) for beat in beats] == [(409, "unreadable")] * 2
    assert timed_api.claim_next(scene.agent).status == 200
    written = capsys.readouterr().out
    assert written.count("does not fit") == 1
    assert f'"key":{{"agent_id":"{scene.agent.agent_id}"}},"attributes":["name"]' in written
    assert "a secret" not in written


def test_an_agent_whose_item_has_no_room_is_told_so_and_stays_as_it_is(
    timed_api: Api, dynamodb: Any, tables: Tables
) -> None:
    scene = Scene.set(timed_api, dynamodb, tables)
    key = {"agent_id": {"S": scene.agent.agent_id}}
    # Without a heartbeat, the next one takes room that there is not.
    item = dynamodb.get_item(TableName=tables.agents, Key=key)["Item"]
    filled(
        dynamodb, tables.agents, changed(item, {"last_heartbeat_at": None, "status": {"S": f"idle#{scene.user_id}"}})
    )

    beat = scene.call(f"POST /agents/{scene.agent.agent_id}/heartbeat", scene.agent.headers, body="{}")

    assert (beat.status, beat.error_code) == (409, "item_full")
    assert scene.watch.found == []
    item = dynamodb.get_item(TableName=tables.agents, Key=key)["Item"]
    filled(dynamodb, tables.agents, changed(item, {"token_hash": None, "rest": None}))
    removed = scene.call(f"DELETE /agents/{scene.agent.agent_id}", scene.user.headers)
    assert (removed.status, removed.error_code) == (409, "item_full")
    assert scene.watch.found == []

"""Jobs that other programs wrote: what is none of ours takes no other job along, and is changed by no error."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_ci_cd import claiming
from hybrid_ci_cd.models import Agent, JobEntry
from shared.ids import new_id
from tests.apps.hybrid_ci_cd.support import AgentCaller, Api, MakeApi, StoppedClock, Tables, User
from tests.unit.support import Recording, client_error

Capture = pytest.CaptureFixture[str]
Typed = dict[str, Any] | None
# All that is not a key of the table or its index; an entry without those is in no queue.
ATTRIBUTES = (
    "agent_id",
    "attempt",
    "claim_id",
    "claimed_at",
    "finished_at",
    "name",
    "other",
    "payload",
    "result",
    "user_id",
)
NUMBERS = ("0", "-1", "1.5", "1E+2", "1E-130", "9.9E+125", "999999999", "1000000000", "-9.9E+125", "1" * 38)
TEXTS = (
    "",
    " ",
    "null",
    "[]",
    "{}",
    '{"a": 1e400}',
    '{"a": NaN}',
    '{"a": "\\ud800"}',
    '{"a": 1, "a": 2}',
    "{",
    '{"a":' * 1000 + "1" + "}" * 1000,
    '{"a":' * 190 + "1" + "}" * 190,
    f'{{"a": {"9" * 5000}}}',
    f'{{"a": {"9" * 4000}}}',
    "\ufeff{}",
    "x" * 300,
    "user123",
    "2026-01-31T09:15:02.104233Z",
)


def numbers() -> st.SearchStrategy[str]:
    return st.sampled_from(NUMBERS) | st.integers(-(10**37), 10**37).map(str)


def texts() -> st.SearchStrategy[str]:
    return st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


SCALARS = st.one_of(
    texts().map(lambda text: {"S": text}),
    numbers().map(lambda digits: {"N": digits}),
    st.binary(min_size=1, max_size=4).map(lambda value: {"B": value}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"NULL": True}),
)
VALUES: st.SearchStrategy[Typed] = st.one_of(
    st.none(),
    SCALARS,
    st.lists(st.text("abc", min_size=1), min_size=1, max_size=3, unique=True).map(lambda found: {"SS": found}),
    st.sampled_from(NUMBERS).map(lambda digits: {"NS": [digits]}),
    st.binary(min_size=1, max_size=4).map(lambda value: {"BS": [value]}),
    st.lists(SCALARS, max_size=2).map(lambda found: {"L": found}),
    st.dictionaries(st.text("abc", min_size=1), SCALARS, max_size=2).map(lambda found: {"M": found}),
)
CHANGES = st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, min_size=1, max_size=3)
HOSTILE = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Table:
    """The table of jobs as another program sees it."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def read(self, job_id: str) -> dict[str, Any]:
        item: dict[str, Any] = self.client.get_item(
            TableName=self.name, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )["Item"]
        return item

    def change(self, job_id: str, changes: dict[str, Typed]) -> dict[str, Any]:
        """Set attributes, or remove those that are None, and return the item."""
        changed: dict[str, Any] = {**self.read(job_id), **changes}
        item = {name: value for name, value in changed.items() if value is not None}
        self.client.put_item(TableName=self.name, Item=item)
        return self.read(job_id)


@pytest.fixture
def user(api: Api) -> User:
    return api.log_in()


@pytest.fixture
def agent(api: Api, user: User) -> AgentCaller:
    return api.register(user)


@pytest.fixture
def jobs_table(dynamodb: Any, tables: Tables) -> Table:
    return Table(dynamodb, tables.jobs)


def is_spent(changes: dict[str, Typed]) -> bool:
    """Tell whether a job fits and has no attempt left that `finish` could name."""
    return changes.get("attempt") in ({"N": "1000000000"}, {"N": "1E+9"})


def size_of(item: dict[str, Any]) -> int:
    """Return the bytes of an item of texts and short numbers, as DynamoDB counts them or a few more."""
    return sum(len(name) + len(str(value)) for name, typed in item.items() for value in typed.values())


@HOSTILE
@given(changes=CHANGES)
@example(changes={"payload": None})
@example(changes={"payload": {"S": "no JSON"}})
@example(changes={"attempt": {"S": "1"}})
@example(changes={"attempt": {"N": "999999999"}})
@example(changes={"attempt": {"N": "1000000000"}})
@example(changes={"attempt": {"N": "9.9E+125"}})
@example(changes={"name": {"S": ""}})
def test_a_claim_of_whatever_is_queued_is_right_or_changes_nothing(
    api: Api, jobs_table: Table, changes: dict[str, Typed]
) -> None:
    user = api.log_in(new_id())
    first, second = api.register(user), api.register(user)
    odd, good = api.queue(user), api.queue(user)
    if changes.get("user_id") == {"S": "user123"}:
        changes = changes | {"user_id": {"S": "somebody else"}}
    before = jobs_table.change(odd, changes)

    claimed = api.claim(odd, first)
    if claimed.status == 200:
        assert jobs_table.read(odd) != before
        assert api.get(f"/jobs/{odd}", headers=user.headers).json() == claimed.json()
        assert api.finish(odd, first, attempt=claimed.json()["attempt"]).status == 200
    else:
        assert (claimed.status, claimed.error_code) == (404, "not_found")
        assert jobs_table.read(odd) == before
        assert api.get(f"/jobs/{odd}", headers=user.headers).status == 404
        assert api.finish(odd, first).status == 404
        assert jobs_table.read(odd) == before
    assert api.claim_next(second).json()["job_id"] == good
    assert api.claim_next(second).status == 204


@HOSTILE
@given(changes=CHANGES)
@example(changes={"payload": None})
@example(changes={"payload": {"S": "no JSON"}})
@example(changes={"result": {"S": "no JSON"}})
@example(changes={"agent_id": None})
def test_an_end_of_whatever_runs_is_right_or_changes_nothing(
    api: Api, jobs_table: Table, changes: dict[str, Typed]
) -> None:
    user = api.log_in(new_id())
    agent = api.register(user)
    job_id = api.queue(user)
    api.claim(job_id, agent)
    before = jobs_table.change(job_id, changes)

    finished = api.finish(job_id, agent, result={"tests": 312})

    if finished.status == 200:
        assert finished.json()["result"] == {"tests": 312}
        assert api.get(f"/jobs/{job_id}", headers=user.headers).json() == finished.json()
    else:
        assert finished.error_code in ("not_found", "claim_lost")
        assert jobs_table.read(job_id) == before
        assert api.claim_next(agent).status == 204
        assert jobs_table.read(job_id) == before
    listed = api.get("/jobs", headers=user.headers, query={"status": ["running"]})
    assert listed.status == 200


@HOSTILE
@given(changes=CHANGES)
def test_the_next_claim_takes_what_is_queued_and_fits_or_what_comes_after(
    api: Api, jobs_table: Table, changes: dict[str, Typed]
) -> None:
    user = api.log_in(new_id())
    odd, good = api.queue(user), api.queue(user)
    before = jobs_table.change(odd, changes)
    readable = api.get(f"/jobs/{odd}", headers=user.headers).status == 200 and not is_spent(changes)

    claims = [api.claim_next(api.register(user)) for _ in range(3)]

    assert [claim.status for claim in claims] == ([200, 200, 204] if readable else [200, 204, 204])
    assert [claim.json()["job_id"] for claim in claims if claim.status == 200] == ([odd, good] if readable else [good])
    assert readable or jobs_table.read(odd) == before


@HOSTILE
@given(changes=CHANGES)
@example(changes={"agent_id": {"S": "nobody"}, "payload": None})
def test_a_job_that_was_left_behind_is_claimed_or_takes_none_along(
    api: Api, jobs_table: Table, changes: dict[str, Typed]
) -> None:
    user = api.log_in(new_id())
    gone, agent = api.register(user), api.register(user)
    odd, good = api.queue(user), api.queue(user)
    assert [api.claim(job_id, gone).status for job_id in (odd, good)] == [200, 200]
    before = jobs_table.change(odd, changes)
    api.delete(f"/agents/{gone.agent_id}", headers=user.headers)

    claims = [api.claim_next(agent) for _ in range(3)]

    given_out = [claim.json()["job_id"] for claim in claims if claim.status == 200]
    assert given_out in ([odd, good], [good])
    assert [claim.status for claim in claims if claim.status != 200] == [204] * (3 - len(given_out))
    assert odd in given_out or jobs_table.read(odd) == before


@pytest.mark.parametrize("unfit", [1, 12, 60, 120])
def test_however_many_jobs_that_do_not_fit_wait_first_the_next_one_is_claimed(
    api: Api, user: User, jobs_table: Table, unfit: int
) -> None:
    for number in range(unfit):
        jobs_table.change(api.queue(user), {"payload": None} if number % 2 else {"name": {"N": "1"}})
    good = api.queue(user)
    agent = api.register(user)

    assert api.claim_next(agent).json()["job_id"] == good
    assert api.claim_next(agent).status == 204


def test_what_does_not_fit_is_logged_once_by_its_key_and_its_attributes(
    api: Api, user: User, agent: AgentCaller, jobs_table: Table, capsys: Capture
) -> None:
    job_id = api.queue(user, payload={"secret": "in-the-payload"})
    jobs_table.change(job_id, {"payload": {"S": '{"secret": "in-the-payload"'}, "result": {"S": "another-secret"}})
    capsys.readouterr()

    for _ in range(3):
        assert api.claim_next(agent).status == 204
        assert api.claim(job_id, agent).status == 404
    written = capsys.readouterr().out
    found = [json.loads(text) for text in written.splitlines() if "does not fit" in text]

    assert [(line["key"], line["attributes"]) for line in found] == [({"job_id": job_id}, ["payload", "result"])]
    assert "secret" not in written


def test_what_does_not_fit_is_named_once_whichever_routes_meet_it(
    api: Api, user: User, agent: AgentCaller, jobs_table: Table, capsys: Capture
) -> None:
    job_id = api.queue(user)
    jobs_table.change(job_id, {"name": {"N": "1e100"}})
    capsys.readouterr()

    assert api.jobs(user) == []
    assert api.get(f"/jobs/{job_id}", headers=user.headers).status == 404
    assert api.claim(job_id, agent).status == 404
    assert api.claim_next(agent).status == 204

    assert capsys.readouterr().out.count("does not fit") == 1


@pytest.mark.parametrize("text", ['{"a": 0.1234567890123456789012}', '{"a":1,"a":2}'])
@pytest.mark.parametrize("member", ["payload", "result"])
def test_a_job_whose_json_readers_read_in_different_ways_is_not_found(  # noqa: PLR0913, PLR0917 - a job and two examples
    api: Api, user: User, agent: AgentCaller, jobs_table: Table, member: str, text: str
) -> None:
    job_id = api.queue(user)
    before = jobs_table.change(job_id, {member: {"S": text}})

    assert api.get(f"/jobs/{job_id}", headers=user.headers).status == 404
    assert api.claim(job_id, agent).status == 404
    assert api.claim_next(agent).status == 204
    assert jobs_table.read(job_id) == before


@pytest.mark.parametrize("owner", ["somebody else", None])
def test_a_job_in_the_queue_of_a_user_who_has_it_not_shows_what_a_list_shows_and_no_more(
    api: Api, user: User, agent: AgentCaller, jobs_table: Table, owner: str | None
) -> None:
    job_id = api.queue(user, payload={"of": "somebody else"})
    before = jobs_table.change(job_id, {"user_id": {"S": owner} if owner else None})

    [entry] = api.jobs(user)
    assert (entry["job_id"], entry.keys()) == (job_id, JobEntry.model_fields.keys())
    assert api.get(f"/jobs/{job_id}", headers=user.headers).status == 404
    assert [api.claim(job_id, agent).status, api.claim_next(agent).status] == [404, 204]
    assert api.finish(job_id, agent).status == 404
    assert jobs_table.read(job_id) == before


@pytest.mark.parametrize("status", ["idle", "busy", "removed"])
def test_an_agent_whose_status_names_another_user_stays_its_users_own(
    timed_api: Api, clock: StoppedClock, dynamodb: Any, tables: Tables, status: str
) -> None:
    theirs = timed_api.register(timed_api.log_in("owner"), name="theirs")
    user = timed_api.log_in("other")
    agents = Table(dynamodb, tables.agents)
    key = {"agent_id": {"S": theirs.agent_id}}
    dynamodb.update_item(
        TableName=agents.name,
        Key=key,
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": f"{status}#other"}},
    )
    before = dynamodb.get_item(TableName=agents.name, Key=key)["Item"]
    clock.now += timedelta(hours=40)

    shown = timed_api.agents(user)
    assert [(one["agent_id"], one.keys()) for one in shown] == (
        [] if status == "removed" else [(theirs.agent_id, Agent.model_fields.keys())]
    )
    assert timed_api.delete(f"/agents/{theirs.agent_id}", headers=user.headers).status == 404
    own = timed_api.register(user)
    assert timed_api.claim_next(own).status == 204
    timed_api.delete("/auth/sessions", headers=user.headers, query={"agents": ["true"]})

    assert dynamodb.get_item(TableName=agents.name, Key=key)["Item"] == before
    assert timed_api.heartbeat(theirs).status == 200


def test_a_job_that_was_repaired_is_claimed(api: Api, user: User, agent: AgentCaller, jobs_table: Table) -> None:
    job_id = api.queue(user)
    payload = jobs_table.read(job_id)["payload"]
    jobs_table.change(job_id, {"payload": None})
    assert api.claim_next(agent).status == 204

    jobs_table.change(job_id, {"payload": payload})

    assert api.claim_next(agent).json()["job_id"] == job_id


def test_a_removed_agent_is_remembered_while_a_job_of_it_does_not_fit(
    timed_api: Api, clock: StoppedClock, jobs_table: Table
) -> None:
    user = timed_api.log_in()
    gone = timed_api.register(user)
    job_id = timed_api.queue(user)
    timed_api.claim(job_id, gone)
    payload = jobs_table.read(job_id)["payload"]
    jobs_table.change(job_id, {"payload": None})
    timed_api.delete(f"/agents/{gone.agent_id}", headers=user.headers)
    clock.now += timedelta(hours=40)
    agent = timed_api.register(user)
    assert timed_api.claim_next(agent).status == 204

    jobs_table.change(job_id, {"payload": payload})

    assert timed_api.claim_next(agent).json()["job_id"] == job_id


def test_an_item_without_room_for_a_claim_or_a_result_stays_as_it_is(
    api: Api, user: User, agent: AgentCaller, jobs_table: Table
) -> None:
    full, large, good = (api.queue(user) for _ in range(3))
    rest = 400 * 1024 - size_of(jobs_table.read(full)) - len("other") - 50
    before = jobs_table.change(full, {"other": {"S": "x" * rest}})
    jobs_table.change(large, {"other": {"S": "x" * (rest - 1000)}})

    refused = api.claim(full, agent)
    assert (refused.status, refused.error_code) == (409, "item_full")
    assert api.claim(large, agent).status == 200
    claimed = jobs_table.read(large)
    refused = api.finish(large, agent, result={"text": "x" * 2000})
    assert (refused.status, refused.error_code) == (413, "request_too_large")
    assert jobs_table.read(large) == claimed
    assert api.finish(large, agent, result={}).status == 200
    assert api.claim_next(agent).json()["job_id"] == good
    assert jobs_table.read(full) == before


def test_a_refused_write_of_another_kind_is_no_item_that_is_too_large(
    make_api: MakeApi, dynamodb: Any, api: Api, user: User, agent: AgentCaller
) -> None:
    api.queue(user)

    class Invalid(Recording):
        """A client whose updates DynamoDB does not understand."""

        def __getattr__(self, operation: str) -> Any:
            if operation == "update_item":
                raise client_error("ValidationException")
            return super().__getattr__(operation)

    assert make_api(client=Invalid(dynamodb)).claim_next(agent).status == 500


@pytest.mark.parametrize(("missing", "expected"), [("name", 200), ("payload", 429)])
def test_no_job_is_said_not_to_be_there_behind_any_number_that_do_not_fit(  # noqa: PLR0913, PLR0917 - an API, its table and a row
    api: Api,
    user: User,
    agent: AgentCaller,
    jobs_table: Table,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    expected: int,
) -> None:
    monkeypatch.setattr(claiming, "QUEUED_AT_MOST", 20)
    item = jobs_table.read(api.queue(user))
    good = item["job_id"]["S"]
    odd = {name: value for name, value in item.items() if name != missing}
    for second in range(60):
        older = {"job_id": {"S": new_id()}, "created_at": {"S": f"2020-01-31T09:15:{second:02}.000000Z"}}
        jobs_table.client.put_item(TableName=jobs_table.name, Item={**odd, **older})

    response = api.claim_next(agent)

    assert response.status == expected
    if expected == 200:
        assert response.json()["job_id"] == good
    assert [job["job_id"] for job in api.jobs(user, status="queued" if expected == 429 else "running")][-1] == good


def test_a_queue_whose_jobs_all_do_not_fit_ends(
    api: Api, user: User, agent: AgentCaller, jobs_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "QUEUED_AT_MOST", 3)
    for _ in range(3):
        jobs_table.change(api.queue(user), {"payload": None})

    assert api.claim_next(agent).status == 204

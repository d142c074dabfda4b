"""Nobody sees another user's e-mail address: not of a token, not of an item of before, not in the log."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.apps.turbotech_portal.support import Api, MakeApi, Tables, deliverable, metric, put

ADDRESS = "grace@example.com"
SUBJECTS = ["auth0|grace", f"samlp|navy|{ADDRESS}", "oauth2|x|grace%40example.com", ADDRESS]
READS = ["/api/updates", "/api/users", "/api/dashboard", "/api/deliverables", "/api/metrics"]


@pytest.fixture
def others_see(make_api: MakeApi) -> Callable[[], str]:
    """Read everything as somebody else, and return all of it as one text."""
    stranger = make_api(claims={"sub": "auth0|stranger", "name": "Stranger"})
    return lambda: json.dumps([stranger.read(path) for path in READS])


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(
    "claims", [{"email": ADDRESS}, {"name": ADDRESS, "email": ADDRESS}, {"name": f"Grace <{ADDRESS}>"}, {}]
)
def test_whatever_the_token_says_others_see_no_address(
    make_api: MakeApi,
    others_see: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    claims: dict[str, str],
    subject: str,
) -> None:
    grace = make_api(claims={"sub": subject, **claims})
    update = grace.write()
    marked = grace.post(f"/api/updates/{update['id']}/read").json()
    me = grace.read("/api/users/me")

    seen = others_see() + json.dumps(update)
    assert "example.com" not in seen
    assert "%40" not in seen
    # What a page compares is the same everywhere.
    assert marked["read_by"] == [me["id"]] == [update["author"]["id"]]
    assert me["email"] == claims.get("email") if claims.get("email") else "email" in me
    assert "example.com" not in capsys.readouterr().out


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_item_of_before_is_shown_without_its_address(
    make_api: MakeApi, others_see: Callable[[], str], dynamodb: Any, tables: Tables, subject: str
) -> None:
    before = {"id": subject, "name": ADDRESS, "email": ADDRESS, "first_seen_at": "2026-01-01T00:00:00.000000Z"}
    update = {
        "id": "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11",
        "title": "Kept",
        "message": "From before.",
        "author": {"id": subject, "name": ADDRESS},
        "created_at": "2026-01-02T00:00:00.000000Z",
        "read_by": [subject],
        "feed": "project",
    }
    put(dynamodb, tables.users, before)
    put(dynamodb, tables.updates, update)

    seen = others_see()
    assert '"Kept"' in seen
    assert "example.com" not in seen
    grace = make_api(claims={"sub": subject, "email": ADDRESS})
    assert grace.read("/api/users/me")["email"] == ADDRESS
    assert grace.read("/api/dashboard")["updates"]["unread"] == 0
    # Marking it once more changes nothing: the stored list has the id as it was.
    assert len(grace.post(f"/api/updates/{update['id']}/read").json()["read_by"]) == 1


def test_an_item_that_does_not_fit_is_named_in_the_log_without_an_address(
    api: Api, dynamodb: Any, tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    put(dynamodb, tables.users, {"id": f"samlp|navy|{ADDRESS}", "name": 7})

    assert api.read("/api/users") == {"users": []}
    printed = capsys.readouterr().out
    assert "An item does not fit" in printed
    assert "example.com" not in printed


@pytest.mark.parametrize("name", [ADDRESS, f"Grace {ADDRESS}", "grace\uff20example.com", "grace%40example.com"])
def test_an_address_is_refused_as_a_name_since_others_would_see_it(api: Api, name: str) -> None:
    response = api.patch("/api/users/me", {"name": name})

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert "must be no e-mail address, since other users see it" in response.json()["error"]["message"]
    assert name not in response.body


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u200d", "\x07", "\u2028", "\U000e0041"])
def test_a_text_for_others_with_what_nobody_sees_is_refused(
    api: Api, dynamodb: Any, tables: Tables, hidden: str
) -> None:
    put(dynamodb, tables.deliverables, deliverable(1))
    put(dynamodb, tables.metrics, metric(1))
    text = f"ab{hidden}cd"

    responses = [
        api.patch("/api/users/me", {"name": text}),
        api.patch("/api/deliverables/1", {"name": text}),
        api.patch("/api/metrics/1", {"name": text}),
        api.post("/api/updates", body=json.dumps({"title": text, "message": "m"})),
        api.post("/api/updates", body=json.dumps({"title": "t", "message": text})),
    ]

    assert [(response.status, response.error_code) for response in responses] == [(422, "invalid_request")] * 5
    assert all(f"U+{ord(hidden):04X} at 3" in response.json()["error"]["message"] for response in responses)


def test_a_text_of_before_is_shown_without_what_nobody_sees(api: Api, dynamodb: Any, tables: Tables) -> None:
    put(dynamodb, tables.deliverables, deliverable(1, name="a\u202eb", status="DO\u200bNE"))
    put(dynamodb, tables.metrics, metric(1, name="a\u2067b"))
    put(dynamodb, tables.users, {"id": "u", "name": "\u202e"}, {"id": "v", "name": "v\u200b"})
    update = {
        "id": "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11",
        "title": "t\u202et",
        "message": "one\u2066\ntwo",
        "author": {"id": "u", "name": "a\u200fb"},
        "created_at": "2026-01-02T00:00:00.000000Z",
        "feed": "project",
    }
    put(dynamodb, tables.updates, update)

    [shown] = api.read("/api/updates")["updates"]
    assert (shown["title"], shown["message"], shown["author"]["name"]) == ("tt", "one\ntwo", "ab")
    assert api.read("/api/deliverables/1")["name"] == "ab"
    assert api.read("/api/metrics")["metrics"][0]["name"] == "ab"
    assert api.read("/api/users")["users"] == [{"id": "u", "name": "u"}, {"id": "v", "name": "v"}]
    numbers = api.read("/api/dashboard")
    assert numbers["deliverables"]["by_status"]["DONE"] == 1
    assert numbers["metrics"][0]["name"] == "ab"

"""An address has one user, and a user one trial, ever."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fileshare.database import Database
from fileshare.tokens import new_token
from tests.apps.fileshare.support import Api, a_user, in_a_thread, user_in
from tests.unit.support import Clock

OFFER = "Try Premium - Free for 30 days"


def trial(api: Api, email: str | None = None) -> dict[str, object]:
    response = api.call("GET", "/api/trial", query={"email": [email]} if email else {})
    assert response.status == 200, response
    status: dict[str, object] = response.json()
    return status


def test_a_new_user_gets_a_token_that_opens_and_is_not_stored(api: Api, stranger: Api, database: Database) -> None:
    user = stranger.sign_up("Ada.Lovelace@Example.COM ")
    assert (user["email"], user["user_tier"]) == ("ada.lovelace@example.com", "free")
    stored = in_a_thread(user_in(database, user["user_id"]))
    assert stored
    assert user["token"] not in str(stored)
    assert stored.token_hash is not None
    assert stored.token_hash not in user["token"]
    assert trial(stranger)["email"] == "ada.lovelace@example.com"


@pytest.mark.parametrize("again", ["ada@example.com", "ADA@example.com", " ada@EXAMPLE.com\n"])
def test_nobody_signs_up_twice(stranger: Api, again: str) -> None:
    stranger.sign_up("ada@example.com")
    response = stranger.call("POST", "/api/users", {"email": again})
    assert (response.status, response.error_code) == (409, "email_taken")


def test_a_new_user_is_offered_the_trial_and_starts_it_once(api: Api, clock: Clock) -> None:
    clock.step = timedelta(0)
    before = trial(api)
    assert (before["message"], before["can_start_trial"], before["user_tier"]) == (OFFER, True, "free")
    started = api.call("POST", "/api/trial")
    assert started.status == 200
    assert started.json() == trial(api)
    assert started.json() == before | {
        "user_tier": "trial",
        "message": "Premium trial - 30 days left",
        "can_start_trial": False,
        "trial_active": True,
        "trial_used": True,
        "trial_started_at": "2026-01-31T09:15:03.104233Z",
        "trial_expires_at": "2026-03-02T09:15:03.104233Z",
        "days_left": 30,
    }
    again = api.call("POST", "/api/trial")
    assert (again.status, again.error_code) == (409, "trial_not_available")
    assert trial(api) == started.json()


def test_a_trial_ends_at_its_moment_without_anybody_writing(api: Api, clock: Clock) -> None:
    clock.step = timedelta(0)
    api.call("POST", "/api/trial")
    start = clock.now
    for passed, left, message in (
        (timedelta(days=1), 29, "Premium trial - 29 days left"),
        (timedelta(days=29, hours=1), 1, "Premium trial - 1 day left"),
        (timedelta(days=30) - timedelta(microseconds=1), 1, "Premium trial - 1 day left"),
    ):
        clock.now = start + passed
        status = trial(api)
        assert (status["days_left"], status["message"], status["user_tier"]) == (left, message, "trial")
    clock.now = start + timedelta(days=30)
    status = trial(api)
    assert (status["message"], status["user_tier"], status["trial_active"], status["days_left"]) == (
        "Your premium trial has ended",
        "free",
        False,
        0,
    )
    assert api.call("POST", "/api/trial").status == 409


def test_whoever_pays_is_offered_nothing(make_api: Callable[[], Api], database: Database) -> None:
    user = a_user(user_tier="premium")
    token = new_token(user.user_id)
    in_a_thread(database.create_user(replace(user, token_hash=token.hashed)))
    api = make_api()
    api.token = token.clear
    status = trial(api)
    assert (status["message"], status["can_start_trial"], status["user_tier"]) == ("Premium", False, "premium")
    assert api.call("POST", "/api/trial").status == 409


def test_a_user_sees_the_own_trial_by_any_spelling_of_the_address_and_no_others(
    stranger: Api, make_api: Callable[[], Api]
) -> None:
    stranger.sign_up("ada@example.com")
    other = make_api()
    other.sign_up("eve@example.com")
    assert trial(stranger, " ADA@example.com")["message"] == OFFER
    for address in ("ada@example.com", "nobody@example.com"):
        response = other.call("GET", "/api/trial", query={"email": [address]})
        assert (response.status, response.error_code) == (403, "forbidden")

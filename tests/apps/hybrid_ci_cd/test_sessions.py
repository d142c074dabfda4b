"""Sessions: they hold until their second, are seen by their user alone, and end when they are told to."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_ci_cd.tokens import is_session_id, logout_key
from shared.api_keys import hash_key
from shared.visible_text import visible
from tests.apps.hybrid_ci_cd.support import LOGIN, Api, MakeApi, ResponseLost, StoppedClock, Tables, User, bearer
from tests.unit.support import Interrupting, Recording, Refusing, client_error

LIFETIME = timedelta(hours=1)
TOKENS = {"access_token": "ya29.secret-access", "refresh_token": "1//secret-refresh", "expires_in": 3599}


def test_a_session_is_made_and_valid(api: Api) -> None:
    made = api.send_json("/auth/session", LOGIN | {"user_info": {"name": "Ada", "ratio": 0.1}}).json()

    assert is_session_id(made["session_id"])
    assert api.validate(made["session_id"]) == {
        "valid": True,
        "user_id": "user123",
        "provider": "google",
        "user_info": {"name": "Ada", "ratio": 0.1},
        "created_at": made["created_at"],
        "expires_at": made["expires_at"],
    }


@pytest.mark.parametrize("session_id", ["", "unknown", "A" * 43, "é" * 43, "x" * 1024, "A" * 42 + "\n"])
def test_an_unknown_id_is_invalid_and_says_nothing_else(api: Api, session_id: str) -> None:
    assert api.validate(session_id) == {"valid": False}


def test_an_id_that_cannot_be_one_of_ours_costs_no_read(make_api: MakeApi, dynamodb: Any) -> None:
    client = Recording(dynamodb)

    make_api(client=client).validate("x" * 1000)

    assert client.requests == []


def test_every_session_has_another_id(api: Api) -> None:
    assert len({api.log_in().session_id for _ in range(5)}) == 5


def test_the_table_has_neither_the_id_nor_a_token(api: Api, dynamodb: Any, tables: Tables) -> None:
    user = api.log_in(oauth_tokens=TOKENS)

    [item] = dynamodb.scan(TableName=tables.sessions)["Items"]
    assert item["session_id"]["S"] == hash_key(user.session_id) == user.handle
    assert not [secret for secret in (user.session_id, "ya29", "1//secret", "3599") if secret in str(item)]


def test_what_stands_in_the_table_opens_nothing(api: Api) -> None:
    user = api.log_in()

    assert api.validate(user.handle) == {"valid": False}
    assert api.get("/auth/sessions", headers=bearer(user.handle)).status == 401


def test_a_session_ends_at_its_second_and_not_before(make_api: MakeApi, clock: StoppedClock) -> None:
    api = make_api(clock=clock, session_lifetime=LIFETIME)
    made = api.send_json("/auth/session", LOGIN).json()
    expires_at = datetime.fromisoformat(made["expires_at"])

    clock.now = expires_at - timedelta(microseconds=1)
    assert api.validate(made["session_id"])["valid"]
    assert api.get("/auth/sessions", headers=bearer(made["session_id"])).status == 200
    clock.now = expires_at
    assert api.validate(made["session_id"]) == {"valid": False}
    assert api.get("/auth/sessions", headers=bearer(made["session_id"])).error_code == "unauthorized"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.datetimes(datetime(2025, 1, 1), datetime(2100, 1, 1)), seconds=st.integers(60, 10**6))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_session_never_lives_shorter_than_its_lifetime_nor_a_second_longer(
    make_api: MakeApi, clock: StoppedClock, moment: datetime, seconds: int
) -> None:
    clock.now = moment.replace(tzinfo=UTC)
    lifetime = timedelta(seconds=seconds)
    api = make_api(clock=clock, session_lifetime=lifetime)

    made = api.send_json("/auth/session", LOGIN).json()

    lived = datetime.fromisoformat(made["expires_at"]) - clock.now
    assert lifetime <= lived < lifetime + timedelta(seconds=1)
    assert api.validate(made["session_id"])["valid"]


def test_the_expiry_is_an_epoch_second_that_dynamodb_can_sweep_by(
    timed_api: Api, clock: StoppedClock, dynamodb: Any, tables: Tables
) -> None:
    timed_api.log_in()

    [item] = dynamodb.scan(TableName=tables.sessions)["Items"]
    week = timedelta(days=7)
    assert int(item["expires_at"]["N"]) == int((clock.now + week).timestamp()) + 1


def test_an_expired_session_is_in_no_list_though_the_sweep_has_not_come(
    make_api: MakeApi, clock: StoppedClock, dynamodb: Any, tables: Tables
) -> None:
    api = make_api(clock=clock, session_lifetime=LIFETIME)
    api.log_in()
    clock.now += LIFETIME / 2
    second = api.log_in()
    assert len(api.devices(second)) == 2

    clock.now += LIFETIME / 2 + timedelta(seconds=1)

    assert [device["handle"] for device in api.devices(second)] == [second.handle]
    assert dynamodb.scan(TableName=tables.sessions)["Count"] == 2


def test_devices_are_listed_with_the_callers_own_marked_and_without_any_id(api: Api) -> None:
    laptop = api.log_in(headers={"User-Agent": "Laptop/1.0"})
    phone = api.log_in(provider="github", headers={"User-Agent": "P" * 1000})

    response = api.get("/auth/sessions", headers=laptop.headers)

    devices = {device["handle"]: device for device in response.json()["sessions"]}
    assert set(devices) == {laptop.handle, phone.handle}
    assert [handle for handle, device in devices.items() if device["current"]] == [laptop.handle]
    assert devices[laptop.handle]["user_agent"] == "Laptop/1.0"
    assert (devices[phone.handle]["user_agent"], devices[phone.handle]["provider"]) == ("P" * 256, "github")
    assert laptop.session_id not in response.body
    assert phone.session_id not in response.body


def test_devices_come_in_pages(api: Api) -> None:
    users = [api.log_in() for _ in range(5)]
    api.log_in("somebody else")

    listed = api.listed("/auth/sessions", "sessions", users[0], limit="2")

    assert [device["handle"] for device in listed] == [user.handle for user in reversed(users)]


def test_a_page_that_holds_all_names_no_next_one(api: Api) -> None:
    user = api.log_in()
    api.log_in()

    response = api.get("/auth/sessions", headers=user.headers, query={"limit": ["2"]}).json()

    assert (len(response["sessions"]), response["next_cursor"]) == (2, None)


def test_time_may_pass_the_place_of_a_cursor(make_api: MakeApi, clock: StoppedClock) -> None:
    api = make_api(clock=clock, session_lifetime=LIFETIME)
    users = []
    for _ in range(3):
        users.append(api.log_in())
        clock.now += timedelta(minutes=1)
    page = api.get("/auth/sessions", headers=users[2].headers, query={"limit": ["1"]}).json()
    clock.now += LIFETIME - timedelta(minutes=1, seconds=30)

    query = {"cursor": [page["next_cursor"]]}
    rest = api.get("/auth/sessions", headers=users[2].headers, query=query)

    assert (rest.status, rest.json()["sessions"]) == (200, [])


def test_one_device_is_ended_and_the_others_stay(api: Api) -> None:
    laptop, phone = api.log_in(), api.log_in()

    assert api.delete(f"/auth/sessions/{phone.handle}", headers=laptop.headers).status == 204

    assert api.validate(phone.session_id) == {"valid": False}
    assert api.validate(laptop.session_id)["valid"]
    assert [device["handle"] for device in api.devices(laptop)] == [laptop.handle]
    assert api.delete(f"/auth/sessions/{phone.handle}", headers=laptop.headers).error_code == "not_found"


def test_a_user_can_end_the_session_that_asks(api: Api) -> None:
    user = api.log_in()

    assert api.delete(f"/auth/sessions/{user.handle}", headers=user.headers).status == 204
    assert api.delete(f"/auth/sessions/{user.handle}", headers=user.headers).status == 401


@pytest.mark.parametrize("handle", ["unknown", "a" * 64, "A" * 64, "x" * 3000])
def test_a_handle_that_nobody_has_is_not_found(api: Api, handle: str) -> None:
    assert api.delete(f"/auth/sessions/{handle}", headers=api.log_in().headers).error_code == "not_found"


def test_nobody_sees_or_ends_the_sessions_of_somebody_else(api: Api) -> None:
    mine, yours = api.log_in("me"), api.log_in("you")

    assert [device["handle"] for device in api.devices(mine)] == [mine.handle]
    assert api.delete(f"/auth/sessions/{yours.handle}", headers=mine.headers).error_code == "not_found"
    assert api.delete("/auth/sessions", headers=mine.headers).status == 204
    assert api.validate(yours.session_id)["valid"]


def test_log_out_everywhere_ends_every_session_of_the_user(api: Api, dynamodb: Any, tables: Tables) -> None:
    users = [api.log_in() for _ in range(3)]

    assert api.delete("/auth/sessions", headers=users[0].headers).status == 204

    assert [api.validate(user.session_id) for user in users] == [{"valid": False}] * 3
    assert [item["session_id"]["S"] for item in dynamodb.scan(TableName=tables.sessions)["Items"]] == [
        logout_key("user123")
    ]
    again = api.log_in()
    assert api.validate(again.session_id)["valid"]
    assert [device["handle"] for device in api.devices(again)] == [again.handle]


def test_log_out_everywhere_ends_a_session_that_the_index_does_not_show_yet(
    make_api: MakeApi, dynamodb: Any, tables: Tables
) -> None:
    class BehindTheTable:
        """A client whose index shows nothing."""

        def __getattr__(self, operation: str) -> Any:
            if operation == "query":
                return lambda **_request: {"Items": []}
            return getattr(dynamodb, operation)

    api = make_api(client=BehindTheTable())
    users = [api.log_in() for _ in range(2)]

    api.delete("/auth/sessions", headers=users[0].headers)

    assert dynamodb.scan(TableName=tables.sessions)["Count"] == 3
    assert [api.validate(user.session_id) for user in users] == [{"valid": False}] * 2
    # Now the index shows them, and still they are in no list.
    up_to_date = make_api()
    again = up_to_date.log_in()
    assert [device["handle"] for device in up_to_date.devices(again)] == [again.handle]
    assert up_to_date.delete(f"/auth/sessions/{users[1].handle}", headers=again.headers).status == 404


def test_log_out_everywhere_twice_in_a_row_holds(api: Api) -> None:
    for _ in range(2):
        user = api.log_in()
        assert api.validate(user.session_id)["valid"]
        api.delete("/auth/sessions", headers=user.headers)
        assert api.validate(user.session_id) == {"valid": False}


def test_a_session_made_while_its_user_logs_out_everywhere_is_ended_too(make_api: MakeApi, dynamodb: Any) -> None:
    other: Api = make_api()
    asking = other.log_in()
    responses = []

    def log_out() -> None:
        responses.append(other.send_concurrently("DELETE", "/auth/sessions", headers=asking.headers))

    late = make_api(client=Interrupting(dynamodb, "put_item", log_out)).log_in()

    assert [response.status for response in responses] == [204]
    assert other.validate(late.session_id) == {"valid": False}


@pytest.mark.parametrize(
    ("client", "operation"), [(Interrupting, "put_item"), (ResponseLost, "put_item"), (Interrupting, "query")]
)
def test_a_login_after_another_log_out_everywhere_outlives_the_one_that_is_under_way(
    make_api: MakeApi, dynamodb: Any, client: Callable[..., Any], operation: str
) -> None:
    other: Api = make_api()
    asking = other.log_in()
    ids: list[str] = []

    def log_in() -> str:
        response = other.send_concurrently("POST", "/auth/session", body=json.dumps(LOGIN))
        return str(response.json()["session_id"])

    def log_in_and_out_and_in() -> None:
        ids.append(log_in())
        assert other.send_concurrently("DELETE", "/auth/sessions", headers=bearer(ids[0])).status == 204
        ids.append(log_in())

    under_way = make_api(client=client(dynamodb, operation, log_in_and_out_and_in))
    assert under_way.delete("/auth/sessions", headers=asking.headers).status == 204

    assert [other.validate(session_id)["valid"] for session_id in (asking.session_id, *ids)] == [False, False, True]


def test_log_out_everywhere_holds_though_dynamodb_throttles_the_tidying(make_api: MakeApi, dynamodb: Any) -> None:
    users = [make_api().log_in() for _ in range(2)]
    throttling = client_error("ThrottlingException")
    api = make_api(client=Refusing(dynamodb, throttling, "delete_item"))

    assert api.delete("/auth/sessions", headers=users[0].headers).status == 204

    assert make_api().validate(users[1].session_id) == {"valid": False}


def test_a_swept_record_of_a_logout_leaves_later_sessions_alone(api: Api, dynamodb: Any, tables: Tables) -> None:
    api.delete("/auth/sessions", headers=api.log_in().headers)
    user: User = api.log_in()

    dynamodb.delete_item(TableName=tables.sessions, Key={"session_id": {"S": logout_key("user123")}})

    assert api.validate(user.session_id)["valid"]


def test_all_sessions_are_listed_and_ended_alike_when_the_record_of_a_logout_is_swept(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    api.delete("/auth/sessions", headers=api.log_in().headers)
    before = api.log_in()
    dynamodb.delete_item(TableName=tables.sessions, Key={"session_id": {"S": logout_key("user123")}})
    after = api.log_in()

    for asking in (before, after):
        assert {device["handle"] for device in api.devices(asking)} == {before.handle, after.handle}
    assert api.delete(f"/auth/sessions/{before.handle}", headers=after.headers).status == 204
    assert not api.validate(before.session_id)["valid"]
    assert api.delete("/auth/sessions", headers=after.headers).status == 204
    assert not api.validate(after.session_id)["valid"]


def test_the_ending_of_a_session_whose_response_got_lost_on_our_side_has_ended_it(
    make_api: MakeApi, dynamodb: Any, api: Api
) -> None:
    laptop, phone = api.log_in(), api.log_in()
    unlucky = make_api(client=ResponseLost(dynamodb, "delete_item"))

    assert unlucky.delete(f"/auth/sessions/{phone.handle}", headers=laptop.headers).status == 204
    assert not api.validate(phone.session_id)["valid"]


def test_the_record_of_a_logout_outlives_every_session_that_it_ended(
    timed_api: Api, clock: StoppedClock, dynamodb: Any, tables: Tables
) -> None:
    timed_api.delete("/auth/sessions", headers=timed_api.log_in().headers)

    key = {"session_id": {"S": logout_key("user123")}}
    record = dynamodb.get_item(TableName=tables.sessions, Key=key)["Item"]
    assert datetime.fromtimestamp(int(record["expires_at"]["N"]), UTC) >= clock.now + timedelta(days=90)
    assert "user_id" not in record


@pytest.mark.parametrize("user_id", ["a", "ü#1 😀", "u" * 256, "logout#x", "a b"])
def test_any_user_id_of_up_to_256_characters_will_do(api: Api, user_id: str) -> None:
    user = api.log_in(user_id)

    assert api.validate(user.session_id)["user_id"] == user_id
    assert [device["handle"] for device in api.devices(user)] == [user.handle]
    assert api.jobs(user) == api.agents(user) == []


def test_what_a_device_calls_itself_is_shown_without_what_nobody_sees(api: Api) -> None:
    # As a header has them: a soft hyphen, and a control character of C1.
    user = api.log_in(headers={"User-Agent": "Fire\u00adfox\u0085"})

    [device] = api.devices(user)

    assert "fox" in device["user_agent"]
    assert visible(device["user_agent"]) == device["user_agent"]

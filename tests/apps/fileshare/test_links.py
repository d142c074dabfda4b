"""Links are shortened, followed, listed and deleted, and each belongs to one user."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileshare.app import create_app
from fileshare.checks import MAX_URL_LENGTH
from fileshare.database import Database
from fileshare.links import LinkService
from fileshare.models import NewLink
from fileshare.settings import Settings
from fileshare.short_codes import new_short_code
from shared.api_errors import Throttled
from tests.apps.fileshare.support import Api, a_user, in_a_thread, link_in
from tests.unit.support import Clock

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
API_GATEWAY_HEADERS = 10_240
# RFC 9110, 4.1
LONGEST_LOCATION = 8000
URL = "https://example.com/report.pdf?a=1&b=%20#top"


def codes(api: Api, limit: int = 100) -> list[str]:
    found: list[str] = []
    query = {"limit": [str(limit)]}
    while True:
        response = api.call("GET", "/api/links", query=query)
        assert response.status == 200, response
        found += [link["short_code"] for link in response.json()["links"]]
        cursor = response.json()["next_cursor"]
        if cursor is None:
            return found
        query["cursor"] = [cursor]


def test_a_link_is_shortened_followed_and_counted(api: Api, stranger: Api) -> None:
    link = api.shorten(URL, file_key="uploads/1/report.pdf", filename="Überblick 報告.pdf")
    assert link["full_url"] == URL
    assert (link["file_key"], link["filename"]) == ("uploads/1/report.pdf", "Überblick 報告.pdf")
    assert (link["click_count"], link["expires_at"]) == (0, None)
    for _ in range(3):
        response = stranger.get(f"/{link['short_code']}")
        assert (response.status, response.headers["location"]) == (302, URL)
        assert response.headers["cache-control"] == "no-store"
    shown = api.call("GET", f"/api/links/{link['short_code']}")
    assert shown.json() == link | {"click_count": 3}


@pytest.mark.parametrize("letter", ["x", "%", "\xfc", "\u5831", "\U0001f600"])
def test_the_longest_target_of_any_letters_is_followed_within_the_headers_of_api_gateway(
    api: Api, stranger: Api, letter: str
) -> None:
    # Of as many letters as are taken; of one more, none is stored.
    size = len(quote(letter, safe="%"))
    most = min(MAX_URL_LENGTH - len(URL), (LONGEST_LOCATION - len(URL)) // size)
    link = api.shorten(URL + letter * most)

    refused = api.call("POST", "/api/links", body={"full_url": URL + letter * (most + 1)})
    response = stranger.get(f"/{link['short_code']}")

    assert (refused.status, refused.error_code) == (422, "invalid_request")
    assert (response.status, response.headers["location"]) == (302, URL + quote(letter, safe="%") * most)
    assert sum(len(name) + len(value) + 4 for name, value in response.headers.items()) < API_GATEWAY_HEADERS - 1000
    assert len(api.call("GET", "/api/links").json()["links"]) == 1


def test_a_link_ends_at_its_moment_for_everybody(api: Api, stranger: Api, clock: Clock) -> None:
    clock.step = timedelta(0)
    end = clock.now + timedelta(hours=1)
    link = api.shorten(URL, expires_at=end.isoformat())
    assert link["expires_at"] == "2026-01-31T10:15:03.104233Z"
    clock.now = end - timedelta(microseconds=1)
    assert stranger.get(f"/{link['short_code']}").status == 302
    assert codes(api) == [link["short_code"]]
    clock.now = end
    gone = stranger.get(f"/{link['short_code']}")
    assert (gone.status, gone.error_code) == (410, "link_expired")
    shown = api.call("GET", f"/api/links/{link['short_code']}")
    assert (shown.status, shown.error_code) == (410, "link_expired")
    assert codes(api) == []
    assert api.call("DELETE", f"/api/links/{link['short_code']}").status == 204
    assert stranger.get(f"/{link['short_code']}").status == 404


def test_dynamodb_never_sweeps_a_link_before_its_end(api: Api, database: Database, clock: Clock) -> None:
    end = datetime(2026, 1, 31, 10, 0, 0, 1, tzinfo=UTC)
    link = api.shorten(URL, expires_at=end.isoformat())
    stored = in_a_thread(link_in(database, link["short_code"]))
    assert stored
    assert stored.expires_at_ttl == int(end.timestamp()) + 1


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_a_list_is_walked_with_its_cursor_and_has_every_link_once(api: Api, limit: int) -> None:
    mine = [api.shorten(f"{URL}{number}")["short_code"] for number in range(5)]
    assert sorted(codes(api, limit)) == sorted(mine)


def test_nobody_sees_or_deletes_anothers_links(api: Api, make_api: Callable[[], Api]) -> None:
    link = api.shorten(URL)
    other = make_api()
    other.sign_up()
    for method in ("GET", "DELETE"):
        response = other.call(method, f"/api/links/{link['short_code']}")
        assert (response.status, response.error_code) == (403, "forbidden")
    assert codes(other) == []
    assert codes(api) == [link["short_code"]]


def test_a_cursor_opens_no_other_list(api: Api, make_api: Callable[[], Api]) -> None:
    for _ in range(3):
        api.shorten(URL)
    cursor = api.call("GET", "/api/links", query={"limit": ["1"]}).json()["next_cursor"]
    other = make_api()
    other.sign_up()
    own = other.shorten(URL)["short_code"]
    response = other.call("GET", "/api/links", query={"cursor": [cursor]})
    assert {link["short_code"] for link in response.json()["links"]} <= {own}


def test_a_deleted_link_is_gone_for_good(api: Api, stranger: Api) -> None:
    link = api.shorten(URL)
    path = f"/api/links/{link['short_code']}"
    assert api.call("DELETE", path).status == 204
    for response in (api.call("DELETE", path), api.call("GET", path), stranger.get(f"/{link['short_code']}")):
        assert (response.status, response.error_code) == (404, "not_found")


def test_a_code_that_is_taken_is_drawn_again(database: Database, clock: Clock) -> None:
    drawn = iter(["collision1", "collision1", "collision1", "collision2"])
    service = LinkService(database=database, clock=clock, draw=lambda: next(drawn))
    owner = a_user()
    first = in_a_thread(service.shorten(NewLink(full_url=f"{URL}1"), owner))
    second = in_a_thread(service.shorten(NewLink(full_url=f"{URL}2"), owner))
    assert (first.short_code, second.short_code) == ("collision1", "collision2")
    assert in_a_thread(link_in(database, "collision1")) == first


def test_when_no_code_is_free_the_caller_comes_back_later(database: Database, clock: Clock) -> None:
    service = LinkService(database=database, clock=clock, draw=lambda: "collision1")
    in_a_thread(service.shorten(NewLink(full_url=f"{URL}1"), a_user()))
    with pytest.raises(Throttled):
        in_a_thread(service.shorten(NewLink(full_url=f"{URL}2"), a_user()))


def test_short_codes_do_not_repeat_or_run_in_a_row() -> None:
    drawn = [new_short_code() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert all(len(code) == 10 and code.isalnum() and code.isascii() for code in drawn)
    assert len({code[0] for code in drawn}) > 40


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    url=st.one_of(
        st.builds(
            lambda scheme, host, rest: f"{scheme}://{host}/{rest}",
            st.sampled_from(["http", "https", "HTTPS"]),
            st.sampled_from(["example.com", "a.b.example:8443", "127.0.0.1", "[::1]:80", "xn--bcher-kva.example"]),
            st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\\"), max_size=40),
        ),
        st.text(max_size=60).map(lambda text: f"https://{text}"),
        st.text(max_size=60),
    )
)
def test_a_browser_goes_to_the_very_place_that_was_shortened_or_the_target_is_refused(
    api: Api, stranger: Api, url: str
) -> None:
    response = api.call("POST", "/api/links", {"full_url": url})
    assert response.status in {201, 422}, response
    if response.status == 422:
        assert response.error_code == "invalid_request"
        return
    location = stranger.get(f"/{response.json()['short_code']}").headers["location"]
    assert location.isascii()
    sent, wanted = httpx.URL(location), httpx.URL(url)
    assert (sent.scheme, sent.host, sent.port, sent.userinfo) == (wanted.scheme, wanted.host, wanted.port, b"")
    assert place_on_its_host(sent) == place_on_its_host(wanted)


def place_on_its_host(url: httpx.URL) -> tuple[bytes, bytes, bytes, str]:
    """Give the path, the query and the fragment, whichever characters were escaped on the way."""
    path, mark, query = url.raw_path.partition(b"?")
    return unquote_to_bytes(path), mark, unquote_to_bytes(query), url.fragment


def test_two_hundred_clicks_of_twenty_people_are_two_hundred(
    settings: Settings, database: Database, clock: Clock, logger: Any
) -> None:
    """In one process, as a server runs it: the event loop serves all of them at once."""
    app = create_app(settings=settings, database=database, clock=clock, logger=logger)

    async def check() -> None:
        async with client_of(app) as http:
            token = (await http.post("/api/users", json={"email": "ada@example.com"})).json()["token"]
            owner = {"Authorization": f"Bearer {token}"}
            code = (await http.post("/api/links", json={"full_url": URL}, headers=owner)).json()["short_code"]

            async def click_ten_times() -> list[int]:
                return [(await http.get(f"/{code}")).status_code for _ in range(10)]

            responses = await asyncio.gather(*(click_ten_times() for _ in range(20)))
            assert responses == [[302] * 10] * 20
            assert (await http.get(f"/api/links/{code}", headers=owner)).json()["click_count"] == 200

    in_a_thread(check())


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://fileshare")

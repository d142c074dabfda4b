"""Updates are written, listed newest first, and marked as read once for each user, whoever does so at once."""

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from shared import cursor
from shared.api_errors import ApiError
from shared.dynamodb import Client
from shared.ids import new_id
from tests.apps.turbotech_portal.support import CLAIMS, USER, Api, MakeApi, Paging, Tables, put, stored
from tests.unit.support import Context, Interrupting, Recording
from turbotech_portal.models import NewUpdate, User
from turbotech_portal.routes import MAX_LIMIT, Adapters
from turbotech_portal.updates import FEED, MAX_READERS

CREATED_AT = "2026-01-31T09:15:02.104233Z"


def test_an_update_embeds_its_author_who_has_read_it(api: Api) -> None:
    update = api.write(title="Prototype", message="It can be clicked.")

    assert update == {
        "id": update["id"],
        "title": "Prototype",
        "message": "It can be clicked.",
        "author": {"id": USER, "name": "Ada Lovelace"},
        "created_at": "2026-01-31T09:15:04.104233Z",
        "read_by": [USER],
    }
    assert api.read("/api/updates")["updates"] == [update]


def test_updates_are_listed_newest_first_page_by_page(api: Api) -> None:
    written = [api.write(title=f"Number {number}")["id"] for number in range(5)]

    pages: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        page = api.read("/api/updates", limit="2", **after)
        pages.append([update["id"] for update in page["updates"]])
        if page["next_cursor"] is None:
            break
        after = {"cursor": page["next_cursor"]}

    newest_first = written[::-1]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_a_full_last_page_says_that_there_is_no_more(api: Api) -> None:
    for _ in range(2):
        api.write()

    assert api.read("/api/updates", limit="2")["next_cursor"] is None


def test_every_update_can_be_read_and_changed_by_scripts(adapters: Adapters) -> None:
    async def use() -> None:
        author = User(id="ada", name="Ada")
        first, second = [
            await adapters.updates.create(NewUpdate(title=title, message="M"), author=author) for title in ("A", "B")
        ]
        assert await adapters.updates.get_all() == [second, first]
        assert await adapters.updates.get_by_id(first.id) == first
        changed = await adapters.updates.update(first.id, {"title": "C"})
        assert changed == first.model_copy(update={"title": "C"})
        with pytest.raises(ApiError):
            await adapters.updates.get_by_id(str(uuid.uuid4()))

    asyncio.run(use())


def test_marking_twice_is_as_good_as_once(api: Api, make_api: MakeApi) -> None:
    reader = make_api(claims={"sub": "auth0|grace"})
    update = api.write()

    first = reader.post(f"/api/updates/{update['id']}/read")
    second = reader.post(f"/api/updates/{update['id']}/read")

    assert (first.status, second.status) == (200, 200)
    assert first.json() == second.json() == update | {"read_by": [USER, "auth0|grace"]}


def test_an_update_without_a_list_of_readers_gets_one(api: Api, dynamodb: Any, tables: Tables) -> None:
    update = {"id": str(uuid.uuid4()), "feed": FEED, "title": "T", "message": "M", "created_at": CREATED_AT}
    put(dynamodb, tables.updates, update | {"author": {"id": "a", "name": "A"}})

    assert api.read("/api/updates")["updates"][0]["read_by"] == []
    assert api.post(f"/api/updates/{update['id']}/read").json()["read_by"] == [USER]


@pytest.mark.drill(short=1)
def test_thirty_readers_at_once_twice_each_are_all_on_the_list_once(
    adapters: Adapters, dynamodb: Any, tables: Tables
) -> None:
    readers = [f"{number:03}" + '"' * 252 for number in range(30)]

    async def race() -> str:
        update = await adapters.updates.create(
            NewUpdate(title="T", message="M"), author=User(id="author", name="Author")
        )
        marks = [adapters.updates.mark_read(update.id, reader) for reader in readers * 2]
        for response in await asyncio.gather(*marks):
            assert "author" in response.read_by
        return update.id

    read_by = stored(dynamodb, tables.updates, asyncio.run(race()))["read_by"]

    assert read_by[0] == "author"
    assert sorted(read_by[1:]) == sorted(readers)


@pytest.mark.drill(short=1)
def test_readers_of_several_processes_lose_nothing(dynamodb: Any, tables: Tables, make_api: MakeApi) -> None:
    update = make_api().write()
    callers = [make_api(claims={"sub": f"auth0|{number}"}) for number in range(12)]

    with ThreadPoolExecutor(12) as pool:
        responses = list(
            pool.map(lambda caller: caller.send_concurrently("POST", f"/api/updates/{update['id']}/read"), callers)
        )

    assert {response.status for response in responses} == {200}
    read_by = stored(dynamodb, tables.updates, update["id"])["read_by"]
    assert sorted(read_by) == sorted([USER, *(f"auth0|{number}" for number in range(12))])


def test_an_update_that_goes_away_meanwhile_is_not_found(make_api: MakeApi, dynamodb: Any, tables: Tables) -> None:
    update = make_api().write()
    key = {"id": {"S": update["id"]}}
    client = Interrupting(dynamodb, "update_item", lambda: dynamodb.delete_item(TableName=tables.updates, Key=key))

    response = make_api(client=client, claims={"sub": "auth0|grace"}).post(f"/api/updates/{update['id']}/read")

    assert (response.status, response.error_code) == (404, "not_found")


def test_one_reader_too_many_is_told_so(api: Api, dynamodb: Any, tables: Tables) -> None:
    update = api.write()
    full = [f"reader-{number}" for number in range(MAX_READERS)]
    put(dynamodb, tables.updates, update | {"feed": FEED, "read_by": full})

    response = api.post(f"/api/updates/{update['id']}/read")

    assert (response.status, response.error_code) == (409, "too_many_readers")
    assert stored(dynamodb, tables.updates, update["id"])["read_by"] == full


def test_an_update_without_room_for_a_reader_stays_as_it_is(
    make_api: MakeApi, api: Api, dynamodb: Any, tables: Tables
) -> None:
    update = api.write()
    full = update | {"feed": FEED, "other": "x" * (400 * 1024 - 400)}
    put(dynamodb, tables.updates, full)

    response = make_api(claims={"sub": "r" * 255}).post(f"/api/updates/{update['id']}/read")

    assert (response.status, response.error_code) == (409, "item_full")
    assert stored(dynamodb, tables.updates, update["id"]) == full


def test_the_last_place_on_the_list_can_be_taken(api: Api, dynamodb: Any, tables: Tables) -> None:
    update = api.write()
    put(dynamodb, tables.updates, update | {"feed": FEED, "read_by": ["r"] * (MAX_READERS - 1)})

    assert api.post(f"/api/updates/{update['id']}/read").status == 200


def test_an_update_with_the_most_readers_and_the_longest_message_can_be_stored(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    update = api.write(title="🙂" * 200, message="🙂" * 5_000)
    longest = [f"{number:0255}" for number in range(MAX_READERS - 1)]
    put(dynamodb, tables.updates, update | {"feed": FEED, "read_by": longest})

    assert api.post(f"/api/updates/{update['id']}/read").status == 200


@pytest.mark.parametrize(
    "update_id", ["1", "-1", str(10**40), "x" * 3000, "7F3D9F0E-5C1B-4C7E-9D53-0A4A1F4C2B11", "null"]
)
def test_what_cannot_be_an_id_is_not_found_without_asking_dynamodb(
    make_api: MakeApi, dynamodb: Any, update_id: str
) -> None:
    client = Recording(dynamodb)

    response = make_api(client=client).post(f"/api/updates/{update_id}/read")

    assert (response.status, response.error_code) == (404, "not_found")
    assert client.requests == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The body is not a JSON object"),
        (b"{", "The body is not a JSON object"),
        (b"\xff\xfe", "The body is not UTF-8: byte 0 does not fit."),
        (b"[]", "The body is not a JSON object"),
        (b"{}", "title: field required; message: field required"),
        (b'{"title": "T"}', "message: field required"),
        (b'{"title": 1, "message": "M"}', "title: input should be a valid string"),
        (b'{"title": "", "message": "M"}', "title: string should have at least 1 character"),
        (b'{"title": "T", "message": " "}', "message: string should have at least 1 character"),
        (b'{"title": "T", "message": "M", "read_by": []}', "read_by: extra inputs are not permitted"),
        (b'{"title": "T", "message": "\\ud800"}', "one half of a surrogate pair"),
        (b'{"title": ' + b"[" * 5_000, "nested more than 100 levels deep"),
        (json.dumps({"title": "T" * 201, "message": "M"}).encode(), "title: string should have at most 200"),
        (json.dumps({"title": "T", "message": "M" * 5_001}).encode(), "message: string should have at most 5000"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_update_that_does_not_fit_is_refused(api: Api, body: bytes, words: str) -> None:
    response = api.post("/api/updates", body=body)

    assert (response.status, response.error_code) == (422, "invalid_request")
    assert words in response.json()["error"]["message"]
    assert api.read("/api/updates")["updates"] == []


@pytest.mark.parametrize(
    "place",
    [
        "nonsense",
        "%",
        cursor.encode([]),
        cursor.encode({"id": 1}),
        cursor.encode([CREATED_AT, "not-an-id"]),
        cursor.encode(["yesterday", str(uuid.uuid4())]),
        cursor.encode([CREATED_AT, str(uuid.uuid4()), "more"]),
    ],
    ids=["no text of ours", "no letter of ours", "empty", "an object", "no id", "no time", "too many"],
)
def test_a_cursor_that_nobody_made_is_refused(api: Api, place: str) -> None:
    response = api.get("/api/updates", query={"cursor": [place]})

    assert (response.status, response.error_code) == (422, "invalid_request")


@pytest.mark.parametrize("limit", ["0", str(MAX_LIMIT + 1), "-1", "ten", str(10**40)])
def test_a_limit_that_cannot_be_is_refused(api: Api, limit: str) -> None:
    assert api.get("/api/updates", query={"limit": [limit]}).error_code == "invalid_request"


def test_a_page_of_the_largest_updates_fits_into_lambdas_response(api: Api, dynamodb: Any, tables: Tables) -> None:
    # What JSON makes the most of: six bytes of a control character, two of a quote, and Lambda writes the body as a
    # text within JSON, which escapes it again. A subject is printable.
    words = {"title": "\x01" * 200, "message": "\x01" * 5_000}
    author = {"id": '"' * 255, "name": "\x01" * 200}
    readers = [f"{number:03}" + '"' * 252 for number in range(MAX_READERS)]
    for _ in range(MAX_LIMIT + 1):
        update = {"id": new_id(), "feed": FEED, "created_at": CREATED_AT, "author": author, "read_by": readers}
        put(dynamodb, tables.updates, update | words)

    event = api.event("GET", "/api/updates", {}, {"limit": [str(MAX_LIMIT)]}) | {"body": None}
    response = api.handler(event, Context())

    page = json.loads(response["body"])
    assert len(page["updates"]) == MAX_LIMIT
    assert page["next_cursor"] is not None
    assert len(json.dumps(response)) < 6 * 1024 * 1024


def test_updates_that_scripts_wrote_as_large_as_items_can_be_come_in_pages_that_lambda_can_send(
    api: Api, dynamodb: Any, tables: Tables
) -> None:
    update = {"feed": FEED, "created_at": CREATED_AT, "title": "T", "author": {"id": "a", "name": "A"}}
    ids = {new_id() for _ in range(7)}
    for update_id in ids:
        put(dynamodb, tables.updates, update | {"id": update_id, "message": '"' * 390_000})

    found: list[str] = []
    place: dict[str, list[str]] = {}
    while True:
        event = api.event("GET", "/api/updates", {}, place) | {"body": None}
        response = api.handler(event, Context())
        assert len(json.dumps(response)) < 6 * 1024 * 1024
        page = json.loads(response["body"])
        found += [update["id"] for update in page["updates"]]
        if page["next_cursor"] is None:
            break
        place = {"cursor": [page["next_cursor"]]}

    assert sorted(found) == sorted(ids)


def test_unread_updates_are_counted_to_the_last_page(adapters_of: Callable[[Client], Adapters], dynamodb: Any) -> None:
    updates = adapters_of(cast("Client", Paging(dynamodb))).updates

    async def use() -> None:
        for number in range(4):
            await updates.create(NewUpdate(title="T", message="M"), author=User(id=f"user-{number % 2}", name="U"))
        assert await updates.count_unread("user-0") == 2
        assert await updates.count_unread("somebody") == 4
        assert len(await updates.get_all()) == 4

    asyncio.run(use())


def test_the_name_of_an_author_stays_as_it_was_then(api: Api, make_api: MakeApi) -> None:
    before = api.write()
    api.patch("/api/users/me", {"name": "Countess Lovelace"})
    after = make_api(claims=CLAIMS).write()

    assert before["author"]["name"] == "Ada Lovelace"
    assert after["author"]["name"] == "Countess Lovelace"

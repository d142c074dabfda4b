"""Put items of any kind into a database, call every route, and say which responses fail or contradict one another."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aws_lambda_powertools import Logger
from mangum import Mangum

from fileshare.app import create_app, open_database
from fileshare.checks import is_short_code
from fileshare.database import Database
from fileshare.dynamodb_database import link_item, user_item
from fileshare.records import Link, User
from fileshare.settings import Settings, Tables
from fileshare.sqlite_database import SCHEMA
from fileshare.tokens import new_token
from tests.apps.fileshare.support import LATER, START, Api
from tests.hostile import everything, snapshot
from tests.unit.support import Clock, Response

Typed = dict[str, Any]

TOKEN = new_token("ada")
OTHER = new_token("grace")
USER = user_item(
    User(
        user_id="ada",
        email="ada@example.com",
        created_at=START,
        updated_at=START,
        trial_started_at=START,
        trial_expires_at=LATER,
        token_hash=TOKEN.hashed,
    )
)
GRACE = user_item(
    User(user_id="grace", email="grace@example.com", created_at=START, updated_at=START, token_hash=OTHER.hashed)
)
LINK = link_item(
    Link(
        short_code="code",
        created_by_user="ada",
        full_url="https://example.com/report.pdf",
        created_at=START,
        expires_at=LATER,
        expires_at_ttl=1772442902,
        file_key="uploads/report.pdf",
        filename="report.pdf",
    )
)
# Of an index: DynamoDB takes them as texts that are not empty, or not at all.
INDEX_KEYS = {"email", "created_by_user"}
SHOWN_INSTEAD = {"S": "other"}
# The same two tables as other code makes them, without types and without a word about NULL.
LOOSE_SCHEMA = f"""
CREATE TABLE users (user_id PRIMARY KEY, {", ".join(sorted(USER.keys() - {"user_id"}))});
CREATE TABLE urls (short_code PRIMARY KEY, {", ".join(sorted(LINK.keys() - {"short_code"}))});
"""
# Each of SQLite's storage classes, with what readers stumble over.
COLUMNS: tuple[Any, ...] = (
    None, 0, 1, -1, 2, 2**63 - 1, -(2**63), 0.5, 1.0, 1e100, float("inf"), float("-inf"), "", " ", "many", "12", "1e3",
    "\x00", "\u202e\u2800", "é", "x" * 300, START, "2026-01-31", "9999-99-99T99:99:99.999999Z", "free", "trial",
    "https://example.com/other", "javascript:alert(1)", b"", b"\xff\x00", b"free",
)  # fmt: skip
# A text that is not UTF-8.
BROKEN_TEXT = b"\xff\xfe broken"


class Finding(NamedTuple):
    """What went wrong, by the property that does not hold."""

    property: str
    detail: str


class World(Protocol):
    """A database and a service on it."""

    api: Api
    database: Database

    def put(self, table: str, item: Typed) -> bool: ...
    def clear(self) -> None: ...
    def contents(self) -> object: ...
    def close(self) -> None: ...


class TablesWorld:
    """DynamoDB."""

    def __init__(self, client: Any, tables: Tables, logger: Logger) -> None:
        self._client = client
        self._tables = tables
        self.api, self.database = service(Settings(database=tables), client, logger)

    def put(self, table: str, item: Typed) -> bool:
        self._client.put_item(TableName=getattr(self._tables, table), Item=item)
        return True

    def clear(self) -> None:
        for table, key in ((self._tables.users, "user_id"), (self._tables.urls, "short_code")):
            for item in everything(self._client, table):
                self._client.delete_item(TableName=table, Key={key: item[key]})

    def contents(self) -> object:
        return snapshot(self._client, self._tables.users, self._tables.urls)

    def close(self) -> None:
        self.database.close()


class FileWorld:
    """SQLite, with the tables of this service or with those of other code."""

    def __init__(self, path: Path, logger: Logger, *, schema: str = SCHEMA) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema)
        self.api, self.database = service(Settings(database=path), None, logger)

    def put(self, table: str, item: Typed) -> bool:
        return self.put_row(table, columns_of(item))

    def put_row(self, table: str, row: Mapping[str, Any], broken: str | None = None) -> bool:
        """Store a row, the column `broken` as a text that is not UTF-8, and say whether the schema permits it."""
        places = ", ".join("CAST(? AS TEXT)" if name == broken else "?" for name in row)
        values = [BROKEN_TEXT if name == broken else value for name, value in row.items()]
        with closing(sqlite3.connect(self._path)) as connection, connection:
            try:
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", values)  # noqa: S608 - names of ours
            except sqlite3.IntegrityError:
                return False
        return True

    def clear(self) -> None:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("DELETE FROM users")
            connection.execute("DELETE FROM urls")

    def codes(self) -> set[str]:
        """Give the codes that can be followed: a column of texts turns numbers into texts."""
        with closing(sqlite3.connect(self._path)) as connection:
            texts = connection.execute("SELECT short_code FROM urls WHERE typeof(short_code) = 'text'")
            return {code for (code,) in texts if is_short_code(code)}

    def contents(self) -> object:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.text_factory = bytes
            return [
                sorted(
                    repr([(type(value), value) for value in row])
                    for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of ours
                )
                for table in ("users", "urls")
            ]

    def close(self) -> None:
        self.database.close()


def service(settings: Settings, client: Any, logger: Logger) -> tuple[Api, Database]:
    database = open_database(settings, client=client, logger=logger)
    # Each call sees the same moment, so that two services can be compared.
    app = create_app(settings=settings, database=database, clock=Clock(step=timedelta(0)), logger=logger)
    return Api(Mangum(app, lifespan="off"), token=TOKEN.clear), database


def columns_of(item: Typed) -> dict[str, Any]:
    return {name: column_of(name, typed) for name, typed in item.items()}


def column_of(name: str, typed: Typed) -> Any:
    """Say how SQLite keeps what DynamoDB keeps so: what it has no type for is bytes, which none of ours is."""
    [(kind, value)] = typed.items()
    if kind == "N":
        number = Decimal(value)
        whole = number == number.to_integral_value()
        if whole and abs(number) < 2**63:
            return int(number)
        # A fraction stays one where no float is as near.
        return float(number) if whole or not float(number).is_integer() else 0.5
    if kind == "BOOL" and name == "trial_used":
        return int(value)
    return {"S": value, "B": value, "NULL": None}.get(kind, b"another type")


@dataclass
class Visit:
    """Calls of every route, with what they returned, and what cannot be right about it."""

    world: World
    findings: list[Finding] = field(default_factory=list)
    # What can be compared with another database: it has no ids of requests.
    history: list[tuple[str, int, Any]] = field(default_factory=list)
    _known: object = None

    def forget(self) -> None:
        """Look again at what is stored: it was changed by somebody else."""
        self._known = None

    def call(self, method: str, path: str, **request: Any) -> Response:
        before = self.world.contents() if self._known is None else self._known
        response = self.world.api.call(method, path, **request)
        name = f"{method} {path}"
        if response.status >= 500:
            self.find("no 5xx", f"{name}: {response.status}")
        if response.status >= 400:
            after = self.world.contents()
            if after != before:
                self.find("an error changes nothing", f"{name}: {response.status}")
            self._known = after
        else:
            # Nothing but these writes.
            writes = method != "GET" or not path.startswith("/api/")
            self._known = None if writes else before
        self.history.append((name, response.status, comparable(response)))
        return response

    def find(self, name: str, detail: str) -> None:
        self.findings.append(Finding(name, detail))

    def trial(self) -> None:
        before = self.call("GET", "/api/trial")
        started = self.call("POST", "/api/trial")
        after = self.call("GET", "/api/trial")
        offered = before.status == 200 and before.json()["can_start_trial"]
        if before.status < 500 and offered != (started.status == 200):
            self.find("trial: GET and POST", f"offered: {offered}, started: {started.status}")
        if started.status == 200 and (after.status != 200 or after.json() != started.json()):
            self.find("trial: GET and POST", f"started: {started.body}, then shown: {after.status} {after.body}")
        if started.status != 200 and (after.status, comparable(after)) != (before.status, comparable(before)):
            self.find("trial: GET and POST", f"refused, and shown as {after.body} after {before.body}")

    def listed(self, limit: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        query = {"limit": [str(limit)]}
        place = len(self.history)
        while True:
            response = self.call("GET", "/api/links", query=query)
            if response.status != 200:
                # Without a token there is no list.
                if response.status != 401:
                    self.find("a cursor is accepted" if "cursor" in query else "a list is given", response.body)
                break
            page = response.json()
            found |= {link["short_code"]: link for link in page["links"]}
            if page["next_cursor"] is None:
                break
            query["cursor"] = [page["next_cursor"]]
        # Two databases have two orders, and so other pages.
        self.history[place:] = [("list", 200, sorted(found.items()))]
        return found

    def links(self, codes: Sequence[str]) -> None:
        listed = self.listed(100)
        for code in codes:
            self.link(code, listed.get(code))
        left = self.listed(100)
        for code in sorted(left.keys() & codes):
            self.find("list and delete", f"{code} is still listed")

    def link(self, code: str, listed: Any) -> None:
        path = f"/api/links/{code}"
        shown = self.call("GET", path)
        if (listed is not None) != (shown.status == 200) or (listed is not None and shown.json() != listed):
            self.find("list and get", f"{code}: listed {listed}, shown {shown.status} {shown.body}")
        followed = [self.call("GET", f"/{code}") for _ in range(2)]
        after = self.call("GET", path)
        self.find_clicks(code, shown, followed, after)
        self.call("DELETE", path, token=OTHER.clear)
        deleted = self.call("DELETE", path)
        if shown.status == 200 and deleted.status != 204:
            self.find("list and delete", f"{code}: shown, and deleted {deleted.status}")
        if deleted.status == 204 and self.call("GET", path).status != 404:
            self.find("list and delete", f"{code}: deleted, and shown")

    def find_clicks(self, code: str, shown: Response, followed: Sequence[Response], after: Response) -> None:
        statuses = {response.status for response in followed}
        if len(statuses) > 1:
            self.find("follow and get", f"{code}: followed {statuses}")
        if shown.status != after.status:
            self.find("follow and get", f"{code}: shown {shown.status}, then {after.status}")
        if shown.status != 200 or after.status != 200:
            return
        count = shown.json()["click_count"]
        counted = min(count + 2, 2**63 - 1) if statuses == {302} else count
        if after.json() != shown.json() | {"click_count": counted}:
            self.find("follow and get", f"{code}: {shown.body}, followed {statuses}, then {after.body}")
        if statuses == {302} and followed[0].headers["location"] != shown.json()["full_url"]:
            self.find("follow and get", f"{code}: leads to {followed[0].headers['location']}")
        if statuses != {302} and shown.json()["full_url"] == LINK["full_url"]["S"]:
            self.find("follow and get", f"{code}: shown, and followed {statuses}")


def comparable(response: Response) -> Any:
    """Give a body without the id of its request."""
    body = response.json() if response.body else None
    if isinstance(body, dict) and "error" in body:
        return {name: value for name, value in body["error"].items() if name != "request_id"}
    return body


def odd_values(name: str, values: Sequence[Typed]) -> Iterator[Typed | None]:
    """Give everything that DynamoDB can keep in an attribute, None for none."""
    yield None
    yield from (value for value in values if name not in INDEX_KEYS or value.get("S"))

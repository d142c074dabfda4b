"""Whatever the tables hold, every route responds, no error changes anything, and routes agree about what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from shared.items import to_item
from shared.personal import public_id
from tests.apps.turbotech_portal.support import USER, Api, Tables, deliverable, metric
from tests.hostile import KEYS, Typed, Watch, changed, changes, everything
from turbotech_portal.updates import FEED

if TYPE_CHECKING:
    from tests.unit.support import Response

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
TIME = {"S": "2030-01-31T09:15:02.104233Z"}
UPDATE_ID = new_id()
ODD = 2
Changes = Mapping[str, Typed | None]

NUMBERS = [{"S": "50"}, {"S": "many"}, {"N": "1e100"}, {"N": "12.5"}, {"N": "1E-130"}, {"N": "-1"}]
TEXTS: list[Typed] = [{"S": ""}, {"S": "x" * 3000}, {"N": "1"}]
DELIVERABLES = changes(
    *("name", "status", "completion_percentage", "other"),
    index={"month": "N"},
    own={"completion_percentage": NUMBERS, "month": [{"N": "7"}, {"N": "1.5"}], "name": TEXTS, "status": TEXTS},
)
METRICS = changes(
    *("name", "target", "current_value", "other"), own={"target": NUMBERS, "current_value": NUMBERS, "name": TEXTS}
)
READERS: list[Typed] = [
    {"L": [{"S": USER}]},
    {"L": [{"S": "somebody"}, {"N": "1"}, {"NULL": True}]},
    {"L": [{"N": "7"}, {"S": USER}]},
    {"SS": [USER]},
    {"SS": ["somebody"]},
    {"S": USER},
    {"S": f"somebody and {USER}"},
    {"NULL": True},
    {"M": {USER: {"BOOL": True}}},
    {"L": [{"S": f"reader {number}"} for number in range(500)]},
]
UPDATES = changes(
    *("title", "message", "author", "read_by", "other"),
    index={"feed": "S", "created_at": "S"},
    own={
        "author": [{"M": to_item({"id": "a"})}, {"M": to_item({"id": "a", "name": 1})}, {"M": to_item({"name": "n"})}],
        "read_by": READERS,
        "created_at": [TIME, {"S": "2030-01-31 09:15:02.104233Z"}],
        "feed": [{"S": FEED}],
        "title": TEXTS,
    },
)
USERS = changes("name", "email", "first_seen_at", "other", own={"name": TEXTS, "email": TEXTS})


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project whose tables hold nothing but what an example puts there, and what watches the calls."""

    api: Api
    client: Any
    tables: Tables
    watch: Watch

    @classmethod
    def set(cls, api: Api, client: Any, tables: Tables) -> Scene:
        """Empty the tables."""
        for table in vars(tables).values():
            for item in everything(client, table):
                client.delete_item(TableName=table, Key={"id": item["id"]})
        return cls(api=api, client=client, tables=tables, watch=Watch(client, list(vars(tables).values())))

    def put(self, table: str, item: Mapping[str, Any], new: Changes, *stray: Typed) -> None:
        """Store an item that was changed, and one like it as it was under another id."""
        for other in stray:
            self.client.put_item(TableName=table, Item={**to_item(item), "id": other})
        self.client.put_item(TableName=table, Item=changed(to_item(item), new))

    def call(self, route: str, **request: Any) -> Response:
        """Send a request, whose route is told without ids and query."""
        method, path = route.split()
        shown = "/".join("{id}" if part.isdigit() or len(part) == len(UPDATE_ID) else part for part in route.split("/"))
        response: Response = self.watch.send(shown, lambda: self.api.send(method, path, **request))
        return response

    def read(self, path: str, member: str | None = None, **query: str) -> Any:
        """Read what a route has, or one member of it: empty where it has nothing to show."""
        response = self.call(f"GET {path}", query={name: [value] for name, value in query.items()})
        if response.status != 200:
            return [] if member else None
        return response.json()[member] if member else response.json()

    def updates(self, limit: str) -> list[Any]:
        """Read all updates page by page."""
        found: list[Any] = []
        place: dict[str, list[str]] = {}
        while True:
            response = self.call("GET /api/updates", query={"limit": [limit], **place})
            if response.status != 200:
                if place:
                    self.watch.found.append("cursor refused: GET /api/updates")
                return found
            found += response.json()["updates"]
            if response.json()["next_cursor"] is None:
                return found
            place = {"cursor": [response.json()["next_cursor"]]}


def numbered_findings(scene: Scene, kind: str, new: Changes, stray: Typed) -> list[str]:
    """Compare lists of deliverables or metrics with single ones, with changes and with the dashboard."""
    make = deliverable if kind == "deliverables" else metric
    table = getattr(scene.tables, kind)
    scene.put(table, make(1), {})
    scene.put(table, make(ODD), new, stray)
    change = '{"name": "Another"}'

    listed = {one["id"]: one for one in scene.read(f"/api/{kind}", kind)}
    scene.watch.expect(f"{kind} that fit and their list", agrees=1 in listed)
    for number in {*listed, ODD}:
        single = scene.call(f"GET /api/{kind}/{number}")
        scene.watch.agree(f"{kind}: list and get", listed.get(number), single.json() if single.status == 200 else None)
    for month in {one["month"] for one in listed.values() if 1 <= one.get("month", 0) <= 120}:
        of_month = scene.read(f"/api/{kind}", kind, month=str(month))
        scene.watch.agree("months: list and list", [one for one in listed.values() if one["month"] == month], of_month)
    numbers = scene.read("/api/dashboard") or {}
    if kind == "deliverables":
        told = numbers.get("deliverables", {"total": None, "by_status": {}})
        scene.watch.agree("dashboard and list", (told["total"], sum(told["by_status"].values())), (len(listed),) * 2)
    else:
        scene.watch.agree("dashboard and list", [one["id"] for one in numbers.get("metrics", [])], list(listed))
    patched = scene.call(f"PATCH /api/{kind}/{ODD}", body=change)
    single = scene.call(f"GET /api/{kind}/{ODD}")
    scene.watch.agree("PATCH and GET", single.body if single.status == 200 else None, fits(patched))
    scene.watch.expect("GET and PATCH", agrees=ODD not in listed or patched.status == 200)
    listed = {one["id"]: one for one in scene.read(f"/api/{kind}", kind)}
    scene.watch.agree("PATCH and list", listed.get(ODD), patched.json() if patched.status == 200 else None)
    return scene.watch.found


def fits(response: Response) -> str | None:
    return response.body if response.status == 200 else None


def update_findings(scene: Scene, new: Changes, stray: Typed) -> list[str]:
    """Compare lists of updates with one another, with the dashboard and with marks."""
    good = scene.api.write()
    update = {"id": UPDATE_ID, "feed": FEED, "title": "T", "message": "M", "author": {"id": "a", "name": "A"}}
    item = update | {"created_at": TIME["S"], "read_by": ["somebody"]}
    scene.put(scene.tables.updates, item, new, stray)

    listed = scene.updates("10")
    scene.watch.agree("pages", scene.updates("1"), listed)
    scene.watch.expect("updates that fit and their list", agrees=good["id"] in [one["id"] for one in listed])
    numbers = (scene.read("/api/dashboard") or {"updates": {"latest": None, "unread": None}})["updates"]
    unread = [one["id"] for one in listed if public_id(USER) not in one["read_by"]]
    scene.watch.agree("unread and list", numbers["unread"], len(unread))
    scene.watch.agree("latest and list", numbers["latest"], listed[:5])
    marked = scene.call(f"POST /api/updates/{UPDATE_ID}/read")
    again = scene.call(f"POST /api/updates/{UPDATE_ID}/read")
    shown = next((one for one in listed if one["id"] == UPDATE_ID), None)
    is_full = marked.status == 409
    if "feed" not in new and "created_at" not in new:
        scene.watch.expect("list and mark", agrees=(shown is not None) == (marked.status == 200 or is_full))
    scene.watch.agree(
        "mark and mark", (again.status, again.body if marked.status == 200 else ""), (marked.status, fits(marked) or "")
    )
    if marked.status == 200:
        scene.watch.expect("mark and its readers", agrees=marked.json()["read_by"].count(public_id(USER)) == 1)
        after = [one for one in scene.updates("10") if one["id"] == UPDATE_ID]
        scene.watch.agree("mark and list", after, [marked.json()] if shown else [])
        left = (scene.read("/api/dashboard") or {"updates": {"unread": None}})["updates"]["unread"]
        scene.watch.agree("mark and unread", left, len(set(unread) - {UPDATE_ID}))
    return scene.watch.found


def user_findings(scene: Scene, new: Changes, stray: Typed) -> list[str]:
    """Compare what callers read of themselves with the list, with changes and with what they write."""
    scene.put(scene.tables.users, {"id": "u", "name": "Fits"}, {})
    item = {"id": USER, "name": "Ada", "email": "ada@example.com", "first_seen_at": TIME["S"]}
    scene.put(scene.tables.users, item, new, stray)

    listed = {one["id"]: one["name"] for one in scene.read("/api/users", "users")}
    scene.watch.expect("users that fit and their list", agrees="u" in listed)
    me = scene.call("GET /api/users/me")
    if USER in listed:
        scene.watch.agree("users: list and get", me.json()["name"] if me.status == 200 else None, listed[USER])
    written = scene.call("POST /api/updates", body='{"title": "T", "message": "M"}')
    scene.watch.agree("me and write", written.status, 201 if me.status == 200 else 404)
    if me.status == 200:
        listed = {one["id"]: one["name"] for one in scene.read("/api/users", "users")}
        scene.watch.agree("me and list", listed.get(USER), me.json()["name"])
        scene.watch.agree("me and author", written.json().get("author"), {"id": USER, "name": me.json()["name"]})
    changed_me = scene.call("PATCH /api/users/me", body='{"name": "Countess"}')
    again = scene.call("GET /api/users/me")
    scene.watch.agree("PATCH and GET", again.body if again.status == 200 else None, fits(changed_me))
    scene.watch.expect("GET and PATCH", agrees=me.status != 200 or changed_me.status == 200)
    return scene.watch.found


@SLOW
@given(new=DELIVERABLES, stray=KEYS["N"])
@example(new={"completion_percentage": {"S": "50"}}, stray={"N": "0"})
@example(new={"month": {"N": "1e100"}}, stray={"N": "1e15"})
@example(new={"completion_percentage": {"N": "1e100"}}, stray={"N": "1.5"})
@example(new={"name": {"N": "1"}}, stray={"N": "1e100"})
def test_deliverables_may_be_anything(api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert numbered_findings(Scene.set(api, dynamodb, tables), "deliverables", new, stray) == []


@SLOW
@given(new=METRICS, stray=KEYS["N"])
@example(new={"target": {"S": "50"}}, stray={"N": "0"})
@example(new={"target": {"N": "1E-130"}, "current_value": {"N": "9.9E+125"}}, stray={"N": "1e15"})
@example(new={"current_value": {"BOOL": True}}, stray={"N": "1.5"})
def test_metrics_may_be_anything(api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert numbered_findings(Scene.set(api, dynamodb, tables), "metrics", new, stray) == []


@SLOW
@given(new=UPDATES | st.sampled_from([{"read_by": readers} for readers in READERS]), stray=KEYS["S"])
@example(new={"read_by": {"NULL": True}}, stray={"S": "x"})
@example(new={"read_by": {"SS": ["somebody"]}}, stray={"S": "x"})
@example(new={"title": {"N": "1"}}, stray={"S": "x"})
@example(new={"author": {"M": {"id": {"S": "a"}}}}, stray={"S": "x"})
@example(new={"created_at": {"S": "\u0662030-01-31T09:15:02.104233Z"}}, stray={"S": "x"})
@example(new={"created_at": {"S": "2030"}}, stray={"S": "x"})
@example(new={"created_at": {"S": "2030-02-30T09:15:02.104233Z"}}, stray={"S": "x"})
@example(new={"created_at": {"S": "2030-01-31T24:00:00.000000Z"}}, stray={"S": "x"})
def test_updates_may_be_anything(api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert update_findings(Scene.set(api, dynamodb, tables), new, stray) == []


@SLOW
@given(new=USERS, stray=KEYS["S"])
@example(new={"name": {"NULL": True}}, stray={"S": "x"})
@example(new={"name": {"N": "1"}, "email": None}, stray={"S": "x"})
@example(new={"email": {"N": "1e100"}}, stray={"S": "x"})
def test_users_may_be_anything(api: Api, dynamodb: Any, tables: Tables, new: Changes, stray: Typed) -> None:
    assert user_findings(Scene.set(api, dynamodb, tables), new, stray) == []

"""Every cell of the portal's table, tried over HTTP, with every scope set and with none."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.asgi import header
from tests.apps.every.access_tables import Cell, allowed, assert_allowed, assert_refused, cells, refused, routes_of
from tests.apps.every.every_app import served
from tests.apps.turbotech_portal.support import Tables, deliverable, metric, put
from turbotech_portal.settings import Scopes

APP = "turbotech_portal"
SCOPES = Scopes(
    read="read:portal", deliverables="change:deliverables", metrics="change:metrics", updates="write:updates"
)
UPDATE = "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11"
NAMES = {"deliverable_id": "1", "metric_id": "1", "update_id": UPDATE}
BODIES = {
    ("PATCH", "/api/deliverables/{deliverable_id}"): {"completion_percentage": 7},
    ("PATCH", "/api/metrics/{metric_id}"): {"current_value": 7},
    ("POST", "/api/updates"): {"title": "News", "message": "All is well."},
    ("PATCH", "/api/users/me"): {"name": "Ada"},
}
# How a claim comes: as OAuth has it, as other issuers do, as Auth0's permissions, and as API Gateway writes a list.
FORMS: Mapping[str, Callable[[list[str]], dict[str, object]]] = {
    "scope": lambda scopes: {"scope": " ".join(["openid", *scopes])},
    "scp": lambda scopes: {"scp": scopes},
    "permissions": lambda scopes: {"permissions": scopes},
    "permissions as text": lambda scopes: {"permissions": f"[{' '.join(scopes)}]"},
    "permissions as JSON": lambda scopes: {"permissions": json.dumps(scopes)},
}


def authorizer(app: ASGIApp) -> ASGIApp:
    """Stand in for API Gateway's: whoever sends claims in a header counts as checked, as by a token of the issuer."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        claims = header(scope, "X-Claims") if scope["type"] == "http" else None
        context = {} if claims is None else {"authorizer": {"jwt": {"claims": json.loads(claims)}}}
        await app({**scope, "aws.event": {"requestContext": context}}, receive, send)

    return gateway


@pytest.fixture
def project(dynamodb: Any, tables: Tables) -> Tables:
    put(dynamodb, tables.deliverables, deliverable(1))
    put(dynamodb, tables.metrics, metric(1))
    update = {"id": UPDATE, "title": "t", "message": "m", "author": {"id": "u", "name": "U"}}
    put(dynamodb, tables.updates, update | {"created_at": "2026-01-02T00:00:00.000000Z", "feed": "project"})
    return tables


@pytest.fixture
def http(make_app: Callable[..., FastAPI], project: Tables) -> Iterator[httpx.Client]:
    with served(authorizer(make_app(scopes=SCOPES))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def claims_of(*scopes: str, form: str = "scope", subject: str = "auth0|ada") -> dict[str, str]:
    return {"X-Claims": json.dumps({"sub": subject, **FORMS[form](list(scopes))})}


def scope_of(cell: Cell) -> str:
    scope = getattr(SCOPES, cell.caller.strip("`"))
    assert isinstance(scope, str)
    return scope


def send(http: httpx.Client, cell: Cell, headers: Mapping[str, str]) -> httpx.Response:
    return http.request(
        cell.method, cell.path.format_map(NAMES), headers=headers, json=BODIES.get((cell.method, cell.path))
    )


def test_the_table_has_every_route(http: httpx.Client) -> None:
    assert {cell.route for cell in cells(APP)} == routes_of(http.get("/openapi.json").json())
    assert len(refused(APP)) == 52


def test_whoever_may_not_is_refused_with_a_stable_code(http: httpx.Client, dynamodb: Any, project: Tables) -> None:
    def everything() -> list[Any]:
        return [dynamodb.scan(TableName=name)["Items"] for name in project.settings.values()]

    before = everything()
    for cell in refused(APP):
        if cell.caller == "no token":
            for headers in ({}, {"Authorization": "Bearer anything"}, {"X-Claims": "{}"}, {"X-Claims": '{"sub": ""}'}):
                assert_refused(cell, send(http, cell, headers))
            continue
        for form in FORMS:
            response = send(http, cell, claims_of(scope_of(cell), form=form))
            assert_refused(cell, response)
            assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert everything() == before


def test_whoever_may_does(http: httpx.Client) -> None:
    for cell in allowed(APP):
        for form in ("scope",) if cell.caller == "no token" else FORMS:
            headers = {} if cell.caller == "no token" else claims_of(scope_of(cell), form=form)
            response = send(http, cell, headers)
            assert_allowed(cell, response)
            assert response.is_success, response.text


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "change:deliverable",
        "change:deliverables:all",
        "CHANGE:DELIVERABLES",
        "change: deliverables",
        "change",
        "*",
        "xchange:deliverables",
        "change:deliverables\\",
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_scope_that_is_almost_it_is_none(http: httpx.Client, scope: str, form: str) -> None:
    response = http.patch("/api/deliverables/1", json={"month": 2}, headers=claims_of(scope, form=form))

    assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")
    assert "has not the permission change:deliverables." in response.json()["error"]["message"]


@pytest.mark.parametrize("claim", [7, None, True, {"change:deliverables": True}, [["change:deliverables"]], [7], 1.5])
def test_a_claim_of_another_kind_gives_nothing(http: httpx.Client, claim: object) -> None:
    headers = {"X-Claims": json.dumps({"sub": "auth0|ada", "scope": claim, "permissions": claim})}

    assert http.patch("/api/deliverables/1", json={"month": 2}, headers=headers).status_code == 403


def test_what_is_refused_says_nothing_of_what_is_there(http: httpx.Client) -> None:
    headers = claims_of("read:portal")
    responses = [
        http.patch(f"/api/deliverables/{number}", content=body, headers=headers)
        for number in ("1", "2", "x")
        for body in (b"{", b'{"month": 2}')
    ]

    assert {response.status_code for response in responses} == {403}
    assert len({response.json()["error"]["message"] for response in responses}) == 1


def test_without_scopes_every_token_may_do_everything(make_app: Callable[..., FastAPI], project: Tables) -> None:
    with served(authorizer(make_app())) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for cell in cells(APP):
            if cell.caller == "`read`":
                assert send(http, cell, claims_of()).is_success, cell.name


def test_one_scope_leaves_all_else_to_every_token(make_app: Callable[..., FastAPI], project: Tables) -> None:
    app = make_app(scopes=Scopes(deliverables="change:deliverables"))
    with served(authorizer(app)) as url, httpx.Client(base_url=url, trust_env=False) as http:
        refused_now = {
            cell.route for cell in cells(APP) if cell.caller == "`read`" and send(http, cell, claims_of()).is_error
        }

    assert refused_now == {("PATCH", "/api/deliverables/{deliverable_id}")}

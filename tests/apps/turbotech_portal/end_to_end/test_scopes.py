"""Every cell of turbotech_portal's table on the local AWS: real tokens, an authorizer that checks them, scopes set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sawhorse.environment import read_environment
from sawhorse.local.issuer import Issuer
from sawhorse.operate.seed import bearer
from tests.apps.every.access_tables import Cell, allowed, assert_allowed, assert_refused, cells, refused
from tests.end_to_end.support import Sawhorse, brought_up
from tests.projects import copy_of_project

pytestmark = pytest.mark.end_to_end

APP, ROOT = "turbotech_portal", "dev/turbotech_portal"
SCOPES = {
    "read": "read:portal",
    "deliverables": "change:deliverables",
    "metrics": "change:metrics",
    "updates": "write:updates",
}
BODIES = {
    ("PATCH", "/api/deliverables/{deliverable_id}"): {"completion_percentage": 7},
    ("PATCH", "/api/metrics/{metric_id}"): {"current_value": 7},
    ("POST", "/api/updates"): {"title": "News", "message": "All is well."},
    ("PATCH", "/api/users/me"): {"name": "Ada"},
}
# What the edge may take for another route, and the function must not.
SPELLINGS = ["api/deliverables/1/", "api//deliverables/1", "/api/deliverables/1", "%61pi/deliverables/1"]


def said(*, in_gateway: bool) -> str:
    """Write the lines that switch scopes on."""
    lines = "".join(f'    {name} = "{scope}"\n' for name, scope in SCOPES.items())
    return f"  scopes = {{\n{lines}    in_gateway = {str(in_gateway).lower()}\n  }}\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """The built app and a local AWS on which nothing stands yet."""
    with brought_up(copy_of_project(tmp_path_factory.mktemp("portal-scopes") / "project")) as command:
        command("build", APP)
        yield command


@pytest.fixture(scope="module", params=[True, False], ids=["in the gateway as well", "in the function alone"])
def sawhorse(request: pytest.FixtureRequest, started: Sawhorse) -> Iterator[Sawhorse]:
    """dev/turbotech_portal with scopes, applied over what stands of it by then."""
    main = started.project.path / "environments" / ROOT / "main.tf"
    text = main.read_text()
    main.write_text(text.replace("\n\n", f"\n\n{said(in_gateway=request.param)}", 1))
    assert main.read_text() != text
    try:
        started("apply", ROOT, "--local")
        started("seed", ROOT, "--local")
        yield started
    finally:
        main.write_text(text)


@pytest.fixture(scope="module")
def http(sawhorse: Sawhorse) -> Iterator[httpx.Client]:
    url = sawhorse.json("outputs", ROOT, "--local")["api_endpoint"]
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def update(http: httpx.Client, sawhorse: Sawhorse) -> str:
    response = send(http, Cell("POST", "/api/updates", "", ""), token(sawhorse, SCOPES["updates"]), "")
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def token(sawhorse: Sawhorse, *scopes: str, **claims: Any) -> dict[str, str]:
    tenant = read_environment(sawhorse.project, "dev").auth0
    assert tenant is not None
    claims = {"scope": " ".join(scopes)} | claims if scopes else claims
    return bearer(Issuer.of(sawhorse.project).token(subject="auth0|ada", audience=tenant.audience, **claims))


def send(http: httpx.Client, cell: Cell, headers: dict[str, str], update: str) -> httpx.Response:
    path = cell.path.format_map({"deliverable_id": 1, "metric_id": 1, "update_id": update})
    return http.request(cell.method, path.lstrip("/"), headers=headers, json=BODIES.get((cell.method, cell.path)))


def test_every_cell_of_the_table_is_so(http: httpx.Client, sawhorse: Sawhorse, update: str) -> None:
    for cell in cells(APP):
        scope = SCOPES.get(cell.caller.strip("`"))
        response = send(http, cell, token(sawhorse, scope) if scope else {}, update)
        (assert_refused if cell in refused(APP) else assert_allowed)(cell, response)
        assert response.is_success == (cell in allowed(APP)), response.text


def test_no_other_spelling_of_a_change_does_without_its_scope(http: httpx.Client, sawhorse: Sawhorse) -> None:
    reader = token(sawhorse, SCOPES["read"])
    before = http.get("api/deliverables/1", headers=reader).json()
    for path in SPELLINGS:
        url = http.base_url.copy_with(raw_path=http.base_url.raw_path.rstrip(b"/") + f"/{path}".encode())
        response = http.request("PATCH", url, headers=reader, json={"completion_percentage": 99})
        assert response.status_code in {308, 401, 403, 404}, (path, response.text)

    assert http.get("api/deliverables/1", headers=reader).json() == before


def test_every_smoke_check_passes(sawhorse: Sawhorse) -> None:
    report = sawhorse.json("smoke", ROOT, "--local")

    assert report["passed"], report


def test_a_token_of_the_command_has_the_scopes_that_it_names(http: httpx.Client, sawhorse: Sawhorse) -> None:
    words = [word for scope in (SCOPES["read"], SCOPES["metrics"]) for word in ("--scope", scope)]
    headers = bearer(sawhorse("local", "token", ROOT, *words).strip())

    assert http.get("api/metrics", headers=headers).status_code == 200
    assert http.patch("api/metrics/1", headers=headers, json={"current_value": 3}).status_code == 200
    assert http.patch("api/deliverables/1", headers=headers, json={"month": 2}).status_code == 403

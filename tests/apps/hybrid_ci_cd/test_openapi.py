"""The OpenAPI document, and whether the application does as it says."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from schemathesis import GenerationMode

from tests.apps.every.documented import NEGATIVE, POSITIVE, assert_does_as_documented
from tests.apps.every.every_app import UNKNOWN
from tests.apps.hybrid_ci_cd.support import Api, bearer

# It would end the session that the next request is sent with.
LOG_OUT = ("DELETE", "/auth/sessions")
ROUTES = {
    ("GET", "/health"): set(),
    ("POST", "/auth/session"): {"SessionKey"},
    ("POST", "/auth/validate"): set(),
    ("GET", "/auth/sessions"): {"Session"},
    ("DELETE", "/auth/sessions"): {"Session"},
    ("DELETE", "/auth/sessions/{handle}"): {"Session"},
    ("POST", "/jobs"): {"Session"},
    ("GET", "/jobs"): {"Session", "Agent"},
    ("GET", "/jobs/{job_id}"): {"Session", "Agent"},
    ("POST", "/jobs/claim"): {"Agent"},
    ("POST", "/jobs/{job_id}/claim"): {"Agent"},
    ("POST", "/jobs/{job_id}/finish"): {"Agent"},
    ("POST", "/agents"): {"Session"},
    ("GET", "/agents"): {"Session", "Agent"},
    ("DELETE", "/agents/{agent_id}"): {"Session"},
    ("POST", "/agents/{agent_id}/heartbeat"): {"Agent"},
}


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").json()


def test_the_document_knows_every_route_and_who_may_call_it(document: Any) -> None:
    assert {
        (method.upper(), path): {name for scheme in operation.get("security", []) for name in scheme}
        for path, item in document["paths"].items()
        for method, operation in item.items()
    } == ROUTES


def test_the_document_says_of_404_what_a_caller_gets(api: Api, document: Any) -> None:
    user = api.log_in()
    agent = api.register(user)
    for method, path, headers in (
        ("DELETE", "/agents/{agent_id}", user.headers),
        ("DELETE", "/auth/sessions/{handle}", user.headers),
        ("GET", "/jobs/{job_id}", user.headers),
        ("POST", "/jobs/{job_id}/claim", agent.headers),
    ):
        place = "/".join(UNKNOWN if part.startswith("{") else part for part in path.split("/"))
        response = api.send(method, place, headers=headers)
        described = document["paths"][path][method.lower()]["responses"]["404"]["content"]["application/json"]

        assert (response.status, response.json()["error"]["message"]) == (404, described["example"]["error"]["message"])


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        *[(method, path, POSITIVE) for method, path in ROUTES if (method, path) != LOG_OUT],
        # The others have nothing that one could get wrong.
        ("POST", "/auth/session", NEGATIVE),
        ("POST", "/auth/validate", NEGATIVE),
        ("GET", "/auth/sessions", NEGATIVE),
        ("POST", "/jobs", NEGATIVE),
        ("GET", "/jobs", NEGATIVE),
        ("POST", "/jobs/{job_id}/finish", NEGATIVE),
        ("POST", "/agents", NEGATIVE),
        ("GET", "/agents", NEGATIVE),
        ("POST", "/agents/{agent_id}/heartbeat", NEGATIVE),
    ],
)
def test_the_application_does_as_its_document_says(
    make_app: Callable[..., FastAPI], api: Api, method: str, path: str, mode: GenerationMode
) -> None:
    user = api.log_in()
    token = api.register(user).token if ROUTES[method, path] == {"Agent"} else user.session_id
    assert_does_as_documented(make_app(), method, path, mode, examples=12, headers=bearer(token))

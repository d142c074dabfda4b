"""No log line holds anything that a caller sent: every app, every route, secrets in every place of a request."""

import asyncio
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ParamValidationError
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.responses import Response

from shared.api_keys import hash_key
from shared.application import make_application
from shared.lambda_handler import EventFailed, make_handler
from shared.log_lines import described
from shared.routers import make_router
from tests.apps.every.every_app import APPS, UNKNOWN, App, made_broken
from tests.filter_patterns import counted, filters_of_functions
from tests.unit.support import HttpCaller, client_error

Capture = pytest.CaptureFixture[str]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW", "SEARCH")
HEADERS = (
    "Authorization",
    "Content-Type",
    "Content-Encoding",
    "Cookie",
    "Idempotency-Key",
    "Origin",
    "Referer",
    "User-Agent",
    "X-API-Key",
    "X-Forwarded-For",
    "X-Session-Key",
    "x-amzn-request-context",
)
# What the apps' secrets look like; {} is what a test looks for.
FORMS = (
    "{}",
    "swh_0a1b2c3d_{0}{0}",
    "fs_7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11_{0}{0}",
    "7f3d9f0e-5c1b-4c7e-9d53-0a4a1f4c2b11.{}AAAAAAAAAAA",
    "eyJhbGciOiJSUzI1NiJ9.{}.signature",
    "{}@example.com",
    "uploads/{}.pdf",
)
CANARY = "canary-of-this-request"
MARKER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@dataclass(frozen=True)
class Sent:
    """A request, and what of it no line may hold."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    body: bytes | None
    secret: str


class Quoting:
    """A client whose errors quote the request, each in another way, as libraries' errors do."""

    def __init__(self) -> None:
        self.raised = 0

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.raised += 1
            errors = quoting(operation, repr(request))
            raise errors[self.raised % len(errors)]

        return call


class Typed(BaseModel):
    """A model that fits nothing."""

    model_config = ConfigDict(extra="forbid")
    number: int


def caught(fail: Callable[[], object]) -> Exception:
    try:
        fail()
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is wanted
        return error
    raise AssertionError("nothing was raised")


def quoting(operation: str, text: str) -> list[Exception]:
    """Make errors whose texts, notes, causes or parts hold a text."""
    service = client_error("ValidationException")
    service.response["Error"]["Message"] = f"One or more parameter values were invalid: {text}"
    service.response["Error"]["Code"] = "ValidationException"
    service.operation_name = operation
    invalid = caught(lambda: Typed.model_validate({"number": text, text: 1}))
    noted = ValueError("noted")
    noted.add_note(text)
    caused = RuntimeError(text)
    caused.__cause__ = KeyError(text)
    caused.__cause__.__context__ = invalid
    return [
        KeyError(text),
        service,
        invalid,
        noted,
        caused,
        caught(lambda: json.loads(text)),
        caught(lambda: text.encode("utf-16").decode("utf-8")),
        ParamValidationError(report=text),
        ExceptionGroup(text, [ValueError(text), invalid]),
        OSError(2, text, text),
        caught(lambda: TypeAdapter(dict[str, int]).validate_python({text: text})),
    ]


def templates(app: FastAPI) -> list[str]:
    return sorted({str(route.path) for route in app.routes if hasattr(route, "path")})


@st.composite
def requests(draw: st.DrawFn, paths: list[str], members: list[str]) -> Sent:
    """Draw a request with one secret in as many places as chance has it."""
    marker = draw(st.text("0123456789abcdef", min_size=32, max_size=32))
    secret = draw(st.sampled_from(FORMS)).format(marker)
    template = draw(st.sampled_from([*paths, "/", "/nowhere", "/{anything}", "/api/{anything}/{more}"]))
    path = re.sub(r"\{[^}]+\}", lambda _: secret, template) + draw(st.sampled_from(["", "", "/", f"/{secret}"]))
    names = draw(st.lists(st.sampled_from(HEADERS), unique=True))
    shown = {name: draw(st.sampled_from([secret, f"Bearer {secret}"])) for name in names}
    if draw(st.integers(0, 9)) == 0:
        shown["Content-Length"] = "99999999"
    whole = dict.fromkeys(members, secret)
    bodies: list[bytes | None] = [
        None,
        json.dumps(whole).encode(),
        json.dumps(
            draw(st.dictionaries(st.sampled_from(members), st.sampled_from([secret, 7, None, [secret]])))
        ).encode(),
        json.dumps({secret: secret}).encode(),
        json.dumps([secret]).encode(),
        f'{{"name": "{secret}", "name": {secret}'.encode(),
        b"\xff" + secret.encode(),
        f'"{secret}\ud800"'.encode("utf-8", "surrogatepass"),
        json.dumps({"name": secret * 9_000}).encode(),
    ]
    query = {
        name: [secret]
        for name in draw(st.lists(st.sampled_from(["limit", "after", "cursor", "month", "email", secret]), unique=True))
    }
    method = draw(st.sampled_from([*METHODS, f"M{marker}"]))
    return Sent(method, path, shown, query, draw(st.sampled_from(bodies)), marker)


def well_formed(paths: list[str]) -> Iterator[Sent]:
    """Walk requests that come as far as the database, whose errors quote them."""
    for path in (re.sub(r"\{[^}]+\}", UNKNOWN, path) for path in paths):
        for body in (
            None,
            {"email": f"{MARKER}@example.com"},
            {"name": MARKER},
            {"session_id": f"A-{MARKER}_AAAAAAAA"},
        ):
            for method in ("GET", "POST", "DELETE"):
                text = None if body is None else json.dumps(body).encode()
                yield Sent(method, path, {"Cookie": MARKER}, {}, text, MARKER)


def holds(written: str, marker: str) -> bool:
    plain = unquote(written).lower()
    return any(one in plain for one in (marker, hash_key(marker), marker[::-1]))


def model_members() -> list[str]:
    """Return the names of all members of all models, so that bodies reach what is behind the first check."""
    names: set[str] = set()
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        names |= set(model.__dict__.get("__pydantic_fields__", {}))
    return sorted(names)


@pytest.fixture(params=APPS)
def failing(
    request: pytest.FixtureRequest, dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> Iterator[App]:
    """An app whose database quotes every request in an error."""
    with made_broken(request.param, dynamodb, logger_of, tmp_path, client=Quoting()) as one:
        yield one


def ask_and_look(one: App, capsys: Capture, paths: list[str], *, known: Mapping[str, str]) -> set[int]:
    """Send drawn requests, and look at all that each of them left in the log; return the statuses that came."""
    handler = make_handler(one.app)
    logging.getLogger(one.name).setLevel("DEBUG")
    statuses: set[int] = set()
    members = model_members()
    server_errors = filters_of_functions()["server-errors"]

    def look(sent: Sent, headers: Mapping[str, str]) -> None:
        capsys.readouterr()
        sends = {**sent.headers, **headers, "X-Request-ID": CANARY}
        response = HttpCaller(handler).send(sent.method, sent.path, headers=sends, query=sent.query, body=sent.body)
        statuses.add(response.status)
        out, err = capsys.readouterr()
        written = [json.loads(line) for line in out.splitlines()]
        # The canary: what was sent to be logged is there, so the log is the right one.
        [line] = [line for line in written if line.get("message") == "request"]
        assert line["request_id"] == CANARY
        assert line["status"] == response.status
        assert line["path"] in {*templates(one.app), "(unknown)"}
        assert line["method"] in {*METHODS, "(unknown)"} - {"BREW", "SEARCH"}
        # An alarm counts the line where it is the application's own 500.
        assert counted(*server_errors, out.splitlines()) == ([1.0] if response.status >= 500 else [])
        if response.status >= 500:
            assert line["level"] == "ERROR"
            assert [one for one in written if one["level"] == "ERROR" and "Traceback" in one.get("exception", "")]
        assert not holds(out + err, sent.secret), out + err

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(requests(paths, members), st.booleans())
    def every_request(sent: Sent, shows_who: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
        look(sent, known if shows_who else {})

    every_request()
    for sent in well_formed(paths):
        look(sent, known)
    return statuses


def test_no_request_leaves_a_value_in_the_log(one: App, capsys: Capture, event_loop: asyncio.AbstractEventLoop) -> None:
    statuses = ask_and_look(one, capsys, templates(one.app), known=one.credentials)
    assert {404, 405} <= statuses
    assert 500 not in statuses


def test_no_failure_of_ours_leaves_a_value_in_the_log(
    failing: App, capsys: Capture, event_loop: asyncio.AbstractEventLoop
) -> None:
    statuses = ask_and_look(failing, capsys, templates(failing.app), known=failing.credentials)
    assert {404, 405, 500} <= statuses


@pytest.mark.parametrize("number", range(len(quoting("PutItem", "x"))))
def test_an_error_is_logged_by_its_type_its_stack_and_facts_of_its_kind(
    number: int, logger_of: Callable[[str], Logger], capsys: Capture
) -> None:
    secret = "in-the-error"

    def of_ours() -> None:
        raise quoting("PutItem", secret)[number]

    logger = logger_of("sample")
    try:
        of_ours()
    except Exception as error:
        kind = type(error).__name__
        logger.exception("It failed.")
        logging.getLogger("other.library").exception("Theirs failed: %s", error)  # noqa: TRY401 - as libraries do
        logging.getLogger("other.library").error(f"Put together: {error!r}")  # noqa: G004, TRY400 - as libraries do
    out, err = capsys.readouterr()
    ours, theirs, together = [json.loads(line) for line in out.splitlines()]
    assert (ours["exception_name"], ours["message"]) == (kind, "It failed.")
    assert "in of_ours" in ours["exception"]
    assert "in of_ours" in theirs["exception"]
    assert theirs["message"] == "Theirs failed: %s"
    assert together["message"] == "(a message that is not the same each time)"
    assert secret not in out + err


def test_what_is_known_of_an_error_is_said() -> None:
    denied = client_error("AccessDeniedException")
    denied.response["Error"]["Message"] = (
        "User: arn:aws:sts::111111111111:assumed-role/r/s is not authorized to perform: dynamodb:Query on resource: "
        "arn:aws:dynamodb:us-east-1:111111111111:table/jobs/index/secret"
    )
    invalid = caught(lambda: Typed.model_validate({"number": "secret", "secret": 1}))

    assert described(denied) == (
        "botocore.exceptions.ClientError: AccessDeniedException for Made, which needs dynamodb:Query"
    )
    assert described(invalid).endswith("ValidationError: int_parsing at number, extra_forbidden at (another name)")
    assert described(FileNotFoundError(2, "secret")) == "FileNotFoundError: ENOENT"
    assert described(KeyError("secret")) == "KeyError"
    assert described(caught(lambda: int("secret"))) == "ValueError"


def test_a_text_that_stands_in_the_code_is_said_and_one_that_is_put_together_is_not() -> None:
    def constant() -> None:
        raise RuntimeError("The table is gone.")

    def together(what: str) -> None:
        raise RuntimeError(f"The {what} is gone.")

    assert described(caught(constant)) == "RuntimeError: The table is gone."
    assert described(caught(lambda: together("secret"))) == "RuntimeError"


def test_a_warning_is_logged_without_its_text(logger_of: Callable[[str], Logger], capsys: Capture) -> None:
    logger_of("sample")

    with warnings.catch_warnings():
        logger_of("sample")
        warnings.simplefilter("always")
        warnings.warn("input_value='secret'", UserWarning, stacklevel=1)

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["category"]) == ("Python warns.", "UserWarning")
    assert Path(line["place"].partition(":")[0]) == Path(__file__)


def test_a_line_that_cannot_be_written_is_missed_without_its_text(
    logger_of: Callable[[str], Logger], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logger_of("sample")

    class Closed:
        def write(self, _text: str) -> int:
            raise OSError("secret")

    monkeypatch.setattr("sys.stdout", Closed())
    logger.info("secret", extra={"key": "secret"})
    monkeypatch.undo()

    written = capsys.readouterr().err
    assert json.loads(written)["message"] == "A log line could not be written."
    assert "secret" not in written


@pytest.mark.usefixtures("event_loop")
def test_a_response_that_cannot_be_handed_over_raises_an_error_without_it(
    logger_of: Callable[[str], Logger], capsys: Capture
) -> None:
    router = make_router()

    @router.get("/broken")
    async def broken() -> Response:
        # Starlette writes Latin-1, and Mangum reads UTF-8.
        return Response(headers={"X-Value": "secret-valu\xe9"})

    app = make_application(title="t", version="1", description="", routers=[router], logger=logger_of("sample"))

    with pytest.raises(EventFailed) as raised:
        HttpCaller(make_handler(app)).get("/broken")

    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__
    written = capsys.readouterr().out
    assert "An event could not be worked on." in written
    assert "secret" not in written

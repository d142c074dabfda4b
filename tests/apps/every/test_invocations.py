"""What every app responds to events that are not requests, to bytes, to slashes and below a custom domain's path."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import pytest
from aws_lambda_powertools import Logger
from starlette.responses import Response

from shared.application import make_application
from shared.lambda_handler import make_handler
from shared.routers import make_router
from shared.security_headers import HEADERS
from shared.settings import SettingsError, base_path
from tests.apps.every.every_app import APPS, UNKNOWN, App, made, served, under
from tests.unit.support import FUNCTION_REQUEST_ID, Caller, Context, HttpCaller, Recording, RestCaller

# Mangum makes a loop of its own where there is none.
pytestmark = pytest.mark.usefixtures("event_loop")

Capture = pytest.CaptureFixture[str]
WRITES = {"put_item", "update_item", "delete_item", "transact_write_items", "batch_write_item"}
SQS = {"Records": [{"eventSource": "aws:sqs", "messageId": name, "body": "secret"} for name in ("m-1", "m-2")]}
STREAM = {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "111", "NewImage": {}}}]}
KINESIS = {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": "222", "data": "c2VjcmV0"}}]}
SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {"secret": 1}}
WEBSOCKET = {"requestContext": {"eventType": "CONNECT", "connectionId": "secret"}, "isBase64Encoded": False}
# What takes a body, and a body with a place for a text.
WITH_BODY = {
    "fileshare": ("/api/users", '{"email": "%s@example.com"}'),
    "hybrid_ci_cd": ("/auth/session", '{"user_id": "%s", "provider": "p"}'),
    "stock_track_record": ("/api/channels", '{"name": "%s"}'),
    "triggers_api": ("/v1/events", '{"source": "%s", "event_type": "b", "payload": {}}'),
    "turbotech_portal": ("/api/updates", '{"title": "%s", "message": "b"}'),
}
HEALTH = {
    "fileshare": "/api/health",
    "hybrid_ci_cd": "/health",
    "stock_track_record": "/api/health",
    "triggers_api": "/v1/health",
    "turbotech_portal": "/api/health",
}


def lines(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("event", [{}, {"source": "serverless-plugin-warmup"}, SCHEDULE], ids=["empty", "warm", "cron"])
def test_an_event_that_keeps_a_function_warm_gets_204_and_one_line(one: App, event: object, capsys: Capture) -> None:
    capsys.readouterr()

    response = make_handler(one.app)(event, Context())

    assert (response["statusCode"], response["body"]) == (204, "")
    assert response["headers"]["cache-control"] == "no-store"
    [line] = lines(capsys)
    assert (line["level"], line["function_request_id"]) == ("INFO", FUNCTION_REQUEST_ID)
    assert "secret" not in str(line)


@pytest.mark.parametrize(
    ("event", "names"),
    [(SQS, ["m-1", "m-2"]), (STREAM, ["111"]), (KINESIS, ["222"])],
    ids=["queue", "table", "stream"],
)
def test_records_that_came_by_mistake_are_sent_back_whole(
    one: App, event: object, names: list[str], capsys: Capture
) -> None:
    capsys.readouterr()

    response = make_handler(one.app)(event, Context())

    assert response == {"batchItemFailures": [{"itemIdentifier": name} for name in names]}
    [line] = lines(capsys)
    assert line["level"] == "WARNING"
    assert "secret" not in str(line)


@pytest.mark.parametrize(
    "event",
    [None, [], [{}], "text", 1, True, WEBSOCKET, {"Records": [{"s3": {}}]}, {"Records": "x"}, {"key1": "secret"}],
    ids=lambda event: str(event)[:20],
)
def test_an_event_of_no_known_kind_is_refused_in_a_sentence(one: App, event: object, capsys: Capture) -> None:
    capsys.readouterr()

    response = make_handler(one.app)(event, Context())

    assert response["statusCode"] == 422
    error = json.loads(response["body"])["error"]
    assert (error["code"], error["request_id"]) == ("invalid_request", FUNCTION_REQUEST_ID)
    assert {name.lower() for name in HEADERS} <= response["headers"].keys()
    [line] = lines(capsys)
    assert line["level"] == "WARNING"
    assert "secret" not in str(line) + str(response)


@pytest.mark.parametrize("lists", [True, False])
def test_a_load_balancer_gets_headers_in_the_form_in_which_it_sends_them(one: App, lists: bool) -> None:  # noqa: FBT001
    headers: dict[str, Any] = (
        {"multiValueHeaders": {"host": ["a", "b:c"], "x-request-id": ["r-1"]}}
        if lists
        else {"headers": {"host": "lb.example", "x-request-id": "r-1"}}
    )
    event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": HEALTH[one.name], "body": "", **headers}

    response = make_handler(one.app)(event, Context())

    assert response["statusCode"] == 200
    assert ("multiValueHeaders" in response) == lists
    sent = response["multiValueHeaders"] if lists else {name: [value] for name, value in response["headers"].items()}
    assert (sent["cache-control"], sent["x-request-id"]) == (["no-store"], ["r-1"])


@pytest.mark.parametrize("caller", [RestCaller, HttpCaller])
@pytest.mark.parametrize("name", APPS)
def test_bytes_that_are_no_utf_8_are_refused_and_nothing_is_written(
    name: str, caller: type[Caller], dynamodb: Any, logger_of: Callable[[str], Logger], tmp_path: Path
) -> None:
    client = Recording(dynamodb)
    with made(name, dynamodb, logger_of, tmp_path, client=client) as one:
        path, body = WITH_BODY[name]
        api = caller(make_handler(one.app), default_headers=one.credentials)
        latin = (body % "caf\xe9").encode("latin-1")
        # As a gateway hands it on that knows texts alone.
        replaced = latin.decode(errors="replace")

        for sent in (latin, replaced, body % "\ud800"):
            response = api.post(path, body=sent)
            assert (response.status, response.error_code) == (422, "invalid_request"), response

        assert WRITES.isdisjoint(operation for operation, _ in client.requests)
        assert api.post(path, body=(body % "cafe").encode()).status < 400


@pytest.mark.parametrize("body", ["====", "a", "%%%%", "YWJj\nYWJj", "\xe9"])
def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused(one: App, body: str) -> None:
    event = RestCaller(make_handler(one.app)).event("POST", WITH_BODY[one.name][0], {}, {})

    response = make_handler(one.app)(event | {"body": body, "isBase64Encoded": True}, Context())

    assert response["statusCode"] == 422
    assert "base64" in json.loads(response["body"])["error"]["message"]


def test_the_document_says_of_a_slash_at_the_end_what_happens(one: App) -> None:
    document = RestCaller(make_handler(one.app)).get("/openapi.json").json()

    told = " ".join(document["info"]["description"].split())

    assert "A path with a slash at its end that exists without it gets 308 with a relative `Location`" in told


# How many routes of an app respond 404 to its caller, and so can be compared; hybrid_ci_cd has a test of its own, since
# nobody has logged in here.
COMPARED = {"fileshare": 1, "hybrid_ci_cd": 0, "stock_track_record": 7, "triggers_api": 2, "turbotech_portal": 5}


def test_the_document_says_of_404_what_a_caller_gets(one: App) -> None:
    api = RestCaller(make_handler(one.app), default_headers=one.credentials)
    document = api.get("/openapi.json").json()
    compared = 0
    for path, item in document["paths"].items():
        place = re.sub(r"\{[^}]+\}", UNKNOWN, path.replace("{ticker}", "NONE"))
        for method, described in item.items():
            if "404" not in described["responses"]:
                continue
            response = api.send(method.upper(), place, body="{}")
            if response.status == 404 and response.error_code == "not_found":
                example = described["responses"]["404"]["content"]["application/json"]["example"]["error"]
                assert example["message"] == response.json()["error"]["message"], (method, path)
                compared += 1
    assert compared == COMPARED[one.name]


@pytest.mark.parametrize("caller", [RestCaller, HttpCaller])
def test_a_slash_at_the_end_leads_to_the_path_without_it(one: App, caller: type[Caller]) -> None:
    api = caller(make_handler(one.app), default_headers=one.credentials)
    for method, path in (("GET", HEALTH[one.name]), ("POST", WITH_BODY[one.name][0]), ("GET", "/docs")):
        response = api.send(method, f"{path}/", query={"limit": ["1"], "q": ["a b/ü"]}, body="{")

        assert response.status == 308, response
        place = response.headers["location"]
        assert urljoin(f"https://api.example/dev{path}/", place).partition("?")[0] == f"https://api.example/dev{path}"
        assert httpx.URL(place).params["q"] == "a b/ü"
        assert response.headers["cache-control"] == "no-store"
    # Longer than a header may be.
    assert api.get(f"{HEALTH[one.name]}/", query={"q": ["\xfc" * 2000]}).status == 404
    for path in ("/", "//", f"{HEALTH[one.name]}//", "/no/such/path/at/all/"):
        assert api.get(path).status == 404, path


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_a_slash_that_a_rest_api_takes_for_part_of_a_name_leads_to_no_route(one: App, slash: str) -> None:
    api = RestCaller(make_handler(one.app), default_headers=one.credentials)
    path, body = WITH_BODY[one.name]
    start, _, end = path.rpartition("/")

    assert api.post(f"{start}{slash}{end}", body=body % "a").status in {404, 405}
    assert api.post(path, body=body % "a").status != 404


CONTROLS = ["\n", "\r", "\t", "\x00", "\x1f", "\x7f", "\x85", "\r\n", "\n/"]


def events(method: str, path: str, one: App, body: str | None = None) -> list[dict[str, Any]]:
    """Write a request as each front sends it, with the path exactly as it stands there."""
    first = RestCaller(make_handler(one.app)).event(method, path, one.credentials, {})
    second = HttpCaller(make_handler(one.app)).event(method, "/", one.credentials, {})
    second["rawPath"] = second["requestContext"]["http"]["path"] = path
    balanced = {"requestContext": {"elb": {}}, "httpMethod": method, "path": path, "headers": one.credentials}
    return [{**event, "body": body} for event in (first, second, balanced)]


def test_a_path_with_a_control_character_reaches_no_route(one: App) -> None:
    path, body = WITH_BODY[one.name]
    handler = make_handler(one.app)
    for control in CONTROLS:
        for asked in (f"{path}{quote(control)}", f"{path}{control}", f"{path[:3]}{quote(control)}{path[3:]}"):
            for event in events("POST", asked, one, body % "a"):
                response = handler(event, Context())
                assert response["statusCode"] == 404, asked
                assert json.loads(response["body"])["error"]["code"] == "not_found"
    for asked in ("/docs", HEALTH[one.name]):
        for spelled, status in ((f"{asked}%0A", 404), (f"{asked}\n", 404), (f"{asked}\n/", 404), (asked, 200)):
            assert {handler(event, Context())["statusCode"] for event in events("GET", spelled, one)} == {status}


def spellings(path: str) -> list[str]:
    """Write a path otherwise, so that it is the same path for whoever decodes it."""
    start, _, end = path.rpartition("/")
    whole = [f"{start}%2F{end}", f"{start}%2f{end}"] if start else []
    return [*whole, f"{start}/%{ord(end[0]):02x}{end[1:]}", f"/%{ord(path[1]):02X}{path[2:]}", f"{path}%2F"]


def test_an_event_whose_path_is_spelled_otherwise_reaches_no_route(one: App) -> None:
    path, body = WITH_BODY[one.name]
    handler = make_handler(one.app)
    for method, route in (("POST", path), ("GET", "/docs"), ("GET", HEALTH[one.name])):
        for asked in [*spellings(route), *(f"{spelled}/" for spelled in spellings(route)[:2])]:
            for event in events(method, asked, one, body % "a"):
                # A short link's code may be all of these, has no POST, and is sent on from a slash at its end.
                permitted = {404, 405, 308} if one.name == "fileshare" else {404}
                assert handler(event, Context())["statusCode"] in permitted, (asked, event)


def test_a_parameter_may_be_encoded_in_any_way(logger_of: Callable[[str], Logger]) -> None:
    router = make_router("/things")

    async def thing(name: str) -> Response:
        return Response(name)

    router.add_api_route("/{name}", thing)
    app = make_application(
        title="t", version="1", description="d", routers=[router], logger=logger_of("things"), docs=False
    )
    handler = make_handler(app)
    for asked, name in (("a%2Db", "a-b"), ("%61", "a"), ("%C3%A9", "é"), ("a%40b.c", "a@b.c"), ("%25", "%")):
        event = RestCaller(handler).event("GET", f"/things/{asked}", {}, {})
        assert base64.b64decode(handler(event, Context())["body"]).decode() == name


def test_the_process_takes_a_path_only_as_it_is_spelled(one: App) -> None:
    path, body = WITH_BODY[one.name]
    with served(one.app) as url, httpx.Client(trust_env=False, headers=one.credentials) as http:
        for asked in [*spellings(path), *spellings("/docs"), *(f"{path}{quote(control)}" for control in CONTROLS)]:
            place = httpx.URL(url).copy_with(raw_path=asked.encode())
            # A short link's code may be all of these, and has no POST.
            assert http.post(place, content=body % "a").status_code in {404, 405}, asked
            assert http.get(place).status_code == 404, asked
        assert http.get(f"{url}{HEALTH[one.name]}").status_code == 200


def test_the_process_sends_on_as_the_function_does(one: App) -> None:
    with served(under("/dev", one.app)) as url, httpx.Client(trust_env=False) as http:
        response = http.get(f"{url}/dev{HEALTH[one.name]}/?a=%2F")

        assert (response.status_code, response.headers["location"]) == (308, "../health?a=%2F")
        assert http.get(f"{url}/dev{HEALTH[one.name]}/", follow_redirects=True).status_code == 200


@pytest.mark.parametrize("caller", [RestCaller, HttpCaller])
def test_what_a_custom_domain_puts_before_a_path_is_taken_away_there_alone(one: App, caller: type[Caller]) -> None:
    handler = make_handler(one.app, base_path="/shop/v1")
    path = HEALTH[one.name]

    def status(asked: str, domain: str) -> int:
        event = caller(handler).event("GET", asked, {}, {})
        event["requestContext"]["domainName"] = domain
        return int(handler(event, Context())["statusCode"])

    own, custom = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "api.example.com"
    private = own.replace(".", "-vpce-0a1b2c3d4e5f60718.", 1)
    assert [status(asked, custom) for asked in (path, f"/shop/v1{path}")] == [200, 200]
    # Whoever asks the API itself goes through its routes with the path as it is, and so through their limits.
    for its_own in (own, private):
        assert [status(asked, its_own) for asked in (path, f"/shop/v1{path}")] == [200, 404]
    assert status(f"/shop/v1ice{path}", custom) == 404
    assert status("/shop/v1", custom) == 404


@pytest.mark.parametrize("value", ["shop", "/", "/shop/", "//", "/a//b", "/a b", "/%41", "/" + "a" * 300])
def test_a_base_path_that_no_mapping_has_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="BASE_PATH"):
        base_path({"BASE_PATH": value})


def test_a_base_path_is_that_of_the_environment() -> None:
    assert [base_path(given) for given in ({}, {"BASE_PATH": " "}, {"BASE_PATH": "/shop/v1"})] == ["", "", "/shop/v1"]


def test_a_body_in_base64_arrives_as_its_bytes(logger_of: Callable[[str], Logger]) -> None:
    router = make_router()
    seen: list[bytes] = []

    async def keep(request: Any) -> Response:
        seen.append(await request.body())
        return Response()

    router.add_route("/x", keep, methods=["POST"])
    app = make_application(title="t", version="1", description="", routers=[router], logger=logger_of("sample"))
    body = bytes(range(256))
    event = RestCaller(make_handler(app)).event("POST", "/x", {}, {})

    make_handler(app)(event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}, Context())

    assert seen == [body]

"""What stands in the log, and what never does."""

import json
import logging
from typing import Any

import pytest

from shared.api_keys import ApiKey
from tests.apps.triggers_api.support import Api, MakeApi
from tests.unit.support import FUNCTION_REQUEST_ID, Refusing, client_error

Capture = pytest.CaptureFixture[str]


def lines(capture: Capture) -> list[dict[str, Any]]:
    """Read the log; every line has to be a JSON object."""
    read = [json.loads(line) for line in capture.readouterr().out.splitlines()]
    assert all(isinstance(line, dict) for line in read)
    return read


def application_lines(capture: Capture) -> list[dict[str, Any]]:
    return [line for line in lines(capture) if "_aws" not in line]


def test_every_request_is_logged_with_method_path_status_duration_and_id(api: Api, capsys: Capture) -> None:
    api.get("/v1/health", headers={"X-Request-ID": "mine"})

    [line] = application_lines(capsys)
    assert line["message"] == "request"
    assert line["level"] == "INFO"
    assert (line["method"], line["path"], line["status"], line["request_id"]) == ("GET", "/v1/health", 200, "mine")
    assert 0 <= line["duration_ms"] < 10_000
    assert line["function_request_id"] == FUNCTION_REQUEST_ID


def test_an_error_is_logged_with_its_code(api: Api, capsys: Capture) -> None:
    api.get("/nowhere")

    assert [line["error_code"] for line in application_lines(capsys)] == ["not_found"]


def test_every_line_of_a_request_has_its_id_and_the_next_request_has_another(api: Api, capsys: Capture) -> None:
    for name in ("first", "second"):
        api.create(headers={"X-Request-ID": name, "Idempotency-Key": name})
        written = application_lines(capsys)
        assert len(written) >= 4
        assert {line["request_id"] for line in written} == {name}


def test_lines_of_other_libraries_are_json_with_the_request_id_too(
    make_api: MakeApi, dynamodb: Any, capsys: Capture
) -> None:
    class Chatty:
        def __getattr__(self, operation: str) -> Any:
            logging.getLogger("some.library").warning("Something is odd.")
            return getattr(dynamodb, operation)

    make_api(client=Chatty()).get("/v1/inbox", headers={"X-Request-ID": "mine"})

    odd = [line for line in application_lines(capsys) if line["message"] == "Something is odd."]
    assert [line["request_id"] for line in odd] == ["mine", "mine"]


def test_the_caller_is_logged_by_name_and_never_by_key(api: Api, stored_key: ApiKey, capsys: Capture) -> None:
    logging.getLogger("botocore").debug("%s", {"X-API-Key": stored_key.clear})
    api.create(headers={"Idempotency-Key": "secret-idempotency-key"})
    api.inbox()
    api.get("/v1/inbox", key="swh_wrong_key")

    written = capsys.readouterr().out
    assert f'"api_key":"unit tests {stored_key.key_id}"' in written
    for secret in (stored_key.clear, stored_key.hashed, "swh_wrong_key", "secret-idempotency-key"):
        assert secret not in written


def test_an_unexpected_error_is_logged_with_its_stack(make_api: MakeApi, dynamodb: Any, capsys: Capture) -> None:
    client = Refusing(dynamodb, client_error("InternalServerError"), "query")

    make_api(client=client).get("/v1/inbox", headers={"X-Request-ID": "mine"})

    written = application_lines(capsys)
    [error] = [line for line in written if line["level"] == "ERROR" and "exception" in line]
    assert error["request_id"] == "mine"
    assert "Traceback (most recent call last)" in error["exception"]
    assert "in page" in error["exception"]
    assert [line["status"] for line in written if line["message"] == "request"] == [500]


def test_dynamodb_calls_are_logged_at_debug_without_what_they_carry(api: Api, capsys: Capture) -> None:
    api.create({"secret": "in-the-payload"})

    calls = [line for line in application_lines(capsys) if line["message"] == "dynamodb"]
    assert [(line["operation"], line["outcome"]) for line in calls] == [("get_item", "ok"), ("put_item", "ok")]
    assert {line["level"] for line in calls} == {"DEBUG"}
    assert all(line["table"].startswith("triggers-api-") and line["duration_ms"] > 0 for line in calls)
    assert "in-the-payload" not in str(calls)


def test_a_call_that_fails_is_logged_with_its_error(make_api: MakeApi, dynamodb: Any, capsys: Capture) -> None:
    make_api(client=Refusing(dynamodb, client_error("ThrottlingException"), "get_item")).get("/v1/inbox")
    make_api(client=Refusing(dynamodb, OSError(), "get_item")).get("/v1/inbox")

    calls = [line for line in application_lines(capsys) if line["message"] == "dynamodb"]
    assert [line["outcome"] for line in calls] == ["ThrottlingException", "OSError"]


@pytest.mark.parametrize("stage", ["dev", "prod", "prod-eu"])
@pytest.mark.parametrize(("production", "shown"), [(False, True), (True, False)])
def test_payloads_are_logged_at_debug_and_never_in_production(
    make_api: MakeApi, capsys: Capture, stage: str, *, production: bool, shown: bool
) -> None:
    make_api(stage=stage, production=production).create({"private": "in-the-payload"})

    assert ("in-the-payload" in capsys.readouterr().out) == shown


def test_debug_lines_stay_out_of_an_info_log(api: Api, logger: Any, capsys: Capture) -> None:
    logger.setLevel("INFO")

    api.create({"private": "in-the-payload"})

    assert [line["message"] for line in application_lines(capsys)] == ["request"]


def test_what_happens_is_counted_in_the_embedded_metric_format(api: Api, capsys: Capture) -> None:
    event_id = api.create(headers={"Idempotency-Key": "one"}).json()["event_id"]
    api.create(headers={"Idempotency-Key": "one"})
    api.post(f"/v1/events/{event_id}/ack")
    api.delete(f"/v1/events/{event_id}")
    api.get("/v1/health")

    metrics = [line for line in lines(capsys) if "_aws" in line]
    described = [line["_aws"]["CloudWatchMetrics"][0] for line in metrics]
    assert {description["Namespace"] for description in described} == {"triggers-api"}
    assert [description["Metrics"][0]["Name"] for description in described] == [
        "EventsCreated",
        "EventsReplayed",
        "EventsAcknowledged",
        "EventsDeleted",
    ]
    assert {(line["service"], line["stage"]) for line in metrics} == {("triggers_api", "dev")}


def test_what_is_logged_between_requests_has_no_request_id(api: Api, logger: Any, capsys: Capture) -> None:
    api.get("/v1/health", headers={"X-Request-ID": "mine"})
    logger.info("Nobody asks.")

    assert "request_id" not in application_lines(capsys)[-1]


def test_the_log_cannot_be_sent_elsewhere(logger: Any) -> None:
    with pytest.raises(AttributeError, match="standard output"):
        logger.registered_handler.setStream(None)

"""What an app's API or AWS refuses is told in a sentence; an error of our own keeps its traceback."""

from __future__ import annotations

import httpx
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sawhorse.cli import main as cli
from shared.api_errors import not_found

REQUEST = httpx.Request("GET", "http://127.0.0.1:1/health")


@pytest.mark.parametrize(
    ("error", "culprit"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Scan"), "AWS"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "AWS"),
        (httpx.ConnectError("refused", request=REQUEST), "The app's API"),
        (httpx.HTTPStatusError("500", request=REQUEST, response=httpx.Response(500)), "The app's API"),
        (not_found("There is no channel with this id."), "The app"),
    ],
    ids=["refused by AWS", "AWS is away", "the API is away", "the API fails", "the app's own words"],
)
def test_what_others_refuse_ends_with_a_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, culprit: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()

    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith(f"sawhorse: {culprit} refused or did not respond: ")
    assert told.endswith(". Fix that and run it again; what was done before it is not taken back.\n")
    assert "Traceback" not in told


def test_an_error_of_our_own_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise KeyError("api_endpoint")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(KeyError):
        cli.main()

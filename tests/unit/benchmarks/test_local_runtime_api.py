"""The Runtime API that functions are measured with, asked over real connections."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.runtime_api import VERSION, RuntimeApi


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    made = RuntimeApi()
    yield made
    made.close()


@pytest.fixture
def in_background() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Run a function's side of the conversation, and wait for its end."""
    threads: list[threading.Thread] = []

    def run(work: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield run
    for thread in threads:
        thread.join()


def alive() -> bool:
    return True


def asks(api: RuntimeApi, tells: str, body: bytes) -> None:
    """Ask for an event and tell what came of it, as a function's process does."""
    connection = http.client.HTTPConnection(api.address, timeout=5)
    connection.request("GET", f"{VERSION}/invocation/next")
    event = connection.getresponse()
    request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    event.read()
    connection.request("POST", f"{VERSION}/invocation/{request_id}/{tells}", body=iter([body]), encode_chunked=True)
    connection.getresponse().read()
    connection.close()


def test_an_event_gets_a_response_and_is_timed(
    api: RuntimeApi, in_background: Callable[[Callable[[], None]], None]
) -> None:
    in_background(lambda: asks(api, "response", b'{"statusCode": 200}'))
    api.wait_until_ready(alive)
    response, seconds = api.invoke({"path": "/"}, alive)
    assert response == {"statusCode": 200}
    assert 0 < seconds < 5


def test_a_function_that_fails_is_not_measured(
    api: RuntimeApi, in_background: Callable[[Callable[[], None]], None]
) -> None:
    in_background(lambda: asks(api, "error", json.dumps({"errorType": "KeyError"}).encode()))
    api.wait_until_ready(alive)
    with pytest.raises(NotMeasured, match="KeyError"):
        api.invoke({}, alive)


def test_a_handler_that_cannot_be_imported_is_not_measured(
    api: RuntimeApi, in_background: Callable[[Callable[[], None]], None]
) -> None:
    def fails() -> None:
        connection = http.client.HTTPConnection(api.address, timeout=5)
        connection.request("POST", f"{VERSION}/init/error", body=b'{"errorType": "Runtime.ImportModuleError"}')
        connection.getresponse().read()
        connection.close()

    in_background(fails)
    with pytest.raises(NotMeasured, match=r"init error: .*ImportModuleError"):
        api.wait_until_ready(alive)


def test_a_process_that_ended_is_not_waited_for(api: RuntimeApi) -> None:
    with pytest.raises(NotMeasured, match="ended"):
        api.wait_until_ready(lambda: False)

"""What rings for what goes wrong: made to happen on the local AWS, measured there, and held against the alarms.

The local AWS counts no metrics. So each is taken from where CloudWatch takes it: statuses and times of real responses,
errors of real calls, real lines of the log through the metric filters that stand there, and the queues themselves.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from sawhorse.build.zip_writer import zip_of
from tests.apps.every.end_to_end.logs_support import everything_logged
from tests.apps.stock_track_record.end_to_end.test_stock_track_record import (
    WORKER,
    channel_with_a_pick,
    counts,
    eventually,
)
from tests.end_to_end.support import Sawhorse, applied
from tests.filter_patterns import counted
from tests.http_servers import responding
from tests.ringing import Measured, Metric, Ringing, metric, ring

pytestmark = pytest.mark.end_to_end

ROOT, NAME = "dev/stock_track_record", "stock-track-record-dev"
QUEUE = "stock-track-record-jobs-dev"
LETTERS = f"{QUEUE}-dead-letters"
HEALTH = "api/health"
SLOW_SECONDS = 2.7


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """dev/stock_track_record of its own, since these tests break it."""
    with applied(tmp_path_factory.mktemp("alarms"), ROOT) as command:
        yield command


@pytest.fixture(scope="module")
def outputs(sawhorse: Sawhorse) -> dict[str, Any]:
    found: dict[str, Any] = sawhorse.json("outputs", ROOT, "--local")
    return found


@pytest.fixture(scope="module")
def alarms(sawhorse: Sawhorse) -> list[str]:
    """The names of all alarms that the root made, from its state."""
    resources = json.loads(sawhorse.state(ROOT).read_text())["resources"]
    return [
        instance["attributes"]["alarm_name"]
        for resource in resources
        if resource["type"] in {"aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"}
        for instance in resource["instances"]
    ]


class Watch:
    """What CloudWatch would have measured while something went wrong."""

    def __init__(self, sawhorse: Sawhorse, outputs: dict[str, Any]) -> None:
        self.sawhorse = sawhorse
        self.outputs = outputs
        self.http = httpx.Client(base_url=outputs["api_endpoint"], timeout=60, trust_env=False)
        self.responses: list[tuple[int, float]] = []
        self.errors: dict[str, int] = {}
        self.request_ids: list[str] = []
        self.logged_before = {name: set(self.lines(name)) for name in (NAME, WORKER)}

    def lines(self, function: str) -> list[str]:
        return everything_logged(self.sawhorse, ROOT, f"/aws/lambda/{function}").splitlines()

    def new_lines(self, function: str) -> list[str]:
        """Read what was logged since, when the lines of all responses of the application's own are there."""
        wanted = self.request_ids if function == NAME else []
        eventually(lambda: all(any(one in line for line in self.lines(function)) for one in wanted))
        return [line for line in self.lines(function) if line not in self.logged_before[function]]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        started = time.monotonic()
        response = self.http.request(method, path, **more)
        self.responses.append((response.status_code, (time.monotonic() - started) * 1000))
        self.request_ids += [response.headers["X-Request-ID"]] if "X-Request-ID" in response.headers else []
        return response

    def invoke(self, function: str) -> None:
        """Call a function as API Gateway does, and count errors as Lambda does: what the caller is told is one."""
        event = {"version": "2.0", "routeKey": "ANY /{proxy+}", "rawPath": f"/{HEALTH}"}
        told = self.sawhorse.client("lambda", "dev").invoke(
            FunctionName=function, Qualifier="live", Payload=json.dumps(event)
        )
        self.errors[function] = self.errors.get(function, 0) + ("FunctionError" in told)

    def measured(self) -> Measured:
        """Return each metric, all that happened within one period, but for latency, where each call has a minute."""
        found: dict[Metric, list[float]] = {}
        [api] = [one for one in self.sawhorse.client("apigatewayv2", "dev").get_apis()["Items"] if one["Name"] == NAME]
        for name, low, high in (("5xx", 500, 600), ("4xx", 400, 500)):
            number = sum(low <= status < high for status, _ in self.responses)
            found[metric("AWS/ApiGateway", name, ApiId=api["ApiId"], Stage="$default")] = [number]
        times = [milliseconds for _, milliseconds in self.responses]
        found[metric("AWS/ApiGateway", "Latency", ApiId=api["ApiId"], Stage="$default")] = times
        for function, errors in self.errors.items():
            found[metric("AWS/Lambda", "Errors", FunctionName=function)] = [errors]
        logs = self.sawhorse.client("logs", "dev")
        for function in self.logged_before:
            lines = self.new_lines(function)
            for one in logs.describe_metric_filters(logGroupName=f"/aws/lambda/{function}")["metricFilters"]:
                [published] = one["metricTransformations"]
                values = counted(one["filterPattern"], published["metricValue"], lines)
                summed = [max(values)] if values and published["metricValue"] != "1" else [sum(values)]
                found[metric(published["metricNamespace"], published["metricName"])] = summed
        sqs = self.sawhorse.client("sqs", "dev")
        for name in (QUEUE, LETTERS):
            waiting, _ = counts(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])
            found[metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name)] = [waiting]
        return found


@pytest.fixture
def watch(sawhorse: Sawhorse, outputs: dict[str, Any]) -> Iterator[Watch]:
    watch = Watch(sawhorse, outputs)
    with watch.http:
        yield watch


@pytest.fixture
def rings(sawhorse: Sawhorse, alarms: list[str]) -> Callable[[str, Watch], Ringing]:
    """Say which alarms go off for what was watched, and show it with its cause."""

    def what_rings(cause: str, watch: Watch) -> Ringing:
        found = ring(sawhorse.client("cloudwatch", "dev"), alarms, watch.measured())
        parts = sorted(found.red - found.telling)
        quiet = f" (of them tell nobody themselves: {', '.join(parts)})" if parts else ""
        sys.stdout.write(f"\n{cause}: somebody is told by {', '.join(sorted(found.telling)) or 'nothing'}{quiet}\n")
        return found

    return what_rings


@contextmanager
def live(sawhorse: Sawhorse, change: Callable[[Any], object], undo: Callable[[Any], object]) -> Iterator[None]:
    """Make a changed version of the function live; in the end the one before, and nothing is left of the change."""
    awslambda = sawhorse.client("lambda", "dev")
    before = awslambda.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"]
    change(awslambda)
    version = awslambda.publish_version(FunctionName=NAME)["Version"]
    awslambda.update_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
    try:
        yield
    finally:
        awslambda.update_alias(FunctionName=NAME, Name="live", FunctionVersion=before)
        undo(awslambda)


def test_nothing_rings_while_all_is_well(watch: Watch, rings: Callable[[str, Watch], Ringing]) -> None:
    channel_with_a_pick(watch.http)
    assert [watch.ask("GET", path).status_code for path in (HEALTH, "api/channels", "api/nowhere")] == [200, 200, 404]
    watch.invoke(NAME)

    assert rings("Nothing", watch) == Ringing(frozenset(), frozenset())


def test_an_import_error_rings_once(sawhorse: Sawhorse, watch: Watch, rings: Callable[[str, Watch], Ringing]) -> None:
    handler = sawhorse.client("lambda", "dev").get_function_configuration(FunctionName=NAME)["Handler"]
    module = f"{handler.rpartition('.')[0].replace('.', '/')}.py"
    broken = zip_of({module: b"import of_nothing_that_is_there\n"})
    ours = (sawhorse.project.path / "dist/stock_track_record.zip").read_bytes()

    def upload(zipped: bytes) -> Callable[[Any], object]:
        return lambda client: client.update_function_code(FunctionName=NAME, ZipFile=zipped)

    with live(sawhorse, upload(broken), upload(ours)):
        assert watch.ask("GET", HEALTH).status_code == 500
        watch.invoke(NAME)
        found = rings("An import error", watch)

    assert found.telling == {f"{NAME}-failing"}
    assert found.red - found.telling == {f"{NAME}-errors", f"{NAME}-5xx"}


def test_a_handled_500_rings_once_though_it_is_no_error_to_lambda(
    sawhorse: Sawhorse, outputs: dict[str, Any], watch: Watch, rings: Callable[[str, Watch], Ringing]
) -> None:
    iam, role = sawhorse.client("iam", "dev"), outputs["lambda_role_arn"].rpartition("/")[2]
    granted = json.dumps(iam.get_role_policy(RoleName=role, PolicyName="grants")["PolicyDocument"])
    iam.delete_role_policy(RoleName=role, PolicyName="grants")
    try:
        response = watch.ask("GET", "api/channels")
        watch.invoke(NAME)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="grants", PolicyDocument=granted)
    # The application's own response, with its shape.
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert watch.errors == {NAME: 0}

    found = rings("A handled 500", watch)

    assert found.telling == {f"{NAME}-failing"}
    assert found.red - found.telling == {f"{NAME}-server-errors", f"{NAME}-5xx"}


def test_a_message_that_cannot_be_processed_rings_as_a_dead_letter(
    sawhorse: Sawhorse, outputs: dict[str, Any], watch: Watch, rings: Callable[[str, Watch], Ringing]
) -> None:
    sqs, letters = sawhorse.client("sqs", "dev"), outputs["sqs_dead_letter_queue_url"]
    sqs.send_message(QueueUrl=outputs["sqs_queue_url"], MessageBody='{"version": 2}')
    eventually(lambda: counts(sqs, letters) == (1, 0))

    found = rings("A message that cannot be processed", watch)

    sqs.purge_queue(QueueUrl=letters)
    assert found == Ringing(frozenset({f"{QUEUE}-dead-letters"}), frozenset({f"{QUEUE}-dead-letters"}))


class SlowTable(BaseHTTPRequestHandler):
    """A proxy of HTTP that hands every call of DynamoDB on as it came, and waits before its response."""

    protocol_version = "HTTP/1.1"
    seconds = SLOW_SECONDS

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("X-Amz-Target", "").startswith("DynamoDB"):
            time.sleep(self.seconds)
        address = urlsplit(self.path)
        with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)) as onward:
            onward.request("POST", address.path or "/", body, dict(self.headers))
            response = onward.getresponse()
            content = response.read()
        # Whoever waited too long has gone.
        with suppress(ConnectionError):
            self.respond(response, content)

    def respond(self, response: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def slow_table(sawhorse: Sawhorse, seconds: float) -> Iterator[None]:
    """Let the function reach DynamoDB through a proxy that waits so long before each response."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Slow", (SlowTable,), {"seconds": seconds}))
    awslambda = sawhorse.client("lambda", "dev")
    variables = awslambda.get_function_configuration(FunctionName=NAME)["Environment"]["Variables"]
    slow = {**variables, "HTTP_PROXY": f"http://127.0.0.1:{server.server_port}"}

    def given(environment: dict[str, str]) -> Callable[[Any], object]:
        words = {"FunctionName": NAME, "Environment": {"Variables": environment}}
        return lambda client: client.update_function_configuration(**words)

    with responding(server), live(sawhorse, given(slow), given(variables)):
        yield


def test_a_slow_table_rings_as_slow_responses(
    sawhorse: Sawhorse, watch: Watch, rings: Callable[[str, Watch], Ringing]
) -> None:
    channel = channel_with_a_pick(watch.http)
    with slow_table(sawhorse, SLOW_SECONDS):
        statuses = [watch.ask("POST", f"api/channels/{channel}/process").status_code for _ in range(3)]
        watch.invoke(NAME)
    assert statuses == [202, 202, 202]

    found = rings(f"A table that takes {SLOW_SECONDS} s for each response", watch)

    assert found == Ringing(frozenset({f"{NAME}-latency"}), frozenset({f"{NAME}-latency"}))


def test_a_table_that_does_not_respond_in_time_rings_as_failing_and_as_slow(
    sawhorse: Sawhorse, watch: Watch, rings: Callable[[str, Watch], Ringing]
) -> None:
    with slow_table(sawhorse, 10):
        statuses = [watch.ask("GET", "api/channels").status_code for _ in range(3)]
        watch.invoke(NAME)
    assert statuses == [500, 500, 500]

    found = rings("A table that does not respond in time", watch)

    assert found.telling == {f"{NAME}-failing", f"{NAME}-latency"}
    assert found.red - found.telling == {f"{NAME}-server-errors", f"{NAME}-5xx"}


def test_one_slow_response_rings_nothing(
    sawhorse: Sawhorse, watch: Watch, rings: Callable[[str, Watch], Ringing]
) -> None:
    channel = channel_with_a_pick(watch.http)
    with slow_table(sawhorse, SLOW_SECONDS):
        assert watch.ask("POST", f"api/channels/{channel}/process").status_code == 202
    assert watch.ask("GET", HEALTH).status_code == 200

    assert rings("One slow response", watch).red == frozenset()


def test_smoke_says_whether_somebody_is_told(sawhorse: Sawhorse) -> None:
    ended = sawhorse.run("smoke", ROOT, "--local", "--alarms")
    assert ended.returncode == 1
    assert f"Nobody hears {NAME}-failing: {NAME}-alarms has no subscription." in ended.stdout

    sns, sqs = sawhorse.client("sns", "dev"), sawhorse.client("sqs", "dev")
    [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(f":{NAME}-alarms")]
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    said = sawhorse("smoke", ROOT, "--local", "--alarms")

    sys.stdout.write(said)
    assert f"{NAME}-failing was set to ALARM and back." in said
    assert f"sqs {arn} ({NAME}-alarms): was told." in said
    assert "The local AWS keeps an alarm's state and tells nobody" in said
    [received] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(json.loads(received["Body"])["Message"])["AlarmName"] == f"{NAME}-failing"
    told = sawhorse.json("smoke", ROOT, "--local", "--alarms")
    assert (told["passed"], told["alarm"]) == (True, f"{NAME}-failing")

"""Checks that the smoke suites of several apps have in common."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import httpx
from botocore.exceptions import ClientError

from sawhorse.local.clients import local_client
from sawhorse.local.credentials import role_credentials
from sawhorse.local.emulators import Running
from sawhorse.operate.invoking import FIRST, SECOND, FunctionTransport, batch_of
from sawhorse.operate.smoke import Check, CheckFailed, expect, expect_status
from sawhorse.outputs import API_ENDPOINT, FUNCTION_NAME, LOG_GROUP, ROLE_ARN
from sawhorse.workspace import Deployment

ALIAS = "live"
# In the policy of a function, whose API may call it.
API_IN_POLICY = re.compile(r"arn:[a-z-]+:execute-api:[^:]*:[0-9]*:(?P<id>[a-z0-9]+)/")
# CloudWatch Logs shows a line some seconds after it was written.
LOG_SECONDS = 60.0
# In an app's version.py.
VERSION = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)
# What a page loads, and an address that is not seen from the page.
PAGE_PARTS = re.compile(r'(?:src|href)="([^"]*)"')
PAGE_ELSEWHERE = re.compile(r"[a-z]+:|/")


@contextmanager
def open_http(deployment: Deployment, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """Open a client of the deployment's API, whose calls carry a request id of this run.

    Where the deployment names versions, each request invokes that of the API's function in place of the API.
    """
    base = httpx.URL(deployment.output(API_ENDPOINT.name))
    with httpx.Client(
        base_url=base,
        transport=transport_of(deployment, base),
        timeout=35,
        trust_env=deployment.local is None,
        headers={"X-Request-ID": f"smoke-{uuid.uuid4()}", **(headers or {})},
        event_hooks={"response": [deployment.calls.responded]},
    ) as http:
        yield http


def transport_of(deployment: Deployment, base: httpx.URL) -> FunctionTransport | None:
    """Return what invokes a version in place of the API; None where `live` is called over HTTP."""
    if not deployment.versions:
        return None
    name = deployment.output(FUNCTION_NAME.name)
    version = deployment.versions.get(name)
    if version is None:
        return None
    return FunctionTransport(
        deployment.client("lambda"), name, version, base=base, payload=payload_of(deployment, name)
    )


def payload_of(deployment: Deployment, name: str) -> str:
    """Return the version of the events that the API of a function sends: whose API it is, its policy says."""
    policy = deployment.client("lambda").get_policy(FunctionName=name, Qualifier=ALIAS)["Policy"]
    found = API_IN_POLICY.search(policy)
    if found is None:
        # A function URL sends what an HTTP API does.
        return SECOND
    apis = deployment.client("apigatewayv2")
    try:
        integrations = apis.get_integrations(ApiId=found["id"])["Items"]
    except apis.exceptions.NotFoundException:
        return FIRST
    return str(integrations[0].get("PayloadFormatVersion", SECOND)) if integrations else FIRST


def worker_takes(deployment: Deployment, name: str, queue_arn: str, bodies: Sequence[str]) -> list[str]:
    """Hand a batch of messages to a function as its queue does, and return the bodies of those that it gives back.

    It goes to the version that the deployment names, else to `live`. Fails the check when the function raises.
    """
    event = batch_of(queue_arn, bodies)
    response = deployment.client("lambda").invoke(
        FunctionName=name, Qualifier=deployment.qualifier(name), Payload=json.dumps(event).encode()
    )
    content = response["Payload"].read().decode()
    expect(not response.get("FunctionError"), f"{name} raised: {content[:300]}")
    given_back = {failure["itemIdentifier"] for failure in json.loads(content)["batchItemFailures"]}
    return [record["body"] for record in event["Records"] if record["messageId"] in given_back]


class CleaningChecks(Protocol):
    """Checks of one run that make things, and can take them away again."""

    def in_order(self) -> Sequence[Check]:
        """Return the checks in the order in which they build on one another."""

    def clean_up(self) -> None:
        """Take away what they have made, also after one failed."""


@contextmanager
def cleaned_up(
    deployment: Deployment, make: Callable[[Deployment, httpx.Client], CleaningChecks]
) -> Iterator[Sequence[Check]]:
    """Yield the checks of a run with a client of the API, and take away afterwards what they have made."""
    with open_http(deployment) as http:
        checks = make(deployment, http)
        try:
            yield checks.in_order()
        finally:
            # Nothing was made where nothing may be.
            if deployment.may_write:
                checks.clean_up()


def eventually(look: Callable[[], Any], *, seconds: float, finding: str) -> Any:
    """Look until something is there, and return it; fail with what was found when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise CheckFailed(finding)
        time.sleep(0.3)
    return found


def expect_version(deployment: Deployment, response: httpx.Response) -> str:
    """Fail unless health names a version, that of the package which runs where this machine has it; return it."""
    expect_status(response, 200)
    version = response.json().get("version")
    expect(version, f"The response names no version: {response.text}")
    packaged = packaged_version(deployment)
    expect(packaged in (None, version), f"It says version {version}, and the package that runs has {packaged}.")
    return str(version)


def packaged_version(deployment: Deployment) -> str | None:
    """Return the version in the package that is called; None when that package is not on this machine."""
    root, name = deployment.root, deployment.output(FUNCTION_NAME.name)
    qualifier = deployment.qualifier(name)
    running = deployment.client("lambda").get_function_configuration(FunctionName=name, Qualifier=qualifier)[
        "CodeSha256"
    ]
    for directory in (root.project.local / "project/dist", root.project.path / "dist"):
        package = directory / f"{root.app}.zip"
        if package.is_file() and base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode() == running:
            with zipfile.ZipFile(package) as opened:
                found = VERSION.search(opened.read(f"{root.app}/version.py").decode())
            return found[1] if found else None
    return None


def pages_work(http: httpx.Client) -> None:
    """Open the API's pages with all that they load, under whatever prefix they lie."""
    page = http.get("docs")
    if "/docs" not in http.get("no-such-page/at-all").json()["error"]["message"]:
        # The function says that it has none, as a root may decide.
        for absent in (page, http.get("openapi.json")):
            expect_status(absent, 404)
        return
    expect_status(page, 200)
    named = [address for address in PAGE_PARTS.findall(page.text) if not address.startswith("data:")]
    expect("openapi.json" in named, "The page does not load openapi.json")
    for address in named:
        expect(not PAGE_ELSEWHERE.match(address), f"The page loads {address}, which is not the API's own.")
        expect_status(http.get(address), 200)


def allowed_origin(deployment: Deployment) -> str:
    """Return an origin that the deployment lets in now: an operator can change them with -var.

    An HTTP API has them itself; behind a REST API the function has them.
    """
    name = deployment.output(FUNCTION_NAME.name)
    pages = deployment.client("apigatewayv2").get_paginator("get_apis").paginate()
    apis = [api for page in pages for api in page["Items"] if api["ApiId"] in deployment.output(API_ENDPOINT.name)]
    if apis:
        origins: list[str] = apis[0]["CorsConfiguration"]["AllowOrigins"]
    else:
        function = deployment.client("lambda").get_function_configuration(FunctionName=name)
        origins = function["Environment"]["Variables"]["CORS_ORIGINS"].split(",")
    return "https://app.example.com" if origins[0] == "*" else origins[0]


def cors_headers_come(
    deployment: Deployment, http: httpx.Client, path: str, *, methods: set[str], headers: str
) -> None:
    """Send a preflight as a browser does for a request from an origin that is let in."""
    origin = allowed_origin(deployment)
    response = http.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": min(methods),
            "Access-Control-Request-Headers": headers,
        },
    )
    expect(response.is_success, f"OPTIONS returned {response.status_code}: {response.text[:300]}")
    allowed = response.headers.get("access-control-allow-origin")
    expect(allowed in ("*", origin), f"Access-Control-Allow-Origin is {allowed!r}")
    told = response.headers.get("access-control-allow-methods", "")
    expect(methods <= {method.strip() for method in told.split(",")} or told == "*", f"Methods are {told!r}")


def log_line_appears(deployment: Deployment, http: httpx.Client, path: str) -> None:
    """Call a path with a request id of its own, and find that id in the function's log, which it may write."""
    role_may_log(deployment)
    logs = deployment.client("logs")
    request_id = str(uuid.uuid4())
    start = int(time.time() * 1000) - 60_000
    expect_status(http.get(path, headers={"X-Request-ID": request_id}), 200)
    group = deployment.output(LOG_GROUP.name)

    def found() -> bool:
        # A page may be empty while later ones are not.
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start, filterPattern=f'"{request_id}"'
        )
        return any(page["events"] for page in pages)

    eventually(found, seconds=LOG_SECONDS, finding=f"No line in {group} has request id {request_id}.")


def role_may_not_scan(
    deployment: Deployment, table_output: str, *, allowed: str, role_output: str = ROLE_ARN.name
) -> None:
    """Ask IAM about a scan of a table and about what is `allowed`; on the local AWS also try the scan as the role."""
    arn = arn_of_table(deployment, table_output)
    decisions = simulated(deployment, arn, ["dynamodb:Scan", allowed], role_output=role_output)
    expect(decisions.get("dynamodb:Scan") != "allowed", "IAM says that the role may scan the table.")
    expect(decisions.get(allowed) == "allowed", f"IAM says that the role may not even do {allowed}.")
    if deployment.local:
        try_to_scan(deployment, deployment.local, deployment.output(table_output), deployment.output(role_output))


def role_may(deployment: Deployment, arn: str, actions: Sequence[str], *, role_output: str = ROLE_ARN.name) -> None:
    """Ask IAM about actions on a resource that no call of a check shows."""
    decisions = simulated(deployment, arn, actions, role_output=role_output)
    refused = [action for action in actions if decisions.get(action) != "allowed"]
    expect(not refused, f"IAM says that {deployment.output(role_output)} may not do {', '.join(refused)} on {arn}.")


def role_may_log(
    deployment: Deployment, *, group_output: str = LOG_GROUP.name, role_output: str = ROLE_ARN.name
) -> None:
    """Ask IAM whether a function may write its log: without that it runs, and nobody sees what it says."""
    role = deployment.output(role_output)
    partition, environment = role.split(":", 2)[1], deployment.environment
    group = f"arn:{partition}:logs:{environment.region}:{environment.account_id}:log-group:"
    stream = f"{group}{deployment.output(group_output)}:log-stream:smoke"
    role_may(deployment, stream, ["logs:CreateLogStream", "logs:PutLogEvents"], role_output=role_output)


def simulated(deployment: Deployment, arn: str, actions: Sequence[str], *, role_output: str) -> dict[str, str]:
    """Return what IAM decides of a role's actions on a resource, by their names, such as `allowed`."""
    found = deployment.client("iam").simulate_principal_policy(
        PolicySourceArn=deployment.output(role_output), ActionNames=list(actions), ResourceArns=[arn]
    )
    return {one["EvalActionName"]: one["EvalDecision"] for one in found["EvaluationResults"]}


def arn_of_table(deployment: Deployment, table_output: str) -> str:
    name = deployment.output(table_output)
    return str(deployment.client("dynamodb").describe_table(TableName=name)["Table"]["TableArn"])


def try_to_scan(deployment: Deployment, local: Running, table_name: str, role_arn: str) -> None:
    account = local.variables(deployment.environment)
    # Whoever deploys makes no function besides the root's own.
    credentials = role_credentials(lambda service: local_client(service, account), role_arn)
    dynamodb = local_client("dynamodb", {**account, **credentials})
    try:
        dynamodb.scan(TableName=table_name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect(code == "AccessDeniedException", f"The scan failed with {code}, not with AccessDeniedException.")
        return
    raise CheckFailed("The role's credentials could scan the table.")

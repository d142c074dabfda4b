"""Clients, roles, functions and APIs on the local AWS, named so that tests keep apart."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import httpx
from botocore.config import Config

from sawhorse.build.zip_writer import zip_of
from sawhorse.local.emulators import Running

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
Source = str | Mapping[str, str]


def unique(word: str) -> str:
    return f"{word}-{secrets.token_hex(4)}"


def package(source: Source) -> bytes:
    """Zip a function's sources; a text alone is `app.py`."""
    sources = {"app.py": source} if isinstance(source, str) else source
    return zip_of({name: text.encode() for name, text in sources.items()})


class Account:
    """What tests do in one account of the local AWS."""

    def __init__(self, running: Running, account_id: str = ACCOUNT) -> None:
        self.running = running
        self.account_id = account_id
        self.session = boto3.session.Session(account_id, running.secrets.secret_access_key, region_name="us-east-1")

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """Return a client as the account's root, or with a role's credentials; failures are not tried again."""
        session = self.session
        if credentials:
            session = boto3.session.Session(
                credentials["AWS_ACCESS_KEY_ID"],
                credentials["AWS_SECRET_ACCESS_KEY"],
                credentials["AWS_SESSION_TOKEN"],
                region_name="us-east-1",
            )
        moto = service in {"cloudwatch", "application-autoscaling"}
        url = self.running.moto.url if moto else self.running.url
        return session.client(
            service, endpoint_url=url, config=Config(proxies={}, retries={"max_attempts": 0}, inject_host_prefix=False)
        )

    def role(self, *statements: Mapping[str, Any]) -> str:
        """Make a role that functions take, with these permissions and no others, and return its ARN."""
        name = unique("role")
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=json.dumps(document))
        return str(arn)

    def function(self, source: Source, *, role: str | None = None, **options: Any) -> str:
        """Make a function from sources with the handler `app.handler`, and return its name."""
        name = unique("function")
        self.client("lambda").create_function(
            FunctionName=name,
            Role=role or self.role(),
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": package(source)},
            **options,
        )
        return name

    def call(self, function: str, event: Any = None, **options: Any) -> Any:
        """Invoke a function and return what it returns."""
        response = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **options)
        return json.load(response["Payload"])

    def table(self, **options: Any) -> str:
        """Make an on-demand table with the text key `id`, unless the options say otherwise, and return its name."""
        name = unique("table")
        self.client("dynamodb").create_table(
            **{
                "TableName": name,
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                **options,
            }
        )
        return name

    def rest_api(self, function: str, *, stage: str = "dev", qualifier: str = "") -> str:
        """Put a REST API before a function, which gets every path, and return the API's id."""
        gateway = self.client("apigateway")
        api = gateway.create_rest_api(name=unique("api"))["id"]
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        proxy = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
        gateway.put_method(restApiId=api, resourceId=proxy, httpMethod="ANY", authorizationType="NONE")
        gateway.put_integration(
            restApiId=api,
            resourceId=proxy,
            httpMethod="ANY",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=self.invocation_of(function, qualifier),
        )
        gateway.create_deployment(restApiId=api, stageName=stage)
        return str(api)

    def http_api(
        self,
        function: str,
        routes: Mapping[str, bool] | None = None,
        *,
        jwt: Mapping[str, Any] | None = None,
        cors: Mapping[str, Any] | None = None,
        qualifier: str = "",
    ) -> str:
        """Put an HTTP API before a function, and return the API's id; a route says whether it asks for a token."""
        gateway = self.client("apigatewayv2")
        options = {"CorsConfiguration": cors} if cors else {}
        api = gateway.create_api(Name=unique("api"), ProtocolType="HTTP", **options)["ApiId"]
        integration = gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=self.invocation_of(function, qualifier),
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        asking = {}
        if jwt:
            authorizer = gateway.create_authorizer(
                ApiId=api,
                Name="jwt",
                AuthorizerType="JWT",
                IdentitySource=["$request.header.Authorization"],
                JwtConfiguration=jwt,
            )
            asking = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}
        for key, asks in (routes or {"$default": False}).items():
            more = asking if asks else {}
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}", **more)
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        return str(api)

    def queue(self, **attributes: str) -> str:
        """Make a queue and return its URL."""
        return str(self.client("sqs").create_queue(QueueName=unique("queue"), Attributes=attributes)["QueueUrl"])

    def arn_of_queue(self, url: str) -> str:
        return f"arn:aws:sqs:us-east-1:{self.account_id}:{url.rpartition('/')[2]}"

    def work_on(self, queue: str, function: str, **options: Any) -> str:
        """Let a function work on a queue and report what failed, and return the mapping's id."""
        mapping = self.client("lambda").create_event_source_mapping(
            EventSourceArn=self.arn_of_queue(queue),
            FunctionName=function,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **options,
        )
        return str(mapping["UUID"])

    def invocation_of(self, function: str, qualifier: str = "") -> str:
        arn = f"arn:aws:lambda:us-east-1:{self.account_id}:function:{function}{qualifier and ':'}{qualifier}"
        return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def unsigned(running: Running) -> httpx.Client:
    """Return a client as a browser is one: without any key."""
    return httpx.Client(base_url=running.url, timeout=20, trust_env=False)


def eventually(look: Callable[[], Any], seconds: float = 10) -> Any:
    """Look until something is there, and return it, or the last nothing."""
    deadline = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found

"""What the local STS takes for a web identity: a token of the issuer's own, for now, this provider and this role."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sawhorse.local.emulators import Running
from sawhorse.local.issuer import Issuer
from sawhorse.project import Project
from tests.contracts.support import Account, unique

GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SUBJECT = "repo:acme/shop:environment:dev"


class Trust:
    """A role that trusts one subject of a provider, and who asks for it with a token."""

    def __init__(self, account: Account, issuer: Issuer) -> None:
        self.account = account
        self.issuer = issuer
        self.host = unique("issuer") + ".example.com"
        made = account.client("iam").create_open_id_connect_provider(
            Url=f"https://{self.host}", ClientIDList=[AUDIENCE]
        )
        self.provider = made["OpenIDConnectProviderArn"]
        wanted = {f"{self.host}:aud": AUDIENCE, f"{self.host}:sub": SUBJECT}
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": self.provider},
            "Condition": {"StringEquals": wanted},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = account.client("iam").create_role(RoleName=unique("web"), AssumeRolePolicyDocument=document)
        self.role = role["Role"]["Arn"]
        self.sts: Any = boto3.session.Session().client(
            "sts",
            region_name="us-east-1",
            endpoint_url=account.running.url,
            config=Config(signature_version=UNSIGNED, proxies={}, retries={"max_attempts": 0}),
        )

    def token(self, issuer: Issuer | None = None, **claims: Any) -> str:
        given = {"subject": SUBJECT, "audience": AUDIENCE, "iss": f"https://{self.host}", **claims}
        return (issuer or self.issuer).token(**given)

    def assume(self, token: str) -> Any:
        return self.sts.assume_role_with_web_identity(
            RoleArn=self.role, RoleSessionName="contract", WebIdentityToken=token
        )

    def refusal(self, token: str) -> tuple[str, int]:
        with pytest.raises(ClientError) as refused:
            self.assume(token)
        return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="module")
def trust(account: Account, local_aws_project: Project) -> Trust:
    return Trust(account, Issuer.of(local_aws_project))


def test_a_token_of_the_issuer_gets_a_session_that_says_whose_it_is(trust: Trust) -> None:
    found = trust.assume(trust.token())
    assert (found["SubjectFromWebIdentityToken"], found["Audience"]) == (SUBJECT, AUDIENCE)
    assert found["Provider"] == trust.provider
    given = found["Credentials"]
    credentials = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    caller = trust.account.client("sts", credentials).get_caller_identity()["Arn"]
    assert caller == f"{trust.role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/contract"


def changed(token: str, **claims: Any) -> str:
    """Change what a signed token claims, and leave its signature."""
    header, body, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | claims
    body = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"{header}.{body}.{signature}"


def unsigned_token(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


def forged(trust: Trust) -> str:
    """Sign with another key under the name of the issuer's own."""
    other = Issuer.new(trust.issuer.url)
    return trust.token(Issuer(other.url, other.key, trust.issuer.key_id))


REFUSED: dict[str, tuple[Callable[[Trust], str], str]] = {
    "a forged signature": (forged, "InvalidIdentityToken"),
    "a key that the issuer has not": (lambda trust: trust.token(Issuer.new(trust.issuer.url)), "InvalidIdentityToken"),
    "a changed subject": (
        lambda trust: changed(trust.token(), sub="repo:acme/other:environment:dev"),
        "InvalidIdentityToken",
    ),
    "no signature": (lambda trust: unsigned_token(trust.token()), "InvalidIdentityToken"),
    "no token": (lambda _: "x" * 20, "InvalidIdentityToken"),
    "an expired token": (lambda trust: trust.token(lifetime_seconds=-1), "ExpiredTokenException"),
    "a token for later": (lambda trust: trust.token(nbf=int(time.time()) + 600), "InvalidIdentityToken"),
    "a token from the future": (lambda trust: trust.token(iat=int(time.time()) + 600), "InvalidIdentityToken"),
    "a token that never ends": (lambda trust: trust.token(exp="never"), "InvalidIdentityToken"),
    "another issuer": (lambda trust: trust.token(iss="https://other.example.com"), "InvalidIdentityToken"),
    "another audience": (lambda trust: trust.token(audience="https://github.com/acme"), "InvalidIdentityToken"),
    "another subject": (lambda trust: trust.token(subject="repo:acme/shop:environment:production"), "AccessDenied"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_token_that_proves_nothing_is_refused_with_awss_own_code(trust: Trust, name: str) -> None:
    make, code = REFUSED[name]
    assert trust.refusal(make(trust)) == (code, 403 if code == "AccessDenied" else 400)


def test_a_deleted_provider_takes_no_token_any_more(account: Account, local_aws_project: Project) -> None:
    trust = Trust(account, Issuer.of(local_aws_project))
    assert trust.assume(trust.token())["Credentials"]
    account.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=trust.provider)
    assert trust.refusal(trust.token()) == ("InvalidIdentityToken", 400)


def test_the_provider_of_another_account_takes_no_token_for_this_one(
    account: Account, other_account: Account, local_aws_project: Project
) -> None:
    trust = Trust(account, Issuer.of(local_aws_project))
    account.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=trust.provider)
    other_account.client("iam").create_open_id_connect_provider(Url=f"https://{trust.host}", ClientIDList=[AUDIENCE])
    assert trust.refusal(trust.token()) == ("InvalidIdentityToken", 400)


@pytest.mark.parametrize("body", ["Action=GetCallerIdentity", "Action=AssumeRoleWithWebIdentity&Action=CreateRole", ""])
def test_no_other_call_comes_in_unsigned(local_aws: Running, body: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = httpx.post(f"{local_aws.url}/", content=f"{body}&Version=2011-06-15", headers=headers, trust_env=False)
    assert response.status_code == 403
    assert "Missing" in response.text


@pytest.mark.parametrize("more", [{"X-Amz-Target": "AWSLambda.CreateFunction"}, {"Origin": "https://example.com"}])
def test_a_call_with_a_token_reaches_sts_whatever_else_it_says(local_aws: Running, more: dict[str, str]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **more}
    role = "RoleArn=arn:aws:iam::111111111111:role/a&RoleSessionName=abc"
    body = f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&{role}&WebIdentityToken=x"
    response = httpx.post(f"{local_aws.url}/", content=body, headers=headers, trust_env=False)
    assert ("InvalidIdentityToken" in response.text) == ("Origin" not in more)
    assert response.status_code == (403 if "Origin" in more else 400)

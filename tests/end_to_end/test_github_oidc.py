"""The roles of `modules/github_oidc`, applied by Terraform, take the tokens that they are for, and no others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.local.issuer import Issuer
from sawhorse.plans.plan import Tool, initialized
from sawhorse.plans.scratch import scratch_root
from sawhorse.project import Project

pytestmark = pytest.mark.end_to_end

ACCOUNT = "111111111111"
ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
DEV = "repo:acme/shop:environment:dev"
# The deployers trust the environments' roles, as those of every root do.
ROOT = """
module "github" {
  source = "../../modules/github_oidc"

  repository = "acme/shop"

  environments = {
    dev        = { deployers = ["arn:aws:iam::111111111111:role/deployers/oidc-shop-dev"] }
    production = { deployers = ["arn:aws:iam::111111111111:role/deployers/oidc-shop-production"] }
  }

  pull_requests = {
    readers = ["arn:aws:iam::111111111111:role/deployers/oidc-reader-dev"]
  }
}

module "numbered" {
  source = "../../modules/github_oidc"

  repository     = "acme/shop"
  repository_ids = { owner = "123456", repository = "456789" }
  provider_arn   = module.github.provider
  name_prefix    = "numbered-"

  environments = { dev = { deployers = ["arn:aws:iam::111111111111:role/deployers/oidc-numbered-dev"] } }
}

resource "aws_iam_role" "deployer" {
  for_each = {
    oidc-shop-dev        = module.github.environments["dev"]
    oidc-shop-production = module.github.environments["production"]
    oidc-reader-dev      = module.github.pull_requests
  }

  name = each.key
  path = "/deployers/"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = each.value } }]
  })
}

output "roles" {
  value = merge(module.github.environments, {
    pull_requests = module.github.pull_requests
    numbered      = module.numbered.environments["dev"]
  })
}

output "subjects" {
  value = module.github.subjects
}
"""


class Applied(NamedTuple):
    """The module as it stands: its roles and subjects, the issuer in GitHub's place, and where both are reached."""

    roles: dict[str, str]
    subjects: dict[str, str]
    issuer: Issuer
    url: str

    def token(self, **claims: Any) -> str:
        """Sign a token as GitHub does, for a job in the environment dev unless the claims say otherwise."""
        return self.issuer.token(**{"subject": DEV, "audience": AUDIENCE, "iss": ISSUER, **claims})

    def session(self, role: str, token: str) -> dict[str, str]:
        """Take a role with a token, unsigned as a job does; raises ClientError."""
        client: Any = boto3.session.Session().client(
            "sts",
            region_name="us-east-1",
            endpoint_url=self.url,
            config=Config(signature_version=UNSIGNED, proxies={}, retries={"max_attempts": 0}),
        )
        taken = client.assume_role_with_web_identity(
            RoleArn=self.roles[role], RoleSessionName="job", WebIdentityToken=token
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }

    def refusal(self, role: str, token: str) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.session(role, token)
        found = refused.value.response["Error"]
        return found["Code"], found["Message"]


@pytest.fixture(scope="module")
def applied(
    tmp_path_factory: pytest.TempPathFactory,
    repository: Path,
    terraform: Tool,
    local_aws: Running,
    local_aws_project: Project,
) -> Iterator[Applied]:
    """The module, applied by Terraform to the local AWS; the provider goes with the end of the file."""
    directory = scratch_root(repository, tmp_path_factory.mktemp("github"), "github")
    (directory / "main.tf").write_text(ROOT)
    tool = Tool(terraform.binary, {**terraform.environment, **local_aws.environment(ACCOUNT)})
    runner = initialized(tool, directory)
    runner.apply(output=False)
    said = runner.output()
    yield Applied(said["roles"], said["subjects"], Issuer.of(local_aws_project), local_aws.url)
    runner.destroy()
    shutil.rmtree(directory)


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("dev", DEV),
        ("production", "repo:acme/shop:environment:production"),
        ("pull_requests", "repo:acme/shop:pull_request"),
        ("numbered", "repo:acme@123456/shop@456789:environment:dev"),
    ],
)
def test_a_job_of_the_repository_takes_the_role_of_its_environment(applied: Applied, role: str, subject: str) -> None:
    assert applied.session(role, applied.token(subject=subject))


DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("repo:acme/other:environment:dev", id="another repository"),
        pytest.param("repo:Acme/shop:environment:dev", id="another owner"),
        pytest.param("repo:acme/shop:environment:production", id="another environment"),
        pytest.param("repo:acme/shop:environment:Dev", id="another case"),
        pytest.param("repo:acme/shop:ref:refs/heads/main", id="a branch without an environment"),
        pytest.param("repo:acme/shop:pull_request", id="a pull request"),
        pytest.param("repo:acme@123456/shop@456789:environment:dev", id="a subject with numbers"),
        pytest.param("repo:acme/shop:environment:dev:job_workflow_ref:acme/shop/x.yml@main", id="a customised subject"),
        pytest.param("repo:acme/*:environment:dev", id="a wildcard"),
    ],
)
def test_the_token_of_another_job_is_refused(applied: Applied, subject: str) -> None:
    assert applied.refusal("dev", applied.token(subject=subject)) == DENIED


@pytest.mark.parametrize("role", ["dev", "production"])
def test_a_pull_request_takes_no_environments_role(applied: Applied, role: str) -> None:
    assert applied.refusal(role, applied.token(subject="repo:acme/shop:pull_request")) == DENIED


def test_a_repository_with_numbers_is_told_from_the_next_owner_of_its_name(applied: Applied) -> None:
    for subject in (
        DEV,
        "repo:acme@123457/shop@456789:environment:dev",
        "repo:acme@123456/shop@999999:environment:dev",
    ):
        assert applied.refusal("numbered", applied.token(subject=subject)) == DENIED


def test_a_token_for_others_or_of_another_time_or_signature_is_refused(applied: Applied) -> None:
    forger = Issuer.new(applied.issuer.url)
    forged = Issuer(forger.url, forger.key, applied.issuer.key_id)
    tokens = {
        "audience": applied.token(audience="https://github.com/acme"),
        "signature": forged.token(subject=DEV, audience=AUDIENCE, iss=ISSUER),
        "key": forger.token(subject=DEV, audience=AUDIENCE, iss=ISSUER),
        "expired": applied.token(lifetime_seconds=-60),
        "issuer": applied.token(iss="https://token.actions.example.com"),
    }
    found = {name: applied.refusal("dev", token) for name, token in tokens.items()}
    assert found["expired"][0] == "ExpiredTokenException"
    assert {code for name, (code, _) in found.items() if name != "expired"} == {"InvalidIdentityToken"}
    assert len({message for _, message in found.values()}) == len(found)


def test_the_environments_role_takes_its_own_deployers_and_may_do_nothing_else(
    applied: Applied, local_aws: Running
) -> None:
    variables = {**local_aws.environment(ACCOUNT), **applied.session("dev", applied.token())}
    sts = local_client("sts", variables)
    deployer = f"arn:aws:iam::{ACCOUNT}:role/deployers/oidc-shop-dev"
    assert sts.assume_role(RoleArn=deployer, RoleSessionName="deploy")["Credentials"]
    calls: list[Callable[[], Any]] = [
        lambda: sts.assume_role(RoleArn=deployer.replace("dev", "production"), RoleSessionName="deploy"),
        lambda: sts.assume_role(RoleArn=deployer.replace("shop", "reader"), RoleSessionName="deploy"),
        lambda: local_client("lambda", variables).list_functions(),
        lambda: local_client("iam", variables).get_role(RoleName="github-dev"),
        lambda: local_client("s3", variables).list_buckets(),
        lambda: local_client("dynamodb", variables).list_tables(),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_pull_requests_read_and_never_deploy(applied: Applied, local_aws: Running) -> None:
    session = applied.session("pull_requests", applied.token(subject="repo:acme/shop:pull_request"))
    sts = local_client("sts", {**local_aws.environment(ACCOUNT), **session})
    reader = f"arn:aws:iam::{ACCOUNT}:role/deployers/oidc-reader-dev"
    assert sts.assume_role(RoleArn=reader, RoleSessionName="plan")["Credentials"]
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=reader.replace("reader", "shop"), RoleSessionName="deploy")


def test_the_trust_of_every_role_is_one_subject_for_one_audience(applied: Applied, local_aws: Running) -> None:
    iam = local_client("iam", local_aws.environment(ACCOUNT))
    for name, subject in applied.subjects.items():
        role = iam.get_role(RoleName=f"github-{name}")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        host = ISSUER.removeprefix("https://")
        assert statement["Condition"] == {"StringEquals": {f"{host}:aud": AUDIENCE, f"{host}:sub": subject}}
        assert "*" not in json.dumps(statement)


def test_without_the_provider_no_token_is_taken_any_more(applied: Applied, local_aws: Running) -> None:
    """What was taken away is there again afterwards: the tests run in any order."""
    iam = local_client("iam", local_aws.environment(ACCOUNT))
    (provider,) = (
        one["Arn"]
        for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if one["Arn"].endswith("/token.actions.githubusercontent.com")
    )
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    found = applied.refusal("dev", applied.token())
    iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=[AUDIENCE])
    assert found == ("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {ISSUER}")

"""Every worked example of every module is applied to the local AWS, and a second plan finds nothing to change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.manifest import code_sha256
from sawhorse.build.zip_writer import zip_of
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.plans.examples import SAMPLE_PACKAGE, SAMPLE_THROUGH_S3, write_examples
from sawhorse.plans.plan import Plan, Tool, initialized
from sawhorse.plans.scratch import SAMPLE, SAMPLE_LAYER, SAMPLE_SHA256, providers
from tests.planning import OF_MANY

pytestmark = pytest.mark.end_to_end

MODULES = Path(__file__).parents[2] / "modules"
CODE = zip_of({"sample/main.py": b"def handler(event, context):\n    return event\n"})
# What examples expect of an account.
ROLES = ("worker-dev", "operators", "files-task-dev")
BUCKET = "example-packages"
LAYERS = {"images": 3}
WEB_ACL = re.compile(r'"arn:aws:wafv2:[^"]+"')
# What no example shows: blocks that are left out where one is usual.
LEFT_OUT = """
module "asynchronous" {
  source = "../../../modules/lambda_function"

  name    = "asynchronous"
  package = var.packages["api"]
  async   = {}
  alarms  = {}
}

module "unlogged" {
  source = "../../../modules/http_api"

  name        = "unlogged"
  production  = false
  invoke_arn  = module.asynchronous.invoke_arn
  routes      = { "GET /api/health" = { public = true } }
  access_logs = null
  alarms      = {}
}

module "provisioned" {
  source = "../../../modules/dynamodb_table"

  name                     = "provisioned"
  hash_key                 = "id"
  global_secondary_indexes = { "by-owner" = { hash_key = "owner" } }
  override                 = { billing_mode = "PROVISIONED" }
  alarms                   = {}
}
"""


@pytest.fixture
def directory(local_aws: Running, repository: Path, tmp_path: Path) -> Path:
    """A root of all examples, with what they expect of an account, and names that keep them apart."""
    web_acl = prepare_account(local_aws.environment())
    directory = write_examples(repository, tmp_path)
    for name in (SAMPLE, SAMPLE_LAYER):
        (tmp_path / name).write_bytes(CODE)
    packages = json.dumps({"packages": {"api": SAMPLE_PACKAGE, "report": SAMPLE_THROUGH_S3}})
    (directory / "terraform.tfvars.json").write_text(packages.replace(SAMPLE_SHA256, code_sha256(CODE)))
    place = directory.parent / "left_out"
    place.mkdir()
    (place / "main.tf").write_text(LEFT_OUT)
    (place / "terraform.tf").write_text(providers())
    (place / "variables.tf").write_bytes((next(directory.parent.glob("http_api_1")) / "variables.tf").read_bytes())
    call = 'module "left_out" {\n  source   = "../left_out"\n  packages = var.packages\n}\n'
    (directory / "left_out.tf").write_text(call)
    for path in directory.parent.glob("*/main.tf"):
        if path.parent not in (directory, place):
            path.write_text(WEB_ACL.sub(f'"{web_acl}"', of_its_own(path.read_text(), path.parent.name)))
    return directory


def prepare_account(variables: Mapping[str, str]) -> str:
    """Make what examples expect of an account, and return the ARN of a web ACL."""
    iam, lambdas, s3, waf = (local_client(name, variables) for name in ("iam", "lambda", "s3", "wafv2"))
    for role in ROLES:
        trust = {"Version": "2012-10-17", "Statement": []}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    s3.create_bucket(Bucket=BUCKET)
    for name, versions in LAYERS.items():
        for _ in range(versions):
            lambdas.publish_layer_version(LayerName=name, Content={"ZipFile": CODE})
    settings = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "examples"}
    made = waf.create_web_acl(Name="examples", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=settings)
    return str(made["Summary"]["ARN"])


def of_its_own(text: str, example: str) -> str:
    """Give what an example makes names that no other example's has."""
    for name in sorted(set(re.findall(r'^  name += "([^"$]+-[^"$]+)"', text, re.MULTILINE)), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{name}-{example}".replace("_", "-"), text)
    return text


def test_a_second_plan_of_every_example_is_empty(directory: Path, local_aws: Running, terraform: Tool) -> None:
    variables = {**terraform.environment, **local_aws.environment(), **OF_MANY}
    runner = initialized(Tool(terraform.binary, variables), directory)

    runner.apply(output=False)

    planned = Plan(runner.plan(output=True)._raw)
    found: dict[str, Any] = {address: done for address, done in planned.done.items() if done != "kept"}
    assert found == {}
    made = set(re.findall(r'^resource "(\w+)"', "".join(p.read_text() for p in MODULES.glob("*/*.tf")), re.MULTILINE))
    assert {kind: planned.count(kind) for kind in made if not planned.count(kind)} == {}

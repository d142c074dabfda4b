"""Packages that go to Lambda through S3: what is too large for a call, and what package.toml sends there."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sawhorse.build.lambda_limits import ZIPPED_LIMIT
from sawhorse.build.manifest import code_sha256, read_manifest
from sawhorse.build.zip_writer import zip_of
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.plans.examples import example_variables
from sawhorse.plans.plan import Plan
from sawhorse.plans.scratch import scratch_root
from sawhorse.project import Project
from sawhorse.terraform.provider_lock import forget_hashes
from sawhorse.terraform.runner import Terraform
from sawhorse.toolchain.installed import Emulators
from tests.contracts.support import unique
from tests.end_to_end.support import Sawhorse, brought_up, leftovers
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end

ROOT = "dev/sample"
BUCKET = "sawhorse-packages-of-dev"
CALLS = """
variable "name" {
  type = string
}

variable "bucket" {
  type = string
}

module "packages" {
  source = "../../../modules/lambda_packages"

  name     = var.name
  bucket   = var.bucket
  packages = var.packages
}

module "layer" {
  source = "../../../modules/lambda_layer"
  count  = length(var.packages["api"].layer[*])

  name         = "${var.name}-dependencies"
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source   = "../../../modules/lambda_function"
  for_each = var.packages

  name    = "${var.name}-${each.key}"
  package = each.value
  object  = module.packages.objects[each.key]
  layers  = module.layer[*].arn
  release = "direct"
  alarms  = {}
}
"""
OBJECT = 'module.packages.aws_s3_object.this["{}"]'
FUNCTION = 'module.function["{}"].aws_lambda_function.this'
ALIAS = 'module.function["{}"].aws_lambda_alias.live'
LAYER = "module.layer[0].aws_lambda_layer_version.this"
BOTH = ("api", "worker")
Files = Mapping[str, bytes]
SIZED = b"import os\n\ndef handler(event, context):\n    return ['%s', os.path.getsize('random.bin')]\n"
SMALL: Files = {"app.py": b"def handler(event, context):\n    return 'small'\n"}
DEPENDENT: Files = {"app.py": b"import tinydep\n\ndef handler(event, context):\n    return tinydep.VALUE\n"}
DEPENDENCY: Files = {"python/tinydep/__init__.py": b"VALUE = 'of the layer'\n"}


@dataclass(frozen=True)
class Deployed:
    """A root of two functions that run from one package, and of the layer with its dependencies if it has one."""

    name: str
    bucket: str
    directory: Path
    terraform: Terraform
    variables: Mapping[str, str]

    @property
    def saved(self) -> Path:
        return self.directory / "saved.tfplan"

    def give(self, files: Files, *, upload: str, layer: Files | None = None) -> None:
        """Write the zips, what the build would have measured of them, and how they get to Lambda."""
        package = {
            **self.archive(f"{self.name}.zip", files, upload),
            "handler": "app.handler",
            "runtime": "python3.13",
            "architecture": "x86_64",
        }
        if layer is not None:
            package["layer"] = self.archive(f"{self.name}-layer.zip", layer, upload)
        variables = {"name": self.name, "bucket": self.bucket, "packages": dict.fromkeys(BOTH, package)}
        (self.directory / "terraform.tfvars.json").write_text(json.dumps(variables))

    def archive(self, name: str, files: Files, upload: str) -> dict[str, Any]:
        content = zip_of(files)
        (self.directory / "../../../dist" / name).write_bytes(content)
        # Any hash of the content does: Terraform compares it with the one before. This one has all that keys lack.
        digest = b"\xfb\xff" + hashlib.sha256(content).digest()[2:]
        return {
            "path": f"../../../dist/{name}",
            "sha256": code_sha256(content),
            "content_sha256": base64.b64encode(digest).decode(),
            "size": len(content),
            "upload": upload,
        }

    def planned(self) -> dict[str, list[str]]:
        """Return what a plan would do, by address, and save the plan."""
        self.terraform.plan(out=self.saved)
        with self.terraform.prepared_environment():
            _, out, _ = self.terraform.wrapped().cmd("show", "-json", str(self.saved))
        actions = Plan(json.loads(out)).actions
        return {address: done for address, done in actions.items() if done != ["no-op"]}

    def apply(self, plan: Path | None = None) -> None:
        self.terraform.apply(plan=plan)
        assert not self.terraform.plan(), "a plan after an apply has changes"

    def client(self, service: str) -> Any:
        return local_client(service, self.variables)

    def call(self, function: str, qualifier: str = "live") -> Any:
        response = self.client("lambda").invoke(FunctionName=f"{self.name}-{function}", Qualifier=qualifier)
        return json.load(response["Payload"])

    def keys(self) -> list[str]:
        return keys_in(self.client("s3"), self.bucket)


def keys_in(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.fixture
def root(local_aws: Running, repository: Path, terraform_code: Path, tmp_path: Path) -> Iterator[Deployed]:
    """A root of its own for a test, with nothing applied, a bucket, and more tags than an object may have."""
    name = unique("uploaded")
    directory = scratch_root(terraform_code, tmp_path, f"dev/{name}")
    tags = "".join(f'      tag_{number} = "value"\n' for number in range(12))
    provider = (
        (directory / "terraform.tf")
        .read_text()
        .replace('provider "aws" {}', f'provider "aws" {{\n  default_tags {{\n    tags = {{\n{tags}    }}\n  }}\n}}')
    )
    (directory / "terraform.tf").write_text(provider)
    (directory / "main.tf").write_text(example_variables() + CALLS)
    variables = local_aws.environment()
    terraform = Terraform(Project(repository), directory, environment=variables)
    terraform.init()
    forget_hashes(directory)
    deployed = Deployed(name, f"{name}-packages", directory, terraform, variables)
    deployed.client("s3").create_bucket(Bucket=deployed.bucket)
    yield deployed
    terraform.destroy()
    assert deployed.keys() == []


def test_a_package_too_large_for_a_call_is_uploaded_once_and_runs_in_both_of_its_functions(root: Deployed) -> None:
    filling = random.Random(1).randbytes(51 * 1024 * 1024)  # noqa: S311 # what cannot be compressed, and no secret
    root.give({"app.py": SIZED % b"first", "random.bin": filling}, upload="s3")
    assert (root.directory / f"../../../dist/{root.name}.zip").stat().st_size > ZIPPED_LIMIT

    root.apply()

    (first,) = root.keys()
    account, name, zipped, content = first.split("/")
    assert (account, name, zipped) == ("111111111111", root.name, root.name)
    # A hash as base64 has it, without what stands for something else in an address.
    assert content.startswith("-_")
    assert set(content) & set("+=") == set()
    # With the provider's twelve tags it would be refused by AWS.
    assert root.client("s3").get_object_tagging(Bucket=root.bucket, Key=first)["TagSet"] == []
    assert [root.call(function) for function in BOTH] == [["first", len(filling)]] * 2

    root.give({"app.py": SIZED % b"second", "random.bin": filling}, upload="s3")
    root.apply()

    (second,) = root.keys()
    assert second != first
    assert [root.call(function) for function in BOTH] == [["second", len(filling)]] * 2
    # Lambda keeps its copy: what was published before can be gone back to.
    assert [root.call(function, "1") for function in BOTH] == [["first", len(filling)]] * 2


def test_from_the_call_to_s3_and_back_each_function_is_changed_in_place(root: Deployed) -> None:
    name = root.name
    moved = {FUNCTION.format(function): ["update"] for function in BOTH}
    followed = {ALIAS.format(function): ["update"] for function in BOTH}
    root.give(SMALL, upload="direct")
    root.apply()
    assert root.keys() == []

    root.give(SMALL, upload="s3")
    assert root.planned() == {OBJECT.format(name): ["create"], **moved, **followed}
    root.apply(root.saved)
    assert len(root.keys()) == 1
    assert [root.call(function) for function in BOTH] == ["small", "small"]

    root.give(SMALL, upload="direct")
    assert root.planned() == {OBJECT.format(name): ["delete"], **moved, **followed}
    root.apply(root.saved)
    assert root.keys() == []
    assert [root.call(function) for function in BOTH] == ["small", "small"]


def test_an_object_that_somebody_deleted_is_uploaded_again_and_nothing_is_deployed(root: Deployed) -> None:
    root.give(DEPENDENT, upload="s3", layer=DEPENDENCY)
    root.apply()
    assert [root.call(function) for function in BOTH] == ["of the layer", "of the layer"]
    before = root.keys()
    assert len(before) == len(["the package", "the layer"])

    for key in before:
        root.client("s3").delete_object(Bucket=root.bucket, Key=key)

    assert root.planned() == {
        OBJECT.format(root.name): ["create"],
        OBJECT.format(f"{root.name}-layer"): ["create"],
    }
    root.apply(root.saved)
    assert root.keys() == before
    assert [root.call(function, "1") for function in BOTH] == ["of the layer", "of the layer"]

    # A layer's version cannot be changed: other content makes another, and so does another way to Lambda.
    root.give(DEPENDENT, upload="direct", layer=DEPENDENCY)
    planned = root.planned()
    assert {address: planned[address] for address in planned if address == LAYER} == {LAYER: ["create", "delete"]}
    assert {address for address, done in planned.items() if "delete" in done} == {
        LAYER,
        OBJECT.format(root.name),
        OBJECT.format(f"{root.name}-layer"),
    }
    root.terraform.apply(plan=root.saved)
    assert [root.call(function) for function in BOTH] == ["of the layer", "of the layer"]


@pytest.fixture(scope="module")
def sawhorse(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A project whose app goes through S3, with a local AWS of its own and nothing applied."""
    project = sample_project(tmp_path_factory.mktemp("through-s3") / "project")
    config = project.lambda_path / "sample/package.toml"
    config.write_text(f'upload = "s3"\n{config.read_text()}')
    with brought_up(project) as command:
        command("build", "sample")
        yield command


def test_an_app_that_goes_through_s3_is_applied_called_changed_and_destroyed(sawhorse: Sawhorse) -> None:
    facts = sawhorse.project.path / "environments/dev/environment.yaml"
    for arguments in (["render", ROOT], ["plan", ROOT, "--local"], ["apply", ROOT, "--local"]):
        output = sawhorse(*arguments, code=2)
        assert 'lambda/sample/package.toml says upload = "s3"' in output
        assert "Write packages_bucket: {us-east-1: NAME} there" in output
    facts.write_text(f"{facts.read_text()}packages_bucket: {BUCKET}\n")

    sawhorse("apply", ROOT, "--local")
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")
    s3, functions = sawhorse.client("s3", "dev"), sawhorse.client("lambda", "dev")
    (first,) = keys_in(s3, BUCKET)
    assert first.startswith("111111111111/sample-dev/sample/")
    package = read_manifest(sawhorse.project.path / "dist")["sample"]["api"]
    assert package.upload == "s3"
    assert functions.get_function_configuration(FunctionName="sample-dev")["CodeSha256"] == package.sha256
    sawhorse("seed", ROOT, "--local")
    assert sawhorse.json("smoke", ROOT, "--local")["passed"]

    # Changed code, applied by a shell that runs Terraform itself; it gets the bucket again that somebody deleted.
    main = sawhorse.project.lambda_path / "sample/main.py"
    main.write_text(f"{main.read_text()}\n# changed\n")
    sawhorse("build", "sample")
    s3.delete_object(Bucket=BUCKET, Key=first)
    s3.delete_bucket(Bucket=BUCKET)
    native = "cd environments/dev/sample && terraform init -input=false && terraform apply -auto-approve"
    found = sawhorse.in_a_fresh_shell("env", ROOT, script=native)
    assert found.returncode == 0, found.stdout + found.stderr
    (second,) = keys_in(s3, BUCKET)
    assert second != first
    assert functions.get_alias(FunctionName="sample-dev", Name="live")["FunctionVersion"] == "2"
    url = sawhorse.json("outputs", ROOT, "--local")["api_endpoint"]
    with httpx.Client(trust_env=False, timeout=60) as http:
        assert http.get(f"{url}/api/health").status_code == httpx.codes.OK
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")

    sawhorse("destroy", ROOT, "--local", "--yes")
    assert keys_in(s3, BUCKET) == []
    left = leftovers(sawhorse, ROOT)
    assert left == {kind: [] for kind in left}

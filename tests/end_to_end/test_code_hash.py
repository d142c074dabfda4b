"""The hash of the content decides what an apply deploys, of a function's code as of its layer."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.manifest import code_sha256
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.plans.examples import example_variables
from sawhorse.plans.scratch import scratch_root
from sawhorse.project import Project
from sawhorse.terraform.provider_lock import forget_hashes
from sawhorse.terraform.runner import Terraform
from tests.contracts.support import unique

pytestmark = pytest.mark.end_to_end

CALLS = """
variable "name" {
  type = string
}

module "layer" {
  source = "../../../modules/lambda_layer"
  count  = length(var.packages["api"].layer[*])

  name         = "${var.name}-dependencies"
  package      = var.packages["api"].layer
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../../modules/lambda_function"

  name    = var.name
  package = var.packages["api"]
  layers  = module.layer[*].arn
  release = "direct"
  alarms  = {}
}
"""
FUNCTION = "module.function.aws_lambda_function.this"
LAYER = "module.layer[0].aws_lambda_layer_version.this"
Files = Mapping[str, str]
ALONE: Files = {"app.py": "def handler(event, context):\n    return 'first'\n"}
DEPENDENT: Files = {"app.py": "import tinydep\n\ndef handler(event, context):\n    return tinydep.VALUE\n"}
FIRST: Files = {"python/tinydep/__init__.py": "VALUE = 'first'\n"}
SECOND: Files = {"python/tinydep/__init__.py": "VALUE = 'second'\n"}


@dataclass(frozen=True)
class Deployed:
    """A root of one function, and of the layer with its dependencies if it is given one."""

    name: str
    directory: Path
    terraform: Terraform
    client: Any

    def give(self, files: Files, layer: Files | None = None, *, level: int = 6) -> None:
        """Write the zips at a level of compression, and what the build would have measured of them."""
        package = {
            **self.archive(f"{self.name}.zip", files, level),
            "handler": "app.handler",
            "runtime": "python3.13",
            "architecture": "x86_64",
        }
        if layer is not None:
            package["layer"] = self.archive(f"{self.name}-layer.zip", layer, level)
        variables = {"name": self.name, "packages": {"api": package}}
        (self.directory / "terraform.tfvars.json").write_text(json.dumps(variables))

    def archive(self, name: str, files: Files, level: int) -> dict[str, Any]:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED) as archive:
            for path, text in files.items():
                archive.writestr(zipfile.ZipInfo(path), text, compresslevel=level)
        content = file.getvalue()
        (self.directory / "../../../dist" / name).write_bytes(content)
        # Any hash of the content does: Terraform compares it with the one before.
        digest = hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).digest()
        return {
            "path": f"../../../dist/{name}",
            "sha256": code_sha256(content),
            "content_sha256": base64.b64encode(digest).decode(),
            "size": len(content),
        }

    def has_changes(self) -> bool:
        return self.terraform.plan()

    def apply(self) -> None:
        self.terraform.apply()
        assert not self.has_changes(), "a plan after an apply has changes"

    def resource(self, address: str) -> dict[str, Any]:
        """Return what the state has of a resource."""
        (found,) = [each["values"] for each in self.terraform.resources() if each["address"] == address]
        return dict(found)

    def uploaded(self, address: str) -> tuple[str, str]:
        """Return the number of a function's or a layer's newest version, and the hash of the zip that AWS has of it."""
        values = self.resource(address)
        return values["version"], values["code_sha256"]

    def call(self, qualifier: str = "live") -> Any:
        return json.load(self.client.invoke(FunctionName=self.name, Qualifier=qualifier)["Payload"])


@pytest.fixture
def root(local_aws: Running, repository: Path, terraform_code: Path, tmp_path: Path) -> Deployed:
    """A root of its own for a test, with nothing applied."""
    name = unique("hashed")
    directory = scratch_root(terraform_code, tmp_path, f"dev/{name}")
    (directory / "main.tf").write_text(example_variables() + CALLS)
    variables = local_aws.environment()
    terraform = Terraform(Project(repository), directory, environment=variables)
    terraform.init()
    forget_hashes(directory)
    return Deployed(name, directory, terraform, local_client("lambda", variables))


def test_other_content_is_deployed_and_the_same_compressed_otherwise_is_not(root: Deployed) -> None:
    root.give(ALONE)
    root.apply()
    function = root.resource(FUNCTION)
    # The provider keeps the hash that it was given, and puts AWS's own beside it.
    assert function["code_sha256"] == root.client.get_function_configuration(FunctionName=root.name)["CodeSha256"]
    assert function["source_code_hash"] != function["code_sha256"]

    root.give(ALONE, level=0)
    assert not root.has_changes()

    root.give({"app.py": ALONE["app.py"].replace("first", "second")})
    root.apply()
    version, code = root.uploaded(FUNCTION)
    assert version == "2"
    assert code != function["code_sha256"]
    assert (root.call("1"), root.call()) == ("first", "second")


def test_a_layer_is_uploaded_when_its_content_changes_and_leaves_when_it_is_wanted_no_more(root: Deployed) -> None:
    root.give(DEPENDENT, FIRST)
    root.apply()
    layer = root.resource(LAYER)
    assert root.resource(FUNCTION)["layers"] == [layer["arn"]]
    assert root.call() == "first"
    assert layer["source_code_hash"] != layer["code_sha256"]

    root.give(DEPENDENT, FIRST, level=0)
    assert not root.has_changes(), "the contents are the same, compressed otherwise"

    # New code leaves the layer alone.
    changed = {"app.py": DEPENDENT["app.py"] + "# changed\n"}
    root.give(changed, FIRST)
    root.terraform.apply()
    assert root.uploaded(LAYER) == (layer["version"], layer["code_sha256"])
    assert root.uploaded(FUNCTION)[0] == "2"

    # Another layer moves the function, and what was published with the first one keeps it.
    root.give(changed, SECOND)
    root.apply()
    assert (root.uploaded(LAYER)[0], root.uploaded(FUNCTION)[0]) == ("2", "3")
    assert root.resource(FUNCTION)["layers"] == [root.resource(LAYER)["arn"]]
    assert (root.call("2"), root.call()) == ("first", "second")
    kept = root.client.list_layer_versions(LayerName=f"{root.name}-dependencies")["LayerVersions"]
    assert sorted(version["Version"] for version in kept) == [1, 2]

    root.give(ALONE)
    root.terraform.apply()
    assert root.resource(FUNCTION)["layers"] in (None, [])
    assert root.call() == "first"

"""The tiny app as the local AWS has it: a function with version 1, live, and the state that says so."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sawhorse.build.build import build
from sawhorse.build.manifest import Entry, read_manifest
from sawhorse.operate.releases.verify import Compared, Verification, verify
from sawhorse.project import Project
from sawhorse.workspace import Workspace
from tests.commits import commit_all
from tests.unit.sawhorse.support import LAMBDA_TRUST, PLACE, write_lock

# Gives a client of the local AWS by the name of its service.
Account = Callable[[str], Any]


@dataclass(frozen=True)
class Deployed:
    """The tiny app in git, its function with version 1 and the alias live, and the state that says so."""

    project: Project
    name: str
    functions: Any
    state: Path

    @property
    def entry(self) -> Entry:
        return read_manifest(self.project.path / "dist")["tiny"]["api"]

    def workspace(self) -> Workspace:
        return Workspace(self.project.root("dev/tiny"), local=False)

    def verified(self, revision: str | None = None) -> Verification:
        return verify(self.workspace(), revision)

    def code(self, revision: str | None = None) -> Compared:
        [function] = self.verified(revision).functions
        return function.parts[0]

    def upload(self, content: bytes) -> None:
        """Publish a zip and make it live, and let the state know it as an apply would."""
        told = self.functions.update_function_code(FunctionName=self.name, ZipFile=content, Publish=True)
        self.functions.update_alias(FunctionName=self.name, Name="live", FunctionVersion=told["Version"])
        self.applied(version=told["Version"], code_sha256=told["CodeSha256"])

    def applied(self, alias: str | None = "live", layers: list[dict[str, Any]] | None = None, **values: Any) -> None:
        """Write the state: the function with these values besides what it has, and its alias."""
        found = self.functions.get_function_configuration(FunctionName=self.name)
        function = {
            "function_name": self.name,
            "arn": f"arn:aws:lambda:{PLACE}:function:{self.name}",
            "version": "1",
            "code_sha256": found["CodeSha256"],
            "filename": "../../../dist/tiny.zip",
            "package_type": "Zip",
            "memory_size": found["MemorySize"],
            "timeout": found["Timeout"],
            "handler": found["Handler"],
            "runtime": found["Runtime"],
            "role": found["Role"],
            "architectures": ["x86_64"],
            "environment": [{"variables": found.get("Environment", {}).get("Variables", {})}],
            "layers": [layer["Arn"] for layer in found.get("Layers", [])],
            **values,
        }
        aliases = (
            [{"function_name": self.name, "name": alias, "function_version": function["version"]}] if alias else []
        )
        kinds = {"aws_lambda_function": [function], "aws_lambda_alias": aliases}
        resources = [
            {"mode": "managed", "type": kind, "name": "this", "instances": [{"attributes": one}]}
            for kind, several in {**kinds, "aws_lambda_layer_version": layers or []}.items()
            for one in several
        ]
        content = {"version": 4, "serial": 1, "lineage": "one", "outputs": {}, "resources": resources}
        self.state.write_text(json.dumps(content))
        self.state.chmod(0o600)


def deploy(tiny: Project, account: Account, wheel: str) -> Deployed:
    """Commit, build and deploy the app."""
    write_lock(tiny, wheel)
    (tiny.path / ".gitignore").write_text(".sawhorse\ndist\n*.tfstate\n__pycache__\n")
    commit_all(tiny.path)
    build(tiny, "tiny")
    name, iam, functions = f"tiny-{uuid.uuid4().hex[:12]}", account("iam"), account("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_TRUST)["Role"]["Arn"]
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="tiny.main.handler",
        Code={"ZipFile": (tiny.path / "dist/tiny.zip").read_bytes()},
        Environment={"Variables": {"KEPT": "one", "OTHER": "hidden-value"}},
        Publish=True,
    )
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    made = Deployed(tiny, name, functions, tiny.root("dev/tiny").path / "terraform.tfstate")
    made.applied()
    return made

"""Read what the last apply of a root knows of its functions, from the state as it lies there, unrefreshed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sawhorse.errors import NotApplied
from sawhorse.operate.smoke_checks import ALIAS
from sawhorse.terraform.state_store import State
from sawhorse.workspace import Workspace

# What Lambda says of a function, or a version, that is not there.
GONE = "ResourceNotFoundException"


@dataclass(frozen=True)
class AppliedFunction:
    """A function as the last apply left it; `live` is the version that its alias live had, None without one."""

    address: str
    name: str
    values: Mapping[str, Any]
    live: str | None

    @property
    def is_zip(self) -> bool:
        return bool(self.values.get("package_type", "Zip") == "Zip")

    @property
    def version(self) -> str:
        return str(self.values["version"])

    @property
    def code_sha256(self) -> str:
        return str(self.values["code_sha256"])

    @property
    def archive(self) -> str | None:
        """The zip in `dist` that it was made of, such as `shop.zip`; None for an image."""
        return archive_of(self.values)


def archive_of(values: Mapping[str, Any]) -> str | None:
    """Name the zip in `dist` that a function or a layer in the state was made of."""
    if values.get("filename"):
        return PurePosixPath(values["filename"]).name
    # As the module lambda_packages names them: ACCOUNT/ROOT/ARCHIVE/CONTENT.zip.
    key = PurePosixPath(values.get("s3_key") or "")
    return f"{key.parent.name}.zip" if key.parent.name else None


def applied_state(workspace: Workspace) -> State:
    """Return the state of the last apply. Raises NotApplied where there is none, or nothing in it."""
    state = workspace.state()
    if state is None or not state.snapshot.resources:
        name, local = workspace.root.name, " --local" if workspace.local else ""
        raise NotApplied(f'{name} is not applied; run "sawhorse apply {name}{local}".')
    return state


def values_of(state: State, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk the resources of a type: address and values."""
    for resource in state.snapshot.resources:
        if resource["type"] == kind:
            yield resource["address"], resource["values"]


def applied_functions(state: State) -> list[AppliedFunction]:
    """Return all functions of a root, those without an alias live as well."""
    live = {
        name_of(values["function_name"]): str(values["function_version"])
        for _, values in values_of(state, "aws_lambda_alias")
        if values["name"] == ALIAS
    }
    return [
        AppliedFunction(address, values["function_name"], values, live.get(values["function_name"]))
        for address, values in values_of(state, "aws_lambda_function")
    ]


def name_of(function: str) -> str:
    """Return a function's name where a resource may have its ARN, with or without a qualifier."""
    return function.split(":")[6] if function.startswith("arn:") else function.partition(":")[0]

"""The functions of a root, what Lambda says of them, and the one way in which `live` is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sawhorse.operate.releases.record import Code
from sawhorse.operate.smoke_checks import ALIAS
from sawhorse.outputs import RELEASE
from sawhorse.terraform.state_store import State

LATEST = "latest"
ABSENT = ("ResourceNotFoundException", "ParameterNotFound")

ClientOf = Callable[[str], Any]


@dataclass(frozen=True)
class Function:
    """A function of a root that `live` is an alias of, with the version that the last apply published.

    `aliased` is the version that the state has of `live`: that of the last apply, whatever was released since.
    """

    name: str
    published: Code
    aliased: str

    @property
    def parameter(self) -> str:
        """The parameter that says which version `live` points at: modules/lambda_function reads it."""
        return f"/{self.name}/{ALIAS}"


@dataclass(frozen=True)
class Standing:
    """What is true of a function now: the version that `live` points at, and what its parameter says.

    `version` is None where there is no alias, and `pin` where there is no parameter. `weights` has the part of the
    calls that other versions get, from 0 to 1.
    """

    function: str
    version: str | None
    pin: str | None
    revision: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_moved(self) -> bool:
        """Whether `live` is not where its parameter says, so that the next apply puts it back there."""
        return self.pin not in (None, LATEST, self.version)


def functions_of(state: State) -> list[Function]:
    """Return the functions of a state that have `live`, by name; what has no such alias is not released."""
    resources = state.snapshot.resources
    released = {
        resource["values"]["function_name"]: str(resource["values"]["function_version"])
        for resource in resources
        if resource["type"] == "aws_lambda_alias" and resource["values"]["name"] == ALIAS
    }
    layers = {
        resource["values"]["arn"]: resource["values"].get("source_code_hash") or ""
        for resource in resources
        if resource["type"] == "aws_lambda_layer_version"
    }
    found = [
        Function(values["function_name"], code_of(values, layers), released[values["function_name"]])
        for resource in resources
        if resource["type"] == "aws_lambda_function"
        and (values := resource["values"]).get("function_name") in released
        and resource["status"] is None
    ]
    return sorted(found, key=lambda function: function.name)


def code_of(values: Mapping[str, Any], layers: Mapping[str, str]) -> Code:
    return Code(
        version=str(values["version"]),
        content_sha256=values.get("source_code_hash") or None,
        code_sha256=str(values.get("code_sha256") or ""),
        layers={arn: layers.get(arn, "") for arn in values.get("layers") or []},
    )


def is_gated(state: State) -> bool:
    """Say whether an apply leaves `live` where it is; where the root does not say it, it does."""
    return str(state.outputs.get(RELEASE.name, "gated")) != "direct"


def look(client: ClientOf, names: Sequence[str]) -> list[Standing]:
    """Ask Lambda and SSM where `live` of each function is."""
    return [standing_of(client, name) for name in names]


def standing_of(client: ClientOf, name: str) -> Standing:
    pin = version = None
    revision = ""
    weights: Mapping[str, float] = {}
    try:
        pin = str(client("ssm").get_parameter(Name=f"/{name}/{ALIAS}")["Parameter"]["Value"])
    except ClientError as error:
        refuse_unless_absent(error)
    try:
        alias = client("lambda").get_alias(FunctionName=name, Name=ALIAS)
        version, revision = str(alias["FunctionVersion"]), str(alias.get("RevisionId", ""))
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    except ClientError as error:
        refuse_unless_absent(error)
    return Standing(name, version, pin, revision, weights)


def refuse_unless_absent(error: ClientError) -> None:
    if error.response["Error"]["Code"] not in ABSENT:
        raise error


def write_pin(client: ClientOf, name: str, value: str) -> None:
    """Say which version `live` is to point at from the next apply on."""
    client("ssm").put_parameter(Name=f"/{name}/{ALIAS}", Value=value, Type="String", Overwrite=True)


def write_pins(client: ClientOf, standings: Sequence[Standing], pins: Mapping[str, str]) -> None:
    """Say of each function which version `live` is to point at.

    That comes before any alias is moved: killed in between, the next apply moves it where it was to go.
    """
    for standing in standings:
        if standing.pin != pins[standing.function]:
            write_pin(client, standing.function, pins[standing.function])


def move(client: ClientOf, standing: Standing, version: str) -> None:
    """Move `live` of a function, with nothing left of a canary.

    An alias that somebody else has moved meanwhile is refused by Lambda (PreconditionFailedException).
    """
    if standing.version != version or standing.weights:
        point(client, standing, version, {})


def point(client: ClientOf, standing: Standing, version: str, weights: Mapping[str, float]) -> None:
    """Point `live` at a version, with weights of others, unless it was changed since it was looked at."""
    condition = {"RevisionId": standing.revision} if standing.revision else {}
    client("lambda").update_alias(
        FunctionName=standing.function,
        Name=ALIAS,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": dict(weights)},
        **condition,
    )


def missing_versions(client: ClientOf, versions: Mapping[str, str]) -> Iterator[str]:
    """Walk what is not there any more of these versions by function, each in words."""
    for name, version in versions.items():
        try:
            client("lambda").get_function_configuration(FunctionName=name, Qualifier=version)
        except ClientError as error:
            refuse_unless_absent(error)
            yield f"version {version} of {name}"


def published_versions(client: ClientOf, name: str) -> list[Mapping[str, Any]]:
    """Return the published versions of a function as Lambda has them, oldest first; none when it is gone."""
    pages = client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    try:
        found = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
    except ClientError as error:
        refuse_unless_absent(error)
        return []
    return sorted(found, key=lambda version: int(version["Version"]))

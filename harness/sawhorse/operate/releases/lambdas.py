"""The functions of a root, what Lambda says of them, and the one way in which `live` is moved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.operate.releases.applied import applied_functions, values_of
from sawhorse.operate.releases.record import Code, Record
from sawhorse.operate.smoke_checks import ALIAS
from sawhorse.outputs import RELEASE
from sawhorse.terraform.state_store import State

LATEST = "latest"
ABSENT = ("ResourceNotFoundException", "ParameterNotFound")
# How often a way back is tried, and the seconds between.
TRIES = 3
BACKOFF = 1.0
# After how many digits a part of the calls ends.
SHARE_DIGITS = 12

ClientOf = Callable[[str], Any]


@dataclass(frozen=True)
class Function:
    """A function of a root that `live` is an alias of, with the version that the last apply published.

    `aliased` is the version that the state has of `live`: that of the last apply, whatever was released since.
    """

    name: str
    published: Code
    aliased: str


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


def functions_of(state: State) -> list[Function]:
    """Return the functions of a state that have `live` and its parameter, by name; no other one is released."""
    parameters = {values.get("name") for _, values in values_of(state, "aws_ssm_parameter")}
    layers = {
        values["arn"]: values.get("source_code_hash") or ""
        for _, values in values_of(state, "aws_lambda_layer_version")
    }
    tainted = state.snapshot.tainted
    found = [
        Function(one.name, code_of(one.values, layers), one.live)
        for one in applied_functions(state)
        if one.live and parameter_of(one.name) in parameters and one.address not in tainted
    ]
    return sorted(found, key=lambda function: function.name)


def parameter_of(function: str) -> str:
    """Name the parameter that says which version `live` points at: modules/lambda_function makes and reads it."""
    return f"/{function}/{ALIAS}"


def code_of(values: Mapping[str, Any], layers: Mapping[str, str]) -> Code:
    return Code(
        version=str(values["version"]),
        content_sha256=values.get("source_code_hash") or None,
        code_sha256=str(values.get("code_sha256") or ""),
        layers={arn: layers.get(arn, "") for arn in values.get("layers") or []},
    )


def code_at(client: ClientOf, name: str, version: str) -> Code:
    """Ask Lambda what a version is made of, which no state knows any more.

    Its description tells of a content, and is inherited by what somebody uploads: nobody knows the content here.
    """
    found = client("lambda").get_function_configuration(FunctionName=name, Qualifier=version)
    return Code(
        version=version,
        content_sha256=None,
        code_sha256=str(found.get("CodeSha256", "")),
        layers={layer["Arn"]: "" for layer in found.get("Layers") or []},
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
        pin = str(client("ssm").get_parameter(Name=parameter_of(name))["Parameter"]["Value"])
    except ClientError as error:
        refuse_unless_absent(error)
    try:
        alias = client("lambda").get_alias(FunctionName=name, Name=ALIAS)
        version, revision = str(alias["FunctionVersion"]), str(alias.get("RevisionId", ""))
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    except ClientError as error:
        refuse_unless_absent(error)
    return Standing(name, version, pin, revision, weights)


def by_hand(function: Function, standing: Standing, record: Record) -> str | None:
    """Say where `live` of a function is that neither a release nor an apply of ours can have led to; None elsewhere.

    An apply moves `live` to where the parameter says, and a release, a rollback and an apply of ours leave both as the
    record has them. One case cannot be told apart: an apply without the commands that was cut off when it had published
    and not yet moved `live` leaves a parameter at latest and `live` where the record or the state has it, and so does
    somebody who moves it there by hand. A parameter and `live` that were both moved to what was published last, of a
    function that no live release has, are taken for an apply's as well.
    """
    name, version, pin = standing.function, standing.version, standing.pin
    if version is None:
        return None
    live = record.release(record.live) if record.live else None
    recorded = live.versions.get(name) if live else None
    pinned = record.release(record.pinned.release) if record.pinned and record.pinned.release else None
    is_pinned = pinned is not None and name in pinned.versions
    published = function.published.version
    goal = published if pin in {LATEST, None} else pin
    shared = "".join(f", with {percent(share)} of its calls at {other}" for other, share in standing.weights.items())
    here = f"{name} is at version {version}{shared}"
    found = None
    if pin is None:
        found = f", its parameter is gone, and an apply would make it anew and move live to {goal}"
    elif version != goal and not (pin == LATEST and version == newest(function.aliased, recorded) and not is_pinned):
        found = f", its parameter says {pin}, and an apply would move it to {goal}"
    elif shared:
        found = ", which no release left so; an apply would leave it"
    elif pinned and is_pinned and pin == LATEST:
        found = f" and its parameter says latest, where release {pinned.id} is pinned; what is applied goes live"
    elif pin != LATEST and version not in ({recorded} if recorded else {function.aliased, published}):
        was = f"release {live.id} has {recorded}" if live and recorded else f"its last apply left {function.aliased}"
        found = f" and its parameter says so, where {was}; an apply would leave it there"
    return here + found if found else None


def newest(aliased: str, recorded: str | None) -> str:
    return max(aliased, recorded or "0", key=int)


def percent(share: float) -> str:
    """Write a part of the calls, from 0 to 1, as percent, with as many digits as it has and never as none: `0.4%`."""
    return f"{share * 100:.{SHARE_DIGITS - 2}f}".rstrip("0").rstrip(".") + "%"


def refuse_unless_absent(error: ClientError) -> None:
    if error.response["Error"]["Code"] not in ABSENT:
        raise error


def write_pin(client: ClientOf, name: str, value: str) -> None:
    """Say which version `live` is to point at from the next apply on."""
    client("ssm").put_parameter(Name=parameter_of(name), Value=value, Type="String", Overwrite=True)


def write_pins(client: ClientOf, standings: Sequence[Standing], pins: Mapping[str, str]) -> None:
    """Say of each function which version `live` is to point at.

    That comes before any alias is moved: killed in between, the next apply moves it where it was to go.
    """
    for standing in standings:
        if standing.pin != pins[standing.function]:
            write_pin(client, standing.function, pins[standing.function])


def move(client: ClientOf, standing: Standing, version: str) -> bool:
    """Move `live` of a function, with nothing left of a canary, and say whether it had to be.

    An alias that somebody else has moved meanwhile is refused by Lambda (PreconditionFailedException).
    """
    if standing.version == version and not standing.weights:
        return False
    point(client, standing, version, {})
    return True


def move_back(client: ClientOf, versions: Mapping[str, str], pins: Mapping[str, str]) -> tuple[dict[str, str], float]:
    """Move `live` of all functions, whatever became of the others: of two releases at once is worse than late.

    What fails is tried again. Returns why, by function, for each that could not be moved, and the seconds from the
    first move to the last.
    """
    failed: dict[str, str] = {}
    times: list[float] = []
    for attempt in range(TRIES):
        time.sleep(BACKOFF * attempt)
        failed, standings = {}, []
        for name in versions:
            try:
                standing = standing_of(client, name)
                write_pins(client, [standing], pins)
            except (ClientError, BotoCoreError) as error:
                failed[name] = str(error)
            else:
                standings.append(standing)
        for standing in standings:
            try:
                began = time.monotonic()
                if move(client, standing, versions[standing.function]):
                    times += [began, time.monotonic()]
            except (ClientError, BotoCoreError) as error:
                failed[standing.function] = str(error)
        if not failed:
            break
    return failed, window_of(times)


def window_of(times: Sequence[float]) -> float:
    """Return the seconds from the first move to the end of the last, by the two times of each; 0 for a single one."""
    return times[-1] - times[0] if len(times) > 2 else 0.0  # noqa: PLR2004 # of one function


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

"""A canary: a part of the calls goes to a release for a while, watched by the version that executes them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.operate.releases.checking import Say, watched
from sawhorse.operate.releases.lambdas import SHARE_DIGITS, percent, point, standing_of
from sawhorse.operate.releases.record import Release
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.smoke_checks import ALIAS

UNITS = {"s": 1, "m": 60, "h": 3600}
MINUTE = 60
# As long as CodeDeploy shifts calls at most: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html.
LONGEST = 48 * 3600


@dataclass(frozen=True)
class Canary:
    """The part of the calls that a release gets, above 0 and below 1, and for how many seconds."""

    share: float
    seconds: float


@dataclass(frozen=True)
class Rollout:
    """How carefully a release becomes live: with a canary first, and watched by its alarms for so many seconds."""

    canary: Canary | None = None
    watch: float = 0.0


def canary_of(share: str, lasting: str) -> Canary:
    """Read `10%` and `10m`. Raises BadConfiguration for what is neither."""
    try:
        part = round(float(share.removesuffix("%")) / 100, SHARE_DIGITS)
    except ValueError:
        part = 0.0
    if not share.endswith("%") or not 0 < part < 1:
        raise BadConfiguration(f"--canary {share} is no part of the calls; say one above 0% and below 100%, as 10%.")
    return Canary(part, seconds_of(lasting, "--for"))


def seconds_of(text: str, option: str) -> float:
    """Read a duration such as `90s`, `10m` or `1h`. Raises BadConfiguration for another text."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal():
        raise BadConfiguration(f"{option} {text} is no duration; say seconds, minutes or hours, as 90s, 10m or 1h.")
    # So many digits are more than any: nobody has to reckon with them.
    if len(number.lstrip("0")) > len(str(LONGEST)) or int(number) * UNITS[unit] > LONGEST:
        raise BadConfiguration(f"{option} {text[:20]} is too long; {LONGEST // 3600}h are the longest that is watched.")
    return float(int(number) * UNITS[unit])


def shifted(released: ReleasedRoot, target: Release, canary: Canary, alarms: set[str], *, say: Say) -> str | None:
    """Give a release its part of the calls and watch; return what speaks against it, None when nothing does."""
    started = dt.datetime.now(dt.UTC)
    moved = {}
    cloudwatch = released.client("cloudwatch")
    # Of an earlier canary, within the minute that the metrics are kept by.
    earlier: dict[str, float] = {}
    for name, version in target.versions.items():
        standing = standing_of(released.client, name)
        if standing.version not in {None, version}:
            earlier[name] = errors_of(cloudwatch, name, version, started)
            point(released.client, standing, str(standing.version), {version: canary.share})
            moved[name] = version
    if not moved:
        say("No function has an earlier version that calls could be shared with, so there is no canary.")
        return None
    where = " The local AWS keeps the weights and sends it nothing." if released.workspace.local else ""
    say(f"{percent(canary.share)} of the calls go to release {target.id} for {canary.seconds:.0f} s.{where}")

    def errors() -> str | None:
        for name, version in moved.items():
            count = errors_of(cloudwatch, name, version, started) - earlier[name]
            if count > 0:
                return f"version {version} of {name} ended {count:.0f} calls of the canary in errors"
        return None

    return watched(released, alarms, canary.seconds, errors)


def errors_of(cloudwatch: Any, name: str, version: str, since: dt.datetime) -> float:
    """Count the calls of `live` that this version ended in an error, by the metrics that Lambda keeps of each.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[
            {"Name": "FunctionName", "Value": name},
            {"Name": "Resource", "Value": f"{name}:{ALIAS}"},
            {"Name": "ExecutedVersion", "Value": version},
        ],
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=MINUTE),
        Period=MINUTE,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))

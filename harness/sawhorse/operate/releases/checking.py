"""Check versions of a root: that each starts, its smoke suite by number or over HTTP, and its alarms."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sawhorse.errors import SawhorseError
from sawhorse.operate.releases.record import Verdict, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import frozen_meanwhile
from sawhorse.operate.smoke import Check, Result, expect, finding_of, run_checks, run_in_order
from sawhorse.operations import operation
from sawhorse.workspace import Deployment

# Most names of alarms that one call takes
# (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
MOST_ALARMS = 100
POLL_SECONDS = 5.0
# Services that hand a function a batch, `Records`; with an empty one it starts, does nothing and responds.
BATCHES = (":sqs:", ":dynamodb:", ":kinesis:")

NOTHING_CHECKED = " Nothing of it was checked: the app has no smoke check that ran."

Say = Callable[[str], object]


@dataclass(frozen=True)
class Checked:
    """What the checks of a release showed."""

    results: Sequence[Result]

    @property
    def ran(self) -> list[Result]:
        return [result for result in self.results if not result.skipped]

    @property
    def failed(self) -> dict[str, str]:
        """What did not pass, each with its finding."""
        return {
            result.name: result.finding or result.not_run or "it failed" for result in self.ran if not result.passed
        }

    @property
    def verdict(self) -> Verdict:
        return Verdict(passed=not self.failed, checks=len(self.ran), failed=self.failed, at=now())

    def sentence(self) -> str:
        name, finding = next(iter(self.failed.items()))
        more = f", and {len(self.failed) - 1} more failed" if len(self.failed) > 1 else ""
        return f'"{name}" failed ({finding.rstrip(".")}){more}'


def check_versions(released: ReleasedRoot, versions: Mapping[str, str]) -> Checked:
    """Check versions by their number: whether those of queues and streams start, and the smoke suite."""
    deployment = released.deployment(versions)
    results = [*run_in_order(list(starts(deployment)), deployment.calls), *suite_results(deployment)]
    return Checked(results)


def check_live(released: ReleasedRoot, at_failure: Callable[[], object] | None = None) -> Checked:
    """Run the smoke suite against what is live.

    With `at_failure` it ends at the first check that fails: that is called at once, before the suite cleans up.
    """
    return Checked(suite_results(released.deployment(), at_failure))


def suite_results(deployment: Deployment, at_failure: Callable[[], object] | None = None) -> list[Result]:
    """Run a root's smoke suite; one that cannot begin is a failed check, since nothing may be believed then."""
    results: list[Result] = []
    if operation(deployment.root.project, deployment.root.app, "smoke") is None:
        return results
    try:
        with contextlib.closing(run_checks(deployment)) as running:
            for result in running:
                results.append(result)
                if at_failure and not result.passed:
                    at_failure()
                    break
    except Exception as error:  # noqa: BLE001 # an app's suite can break in any way before its first check
        finding = str(error) if isinstance(error, SawhorseError) else finding_of(error)
        results.append(Result("the smoke suite begins", passed=False, seconds=0.0, finding=finding))
        if at_failure and len(results) == 1:
            at_failure()
    return results


def starts(deployment: Deployment) -> Iterator[Check]:
    """Walk a check for each version whose events come in batches: an import that fails shows here."""
    functions = deployment.client("lambda")
    for name, version in deployment.versions.items():
        pages = functions.get_paginator("list_event_source_mappings").paginate(FunctionName=f"{name}:live")
        mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
        if any(kind in mapping.get("EventSourceArn", "") for mapping in mappings for kind in BATCHES):
            yield Check(f"{name} starts", starting(functions, name, version))


def starting(functions: Any, name: str, version: str) -> Callable[[], None]:
    def start() -> None:
        response = functions.invoke(FunctionName=name, Qualifier=version, Payload=json.dumps({"Records": []}).encode())
        content = response["Payload"].read().decode()
        expect(not response.get("FunctionError"), f"Version {version} raised: {content[:300]}")

    return start


def red_alarms(released: ReleasedRoot) -> set[str]:
    """Return the alarms of a root that are in ALARM now."""
    names, cloudwatch = released.alarms, released.client("cloudwatch")
    found: set[str] = set()
    for first in range(0, len(names), MOST_ALARMS):
        page = cloudwatch.describe_alarms(AlarmNames=names[first : first + MOST_ALARMS], MaxRecords=MOST_ALARMS)
        found |= {alarm["AlarmName"] for alarm in page["MetricAlarms"] if alarm["StateValue"] == "ALARM"}
    return found


def refuse_frozen_meanwhile(released: ReleasedRoot) -> None:
    """Raise where somebody has frozen a root since its release began."""
    frozen = released.kept.read().frozen
    if frozen:
        raise SawhorseError(frozen_meanwhile(released, frozen))


def watched(released: ReleasedRoot, before: set[str], seconds: float, look: Callable[[], str | None]) -> str | None:
    """Watch the alarms that were not red before, and what `look` finds; return what rang, None when nothing did.

    Raises SawhorseError where somebody freezes the root meanwhile.
    """
    deadline = time.monotonic() + seconds
    while True:
        new = sorted(red_alarms(released) - before)
        if new:
            return f"the alarm {new[0]} went off" + (f", and {len(new) - 1} more" if len(new) > 1 else "")
        refuse_frozen_meanwhile(released)
        found = look()
        if found:
            return found
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(POLL_SECONDS, left))

"""Plans that many tests look at, each made once in a scratch copy, two at a time.

Files run side by side in processes of their own: tests/together.py sends those that look at the same plans to one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.plans.cases import Change, Refusal, plan_changes, plan_refusals, read_changes, read_refusals, state_before
from sawhorse.plans.examples import plan_examples
from sawhorse.plans.plan import Plan, Tool
from sawhorse.plans.promises import Promise, files_of_promises, read_promises
from sawhorse.plans.scratch import plan_root, scratch_project
from sawhorse.project import Project
from tests.plans.support import packages_of

HERE = Path(__file__).parent
PROMISES = files_of_promises(HERE / "plans/promises")
# What hundreds of modules in one plan hold is more than the limit of tests/conftest.py, at which Go does nothing but
# collect.
OF_MANY = {"GOGC": "400", "GOMEMLIMIT": "off"}


def all_changes() -> list[Change]:
    """Read what every file of changes says: the modules' own, and each app's."""
    return [change for path in sorted(HERE.rglob("changes.yaml")) for change in read_changes(path)]


def all_refusals() -> list[Refusal]:
    """Read what every file of refusals says: the modules' own, and each app's."""
    return [refusal for path in sorted(HERE.rglob("refusals.yaml")) for refusal in read_refusals(path)]


def all_promises() -> list[Promise]:
    """Read what every module promises."""
    return [promise for path in PROMISES for promise in read_promises(path)]


class Planning:
    """The plans of tests: started when they are known to be wanted, waited for when they are looked at."""

    def __init__(self, code: Path, scratch: Path, tool_of: Callable[[str], Tool]) -> None:
        self.code = code
        self.scratch = scratch
        self.tool_of = tool_of
        self.pool = ThreadPoolExecutor(max_workers=2)
        self.started: dict[str, Future[Any]] = {}
        scratch_project(code, scratch)

    def wait(self) -> None:
        """Wait for all that was started, whatever comes of it."""
        wait(self.started.values())

    def start(self, name: str, work: Callable[[], Any]) -> Future[Any]:
        """Start some work unless it was started before."""
        if name not in self.started:
            self.started[name] = self.pool.submit(work)
        return self.started[name]

    def root(self, root: str) -> Future[Plan]:
        tool = self.tool_of(root.split("/", maxsplit=1)[0])
        packages = packages_of(self.code, root)
        return self.start(root, lambda: plan_root(tool, self.code, self.scratch, root, packages))

    def of_many(self) -> Tool:
        """Return Terraform for the plan of many modules."""
        tool = self.tool_of("dev")
        return Tool(tool.binary, {**tool.environment, **OF_MANY})

    def examples(self) -> Future[Plan]:
        tool = self.of_many()
        return self.start("examples", lambda: plan_examples(tool, self.code, self.scratch))

    def state_before(self) -> Future[dict[str, Any]]:
        tool = self.of_many()
        cases = [*all_changes(), *all_refusals()]
        return self.start("before", lambda: state_before(tool, self.code, self.scratch, cases))

    def changes(self) -> Future[Plan]:
        tool, before, cases = self.of_many(), self.state_before(), all_changes()
        return self.start(
            "changes",
            lambda: plan_changes(tool, self.code, self.scratch, cases, before.result(), telling=all_promises()),
        )

    def refusals(self) -> Future[dict[str, list[str]]]:
        tool, before, cases = self.of_many(), self.state_before(), all_refusals()
        return self.start("refusals", lambda: plan_refusals(tool, self.code, self.scratch, cases, before.result()))


@pytest.fixture(scope="session")
def plannings(
    local_aws: Running, terraform: Tool, terraform_code: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planning]:
    """Every plan that was made, for the files that look at it later."""

    def tool_of(environment: str) -> Tool:
        facts = read_environment(Project(terraform_code), environment)
        variables = local_aws.environment(facts.account_id, facts.region)
        return Tool(terraform.binary, {**terraform.environment, **variables})

    # tftest deletes state and locks where it runs, so only ever in a scratch copy.
    planning = Planning(terraform_code, tmp_path_factory.mktemp("plans"), tool_of)
    with planning.pool:
        yield planning


@pytest.fixture(scope="module")
def planning(request: pytest.FixtureRequest, plannings: Planning) -> Iterator[Planning]:
    """Every plan that a test of this file asks for, made before or on its way."""
    items = [item for item in request.session.items if item.path == request.path]
    wanted = {name for item in items for name in getattr(item, "fixturenames", ())}
    for name, start in {
        # The longest first.
        "changes_plan": plannings.changes,
        "refused": plannings.refusals,
        "examples_plan": plannings.examples,
    }.items():
        if name in wanted:
            start()
    for item in items:
        root = getattr(getattr(item, "callspec", None), "params", {}).get("root")
        if root is not None and "root_plan" in getattr(item, "fixturenames", ()):
            plannings.root(root)
    yield plannings
    # Nothing of this file runs beside the next one.
    plannings.wait()


@pytest.fixture(scope="module")
def root_plan(planning: Planning) -> Callable[[str], Plan]:
    """Plan a root by its name, once for all tests."""
    return lambda root: planning.root(root).result()


@pytest.fixture(scope="module")
def examples_plan(planning: Planning) -> Plan:
    """The plan of every README example of every module."""
    return planning.examples().result()


@pytest.fixture(scope="module")
def changes_plan(planning: Planning) -> Plan:
    """The plan of every change to something that was applied before."""
    return planning.changes().result()


@pytest.fixture(scope="module")
def refused(planning: Planning) -> dict[str, list[str]]:
    """The sentences that every bad input gets."""
    return planning.refusals().result()


@pytest.fixture(scope="session")
def refresh() -> str | None:
    """Something when what is found should be written into the files that say what is expected."""
    return os.environ.get("REFRESH_PLANS")

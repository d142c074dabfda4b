"""Stand in for GitHub: runs of workflows, the order of their jobs, concurrency, approvals and cancellation.

Nothing runs by itself: `work` carries on all runs, a step at a time and in turn, until each has ended or waits for an
approval. So a second push comes in the middle of a run at the very step at which a test wants it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sawhorse.project import Project
from tests.workflows.documents import listed, read_workflow
from tests.workflows.expressions import Expressions, as_text
from tests.workflows.github_api import Repository
from tests.workflows.jobs import Job

SELF = "./.github/workflows/"


class GoesOn(Protocol):
    """A run or a part of one."""

    def go_on(self) -> bool:
        """Take a step, and say whether there was one."""


def go_on_all(parts: Sequence[GoesOn]) -> bool:
    """Let each take a step, and say whether there was any."""
    return sum(part.go_on() for part in parts) > 0


def nothing(*_: Any) -> None:
    """Do nothing: what a test puts its own in the place of."""


@dataclass
class Platform:
    """GitHub with one repository, and the machine that its jobs run on: `machine` has its variables."""

    repository: Repository
    checkout: Path
    place: Path
    machine: Mapping[str, str]
    local_aws: Project
    api: str
    runs: list[Run] = field(default_factory=list)
    groups: dict[str, list[Node]] = field(default_factory=dict)
    workspaces: list[Path] = field(default_factory=list)
    before_step: Callable[[Job, str], None] = nothing
    before_credentials: Callable[[Job, Mapping[str, str]], None] = nothing
    meanwhile: Callable[[Job, Path], None] = nothing

    def start(self, workflow: str, event_name: str, event: Mapping[str, Any], **of_run: Any) -> Run:
        """Begin a run of a workflow for an event that it is for."""
        definition = read_workflow(self.checkout / ".github/workflows" / f"{workflow}.yml")
        assert event_name in definition["on"], f"{workflow} is not for {event_name}."
        run = Run(self, workflow, definition, event_name, event, **of_run)
        self.runs.append(run)
        run.queue()
        return run

    def let_nobody_interfere(self) -> None:
        """Take away what a test put between steps."""
        self.before_step = self.before_credentials = self.meanwhile = nothing

    def take_workspace(self) -> Path:
        """Return a place that no other job has; on GitHub's machines it has the same path in every job."""
        if not self.workspaces:
            made = len(list(self.place.glob("workspace-*"))) + 1
            self.workspaces.append(self.place / f"workspace-{made}")
            self.workspaces[0].mkdir()
        return self.workspaces.pop(0)

    def work(self) -> None:
        """Carry all runs on until nothing can go on."""
        while go_on_all(self.runs):
            pass

    def cancel_all(self) -> None:
        """Cancel what has not ended, such as what waits for an approval."""
        for run in self.runs:
            run.cancelled = run.cancelled or not run.ended
        self.work()

    def approve(self, run: Run, environment: str) -> None:
        """Approve what waits for an environment in a run, as a reviewer does."""
        waiting = [job for job in run.jobs if job.waits_for == environment]
        assert waiting, f"Nothing waits for {environment}."
        for job in waiting:
            job.approved = True


@dataclass(eq=False)
class Node:
    """A place in a run's order: a job with its matrix, or a call of another workflow."""

    run: Run
    key: str
    definition: Mapping[str, Any]
    within: Node | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    result: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    children: dict[str, Node] | None = None
    jobs: list[Working] | None = None
    held: bool = False

    @property
    def siblings(self) -> Mapping[str, Node]:
        return (self.within.children or {}) if self.within else self.run.nodes

    @property
    def needs(self) -> list[Node]:
        return [self.siblings[name] for name in listed(self.definition.get("needs"))]

    def ancestors(self) -> Iterator[Node]:
        for node in self.needs:
            yield node
            yield from node.ancestors()

    def expressions(self) -> Expressions:
        results = [node.result for node in self.ancestors()]
        contexts = {
            **self.run.contexts(),
            "inputs": self.inputs,
            "needs": {node.key: {"result": node.result, "outputs": node.outputs} for node in self.needs},
        }
        status = {
            "success": all(result == "success" for result in results) and not self.run.cancelled,
            "failure": "failure" in results,
            "cancelled": self.run.cancelled,
        }
        return Expressions(contexts, status)

    def go_on(self) -> bool:
        """Take the next step here, and say whether there was one."""
        if self.result is not None or any(node.result is None for node in self.needs):
            return False
        if self.children is None and self.jobs is None:
            return self.begin()
        moved = go_on_all([*(self.children or {}).values(), *(self.jobs or ())])
        self.conclude()
        return moved or self.result is not None

    def begin(self) -> bool:
        """Decide whether it runs, wait for its turn in its group, and make its jobs."""
        expressions = self.expressions()
        if not expressions.condition(self.definition.get("if", "success()")):
            self.end("cancelled" if self.run.cancelled else "skipped")
            return True
        if not self.has_turn(expressions):
            return False
        if self.result is not None:
            return True
        if "uses" in self.definition:
            called = read_workflow(
                self.run.platform.checkout / ".github/workflows" / self.definition["uses"].removeprefix(SELF)
            )
            assert self.definition["uses"].startswith(SELF), self.definition["uses"]
            given = {name: expressions.filled(value) for name, value in self.definition.get("with", {}).items()}
            inputs = inputs_of(called["on"]["workflow_call"], given)
            self.children = {
                key: Node(self.run, key, definition, self, inputs) for key, definition in called["jobs"].items()
            }
        else:
            self.jobs = [Working(self, values) for values in self.matrix(expressions)]
        return True

    def has_turn(self, expressions: Expressions) -> bool:
        """Say whether it is its group's turn; a third one takes the place of the second, which is cancelled."""
        said = self.definition.get("concurrency")
        if not said or self.held:
            return True
        assert said["cancel-in-progress"] == "false", "A job's group cancels nothing here."
        group = self.run.platform.groups.setdefault(as_text(expressions.filled(said["group"])), [])
        if self not in group:
            for overtaken in group[1:]:
                overtaken.end("cancelled")
            group.append(self)
        self.held = group[0] is self
        return self.held

    def matrix(self, expressions: Expressions) -> Sequence[Mapping[str, Any]]:
        strategy = self.definition.get("strategy")
        if not strategy:
            return [{}]
        assert set(strategy["matrix"]) == {"include"}, "The runner knows a matrix of include alone."
        assert strategy["fail-fast"] == "false", "The runner lets the others of a matrix go on."
        found: list[Mapping[str, Any]] = expressions.filled(strategy["matrix"]["include"])
        assert found, f"{self.key}: a matrix of nothing is an error."
        return found

    def conclude(self) -> None:
        """End once all below has ended: failed when one of them did."""
        results = [one.result for one in (*(self.children or {}).values(), *(self.jobs or ()))]
        if all(result is not None for result in results):
            order = ("failure", "cancelled", "success", "skipped")
            self.outputs = {name: value for one in self.jobs or () for name, value in one.outputs.items()}
            self.end(min((str(result) for result in results), key=order.index))

    def end(self, result: str) -> None:
        self.result = result
        for group in self.run.platform.groups.values():
            if self in group:
                group.remove(self)

    def all_jobs(self) -> Iterator[Working]:
        yield from self.jobs or ()
        for child in (self.children or {}).values():
            yield from child.all_jobs()


class Working:
    """A job with the values of its matrix: waits for an approval where its environment wants one, then runs."""

    def __init__(self, node: Node, matrix: Mapping[str, Any]) -> None:
        self.node, self.matrix = node, matrix
        self.approved = False
        self.job: Job | None = None
        self.steps: Iterator[None] = iter(())
        self.result: str | None = None
        expressions = node.expressions()
        expressions.contexts = {**expressions.contexts, "matrix": matrix}
        named = node.definition.get("environment")
        self.environment = as_text(expressions.filled(named)) if named else None
        self.name = as_text(expressions.filled(node.definition.get("name", node.key)))

    @property
    def outputs(self) -> dict[str, str]:
        return self.job.outputs if self.job else {}

    @property
    def waits_for(self) -> str | None:
        """The environment whose approval it waits for."""
        rules = self.node.run.platform.repository.environments.get(self.environment or "", {}).get(
            "protection_rules", []
        )
        asked = any(rule["type"] == "required_reviewers" for rule in rules)
        return self.environment if asked and not self.approved and self.result is None else None

    def go_on(self) -> bool:
        run = self.node.run
        if self.result is not None:
            return False
        if self.job is None:
            if run.cancelled and not self.runs_when_cancelled():
                self.result = "cancelled"
                return True
            if self.waits_for:
                return False
            self.job = run.job(self)
            self.steps = self.job.go()
        try:
            next(self.steps)
        except StopIteration:
            self.result = self.job.result
        return True

    def runs_when_cancelled(self) -> bool:
        return "always()" in self.node.definition.get("if", "")


def inputs_of(declared: Mapping[str, Any] | str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a workflow, with defaults; what it does not declare, or lacks, is an error."""
    known = dict(declared.get("inputs", {})) if isinstance(declared, Mapping) else {}
    assert set(given) <= set(known), f"{set(given) - set(known)} is no input."
    missing = [name for name, one in known.items() if one.get("required") == "true" and not given.get(name)]
    assert not missing, f"{missing} is required."
    return {name: given.get(name, one.get("default", "")) for name, one in known.items()}


@dataclass(eq=False)
class Run:
    """A run of a workflow."""

    platform: Platform
    workflow: str
    definition: Mapping[str, Any]
    event_name: str
    event: Mapping[str, Any]
    sha: str
    ref: str
    given: Mapping[str, str] = field(default_factory=dict)
    actor: str = "octocat"
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.number = len(self.platform.runs) + 1
        self.place = self.platform.place / f"run-{self.number}"
        self.place.mkdir(parents=True)
        self.artifacts = self.platform.place / f"artifacts-{self.number}"
        self.event_file = self.platform.place / f"event-{self.number}.json"
        self.event_file.write_text(json.dumps(self.event))
        self.inputs = inputs_of(self.definition["on"][self.event_name], self.given)
        self.nodes = {
            key: Node(self, key, definition, inputs=self.inputs) for key, definition in self.definition["jobs"].items()
        }
        self.group = ""

    def queue(self) -> None:
        """Take its place in the workflow's group, and cancel who is to be cancelled for it."""
        said = self.definition.get("concurrency")
        if not said:
            return
        expressions = Expressions({**self.contexts(), "inputs": self.inputs}, {})
        self.group = as_text(expressions.filled(said["group"]))
        others = [one for one in self.platform.runs if one is not self and one.group == self.group and not one.ended]
        for other in others if said["cancel-in-progress"] == "true" else others[1:]:
            other.cancelled = True

    @property
    def ended(self) -> bool:
        return all(node.result is not None for node in self.nodes.values())

    @property
    def waits(self) -> bool:
        """Whether a run of its group that began before it has not ended."""
        before = self.platform.runs[: self.platform.runs.index(self)]
        return bool(self.group) and any(one.group == self.group and not one.ended for one in before)

    @property
    def jobs(self) -> list[Working]:
        return [job for node in self.nodes.values() for job in node.all_jobs()]

    def job_named(self, name: str) -> Job:
        (found,) = [one.job for one in self.jobs if one.name == name]
        assert found, f"{name} did not run."
        return found

    @property
    def results(self) -> dict[str, str | None]:
        return {key: node.result for key, node in self.nodes.items()}

    def go_on(self) -> bool:
        return not self.waits and go_on_all(list(self.nodes.values()))

    def job(self, working: Working) -> Job:
        node = working.node
        permissions = dict(self.definition.get("permissions") or {})
        caller = node.within
        permissions |= node.definition.get("permissions", {})
        if caller:
            # A called workflow can only have less than who calls it.
            given = caller.definition.get("permissions", {})
            lacking = {scope for scope, level in permissions.items() if given.get(scope) not in {level, "write"}}
            assert not lacking, f"{caller.key} does not give {lacking} to {node.key}."
        needs = node.expressions().contexts["needs"]
        key = f"{caller.key}-{node.key}" if caller else node.key
        job = Job(self, key, node.definition, working.matrix, node.inputs, needs, working.environment, permissions)
        if caller is None or caller.definition.get("secrets") == "inherit":
            job.secrets = self.platform.repository.secrets.get(working.environment or "", {})
        return job

    def contexts(self) -> dict[str, Any]:
        github = {
            "actor": self.actor,
            "event": self.event,
            "event_name": self.event_name,
            "ref": self.ref,
            "repository": self.platform.repository.name,
            "run_id": str(self.number),
            "sha": self.sha,
        }
        return {"github": github, "vars": {}}

    def variables(self) -> dict[str, str]:
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": self.actor,
            "GITHUB_API_URL": self.platform.api,
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(self.event_file),
            "GITHUB_REF": self.ref,
            "GITHUB_REPOSITORY": self.platform.repository.name,
            "GITHUB_RUN_ID": str(self.number),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": self.sha,
        }

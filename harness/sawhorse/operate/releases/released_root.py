"""A root whose functions are released: its state without Terraform, its record, its functions, and who asks."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sawhorse.errors import NotApplied
from sawhorse.git import commit_of
from sawhorse.local.addresses import reachable
from sawhorse.operate.releases.built_from import built_from
from sawhorse.operate.releases.lambdas import (
    Function,
    Standing,
    by_hand,
    code_at,
    functions_of,
    is_gated,
    look,
)
from sawhorse.operate.releases.record import ROLLBACK, Applied, Ending, Kept, Moving, Process, Record, Release, now
from sawhorse.terraform.state_store import State
from sawhorse.workspace import Deployment, Workspace


@dataclass(frozen=True)
class ReleasedRoot:
    """What the last apply of a root left, and the record of its releases."""

    workspace: Workspace
    state: State
    functions: tuple[Function, ...]
    kept: Kept
    clients: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def found(cls, workspace: Workspace) -> ReleasedRoot | None:
        """Read a root's state; None where nothing was applied."""
        state = workspace.state()
        if state is None or not state.snapshot.resources:
            return None
        kept = Kept(workspace.state_store, workspace.root.name)
        return cls(workspace, state, tuple(functions_of(state)), kept)

    @classmethod
    def of(cls, workspace: Workspace) -> ReleasedRoot:
        """Read a root's state. Raises NotApplied where nothing was applied."""
        found = cls.found(workspace)
        if found is None:
            command = sawhorse("apply", workspace)
            raise NotApplied(f'{workspace.root.name} is not applied, so it has no releases; run "{command}".')
        return found

    @property
    def name(self) -> str:
        return self.workspace.root.name

    @cached_property
    def gated(self) -> bool:
        return is_gated(self.state)

    @property
    def names(self) -> list[str]:
        return [function.name for function in self.functions]

    @property
    def published(self) -> dict[str, str]:
        """The versions that the last apply published, by function."""
        return {function.name: function.published.version for function in self.functions}

    @cached_property
    def built_from(self) -> tuple[str | None, bool]:
        """The commit that what the last apply published is of, None where nobody knows, and whether it had changes."""
        return built_from(self.workspace, [function.published for function in self.functions])

    @property
    def alarms(self) -> list[str]:
        """The names of the alarms that the root makes."""
        return [
            resource["values"]["alarm_name"]
            for resource in self.state.snapshot.resources
            if resource["type"] == "aws_cloudwatch_metric_alarm"
        ]

    def client(self, service: str) -> Any:
        """Return a client of a service, made once: that takes longer than a call, and `live` waits for it."""
        if service not in self.clients:
            self.clients[service] = self.workspace.client(service)
        return self.clients[service]

    def standings(self) -> list[Standing]:
        return look(self.client, self.names)

    def deployment(self, versions: Mapping[str, str] | None = None) -> Deployment:
        """Return what checks call: `live`, or these versions by their number."""
        local = self.workspace.local
        outputs = reachable(self.state.outputs, local.url if local else None)
        return Deployment(self.workspace.root, self.workspace.environment, outputs, local, versions=versions or {})

    def command(self, name: str, *options: str) -> str:
        """Say what to type, for this root and where it was applied."""
        return sawhorse(name, self.workspace, *options)

    def noted(self) -> tuple[Record, Release]:
        """Enter what the last apply published in the record unless it stands there, and return both.

        What an apply made live itself is entered as live: first versions, a new function, and natively what is direct.
        """
        published = self.published
        standings = self.standings()
        live = {standing.function: standing.version for standing in standings}

        def enter(record: Record) -> Record:
            unknown = not record.releases and live != published and all(live.values())
            if unknown and not self.moved_by_hand(record, standings):
                record = self.with_unrecorded(record, standings)
            last = record.last
            # A function that was made again may have numbers that another one had.
            if last is None or last.is_gone or last.versions != published:
                last = Release(
                    id=(last.id if last else 0) + 1,
                    functions={function.name: function.published for function in self.functions},
                    commit=self.built_from[0],
                    dirty=self.built_from[1],
                    at=now(),
                    by=self.by,
                )
                record = record.having(last)
            applied = live == published and record.moving is None and record.pinned is None
            if applied and record.live != last.id and not self.moved_by_hand(record, standings):
                why = f"release {last.id} became live with its apply"
                record = record.having_live(last, Ending(how="replaced", why=why, at=now()))
            return record

        record = self.kept.change(enter)
        return record, record.releases[-1]

    def note_applied(self) -> None:
        """Enter which commit was applied, also where its plan was empty: it is what drift is told from."""
        commit = commit_of(self.workspace.root.project.path)
        applied = Applied(commit=commit.revision, dirty=bool(commit.dirty), at=now(), by=self.by)
        self.kept.change(lambda record: record.but(applied=applied, uploading=()))

    def note_uploading(self, codes: Iterable[str]) -> None:
        """Enter what an apply is about to upload: should it fail halfway, that code is nobody else's."""
        self.kept.change(lambda record: record.but(uploading=tuple(sorted({*record.uploading, *codes}))))

    def with_unrecorded(self, record: Record, standings: Sequence[Standing]) -> Record:
        """Return a record that begins with what is live, which applies without the commands made; who, nobody knows."""
        functions = {one.function: code_at(self.client, one.function, str(one.version)) for one in standings}
        first = Release(id=1, functions=functions, commit=None, dirty=False, at=now(), by="unknown")
        return record.having(first).having_live(first, Ending(how="replaced", why="", at=now()))

    def moved_by_hand(self, record: Record, standings: Sequence[Standing]) -> list[str]:
        """Return, a sentence each, what somebody has done to `live` beside the commands, and what an apply would do.

        Nothing is said while a command moves it, or was cut off.
        """
        if record.moving:
            return []
        functions = {function.name: function for function in self.functions}
        return [line for one in standings if (line := by_hand(functions[one.function], one, record))]

    @cached_property
    def by(self) -> str:
        """Say who asks: the caller's ARN on AWS, where a session's name says which run it is; else this user."""
        if self.workspace.local:
            return getpass.getuser()
        return str(self.client("sts").get_caller_identity()["Arn"])

    def moving(self, command: str, release: int | None, standings: Sequence[Standing], record: Record) -> Moving:
        """Say what a command is about to move, and where all was before it or before one that was cut off.

        Before a rollback that was cut off means where it was to go: nobody wants what it went away from.
        """
        before = {standing.function: standing.version for standing in standings if standing.version}
        pins = {standing.function: standing.pin for standing in standings if standing.pin}
        earlier = record.moving
        if earlier:
            goal = record.release(earlier.release) if earlier.command == ROLLBACK and earlier.release else None
            versions = {**earlier.before, **(goal.versions if goal else {})}
            before |= {name: version for name, version in versions.items() if name in before}
            pins |= {
                name: pin for name, pin in {**earlier.pins, **(goal.versions if goal else {})}.items() if name in pins
            }
        return Moving(
            command=command,
            release=release,
            before=before,
            pins=pins,
            at=now(),
            by=self.by,
            process=Process.this(),
        )


def sawhorse(name: str, workspace: Workspace, *options: str) -> str:
    local = ["--local"] if workspace.local else []
    return " ".join(["sawhorse", name, workspace.root.name, *local, *options])

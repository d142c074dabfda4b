"""Move the state of a root, with the record of its releases, into a bucket and back; nothing is lost when it is killed.

It is copied byte for byte, under the condition that what was read there is there still, while both locks are held, and
the old one goes once the new one was read back. Terraform's own ways give a state that is new to S3 another lineage
(`init -migrate-state` and `state push`, 1.11.4), and the first of them writes over whatever is there; so it looks at
what was copied, and copies nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from python_terraform import IsFlagged

from sawhorse.environment import read_environment
from sawhorse.errors import BadConfiguration, CommandFailed, SawhorseError
from sawhorse.files import write_atomically
from sawhorse.local.overlay import keep_local_state_in, local_backend, local_state_bucket
from sawhorse.local.state_bucket import make_bucket_for_local_states
from sawhorse.operate.releases.record import Kept
from sawhorse.terraform.moving import (
    INITIALIZED,
    Moving,
    To,
    bucket_of_last_init,
    command_to_move,
    forget_move,
    remember_move,
    unfinished_move,
)
from sawhorse.terraform.render import backend_of, write_backend
from sawhorse.terraform.runner import Terraform
from sawhorse.terraform.state import Snapshot, how_to_save, refuse_state_of_another, unsaved
from sawhorse.terraform.state_lock import MOVE
from sawhorse.terraform.state_store import (
    RELEASES,
    STATE,
    Held,
    State,
    StateStore,
    Stored,
    WrittenMeanwhile,
    read_state,
    state_of,
)
from sawhorse.terraform.sync import BACKEND
from sawhorse.terraform.unfinished import unfinished
from sawhorse.workspace import Workspace


@dataclass(frozen=True)
class Moved:
    """What a move did, and which state was found where it went, empty and 0 when there is none."""

    root: str
    did: Literal["moved", "was there already", "had nothing to move"]
    source: str
    target: str
    lineage: str
    serial: int
    resources: int

    def sentence(self) -> str:
        if self.did == "had nothing to move":
            return f"{self.root} has no state yet; its next apply writes one to {self.target}."
        if self.did == "was there already":
            return f"The state of {self.root} is in {self.target} already (serial {self.serial})."
        return (
            f"The state of {self.root} was moved from {self.source} to {self.target}, and read back there: lineage "
            f"{self.lineage}, serial {self.serial}, {self.resources} resources."
        )


def move_state(workspace: Workspace, *, to: To, from_bucket: str | None = None) -> Moved:
    """Move a root's state and its record, or finish a move that was cut off.

    Raises BadConfiguration where environment.yaml says otherwise, or where the target holds anything else, and
    SawhorseError while a run holds one of the locks.
    """
    terraform = workspace.rendered(built=False)
    refuse_unfit(workspace, terraform.directory)
    moving = decided(workspace, terraform.directory, to, from_bucket)
    source, target = workspace.store_in(moving.source), workspace.store_in(moving.target)
    if moving.source == moving.target:
        return result(workspace, "was there already", source, target)
    with locked(workspace, source), locked(workspace, target):
        return carried(workspace, terraform, moving, source, target)


def refuse_unfit(workspace: Workspace, directory: Path) -> None:
    """Refuse a root of which nobody knows yet what its state should hold."""
    if unsaved(directory):
        raise SawhorseError(f"An earlier run could not save its state. {how_to_save(directory)}")
    if unfinished(directory):
        local = " --local" if workspace.local else ""
        raise SawhorseError(
            f"An apply of {workspace.root.name} was cut off, so its state was not moved; "
            f'"sawhorse apply {workspace.root.name}{local}" finishes it.'
        )


def decided(workspace: Workspace, directory: Path, to: To, from_bucket: str | None) -> Moving:
    """Say from where to where; the same twice where the state is there already."""
    root = workspace.root
    cut_off = unfinished_move(directory)
    if cut_off:
        if cut_off.to != to:
            command = command_to_move(root, cut_off.to, local=workspace.local is not None)
            raise SawhorseError(f"A move of the state of {root.name} was cut off; finish it with {command} first.")
        return cut_off
    if workspace.local:
        if from_bucket:
            raise BadConfiguration("--from is for AWS; what --local has moved is known here.")
        source = local_state_bucket(root)
        target = None if to == "local" else source or make_bucket_for_local_states(root, workspace.local)
        return Moving(source, target)
    target, facts = workspace.environment.state_bucket, f"environments/{root.environment}/environment.yaml"
    if to == "bucket" and not target:
        raise BadConfiguration(
            f"{facts} names no state_bucket, where every run looks for the state; name one there, which "
            f'"make state ENV={root.environment}" makes, and run this again.'
        )
    if to == "local" and target:
        raise BadConfiguration(
            f"{facts} says that the states of {root.environment} are in {target}; remove state_bucket there, and run "
            "this again for each of its roots."
        )
    return Moving(source_on_aws(workspace, directory, to, from_bucket), target)


def source_on_aws(workspace: Workspace, directory: Path, to: To, from_bucket: str | None) -> str | None:
    """Return the bucket that a state comes from; None for the file in the root, which counts when it is there."""
    if from_bucket or (to == "bucket" and read_state(workspace.store_in(None)) is not None):
        return from_bucket
    return bucket_of_last_init(directory)


@contextlib.contextmanager
def locked(workspace: Workspace, store: StateStore) -> Iterator[None]:
    try:
        with store.holding(MOVE):
            yield
    except Held as error:
        held = error.lock.told(workspace.root.name, local=workspace.local is not None)
        raise SawhorseError(f"Nothing was moved. {held}") from error


def carried(
    workspace: Workspace, terraform: Terraform, moving: Moving, source: StateStore, target: StateStore
) -> Moved:
    """Copy the state and the record, read both back, and only then take the old ones away."""
    again = unfinished_move(terraform.directory) is not None
    old, record = source.read(STATE), source.read(RELEASES)
    before, after = state_in(old, source), state_in(there := target.read(STATE), target)
    if before:
        refuse_state_of_another(before.snapshot, workspace.root)
        refuse_another_state(before, after, source, target)
    refuse_release_under_way(workspace, source)
    refuse_another_record(record, source, target)
    remember_move(terraform.directory, moving)
    if old and before and before != after:
        copy(STATE, old, target, over=there)
    if record and target.read(RELEASES) is None:
        copy(RELEASES, record, target, over=None)
    if workspace.local:
        keep_local_state_in(workspace.root, moving.target)
    take_away(source, {STATE: old, RELEASES: record})
    look_there(workspace, terraform, moving.target, target)
    forget_move(terraform.directory)
    return result(workspace, "moved" if before or again else "had nothing to move", source, target)


def state_in(stored: Stored | None, store: StateStore) -> State | None:
    return state_of(stored, store.place(STATE)) if stored and stored.content.strip() else None


def copy(kind: str, stored: Stored, target: StateStore, *, over: Stored | None) -> None:
    """Write what was read, and read it back. Raises CommandFailed where that is anything else."""
    with contextlib.suppress(WrittenMeanwhile):
        target.write(kind, stored.content, based_on=over)
    found = target.read(kind)
    if found is None or found.content != stored.content:
        raise CommandFailed(
            f"What was read in {target.place(kind)} afterwards is not what was written there; nothing was taken away. "
            "Look at it, and run this again."
        )


def look_there(workspace: Workspace, terraform: Terraform, bucket: str | None, target: StateStore) -> None:
    """Let Terraform look there from now on. Raises CommandFailed where it reads another state than lies there."""
    root, path = workspace.root, terraform.directory / BACKEND
    if workspace.local:
        write_atomically(path, local_backend(root, bucket))
    else:
        region = read_environment(root.project, root.environment).region
        write_backend(terraform.directory, backend_of(root, bucket, region) if bucket else None)
    # With no backend at all to go to, -reconfigure keeps the one that was.
    (terraform.directory / INITIALIZED).unlink(missing_ok=True)
    terraform.initialize(reconfigure=IsFlagged)
    found, read = read_state(target), terraform.pull()
    expected = found.snapshot if found else Snapshot()
    if (read.lineage, read.serial) != (expected.lineage, expected.serial):
        raise CommandFailed(
            f"Terraform reads another state in {terraform.shown} (lineage {read.lineage}, serial {read.serial}) than "
            f"lies in {target.place(STATE)}; run terraform state pull there to see, and run this again."
        )


def refuse_another_state(before: State, after: State | None, source: StateStore, target: StateStore) -> None:
    """Refuse to write over what is not an earlier version of the same state."""
    if after is None or before == after:
        return
    old, new = before.snapshot, after.snapshot
    if new.lineage == old.lineage and new.serial < old.serial:
        return
    why = "another state than" if new.lineage != old.lineage else "a version of its own, no older than that of"
    raise BadConfiguration(
        f"{target.place(STATE)} holds {why} {source.place(STATE)}: {told(after)} there, {told(before)} here. Nothing "
        "was moved; find out which is the root's, move the other one away by hand, and run this again."
    )


def told(state: State) -> str:
    one = state.snapshot
    return f"lineage {one.lineage}, serial {one.serial}, {len(one.resources)} resources"


def refuse_release_under_way(workspace: Workspace, source: StateStore) -> None:
    """Refuse while a command moves `live`: it would write its record to where nobody looks any more."""
    moving = Kept(source, workspace.root.name).read().moving
    if moving and not moving.process.is_over:
        raise SawhorseError(
            f"A {moving.command} of {workspace.root.name} by {moving.by} on {moving.process.host} is under way since "
            f"{moving.at}; wait until it ends."
        )


def refuse_another_record(record: Stored | None, source: StateStore, target: StateStore) -> None:
    there = target.read(RELEASES)
    if record and there and record.content != there.content:
        raise BadConfiguration(
            f"{target.place(RELEASES)} is another record of releases than {source.place(RELEASES)}. Nothing was moved; "
            "find out which is the root's, move the other one away by hand, and run this again."
        )


def take_away(source: StateStore, moved: dict[str, Stored | None]) -> None:
    """Take away what was moved, unless somebody has written it meanwhile."""
    for kind, stored in moved.items():
        if stored is None:
            continue
        try:
            source.remove(kind, based_on=stored)
        except WrittenMeanwhile as error:
            raise SawhorseError(
                f"{source.place(kind)} was written while it was moved, by a run that takes no lock there, and stays. "
                "Run this again."
            ) from error


def result(
    workspace: Workspace,
    did: Literal["moved", "was there already", "had nothing to move"],
    source: StateStore,
    target: StateStore,
) -> Moved:
    found = read_state(target)
    if found is None and did == "was there already":
        did = "had nothing to move"
    state = found.snapshot if found else None
    return Moved(
        workspace.root.name,
        did,
        source.place(STATE),
        target.place(STATE),
        state.lineage if state else "",
        state.serial if state else 0,
        len(state.resources) if state else 0,
    )

"""Say where a root's state lies and who has its lock, and release a lock that a run has left."""

from __future__ import annotations

from dataclasses import dataclass

from sawhorse.errors import SawhorseError
from sawhorse.terraform.moving import command_to_move, unfinished_move
from sawhorse.terraform.state_store import LOCK, RELEASES, STATE, S3Store, WrittenMeanwhile, read_state
from sawhorse.workspace import Workspace


@dataclass(frozen=True)
class ShownState:
    """Where a state lies, which one it is, empty and 0 when there is none, and what is in its way.

    `releases` is where the record of its releases lies, empty when there is none.
    """

    root: str
    place: str
    releases: str
    lineage: str
    serial: int
    resources: int
    lock: dict[str, str] | None
    held: str
    cut_off_move: str

    def sentences(self) -> list[str]:
        what = f"lineage {self.lineage}, serial {self.serial}, {self.resources} resources"
        first = f"The state of {self.root} is in {self.place}: {what}."
        none = f"{self.root} has no state in {self.place}."
        record = f"The record of its releases is in {self.releases}." if self.releases else ""
        return [line for line in (first if self.lineage else none, record, self.held, self.cut_off_move) if line]


def shown_state(workspace: Workspace) -> ShownState:
    """Read a state where it lies, and its lock."""
    store, root, local = workspace.store_in(workspace.state_bucket), workspace.root, workspace.local is not None
    state, lock = read_state(store), store.lock()
    cut_off = unfinished_move(workspace.directory)
    return ShownState(
        root=root.name,
        place=store.place(STATE),
        releases=store.place(RELEASES) if store.read(RELEASES) else "",
        lineage=state.snapshot.lineage if state else "",
        serial=state.snapshot.serial if state else 0,
        resources=len(state.snapshot.resources) if state else 0,
        lock=lock.as_terraform if lock else None,
        held=lock.told(root.name, local=local) if lock else "",
        cut_off_move=f"A move of it was cut off; {command_to_move(root, cut_off.to, local=local)} finishes it."
        if cut_off
        else "",
    )


def release_lock(workspace: Workspace, lock_id: str) -> str:
    """Release the lock with this id, and say so. Raises SawhorseError where none has it."""
    root, local = workspace.root.name, workspace.local is not None
    cut_off = unfinished_move(workspace.directory)
    places = [workspace.store_in(workspace.state_bucket)]
    # A move holds two of them.
    places += [workspace.store_in(bucket) for bucket in (cut_off.source, cut_off.target)] if cut_off else []
    held = {store.place(STATE): lock for store in places if (lock := store.lock())}
    for store in places:
        lock, stored = store.lock(), store.read(LOCK) if isinstance(store, S3Store) else None
        if stored and lock and lock.id == lock_id:
            try:
                store.remove(LOCK, based_on=stored)
            except WrittenMeanwhile:
                break
            return f"The lock of {store.place(STATE)}, which {lock.who} held since {lock.since}, is released."
    others = " ".join(lock.told(root, local=local) for lock in held.values()) or "Nobody holds one."
    raise SawhorseError(f"No lock of {root} has the id {lock_id}. {others}")

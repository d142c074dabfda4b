"""An apply that publishes versions without moving `live`: before it, after it, and when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from sawhorse.operate.releases.canary import Rollout
from sawhorse.operate.releases.checking import Say
from sawhorse.operate.releases.gate import AT_ONCE, Outcome, release
from sawhorse.operate.releases.lambdas import LATEST, Standing, write_pin
from sawhorse.operate.releases.moving import NotReleased, begun, refuse_frozen
from sawhorse.operate.releases.record import Ending, Kept, Moving, Record, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import ASKING, told_live
from sawhorse.operate.releases.standing import refuse_moved_by_hand
from sawhorse.operate.releases.uploaded import codes_of, refuse_foreign_code, restore_code
from sawhorse.terraform.sync import refuse_unsynced
from sawhorse.workspace import Workspace


def apply_alone(workspace: Workspace, apply: Callable[[], object], *, say: Say) -> None:
    """Apply what moves `live` itself, as a saved plan says, while no other command moves it.

    What it published is entered in the record. Raises SawhorseError where an apply may not begin.
    """
    before = ReleasedRoot.found(workspace)
    if before and before.functions:
        refuse_frozen(before, before.kept.read(), "apply")
        record, _ = before.noted()
        standings = before.standings()
        refuse_moved_by_hand(before, record, standings)
        with begun(before, "apply", None, record, standings, say=say):
            refuse_foreign_code(workspace)
            before.note_uploading(codes_of(workspace))
            apply()
    else:
        apply()
    note_release(workspace)


def note_release(workspace: Workspace) -> None:
    """Enter what an apply published in the record, where it did not come by `apply_and_release`."""
    released = ReleasedRoot.found(workspace)
    if released and released.functions:
        released.noted()
        released.note_applied()


def note_destroy(workspace: Workspace) -> None:
    """Say in the record that nothing of a root stands any more."""
    kept = Kept(workspace.state_store, workspace.root.name)
    if kept.read().releases:
        kept.change(lambda record: record.destroyed())


def apply_and_release(
    workspace: Workspace,
    apply: Callable[[], bool],
    *,
    say: Say,
    rollout: Rollout = AT_ONCE,
    restore: bool = False,
) -> Outcome | None:
    """Apply while `live` stays where it is; a direct root that is not pinned is then released at once.

    `apply` says whether it applied anything, and `restore` puts code that others uploaded right first, where it is
    refused otherwise. Returns what the release came to; None where there was none.
    """
    refuse_unsynced(workspace.root)
    before = ReleasedRoot.found(workspace)
    if before is None or not before.functions:
        if apply():
            after = ReleasedRoot.found(workspace)
            if after and after.functions:
                record, last = after.noted()
                after.note_applied()
                say(f"Release {last.id} of {after.name} is the first one, and live with its apply.")
        return None
    refuse_frozen(before, before.kept.read(), "apply")
    # What is live now is what a rollback goes back to.
    record, _ = before.noted()
    standings = before.standings()
    refuse_moved_by_hand(before, record, standings)
    with begun(before, "apply", None, record, standings, say=say) as moving:
        # Whoever applies at the same time is kept out by now: what is found is nobody's whom we know.
        if restore:
            for line in restore_code(workspace):
                say(line)
        refuse_foreign_code(workspace)
        before.note_uploading(codes_of(workspace))
        with held(before, standings, moving):
            applied = apply()
        after = ReleasedRoot.of(workspace)
        after.note_applied()
        if not applied or not after.functions:
            give_back_pins(after, after.standings(), moving)
            return None
        refuse_foreign_versions(before, after)
        return released_or_told(after, record, moving, say, rollout)


def refuse_foreign_versions(before: ReleasedRoot, after: ReleasedRoot) -> None:
    """Raise where an apply published code that was neither there before it nor built: somebody uploaded it then."""
    known = {function.published.code_sha256 for function in before.functions}
    known |= codes_of(after.workspace)
    foreign = [
        f"version {function.published.version} of {function.name} (CodeSha256 {function.published.code_sha256})"
        for function in after.functions
        # An image has no code of a package.
        if function.published.content_sha256 and function.published.code_sha256 not in known
    ]
    if foreign:
        raise NotReleased(
            f"{', '.join(foreign)} was published with code that is no package of this build: somebody uploaded it "
            f"during the apply. live was not moved. {told_live(after)} See what it is with "
            f'"{after.command("verify")}"; upload the zip of this build with "aws lambda update-function-code '
            f'--publish" and run "{after.command("apply")}" again.'
        )


@contextlib.contextmanager
def held(released: ReleasedRoot, standings: list[Standing], moving: Moving) -> Iterator[None]:
    """Pin each function where `live` is, so that the apply leaves it there; given back when the apply fails."""
    try:
        for standing in standings:
            if standing.pin == LATEST and standing.version:
                write_pin(released.client, standing.function, standing.version)
        yield
    except BaseException:
        with contextlib.suppress(*ASKING):
            after = ReleasedRoot.of(released.workspace)
            give_back_pins(after, after.standings(), moving)
        raise


def give_back_pins(released: ReleasedRoot, standings: list[Standing], moving: Moving) -> None:
    """Write `latest` again where it stood, and where `live` is the newest: else the next apply would move it."""
    for standing in standings:
        if moving.pins.get(standing.function) == LATEST and standing.version == released.published[standing.function]:
            write_pin(released.client, standing.function, LATEST)


def released_or_told(
    released: ReleasedRoot, record: Record, moving: Moving, say: Say, rollout: Rollout
) -> Outcome | None:
    """Release what a direct root has published, or say what has to be done until it is live."""
    _, last = released.noted()
    live = {standing.function: standing.version for standing in released.standings()}
    if live == last.versions:
        give_back_pins(released, released.standings(), moving)
        ending = Ending(how="replaced", why=f"release {last.id} became live with its apply", at=now())
        if not record.pinned and record.live != last.id:
            # A function came or left, and all others are as they were.
            released.kept.change(lambda found: found.having_live(last, ending))
        return None
    if record.pinned:
        say(
            f"Release {last.id} of {released.name} was published and is not live: live is pinned. {told_live(released)}"
        )
        return None
    if released.gated:
        say(
            f"Release {last.id} of {released.name} was published, and live was left where it is. "
            f'{told_live(released)} "{released.command("release")}" checks it and makes it live.'
        )
        return None
    return release(released, say=say, rollout=rollout, command="apply")

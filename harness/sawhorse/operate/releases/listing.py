"""List the releases of a root, say what differs between two, and delete versions that nobody goes back to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.operate.releases.lambdas import Standing, published_versions
from sawhorse.operate.releases.record import Ending, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import cut_off, in_the_way, ways_on


@dataclass(frozen=True)
class Unrecorded:
    """A published version that no release has, as an apply without the commands makes it, or somebody by hand.

    `code_sha256` is Lambda's own. Its description says of no content: a version that was published by hand inherits it.
    """

    function: str
    version: str
    code_sha256: str
    at: str


@dataclass(frozen=True)
class Listed:
    """The record of a root, where `live` is, and the published versions that the record does not know."""

    record: Record
    standings: Sequence[Standing]
    unrecorded: Sequence[Unrecorded]

    def as_json(self) -> dict[str, Any]:
        found = self.record.model_dump(mode="json")
        return {
            **found,
            "standings": [asdict(standing) for standing in self.standings],
            "unrecorded": [asdict(version) for version in self.unrecorded],
        }

    def state_of(self, release: Release) -> str:
        """Say in a word or two what became of a release."""
        record = self.record
        if record.live == release.id:
            return "live, pinned" if record.pinned else "live"
        if release.ended:
            return release.ended.how
        return "published"


def listed(released: ReleasedRoot) -> Listed:
    """Read the record and ask Lambda what there is."""
    record = released.kept.read()
    known = {(name, version) for release in record.releases for name, version in release.versions.items()}
    unrecorded = [
        Unrecorded(name, found["Version"], found["CodeSha256"], found["LastModified"])
        for name in released.names
        for found in published_versions(released.client, name)
        if (name, found["Version"]) not in known
    ]
    return Listed(record, released.standings(), unrecorded)


def release_of(released: ReleasedRoot, record: Record, number: int) -> Release:
    found = record.release(number)
    if found is None:
        raise BadConfiguration(
            f'There is no release {number} of {released.name}; "{released.command("releases")}" lists what there is.'
        )
    return found


def differences(one: Release, other: Release) -> Iterator[dict[str, Any]]:
    """Walk the functions of two releases that are not made of the same, each with what differs."""
    for name in sorted({*one.functions, *other.functions}):
        before, after = one.functions.get(name), other.functions.get(name)
        if before is None or after is None:
            yield {"function": name, "what": "only in", "before": before and one.id, "after": after and other.id}
            continue
        for what in ("version", "content_sha256", "code_sha256"):
            if getattr(before, what) != getattr(after, what):
                yield {"function": name, "what": what, "before": getattr(before, what), "after": getattr(after, what)}
        if dict(before.layers) != dict(after.layers):
            yield {"function": name, "what": "layers", "before": sorted(before.layers), "after": sorted(after.layers)}
    for what in ("commit", "dirty"):
        if getattr(one, what) != getattr(other, what):
            yield {"function": None, "what": what, "before": getattr(one, what), "after": getattr(other, what)}


def prune(released: ReleasedRoot, keep: int) -> list[tuple[str, str]]:
    """Delete old versions and return them with their functions.

    The newest `keep` of each function stay, and so does whatever is live, gets a part of the calls, is pinned, was
    found good, or is being released.
    """
    if keep < 1:
        raise BadConfiguration(f"--prune {keep} would keep no version; say how many of the newest stay, 1 at least.")
    record = released.kept.read()
    refuse_moving(released, record)
    spared = {
        (name, version) for one in record.releases if is_spared(record, one) for name, version in one.versions.items()
    } | set(released.published.items())
    deleted: list[tuple[str, str]] = []
    try:
        for standing in released.standings():
            name = standing.function
            spared |= {(name, version) for version in (standing.version, standing.pin, *standing.weights) if version}
            for found in published_versions(released.client, name)[:-keep]:
                if (name, found["Version"]) not in spared:
                    # Somebody may have begun to release or to go back to it meanwhile.
                    refuse_moving(released, released.kept.read())
                    released.client("lambda").delete_function(FunctionName=name, Qualifier=found["Version"])
                    deleted.append((name, found["Version"]))
    finally:
        enter_deleted(released, deleted, keep)
    return deleted


def refuse_moving(released: ReleasedRoot, record: Record) -> None:
    """Raise where a command moves `live` or was cut off: what it may need stays."""
    moving = record.moving
    if moving is None:
        return
    if not moving.process.is_over:
        raise SawhorseError(f"{in_the_way(released, moving)} No version is deleted meanwhile.")
    raise SawhorseError(f"{cut_off(moving)} No version is deleted before that is decided. {ways_on(released, moving)}")


def enter_deleted(released: ReleasedRoot, deleted: Sequence[tuple[str, str]], keep: int) -> None:
    """End the releases that versions were deleted of."""
    ending = Ending(how="pruned", why=f"the newest {keep} versions were kept", at=now())

    def end(record: Record) -> Record:
        for one in record.releases:
            if set(one.versions.items()) & set(deleted):
                record = record.having(one.model_copy(update={"ended": ending}))
        return record

    if deleted:
        released.kept.change(end)


def is_spared(record: Record, release: Release) -> bool:
    pinned = record.pinned.release if record.pinned else None
    return release.is_good or release.id in (record.live, pinned, record.moving and record.moving.release)

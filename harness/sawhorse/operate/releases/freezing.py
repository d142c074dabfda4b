"""Keep everybody from releasing a root, and lift that again."""

from __future__ import annotations

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.operate.releases.record import Decision, Record, now
from sawhorse.operate.releases.released_root import ReleasedRoot


def freeze(released: ReleasedRoot, why: str) -> Record:
    """Keep everybody from releasing until it is lifted. Raises BadConfiguration without a reason."""
    if not why.strip():
        raise BadConfiguration("A freeze needs a reason that others can read; say it with --why.")
    decision = Decision(why=why.strip(), at=now(), by=released.by)

    def enter(record: Record) -> Record:
        if record.frozen and record.frozen != decision:
            raise SawhorseError(
                f"{released.name} is frozen already, since {record.frozen.at} by {record.frozen.by}: "
                f'{record.frozen.why}. For another reason, run "{released.command("unfreeze")}" first.'
            )
        return record.but(frozen=decision)

    return released.kept.change(enter)


def unfreeze(released: ReleasedRoot) -> Record:
    """Lift a freeze. Raises SawhorseError where there is none."""

    def lift(record: Record) -> Record:
        if record.frozen is None:
            raise SawhorseError(f"{released.name} is not frozen; there is nothing to lift.")
        return record.but(frozen=None)

    return released.kept.change(lift)

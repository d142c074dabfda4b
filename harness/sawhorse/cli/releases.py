"""Commands that make versions live and take them back: release, releases, rollback, deploy, freeze, unfreeze."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sawhorse.cli.applying import apply_here
from sawhorse.cli.options import AsJson, Local, RootName, Yes, open_workspace, print_callable, print_json
from sawhorse.errors import BadConfiguration, asking
from sawhorse.printable import printable
from sawhorse.project import Project

if TYPE_CHECKING:
    from sawhorse.operate.releases.canary import Rollout
    from sawhorse.operate.releases.gate import Outcome
    from sawhorse.operate.releases.listing import Listed
    from sawhorse.operate.releases.released_root import ReleasedRoot
    from sawhorse.operate.releases.rollback import RolledBack

CanaryShare = Annotated[
    str | None,
    typer.Option("--canary", metavar="PERCENT", help="Give this part of the calls to the release first, such as 10%."),
]
CanaryTime = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help="How long the canary is watched; 10m by default.")
]
Watch = Annotated[
    str, typer.Option("--watch", metavar="DURATION", help="How long alarms are watched once it is live, such as 2m.")
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Go on where a command on another machine was cut off; see that it ended.")
]


def opened(root: str, *, local: bool) -> ReleasedRoot:
    from sawhorse.operate.releases.released_root import ReleasedRoot

    return ReleasedRoot.of(open_workspace(root, local=local))


def rollout_wanted(share: str | None, lasting: str | None, watch: str) -> Rollout:
    """Read how carefully a release becomes live. Raises BadConfiguration for what would be taken and not done."""
    from sawhorse.operate.releases.canary import Rollout, canary_of, seconds_of

    if share is None and lasting is not None:
        raise BadConfiguration(f"--for {lasting} says how long a canary is watched; add --canary, or leave it out.")
    canary = None if share is None else canary_of(share, lasting or "10m")
    return Rollout(canary, seconds_of(watch, "--watch"))


def release(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    local: Local = False,
    canary: CanaryShare = None,
    lasting: CanaryTime = None,
    watch: Watch = "0s",
    take_over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Check what the last apply published by its versions, make it live, check again, and put back what fails."""
    from sawhorse.operate.demo import progress_on_standard_error
    from sawhorse.operate.releases.gate import release as gate

    rollout = rollout_wanted(canary, lasting, watch)
    released = opened(root, local=local)
    with progress_on_standard_error() if as_json else contextlib.nullcontext():
        outcome = gate(released, say=say, rollout=rollout, take_over=take_over)
    if as_json:
        print_json(outcome_as_json(outcome))


def rollback(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    local: Local = False,
    to: Annotated[int | None, typer.Option("--to", metavar="RELEASE", help="The release to go back to.")] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", min=1, help="Go back by so many releases that were live; 1 by default."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for those who find it pinned.")] = "",
    take_over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Make an earlier release live, of all functions, and pin it: no Terraform, no build. Then smoke-check it."""
    from sawhorse.operate.demo import progress_on_standard_error
    from sawhorse.operate.releases.rollback import rollback as go_back

    if to is not None and steps is not None:
        raise BadConfiguration("--to names a release and --steps counts back; give one of them.")
    released = opened(root, local=local)
    with progress_on_standard_error() if as_json else contextlib.nullcontext():
        done = go_back(released, say=say, to=to, steps=steps, why=why, take_over=take_over)
    show_rolled_back(released, done, as_json=as_json)
    if done.checked.failed:
        raise typer.Exit(1)


def show_rolled_back(released: ReleasedRoot, done: RolledBack, *, as_json: bool) -> None:
    from sawhorse.operate.result_tables import show_results

    if as_json:
        print_json(
            {
                "release": done.release.id,
                "versions": done.release.versions,
                "seconds": done.seconds,
                "window_seconds": done.window,
                "failed": done.checked.failed,
            }
        )
        return
    if done.checked.results:
        show_results(f"Smoke checks of {released.name}", done.checked.results)
    if done.checked.failed:
        print(f"Release {done.release.id} is live all the same; go back further with --to, or apply a fix.")
    print(f'An apply leaves live there; "{released.command("release")}" lifts the pin.')


def releases(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    one: Annotated[int | None, typer.Argument(metavar="[A]", help="A release to compare.")] = None,
    other: Annotated[int | None, typer.Argument(metavar="[B]", help="The one to compare it with.")] = None,
    local: Local = False,
    prune: Annotated[
        int | None,
        typer.Option(
            "--prune",
            metavar="KEEP",
            help="Delete the versions of each function but the newest KEEP, and none that is live, pinned or good.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the releases of a root and what is live, say what differs between two, or delete old versions."""
    from sawhorse.operate.releases.listing import differences, listed, release_of
    from sawhorse.operate.releases.listing import prune as delete_versions
    from sawhorse.operate.releases.standing import found as what_stands

    if (one is None) != (other is None):
        raise BadConfiguration("Two releases are compared; name both, or none for a list.")
    if prune is not None and one is not None:
        raise BadConfiguration("--prune deletes versions and compares nothing; leave the releases or --prune out.")
    if prune is not None:
        deleted = delete_versions(opened(root, local=local), prune)
        if as_json:
            print_json([{"function": name, "version": version} for name, version in deleted])
        else:
            print(
                "\n".join(f"Version {version} of {name} is deleted." for name, version in deleted)
                or "Nothing to delete."
            )
        return
    with asking():
        released = opened(root, local=local)
        if one is not None and other is not None:
            record = released.kept.read()
            found = list(differences(release_of(released, record, one), release_of(released, record, other)))
            show_differences(found, as_json=as_json)
            return
        found_all = listed(released)
        told = list(what_stands(released, found_all.record, found_all.standings))
    if as_json:
        print_json({**found_all.as_json(), "told": told})
    else:
        show_releases(found_all, told)


def show_differences(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for line in found:
        where = f"{line['function']}: " if line["function"] else ""
        print(printable(f"{where}{line['what']} {line['before']} -> {line['after']}"))
    if not found:
        print("They are made of the same versions.")


def show_releases(found: Listed, told: Sequence[str] = ()) -> None:
    """Show the releases, where live is, versions beside them, and what else was `told` of what stands."""
    from rich.table import Table

    from sawhorse.operate.releases.lambdas import percent
    from sawhorse.operate.result_tables import plain_console

    table = Table(box=None, pad_edge=False)
    for column in ("release", "state", "smoke", "versions", "commit", "at", "by", "ended"):
        table.add_column(column, overflow="fold")
    for one in reversed(found.record.releases):
        smoke = "-" if one.smoke is None else f"{one.smoke.checks} passed" if one.smoke.passed else "failed"
        commit = f"{(one.commit or 'none')[:12]}{' and changes' if one.dirty else ''}"
        versions = ", ".join(f"{name}:{version}" for name, version in one.versions.items())
        ended = one.ended.why if one.ended else ""
        cells = (str(one.id), found.state_of(one), smoke, versions, commit, one.at, one.by, ended)
        table.add_row(*map(printable, cells))
    console = plain_console()
    console.print(table if found.record.releases else "There is no release in the record.")
    for standing in found.standings:
        weights = "".join(
            f", {percent(share)} of the calls go to {version}" for version, share in standing.weights.items()
        )
        line = f"{standing.function}: live is version {standing.version}, its parameter says {standing.pin}{weights}."
        console.print(printable(line), soft_wrap=True)
    for version in found.unrecorded:
        line = (
            f"{version.function}: version {version.version} of {version.at} is in no release: it was published "
            f"beside these commands (CodeSha256 {version.code_sha256})."
        )
        console.print(printable(line), soft_wrap=True)
    for line in told:
        console.print(printable(line), soft_wrap=True)


def freeze(
    root: RootName,
    why: Annotated[str, typer.Option("--why", help="The reason, for those who find it frozen.")],
    local: Local = False,
) -> None:
    """Refuse applies and releases of a root until it is lifted; a rollback works all the same.

    A release that runs is put back.
    """
    from sawhorse.operate.releases.freezing import freeze as enter
    from sawhorse.operate.releases.sentences import told_frozen

    released = opened(root, local=local)
    print(told_frozen(released, enter(released, why)))


def unfreeze(root: RootName, local: Local = False) -> None:
    """Lift a freeze."""
    from sawhorse.operate.releases.freezing import unfreeze as lift

    released = opened(root, local=local)
    lift(released)
    print(f"{released.name} is not frozen any more.")


def deploy(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    local: Local = False,
    packages: Annotated[
        Path | None,
        typer.Option(
            "--packages", metavar="DIR", help="Take these packages, which another build made, and never build."
        ),
    ] = None,
    canary: CanaryShare = None,
    lasting: CanaryTime = None,
    watch: Watch = "0s",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Build, plan, apply and release a root."""
    from sawhorse.operate.demo import progress_on_standard_error
    from sawhorse.operate.releases.deploying import deploy as build_and_release

    start = time.monotonic()
    rollout = rollout_wanted(canary, lasting, watch)
    with progress_on_standard_error() if as_json else contextlib.nullcontext():
        outcome = build_and_release(
            Project.find().root(root),
            local=local,
            packages=packages,
            apply=lambda workspace: apply_here(workspace, ask=not yes),
            rollout=rollout,
            say=say,
        )
    if as_json:
        print_json(outcome_as_json(outcome) | {"seconds": time.monotonic() - start})
    else:
        print_callable(open_workspace(root, local=local))


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    release = outcome.release
    return {
        "release": release.id if release else None,
        "versions": release.versions if release else {},
        "moved": outcome.moved,
        "window_seconds": outcome.window,
        "seconds": outcome.seconds,
    }


def say(line: str) -> None:
    print(printable(line, lines=True), flush=True)

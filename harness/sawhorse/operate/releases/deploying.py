"""Deploy a root in one command: build or take packages, apply what was shown, release what was published."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sawhorse.build.build import build
from sawhorse.build.build_apps import report
from sawhorse.build.config import read_config
from sawhorse.build.manifest import enter_fragment
from sawhorse.build.platform import lambda_target, local_target
from sawhorse.errors import BadConfiguration
from sawhorse.files import write_shared
from sawhorse.operate.releases.canary import Rollout
from sawhorse.operate.releases.checking import Say
from sawhorse.operate.releases.gate import Outcome, release
from sawhorse.operate.releases.moving import NotReleased
from sawhorse.operate.releases.publishing import apply_and_release
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.sentences import told_live
from sawhorse.project import Root
from sawhorse.terraform.render import archives_of, packages_of
from sawhorse.toolchain import installed
from sawhorse.workspace import Workspace

# Packages that another build made are not made anew here: that would be another release.
FETCH_AGAIN = "fetch the packages again from the build that made them"


def deploy(  # noqa: PLR0913 # its options
    root: Root,
    *,
    local: bool,
    packages: Path | None,
    apply: Callable[[Workspace], bool],
    rollout: Rollout,
    say: Say,
) -> Outcome:
    """Bring a root to what stands in the checkout, or to packages that another build made, and make that live.

    Raises NotReleased where it is applied and something else is live all the same: a pin, or a check that failed.
    """
    if packages is None:
        report(build(root.project, root.app), str(root.project.path))
    else:
        place = place_of_packages(root, local=local)
        take_packages(packages, place, root.app)
        say(f"The packages of {root.app} are those of {packages}; nothing is built.")
    workspace = Workspace(root, local=local, as_built=packages is not None)
    outcome = apply_and_release(workspace, lambda: apply(workspace), say=say, rollout=rollout)
    released = ReleasedRoot.of(workspace)
    if outcome and outcome.release:
        return outcome
    record = released.kept.read()
    if record.pinned:
        raise NotReleased(
            f"{root.name} is applied and not released: live is pinned to release {record.pinned.release} since "
            f"{record.pinned.at} by {record.pinned.by} ({record.pinned.why}). {told_live(released)} "
            f'"{released.command("release")}" lifts the pin.'
        )
    return release(released, say=say, rollout=rollout, command="deploy")


def place_of_packages(root: Root, *, local: bool) -> Path:
    """Return the directory that Terraform takes a root's packages from."""
    project = root.project
    if not local:
        return project.path / "dist"
    config, runtime = read_config(project, root.app), installed.ensure_emulators(project.path)
    if local_target(config, runtime.python_version) == lambda_target(config):
        return project.path / "dist"
    return project.local / "project/dist"


def take_packages(source: Path, place: Path, app: str) -> None:
    """Copy an app's packages with what was measured of them, each proven by its hash. Raises BuildFailed.

    The zips come first: a manifest never speaks of what is not there.
    """
    if source.resolve() == place.resolve():
        return
    if not source.is_dir():
        raise BadConfiguration(f"{source} is no directory of packages; name the dist/ that another build wrote.")
    entries = packages_of(source, app, FETCH_AGAIN)
    for archive in archives_of(entries.values()):
        name = Path(archive.path).name
        write_shared(place / name, (source / name).read_bytes())
    content = {
        name: {key: value for key, value in asdict(entry).items() if value not in (None, {})}
        for name, entry in entries.items()
    }
    if (place / "manifest.json").is_symlink():
        (place / "manifest.json").unlink()
    enter_fragment(place, f"{json.dumps(app)}: {json.dumps(content)}")

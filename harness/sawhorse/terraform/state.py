"""Read what Terraform keeps of a root, and say after a run that failed only what was found there."""

from __future__ import annotations

import contextlib
import json
import shlex
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.project import Root
from sawhorse.trusted_files import close_entry, read_own, refuse

# Of the snapshots that Terraform has written since 0.12.
SNAPSHOT_VERSION = 4
# Terraform leaves the state here, in the directory of the run, when its backend did not take it.
UNSAVED = "errored.tfstate"
TAINTED = "tainted"


@dataclass(frozen=True)
class Snapshot:
    """What a state holds: which one it is, how often it was written, and its managed resources with their values."""

    lineage: str = ""
    serial: int = 0
    resources: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Snapshot:
        """Read what Terraform wrote. Raises LookupError, TypeError or ValueError for what it did not."""
        managed = (resource for resource in content.get("resources", []) if resource["mode"] == "managed")
        instances = tuple(instance for resource in managed for instance in instances_of(resource))
        return cls(str(content.get("lineage", "")), int(content.get("serial", 0)), instances)

    @property
    def tainted(self) -> list[str]:
        """The addresses of what could not be made whole."""
        return [resource["address"] for resource in self.resources if resource["status"] == TAINTED]

    @property
    def roots(self) -> Counter[tuple[str, str]]:
        """Count the resources by the environment and the app that their tags name."""
        tags = (resource.get("values", {}).get("tags_all") or {} for resource in self.resources)
        return Counter((one["environment"], one["app"]) for one in tags if {"environment", "app"} <= one.keys())

    def holds(self, other: Snapshot) -> bool:
        """Say whether this is the other one, or one that was written after it.

        A first state that is pushed gets another lineage; then what it holds tells.
        """
        if self.lineage == other.lineage:
            return self.serial >= other.serial
        return self.resources == other.resources


def said_of_version(content: Mapping[str, Any]) -> str:
    """Say what is wrong with the version of a state; nothing for one that is read. Raises LookupError for no state."""
    version = content["version"]
    return (
        ""
        if version == SNAPSHOT_VERSION
        else f"has version {version}, and this Sawhorse reads version {SNAPSHOT_VERSION}; use a newer one."
    )


# Equal to nothing that Terraform writes.
UNREADABLE = Snapshot(lineage="unreadable", resources=({"address": "unreadable", "status": None},))


def keep_states(root: Path) -> None:
    """Close what Terraform keeps in a root to others, and refuse what somebody else may have put there.

    A native run under a shell's umask may leave files that a group can write; they count as no worse than the
    configuration beside them when that group may write the root itself. Raises Untrusted.
    """
    allowed = root.stat().st_mode & stat.S_IWGRP
    workspaces = root / "terraform.tfstate.d"
    with contextlib.suppress(FileNotFoundError):
        # It says where the state is, and which modules and providers are run.
        refuse(root / ".terraform", (root / ".terraform").lstat(), directory=True, allowed=allowed)
    directories = [workspaces, *workspaces.glob("*")]
    for directory in directories:
        with contextlib.suppress(FileNotFoundError):
            close_entry(directory, directory=True, allowed=allowed)
    states = [*root.glob("terraform.tfstate*"), root / UNSAVED, *workspaces.glob("*/terraform.tfstate*")]
    for path in states:
        if path not in directories:
            with contextlib.suppress(FileNotFoundError):
                close_entry(path, allowed=allowed)


def instances_of(resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk the instances of a resource as a snapshot of the state has it."""
    name = ".".join([*([resource["module"]] if "module" in resource else []), resource["type"], resource["name"]])
    for instance in resource["instances"]:
        index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
        yield {
            "address": name + index,
            "type": resource["type"],
            "values": instance["attributes"],
            "status": instance.get("status"),
        }


def refuse_state_of_another(snapshot: Snapshot, root: Root) -> None:
    """Raise BadConfiguration where a state holds what another root made and nothing of this one.

    A plan would replace it all or destroy it, and a seed or a smoke check would act on it.
    """
    roots = snapshot.roots
    if not roots or (root.environment, root.app) in roots:
        return
    [((environment, app), number)] = roots.most_common(1)
    place = root.project.shown(root.path)
    raise BadConfiguration(
        f"The state of {root.name} is that of {environment}/{app}: it has {counted(number)} with those tags, and none "
        f"with {root.name}'s. Nothing was changed. Where {place} is a copy of another root, remove "
        f"terraform.tfstate, terraform.tfstate.d and .terraform from it; where {environment}/{app} was renamed, run "
        f'"terraform apply" in {place} once, which shows the tags that change.'
    )


def unsaved(directory: Path) -> Snapshot | None:
    """Return the state that an earlier run could not save; None when there is none.

    One that cannot be read is held by no state, so that nobody goes on over it.
    """
    return kept_in(directory / UNSAVED)


def kept_in(path: Path) -> Snapshot | None:
    """Return the state that a file holds; None when it is not there, and `UNREADABLE` when it cannot be read."""
    try:
        content = json.loads(read_own(path, directory=False))
        return Snapshot.of(content)
    except FileNotFoundError:
        return None
    except (OSError, LookupError, TypeError, ValueError, AttributeError):
        return UNREADABLE


def how_to_save(directory: Path) -> str:
    """Say how a state that Terraform could not save gets where it belongs."""
    return (
        f"What it did is in {directory / UNSAVED} alone. Before anything else is run there, save it with "
        f'"cd {shlex.quote(str(directory))} && terraform state push {UNSAVED}", and then delete that file.'
    )


def what_was_found(before: Snapshot, after: Snapshot) -> str:
    """Say how a state that was read before and after a run has changed."""
    now = counted(len(after.resources))
    if (before.lineage, before.serial) == (after.lineage, after.serial):
        return f"The state was read after it and is the one from before, with {now}."
    tainted = f", {len(after.tainted)} of them tainted, so that they are replaced next" if after.tainted else ""
    return f"The state was read after it: it was saved, and has {now}{tainted}; before it had {len(before.resources)}."


def counted(number: int) -> str:
    return "1 resource" if number == 1 else f"{number:,} resources"

"""Remember a move of a state while it runs, and keep every other command from a root whose state lies elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from sawhorse.environment import Environment
from sawhorse.errors import SawhorseError
from sawhorse.files import write_atomically
from sawhorse.project import Root
from sawhorse.terraform.state_store import FileStore, read_state
from sawhorse.trusted_files import read_own

To = Literal["bucket", "local"]
# Beside what Terraform keeps of a root that was initialized; git ignores it.
RECORD = ".terraform/sawhorse-moving.json"
# Where Terraform keeps which backend a directory was initialized with.
INITIALIZED = ".terraform/terraform.tfstate"
# Where `terraform workspace select` writes its choice, and what nobody has to choose.
SELECTED = ".terraform/environment"
DEFAULT = "default"


@dataclass(frozen=True)
class Moving:
    """A move that began and did not say that it ended: from which bucket to which, None for a file."""

    source: str | None = None
    target: str | None = None

    @property
    def to(self) -> To:
        return "bucket" if self.target else "local"


def remember_move(directory: Path, moving: Moving) -> None:
    write_atomically(directory / RECORD, json.dumps(asdict(moving)))


def forget_move(directory: Path) -> None:
    (directory / RECORD).unlink(missing_ok=True)


def unfinished_move(directory: Path) -> Moving | None:
    """Return the move that was cut off in a directory; None when there is none. Raises SawhorseError for no record."""
    try:
        return Moving(**json.loads(read_own(directory / RECORD, directory=False)))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise SawhorseError(
            f"{directory / RECORD} is not what the harness writes; look where the state lies, and delete that file."
        ) from error


def selected_workspace(directory: Path) -> str:
    """Return the workspace of Terraform that runs in a directory would use."""
    try:
        return read_own(directory / SELECTED, directory=False).decode(errors="replace").strip() or DEFAULT
    except FileNotFoundError:
        return DEFAULT


def bucket_of_last_init(directory: Path) -> str | None:
    """Return the bucket that Terraform was last initialized with in a directory; None when it was none."""
    try:
        backend = json.loads(read_own(directory / INITIALIZED, directory=False)).get("backend") or {}
        return str(backend["config"]["bucket"]) if backend["type"] == "s3" else None
    except (FileNotFoundError, AttributeError, LookupError, TypeError, ValueError):
        return None


def command_to_move(root: Root, to: To, *, local: bool) -> str:
    return f'"sawhorse state move {root.name}{" --local" if local else ""} --to {to}"'


def refuse_unmoved(root: Root, directory: Path, environment: Environment, *, local: bool) -> None:
    """Raise SawhorseError where the state is not, or may not be, where this run would look for it."""
    cut_off = unfinished_move(directory)
    if cut_off:
        raise SawhorseError(
            f"A move of the state of {root.name} was cut off; run {command_to_move(root, cut_off.to, local=local)} "
            "again, which finishes it."
        )
    selected = selected_workspace(directory)
    if selected != DEFAULT:
        raise SawhorseError(
            f"In {root.project.shown(directory)} Terraform's workspace {selected} is selected, and the state of "
            f'{root.name} is that of the workspace {DEFAULT}. Run "terraform workspace select {DEFAULT}" there.'
        )
    if local:
        return
    facts = f"environments/{root.environment}/environment.yaml"
    last, bucket = bucket_of_last_init(directory), environment.state_bucket
    if last and last != bucket:
        said = f"names {bucket}" if bucket else "names no state_bucket"
        raise SawhorseError(
            f"The state of {root.name} lies in the bucket {last}, and {facts} {said}. Move it with "
            f"{command_to_move(root, 'bucket' if bucket else 'local', local=False)}, or name {last} there again."
        )
    file = FileStore(root.path)
    if bucket and read_state(file) is not None:
        raise SawhorseError(
            f"A state of {root.name} lies in {root.project.shown(root.path / 'terraform.tfstate')}, and {facts} says "
            f"that it is in the bucket {bucket}. Move it with {command_to_move(root, 'bucket', local=False)}, or move "
            "the file away where it is none of this root's."
        )

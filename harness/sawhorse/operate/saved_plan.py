"""Save a plan with a receipt of what it was made of, and apply that very plan to nothing else.

`plan --out FILE` writes the plan and, beside it, FILE.receipt.json. Both are this user's alone: a plan holds the values
of variables. `apply --plan FILE` compares the receipt with what it finds and names each difference; Terraform itself
refuses a plan whose state has moved on in the meantime.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sawhorse.build.manifest import Entry
from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration
from sawhorse.files import write_atomically
from sawhorse.git import commit_of
from sawhorse.operate.protection import refuse_lost_tables
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.render import packages_of
from sawhorse.trusted_files import read_own
from sawhorse.workspace import Workspace

FORMAT = 1
ENDING = ".receipt.json"
# How many files or packages a sentence names.
NAMED = 5
# What the fields of a receipt are called in a sentence, in its order.
FIELDS = {
    "root": "the root",
    "local": "whether it is the local AWS",
    "account_id": "the account",
    "region": "the region",
    "commit": "the commit",
    "lock_sha256": f"{LOCK}, the lock of providers",
    "lineage": "the state's lineage",
    "serial": "the state's serial",
}


@dataclass(frozen=True)
class Receipt:
    """What a plan was made of; hashes of files are SHA-256 in hexadecimal, those of packages the manifest's.

    `packages` holds the `content_sha256` of each function's package, and of its layer by `FUNCTION.layer`. `commit` is
    None outside of git, and `dirty` has the hash of each file that differs from it, empty for one that was removed.
    `lineage` is empty where nothing was applied.
    """

    root: str
    local: bool
    account_id: str
    region: str
    commit: str | None
    dirty: Mapping[str, str]
    packages: Mapping[str, str]
    lock_sha256: str
    lineage: str
    serial: int
    plan_sha256: str


def save_plan(workspace: Workspace, file: Path, variables: Sequence[str]) -> bool:
    """Plan into `file`, write the receipt, and say whether there are changes.

    A plan that fails leaves both files as they were.
    """
    if file.is_dir() or not file.parent.is_dir():
        raise BadConfiguration(f"{file} is no file in a directory that there is; name one that the plan is saved in.")
    temporary = file.absolute().with_name(f".{file.name}.part")
    try:
        changes = workspace.terraform.plan(variables, out=temporary)
        content = temporary.read_bytes()
    finally:
        temporary.unlink(missing_ok=True)
    receipt = receipt_of(workspace, file, content)
    # A plan without its receipt is refused, and so is one with another's.
    receipt_file(file).unlink(missing_ok=True)
    write_atomically(file, content)
    write_atomically(receipt_file(file), json.dumps({"format": FORMAT, **asdict(receipt)}, indent=2) + "\n")
    return changes


def apply_saved_plan(workspace: Workspace, file: Path, *, delete_tables: bool = False) -> None:
    """Apply a saved plan.

    Raises BadConfiguration, with every difference, where it was made of anything else, and Protected where it would
    lose a table of AWS and nobody said that this is meant.
    """
    content = read(file)
    saved = read_receipt(file)
    found = receipt_of(workspace, file, content)
    # The local AWS is nobody's production, whatever its root is called.
    unfit_here = () if workspace.local else unfit(workspace.environment, saved)
    complaints = [*differences(saved, found), *unfit_here]
    if complaints:
        raise BadConfiguration(
            f"{file} was not applied to {workspace.root.name}, and nothing was changed: {'; '.join(complaints)}. "
            f'Plan again with "{command(workspace, "plan", "--out", file)}", and have that approved.'
        )
    if not (workspace.local or delete_tables):
        refuse_lost_tables(workspace, file.absolute())
    workspace.apply_plan(file.absolute())


def command(workspace: Workspace, name: str, option: str, file: Path) -> str:
    """Say how a saved plan is made or applied where this one was."""
    local = " --local" if workspace.local else ""
    return f"sawhorse {name} {workspace.root.name}{local} {option} {shlex.quote(str(file))}"


def receipt_of(workspace: Workspace, file: Path, plan: bytes) -> Receipt:
    """Say what a root is made of now, and which plan this is; the plan's own two files are no part of the checkout."""
    root, terraform = workspace.root, workspace.terraform_as_applied
    state, commit = terraform.snapshot(), commit_of(root.project.path)
    own = {file.resolve(), receipt_file(file).resolve()}
    return Receipt(
        root=root.name,
        local=workspace.local is not None,
        account_id=workspace.environment.account_id,
        region=workspace.environment.region,
        commit=commit.revision,
        dirty={name: hash_of(path) for name, path in commit.dirty.items() if path.resolve() not in own},
        packages=contents(packages_of(terraform.directory.parents[2] / "dist", root.app)),
        lock_sha256=sha256((root.path / LOCK).read_bytes()),
        lineage=state.lineage,
        serial=state.serial,
        plan_sha256=sha256(plan),
    )


def hash_of(path: Path) -> str:
    """Hash a file that differs from the commit, or where a link leads to; empty for one that is gone."""
    try:
        return sha256(os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes())
    except FileNotFoundError:
        return ""


def contents(packages: Mapping[str, Entry]) -> dict[str, str]:
    layers = {f"{name}.layer": entry.layer.content_sha256 for name, entry in packages.items() if entry.layer}
    return {**{name: entry.content_sha256 for name, entry in packages.items()}, **layers}


def differences(saved: Receipt, found: Receipt) -> Iterator[str]:
    """Walk what a plan was made of and what there is now, where the two differ."""
    if saved.plan_sha256 != found.plan_sha256:
        yield "the receipt beside it is that of another plan"
    for name, shown in FIELDS.items():
        before, now = getattr(saved, name), getattr(found, name)
        if before != now:
            yield f"{shown} was {words(before)} and is {words(now)}"
    if packages := changed(saved.packages, found.packages):
        yield f"the content of {listed(packages)} is not what was planned"
    if files := changed(saved.dirty, found.dirty):
        yield f"{listed(files)} {'has' if len(files) == 1 else 'have'} changed since"


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {**before, **now} if before.get(name) != now.get(name))


def unfit(environment: Environment, saved: Receipt) -> Iterator[str]:
    """Walk what keeps a plan from an environment: production takes what a commit has and nothing else."""
    if environment.production and saved.commit is None:
        yield "production takes a plan of a commit alone, and this one was made outside of git"
    elif environment.production and saved.dirty:
        yield f"production takes a plan of a commit alone, and {listed(sorted(saved.dirty))} differed from it"


def words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "so", False: "not so", None: "none"}[value]
    return str(value) or "none"


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def receipt_file(file: Path) -> Path:
    return file.with_name(file.name + ENDING)


def read_receipt(file: Path) -> Receipt:
    """Read the receipt of a plan. Raises BadConfiguration for one that is missing, or that this did not write."""
    path = receipt_file(file)
    content = read(path)
    try:
        said = json.loads(content)
        if said.pop("format") == FORMAT:
            return Receipt(**{**said, "dirty": dict(said["dirty"]), "packages": dict(said["packages"])})
    except (AttributeError, LookupError, TypeError, ValueError):
        pass
    raise BadConfiguration(f"{path} is not a receipt that this Sawhorse reads; plan again with --out.")


def read(path: Path) -> bytes:
    """Read what this user alone may have written: a plan says what is done to an account."""
    try:
        return read_own(path, directory=False)
    except FileNotFoundError:
        raise BadConfiguration(f'{path} does not exist; "sawhorse plan ROOT --out FILE" writes it.') from None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

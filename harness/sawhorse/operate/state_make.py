"""Make the buckets of an environment for states and packages with Terraform, whose own state lies in the first of them.

A bucket that is there already, made by hand or by a run whose state was lost, is taken up with import blocks; so is all
of them when the state is gone. Nothing of that needs a state that was kept elsewhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from python_terraform import IsFlagged

from sawhorse.errors import CommandFailed, SawhorseError
from sawhorse.files import write_atomically
from sawhorse.operate.state_bucket import PREFIX, Bucket, Buckets, configured, differing
from sawhorse.terraform.filling import TEMPLATES, fill
from sawhorse.terraform.orphans import import_blocks
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.runner import IMPORTS, Terraform
from sawhorse.terraform.state_store import STATE, WrittenMeanwhile
from sawhorse.terraform.sync import BACKEND
from sawhorse.trusted_files import make_own_directory

HERE = "terraform.tfstate"


def make_buckets(buckets: Buckets, *, ask: Callable[[], object]) -> bool:
    """Make what is missing, change what differs, look at all of it, and say whether anything was changed.

    `ask` comes between the plan and the apply, and raises where nobody wants it. Raises CommandFailed where what stands
    afterwards is not what was wanted.
    """
    terraform = prepared(buckets)
    first = not buckets.exists(buckets.home)
    write_backend_of(buckets, terraform.directory, first=first)
    terraform.initialize(reconfigure=IsFlagged)
    known = {resource["address"] for resource in terraform.resources()}
    there = {address: name for address, name in existing(buckets) if address not in known}
    if there:
        write_atomically(terraform.directory / IMPORTS, import_blocks(there))
    try:
        changed = terraform.apply_once_approved(ask)
    finally:
        (terraform.directory / IMPORTS).unlink(missing_ok=True)
    if first:
        take_home(buckets, terraform)
    if wrong := differing(buckets.findings()):
        raise CommandFailed(f"What was made is not what was wanted: {'; '.join(wrong)}. Fix that, and run this again.")
    return changed


def prepared(buckets: Buckets) -> Terraform:
    """Write the configuration anew, with nothing of an earlier run, and return Terraform for it."""
    project, name = buckets.project, buckets.environment.name
    directory = (project.local if buckets.local else project.private) / "state_backend" / name
    make_own_directory(directory)
    for left in (IMPORTS, HERE, f"{HERE}.backup"):
        (directory / left).unlink(missing_ok=True)
    module = os.path.relpath(project.path / "modules/state_backend", directory)
    write_atomically(
        directory / "main.tf",
        fill(
            "state_backend.tf.j2",
            environment=buckets.environment,
            buckets=buckets.all,
            module=module,
            regions=sorted({bucket.region for bucket in buckets.all}),
            tags={**buckets.environment.tags, "environment": name},
        ),
    )
    write_atomically(directory / LOCK, (TEMPLATES / LOCK).read_text())
    variables = buckets.local.variables(buckets.environment) if buckets.local else {}
    terraform = Terraform(project, directory, environment=variables, local=buckets.local is not None)
    terraform.told_of_lock = lambda: told_of_lock(buckets, directory)
    return terraform


def write_backend_of(buckets: Buckets, directory: Path, *, first: bool) -> None:
    """Let the state be in the bucket, unless that is still to be made."""
    home = buckets.home
    key = f"{PREFIX}{buckets.environment.name}.tfstate"
    text = fill("backend.tf.j2", bucket=home.name, key=key, region=home.region)
    if first:
        (directory / BACKEND).unlink(missing_ok=True)
    else:
        write_atomically(directory / BACKEND, text)


def existing(buckets: Buckets) -> Iterator[tuple[str, str]]:
    """Walk what there is of the buckets, by its address, with the name that it is imported by."""
    for bucket in buckets.all:
        if buckets.exists(bucket):
            yield from existing_parts(buckets, bucket)


def existing_parts(buckets: Buckets, bucket: Bucket) -> Iterator[tuple[str, str]]:
    s3 = buckets.client(bucket.region)
    module = f"module.{bucket.label}.aws_s3_bucket"
    parts = {
        f'{module}_lifecycle_configuration.this["noncurrent"]': (s3.get_bucket_lifecycle_configuration, "Rules"),
        f"{module}_ownership_controls.this": (s3.get_bucket_ownership_controls, "OwnershipControls"),
        f"{module}_policy.this": (s3.get_bucket_policy, "Policy"),
        f"{module}_public_access_block.this": (s3.get_public_access_block, "PublicAccessBlockConfiguration"),
        f"{module}_server_side_encryption_configuration.this": (
            s3.get_bucket_encryption,
            "ServerSideEncryptionConfiguration",
        ),
        f"{module}_versioning.this": (s3.get_bucket_versioning, "Status"),
    }
    yield f"{module}.this", bucket.name
    for address, (call, field) in parts.items():
        if configured(call, bucket.name).get(field):
            yield address, bucket.name


def take_home(buckets: Buckets, terraform: Terraform) -> None:
    """Put the state of the buckets into the one that it made, where every checkout finds it."""
    state = terraform.directory / HERE
    content = state.read_bytes()
    try:
        buckets.store.write(STATE, content, based_on=None)
    except WrittenMeanwhile as error:
        raise SawhorseError(
            f"Somebody else made {buckets.home.name} at the same time; run this again, which compares."
        ) from error
    state.unlink()


def told_of_lock(buckets: Buckets, directory: Path) -> str:
    """Say who holds the lock of the buckets' own state."""
    held = buckets.store.lock() if buckets.exists(buckets.home) else None
    if held is None:
        return ""
    return (
        f"{held.who} has held the lock of {buckets.store.place(STATE)} since {held.since}. Wait until that run ends; "
        f'if it is over, release the lock with "terraform -chdir={shlex.quote(str(directory))} force-unlock {held.id}".'
    )

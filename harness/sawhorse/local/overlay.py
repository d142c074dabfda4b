"""Run Terraform for the local AWS beside the real roots, never in them.

`.sawhorse/local/project` looks like the project to Terraform: the root's own files are linked, the modules are linked,
`dist` holds packages that run on this machine, tfvars are rendered anew and the backend is another one. The state is
kept where a native `terraform` with `TF_WORKSPACE=local` looks for it, so both speak of the same resources: in a file,
or, for a root that was told so once, in a bucket of the local S3.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sawhorse.build.build import build
from sawhorse.build.config import read_config
from sawhorse.build.manifest import read_manifest
from sawhorse.build.package_check import refuse_unproven
from sawhorse.build.packed_names import fault_of_name, shown
from sawhorse.build.platform import lambda_target, local_target
from sawhorse.build.stale_check import refuse_stale
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.files import write_atomically
from sawhorse.project import Project, Root
from sawhorse.terraform.filling import hcl
from sawhorse.terraform.render import (
    archives_of,
    backend_of,
    packages_of,
    refuse_unheard,
    render_tfvars,
    render_unbuilt,
)
from sawhorse.terraform.sync import BACKEND, refuse_unsynced
from sawhorse.trusted_files import read_own

RENDERED = {"terraform.tfvars", BACKEND}
# Says in the overlay of a root which bucket the state of its local runs lies in; gone with what the local AWS held.
STATE_BUCKET = "state-bucket"
# Where Terraform keeps the state of a workspace named `local` in a bucket.
LOCAL_PREFIX = "env:/local/"


def make_overlay(root: Root, python: str, *, issuer: str, built: bool = True, as_built: bool = False) -> Path:
    """Return the directory of the overlay of a root, brought up to date.

    `python` is what functions run under locally, and `issuer` whose tokens APIs take there. What needs no package says
    so with `built=False`; `as_built` takes one that is not made of what stands in the checkout now.
    """
    refuse_unwritable_path(root.project)
    refuse_unsynced(root)
    top = root.project.local / "project"
    directory = overlay_of(root)
    environment = read_environment(root.project, root.environment)
    if built:
        refuse_unheard(environment)
    directory.mkdir(parents=True, exist_ok=True)
    link(top / "modules", root.project.path / "modules")
    link_files(root.path, directory)
    if built:
        dist = package_of_overlay(root.project, root.app, top / "dist", python, as_built=as_built)
        packages = packages_of(dist, root.app)
        refuse_unproven(root.project, dist, root.app, packages, as_built=as_built)
        tfvars = render_tfvars(environment, root.app, packages, local_issuer=issuer)
        write_atomically(directory / "terraform.tfvars", tfvars)
    else:
        render_unbuilt(root, directory, local_issuer=issuer)
    write_atomically(directory / BACKEND, local_backend(root, local_state_bucket(root)))
    return directory


def overlay_of(root: Root) -> Path:
    """Return where the local runs of a root happen."""
    return root.project.local / "project/environments" / root.environment / root.app


def local_backend(root: Root, bucket: str | None) -> str:
    """Return the backend.tf of local runs, with their state in a bucket, or in a file."""
    if bucket:
        # The bucket is in the environment's own region, as on AWS; its address comes with the shell.
        region = read_environment(root.project, root.environment).region
        return backend_of(root, bucket, region, prefix=LOCAL_PREFIX)
    return f'terraform {{\n  backend "local" {{\n    path = {hcl(str(local_state(root)))}\n  }}\n}}\n'


def local_state(root: Root) -> Path:
    """Return where the state of a root's local runs is kept when it is in a file."""
    return root.path / "terraform.tfstate.d/local/terraform.tfstate"


def local_state_bucket(root: Root) -> str | None:
    """Return the bucket of the local S3 that the state of a root's local runs is kept in; None for a file."""
    try:
        return read_own(overlay_of(root) / STATE_BUCKET, directory=False).decode()
    except FileNotFoundError:
        return None


def keep_local_state_in(root: Root, bucket: str | None) -> None:
    """Decide for all local runs of a root from now on where their state is kept."""
    if bucket:
        write_atomically(overlay_of(root) / STATE_BUCKET, bucket)
    else:
        (overlay_of(root) / STATE_BUCKET).unlink(missing_ok=True)


def bucket_for_local_states(environment: Environment) -> str:
    """Name the bucket of the local S3 for states: the one that environment.yaml names, or one of the account."""
    return environment.state_bucket or f"sawhorse-states-{environment.account_id}-{environment.region}"


def refuse_unwritable_path(project: Project) -> None:
    """Refuse a place that no file of Terraform's can name."""
    place = str(project.path)
    if fault_of_name(place):
        raise BadConfiguration(
            f"The project lies in {shown(place)}, which {fault_of_name(place)}, so Terraform cannot be told of its "
            "state; move the project."
        )


def package_of_overlay(project: Project, app: str, dist: Path, python: str, *, as_built: bool) -> Path:
    """Put the package that runs on this machine into `dist`: the very one for Lambda where that is the same."""
    config = read_config(project, app)
    target = local_target(config, python)
    if target == lambda_target(config):
        packages = packages_of(project.path / "dist", app)
        if not as_built:
            refuse_stale(project, project.path / "dist", app)
        dist.mkdir(parents=True, exist_ok=True)
        for name in ("manifest.json", *(Path(archive.path).name for archive in archives_of(packages.values()))):
            link(dist / name, project.path / "dist" / name)
    else:
        if (dist / "manifest.json").is_symlink():
            shutil.rmtree(dist)
        if as_built and app in read_manifest(dist):
            return dist
        build(project, app, dist=dist, target=target)
    return dist


def link_files(source: Path, directory: Path) -> None:
    """Link the root's Terraform files, and unlink those that are gone."""
    wanted = {path.name for path in source.glob("*.tf")} - RENDERED
    for path in directory.iterdir():
        if path.is_symlink() and path.name not in wanted:
            path.unlink()
    for name in wanted:
        link(directory / name, source / name)


def link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() == target:
        return
    if path.is_symlink() or path.is_file():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)

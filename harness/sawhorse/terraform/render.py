"""Render every root's `terraform.tfvars`, and its `backend.tf` when the environment names a state bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sawhorse.build.config import read_config
from sawhorse.build.lambda_limits import ZIPPED_LIMIT
from sawhorse.build.manifest import BUILD_AGAIN, Archive, Entry, code_sha256, read_manifest
from sawhorse.build.package_check import refuse_unproven
from sawhorse.build.stale_check import refuse_stale
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.files import write_shared
from sawhorse.project import Project, Root
from sawhorse.terraform.filling import fill
from sawhorse.terraform.sync import BACKEND, refuse_unsynced
from sawhorse.trusted_files import read_own


@dataclass(frozen=True)
class Rendered:
    """What was rendered for a root, and whether any file changed by it."""

    root: Root
    files: tuple[Path, ...]
    changed: bool


def render(root: Root, *, project: Project | None = None, into: Path | None = None, as_built: bool = False) -> Rendered:
    """Render a root's files into its directory, all of them or none.

    A package that is not made of what stands in the checkout is refused, unless `as_built` takes it as it is. One that
    is not what the manifest says, or whose bytecode is not that of its sources, is refused always; so is a root that is
    not as `sawhorse sync` writes it.
    """
    refuse_unsynced(root)
    project = project or root.project
    environment = read_environment(project, root.environment)
    refuse_unheard(environment)
    packages = packages_of(project.path / "dist", root.app)
    if not as_built:
        refuse_stale(project, project.path / "dist", root.app)
    refuse_unproven(project, project.path / "dist", root.app, packages, as_built=as_built)
    directory = into or root.path
    contents = {directory / "terraform.tfvars": render_tfvars(environment, root.app, packages)}
    backend = backend_of_environment(root, environment)
    if backend:
        contents[directory / BACKEND] = backend
    changed = [write_shared(path, content) for path, content in contents.items()]
    changed.append(write_backend(directory, backend))
    return Rendered(root, tuple(contents), any(changed))


def backend_of_environment(root: Root, environment: Environment) -> str | None:
    """Return the backend.tf of a root; None where its environment names no bucket for states."""
    return backend_of(root, environment.state_bucket, environment.region) if environment.state_bucket else None


def write_backend(directory: Path, backend: str | None) -> bool:
    """Write where the state is, or nothing where it stays in the root, and say whether that changed anything."""
    path = directory / BACKEND
    if backend:
        return write_shared(path, backend)
    there = path.is_file()
    path.unlink(missing_ok=True)
    return there


def backend_of(root: Root, bucket: str, region: str, *, prefix: str = "") -> str:
    """Return a backend.tf with which the state of a root is kept in a bucket."""
    return fill("backend.tf.j2", bucket=bucket, key=f"{prefix}{root.name}.tfstate", region=region)


def packages_of(dist: Path, app: str, next_step: str = BUILD_AGAIN) -> Mapping[str, Entry]:
    """Return what the build measured of an app's functions.

    Raises BuildFailed, with the next step, where a package is missing or is not the one that was measured.
    """
    packages = read_manifest(dist, next_step).get(app)
    if not packages:
        raise BuildFailed(f"{dist.name}/{app}.zip does not exist; {next_step}.")
    for archive in archives_of(packages.values()):
        path = dist / Path(archive.path).name
        if not path.is_file():
            raise BuildFailed(f"{dist.name}/{path.name} does not exist; {next_step}.")
        if code_sha256(path.read_bytes()) != archive.sha256:
            raise BuildFailed(f"{dist.name}/{path.name} is not the one that was measured; {next_step}.")
    return packages


def archives_of(packages: Iterable[Entry]) -> list[Archive]:
    """Return every zip that functions are made of, theirs and their layer's, each once."""
    found: dict[Archive, None] = {}
    for package in packages:
        own = Archive(package.path, package.sha256, package.content_sha256, package.size, upload=package.upload)
        found[own] = None
        if package.layer:
            found[package.layer] = None
    return list(found)


def render_unbuilt(root: Root, directory: Path, *, local_issuer: str | None = None) -> None:
    """Render variables that stand in for packages, unless there are some: a destroy needs names, and never the zip."""
    refuse_unsynced(root)
    path = directory / "terraform.tfvars"
    with suppress(FileNotFoundError):
        # It says what a destroy acts on, so it must be this user's own.
        read_own(path, private=False, directory=False)
        return
    config = read_config(root.project, root.app)
    packages = {
        function: Entry(f"dist/{root.app}.zip", "", "", 0, handler, config.runtime, config.architecture)
        for function, handler in config.handlers.items()
    }
    environment = read_environment(root.project, root.environment)
    write_shared(path, render_tfvars(environment, root.app, packages, local_issuer=local_issuer))


def render_tfvars(
    environment: Environment, app: str, packages: Mapping[str, Entry], *, local_issuer: str | None = None
) -> str:
    """Fill an app's tfvars in; `local_issuer` is the address of the local AWS's issuer of tokens, None for AWS."""
    facts = environment.of_app(app)
    refuse_without_bucket(facts, app, archives_of(packages.values()))
    jwt, local = environment.jwt(local_issuer), local_issuer is not None
    boundary = facts.boundary_of(app)
    return fill(
        "terraform.tfvars.j2", app=app, environment=facts, jwt=jwt, local=local, packages=packages, boundary=boundary
    )


def refuse_unheard(facts: Environment) -> None:
    """Refuse a production whose alarms nobody would hear, unless its file says that this is meant.

    `modules/observability` refuses it as well, for whoever runs Terraform natively; a destroy is let through by both.
    """
    if not facts.production or facts.alarm_email or facts.alarms_unheard:
        return
    raise BadConfiguration(
        f"environments/{facts.name}/environment.yaml says production: true, and nobody would hear its alarms. Write "
        "alarm_email: with the address of those who are to hear them, or alarms_unheard: true if nobody is, or if "
        "somebody hears them by a subscription made elsewhere."
    )


def refuse_without_bucket(facts: Environment, app: str, archives: Iterable[Archive]) -> None:
    """Refuse a zip that is to go through S3 when the environment names no bucket of the app's region."""
    through_s3 = [archive for archive in archives if archive.upload == "s3"]
    if not through_s3 or facts.bucket_of_packages:
        return
    largest = max(through_s3, key=lambda archive: archive.size)
    sizes = f"{largest.path} has {largest.size:,} bytes zipped"
    why = (
        f"{sizes}, more than the {ZIPPED_LIMIT:,} that Lambda takes in a call"
        if largest.size > ZIPPED_LIMIT
        else f'{sizes}, and lambda/{app}/package.toml says upload = "s3"'
    )
    others = "".join(f"{region}: {bucket}, " for region, bucket in facts.packages_bucket.items())
    named = f"{{{others}{facts.region}: NAME}}" if others else f"{{{facts.region}: NAME}}"
    raise BadConfiguration(
        f"{why}: {app} goes through S3, and environments/{facts.name}/environment.yaml names no bucket in "
        f"{facts.region}. Write packages_bucket: {named} there, with a bucket of that region that exists."
    )

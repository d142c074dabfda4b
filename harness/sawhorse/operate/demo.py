"""Show a whole root at work on the local AWS: build, apply, seed, smoke, and how to call it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sawhorse.build.build import build
from sawhorse.build.build_apps import report
from sawhorse.files import write_atomically
from sawhorse.local.emulators import LocalAWS
from sawhorse.operate.releases.publishing import note_release
from sawhorse.operate.releases.standing import lines_of
from sawhorse.operate.result_tables import show_results
from sawhorse.operate.seed import Seeded, seed_module
from sawhorse.operate.smoke import run_checks
from sawhorse.outputs import API_ENDPOINT, tables_in
from sawhorse.project import Root
from sawhorse.terraform.render import render
from sawhorse.terraform.sync import refuse_unsynced
from sawhorse.trusted_files import make_own_directory, read_own
from sawhorse.workspace import Deployment, Workspace

STEPS = 5


@dataclass(frozen=True)
class DemoResult:
    """What a demo came to: where the app responds, how many resources stand, and how its checks went."""

    root: str
    url: str
    resources: int
    checks: int
    passed: int
    seconds: float

    @property
    def all_passed(self) -> bool:
        return self.passed == self.checks


def run_demo(root: Root) -> DemoResult:
    """Bring a root up on the local AWS, check it, and tell how to use it."""
    start = time.monotonic()
    workspace, deployment, seeded = bring_up(root)
    with step(4, "Smoke checks"):
        results = list(run_checks(deployment))
        show_results(f"Smoke checks of {root.name}", results)
    with step(5, "Ready"):
        show_usage(deployment, seeded)
    demonstrated = DemoResult(
        root=root.name,
        url=deployment.output(API_ENDPOINT.name),
        resources=len(workspace.resources()),
        checks=len(results),
        passed=sum(result.passed for result in results),
        seconds=time.monotonic() - start,
    )
    for line in lines_of(workspace):
        print(f"\n{line}")
    print(f"\n{'Done' if demonstrated.all_passed else 'Some checks failed'} after {demonstrated.seconds:.1f} s.")
    return demonstrated


def bring_up(root: Root) -> tuple[Workspace, Deployment, Seeded]:
    """Build, apply and seed a root on the local AWS: the first three steps."""
    refuse_unsynced(root)
    with step(1, f"Building {root.app} and starting the local AWS"), ThreadPoolExecutor() as pool:
        starting = pool.submit(LocalAWS(root.project).up)
        package = build(root.project, root.app)
        render(root)
        report(package, str(root.project.path))
        print(f"The local AWS listens at {starting.result().url}.")
    workspace = Workspace(root, local=True)
    with step(2, f"Applying {root.name} with Terraform"):
        workspace.apply()
        note_release(workspace)
    deployment = workspace.deployment()
    with step(3, "Seeding"):
        seeded = seed_once(deployment)
        print("\n".join(seeded.lines))
    return workspace, deployment, seeded


def show_usage(deployment: Deployment, seeded: Seeded) -> None:
    """Print calls that work, and the commands for what one may want next."""
    root = deployment.root
    print(f"{root.name} is at {deployment.output(API_ENDPOINT.name)}\n")
    print("\n".join(seed_module(root).calls(deployment, seeded.secrets)))
    command = "sawhorse" if shutil.which("sawhorse") else ".venv/bin/sawhorse"
    print(f"\nCheck again: {command} smoke {root.name} --local")
    print(f'Use any AWS tool: eval "$({command} local env {root.name})"')
    if not has_protected_table(deployment):
        print(f"Take it down: make destroy APP={root.app} ENV={root.environment}")
    print("Stop the local AWS, with all it holds: make down")


def has_protected_table(deployment: Deployment) -> bool:
    """Say whether a table of the deployment refuses to be deleted, so that a destroy would refuse as well."""
    dynamodb = deployment.client("dynamodb")
    tables = [dynamodb.describe_table(TableName=name)["Table"] for name in tables_in(deployment.outputs)]
    return any(table.get("DeletionProtectionEnabled") for table in tables)


def seed_once(deployment: Deployment) -> Seeded:
    """Seed, or take the secrets of an earlier demo that still hold: a second demo changes nothing.

    They open nothing but the local AWS, lie in its directory for this user's eyes alone, and go with it.
    """
    kept = deployment.root.project.local / "keys" / f"{deployment.root.environment}-{deployment.root.app}.json"
    module = seed_module(deployment.root)
    secrets = kept_secrets(kept)
    if secrets and module.still_valid(deployment, secrets):
        return Seeded((f"Seeded before; the key is in {kept.relative_to(deployment.root.project.path)}.",), secrets)
    seeded = module.seed(deployment)
    if seeded.secrets:
        make_own_directory(kept.parent)
        write_atomically(kept, json.dumps(seeded.secrets), mode=0o600)
    return seeded


def kept_secrets(path: Path) -> dict[str, str]:
    """Read the secrets of an earlier seed; a file that cannot be read counts as none, since they can be made again.

    Raises Untrusted for one that somebody else may have written.
    """
    try:
        secrets: dict[str, str] = json.loads(read_own(path))
    except (OSError, ValueError):
        return {}
    return secrets


@contextmanager
def step(number: int, name: str) -> Iterator[None]:
    """Head a step, and end it with the time that it took."""
    print(f"\n[{number}/{STEPS}] {name}", flush=True)
    start = time.monotonic()
    try:
        yield
    except Exception:  # whatever it is, it is raised again: here only the step's end is said
        before = {1: "", 2: " Step 1 is done."}.get(number, f" Steps 1 to {number - 1} are done.")
        print(f"[{number}/{STEPS}] failed after {time.monotonic() - start:.1f} s.{before}", flush=True)
        raise
    print(f"[{number}/{STEPS}] {time.monotonic() - start:.1f} s", flush=True)


@contextmanager
def progress_on_standard_error() -> Iterator[None]:
    """Send what people read, Terraform's output included, to standard error: standard output is for JSON."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)

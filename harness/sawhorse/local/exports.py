"""Say what a shell needs so that terraform, the AWS CLI and boto3 in it speak to the local AWS."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.files import write_atomically
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LOCAL_MARK, LocalAWS, Running
from sawhorse.local.overlay import local_state, local_state_bucket, make_overlay
from sawhorse.local.prerequisites import make_prerequisites
from sawhorse.local.state_bucket import take_state_bucket
from sawhorse.project import Project, Root
from sawhorse.terraform.moving import command_to_move
from sawhorse.terraform.state import Snapshot, keep_states, kept_in, refuse_state_of_another
from sawhorse.toolchain import installed, shell_variables, terraform_install
from sawhorse.toolchain.machine import Machine
from sawhorse.toolchain.terraform_install import terraform_environment

# The commands of Terraform that take variables.
TAKE_VARIABLES = ("apply", "console", "destroy", "import", "plan", "refresh")
ARGUMENTS = tuple(f"TF_CLI_ARGS_{command}" for command in TAKE_VARIABLES)
# Stands before Terraform on PATH. In another directory than the root's, Terraform would warn of variables that nobody
# declared there, or take those of this root for another one's.
WRAPPER = """\
#!/bin/sh
# Written by "sawhorse local env {name}": gives Terraform the variables of local runs in that root alone.
place=.
case "$1" in -chdir=*) place=${{1#-chdir=}} ;; esac
if [ "$(cd "$place" 2>/dev/null && pwd -P)" != {root} ]; then
    unset {arguments}
fi
exec {terraform} "$@"
"""


def exports(project: Project, name: str) -> dict[str, str]:
    """Return the variables for an environment such as `dev`, or for a root such as `dev/shop`.

    For a root they also bring its region, and its tfvars as they are on the local AWS.
    """
    root = project.root(name) if "/" in name else None
    facts = read_environment(project, root.environment if root else name)
    facts = facts.of_app(root.app) if root else facts
    running = LocalAWS(project).required()
    given = variables_file(root, running) if root else {}
    if root:
        keep_states(root.path)
        keep_state_in_reach(root, facts, running)
        refuse_state_of_another(kept_in(local_state(root)) or Snapshot(), root)
        # A native apply in this shell finds what an account is expected to have.
        speaking = running.variables(facts)
        make_prerequisites(root, lambda service: local_client(service, speaking), facts)
    variables = {
        **running.variables(facts),
        # In a root, Terraform then keeps the local state apart from the real one, and shares it with `--local`.
        "TF_WORKSPACE": "local",
        **terraform_environment(project.path),
        **given,
        LOCAL_MARK: "1",
    }
    for unattended in ("TF_INPUT", "TF_IN_AUTOMATION"):
        variables.pop(unattended)
    terraform = terraform_install.ensure_terraform(project.path)
    on_path = terraform == terraform_install.terraform_on_path(Machine.this())
    first = [str(write_wrapper(root, terraform))] if root else [] if on_path else [str(terraform.parent)]
    path = terraform_install.without_wrappers(os.environ.get("PATH", os.defpath))
    if first or path != os.environ.get("PATH"):
        variables["PATH"] = os.pathsep.join([*first, path])
    return variables


def keep_state_in_reach(root: Root, facts: Environment, running: Running) -> None:
    """Let a native run and one of the harness find the same state: in the bucket of environment.yaml, or in a file.

    In that bucket both look in the same place, which is that of a workspace named `local`. Raises BadConfiguration
    where the state is elsewhere already.
    """
    bucket = local_state_bucket(root)
    if bucket == facts.state_bucket:
        return
    name = f"environments/{root.environment}/environment.yaml"
    if bucket:
        named = f"names {facts.state_bucket}" if facts.state_bucket else "names no state_bucket"
        raise BadConfiguration(
            f"The state of local runs of {root.name} lies in the bucket {bucket}, and {name} {named}, so a "
            f"native run would not find it; move it with {command_to_move(root, 'local', local=True)} or name it there."
        )
    if local_state(root).is_file():
        raise BadConfiguration(
            f"The state of local runs of {root.name} lies in a file, and {name} names {facts.state_bucket}, where a "
            f"native run would look for it; move it with {command_to_move(root, 'bucket', local=True)}."
        )
    take_state_bucket(root, running)


def superseded() -> list[str]:
    """Name the variables that a shell must be rid of before it takes the exports over."""
    return sorted({*shell_variables.conflicting(), *ARGUMENTS})


def write_wrapper(root: Root, terraform: Path) -> Path:
    """Write the program that stands before Terraform on PATH, and return its directory."""
    directory = root.project.local / terraform_install.WRAPPERS / f"{root.environment}-{root.app}"
    text = WRAPPER.format(
        name=root.name,
        root=shlex.quote(os.path.realpath(root.path)),
        arguments=" ".join(ARGUMENTS),
        terraform=shlex.quote(str(terraform)),
    )
    write_atomically(directory / "terraform", text, mode=0o755)
    return directory


def variables_file(root: Root, running: Running) -> dict[str, str]:
    """Let Terraform's commands take the tfvars of local runs over the root's own.

    They differ in whose tokens APIs take and in what the local AWS cannot run.
    """
    runtime = installed.ensure_emulators(root.project.path)
    tfvars = make_overlay(root, runtime.python_version, issuer=running.issuer_url) / "terraform.tfvars"
    return dict.fromkeys(ARGUMENTS, f"-var-file={shlex.quote(str(tfvars))}")

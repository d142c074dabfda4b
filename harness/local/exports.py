"""Say what a shell needs so that terraform, the AWS CLI and boto3 in it speak to the local AWS."""

from __future__ import annotations

import os
import shlex

from harness import bootstrap, terraform_setup
from harness.environment import read_environment
from harness.layout import Project, Root
from harness.local.emulators import LOCAL_MARK, LocalAWS, Running
from harness.local.mirror import mirror
from harness.terraform import terraform_environment

# The commands of Terraform that take variables.
TAKE_VARIABLES = ("apply", "console", "destroy", "import", "plan", "refresh")
ARGUMENTS = tuple(f"TF_CLI_ARGS_{command}" for command in TAKE_VARIABLES)


def exports(project: Project, name: str) -> dict[str, str]:
    """Return the variables for an environment such as `dev`, or for a root such as `dev/fileshare`.

    For a root they also bring its region, and its tfvars as they are on the local AWS.
    """
    root = project.root(name) if "/" in name else None
    facts = read_environment(project, root.environment if root else name)
    facts = facts.of_app(root.app) if root else facts
    running = LocalAWS(project).required()
    variables = {
        **running.environment(facts.account_id, facts.region),
        # In a root, Terraform then keeps the local state apart from the real one, and shares it with `--local`.
        "TF_WORKSPACE": "local",
        **terraform_environment(project),
        **(variables_file(root, running) if root else {}),
        LOCAL_MARK: "1",
    }
    for unattended in ("TF_INPUT", "TF_IN_AUTOMATION"):
        variables.pop(unattended)
    terraform = terraform_setup.ensure_terraform(project.path)
    if terraform != bootstrap.Machine.this().which("terraform"):
        variables["PATH"] = f"{terraform.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return variables


def variables_file(root: Root, running: Running) -> dict[str, str]:
    """Let Terraform's commands take the tfvars of local runs over the root's own.

    They differ in whose tokens APIs take and in what the local AWS cannot run.
    """
    runtime = bootstrap.ensure_emulators(root.project.path)
    tfvars = mirror(root, runtime.python_version, issuer=running.issuer_url) / "terraform.tfvars"
    return dict.fromkeys(ARGUMENTS, f"-var-file={shlex.quote(str(tfvars))}")

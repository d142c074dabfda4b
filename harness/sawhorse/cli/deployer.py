"""Who deploys: `sawhorse deployer` shows what the role of each root may do, and makes the roles of an environment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from sawhorse.cli.options import AsBuilt, AsJson, Commands, Local, RootNames, Yes, open_workspace, print_json
from sawhorse.cli.state import EnvironmentName
from sawhorse.errors import SawhorseError
from sawhorse.project import Project, one_and_all

if TYPE_CHECKING:
    from sawhorse.operate.deployer.make import Deployers
    from sawhorse.operate.deployer.policies import RootPolicies

deployer_app = Commands(
    name="deployer",
    help="Show what the role that deploys a root may do, and make the roles of an environment.",
    no_args_is_help=True,
)


@deployer_app.command("show")
def show_deployer(root: RootNames, local: Local = False, as_built: AsBuilt = False, as_json: AsJson = False) -> None:
    """Plan a root and print the policies of its deployer, made of what it plans. Changes nothing."""
    from sawhorse.cli.deployer_tables import show

    found = planned([one.name for one in Project.find().roots_named(root)], local=local, as_built=as_built)
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        for one in found:
            show(one)


@deployer_app.command("make")
def make_deployers(
    environment: EnvironmentName,
    local: Local = False,
    as_built: AsBuilt = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Plan every root of an environment, show what would be made for whoever deploys it, ask, and make it."""
    from sawhorse.cli.deployer_tables import show_sizes

    deployers = deployers_of(environment, local=local)
    policies = planned([one.root.name for one in deployers.workspaces], local=local, as_built=as_built)
    changed = deployers.make(policies, ask=lambda: None if local or yes else refuse_unless_meant(deployers))
    if as_json:
        print_json({"changed": changed, "roots": [one.as_json() for one in policies]})
    else:
        show_sizes(policies)


@deployer_app.command("destroy")
def destroy_deployers(environment: EnvironmentName, local: Local = False, yes: Yes = False) -> None:
    """Take the roles that deploy an environment's roots away again. What the roots made stays."""
    deployers = deployers_of(environment, local=local)
    deployers.refuse_used()
    changed = deployers.destroy(ask=lambda: None if local or yes else refuse_unless_meant(deployers))
    print(f"{'Nobody deploys' if changed else 'Nobody deployed'} {environment} by a role of its own any more.")


def planned(roots: Sequence[str], *, local: bool, as_built: bool) -> list[RootPolicies]:
    from sawhorse.operate.deployer.policies import policies_of

    found = []
    for name in roots:
        print(f"Planning {name}.", file=sys.stderr, flush=True)
        found.append(policies_of(open_workspace(name, local=local, as_built=as_built)))
    return found


def deployers_of(environment: str, *, local: bool) -> Deployers:
    from sawhorse.operate.deployer.make import Deployers

    roots = Project.find().roots_named(f"{environment}/all")
    return Deployers([open_workspace(one.name, local=local) for one in roots])


def refuse_unless_meant(deployers: Deployers) -> None:
    """Ask for the environment's name. Raises SawhorseError for another one, and where nobody can be asked."""
    name, roots = deployers.name, one_and_all([one.root.name for one in deployers.workspaces])
    question = f"This changes who deploys {roots} in account {deployers.environment.account_id}. Type {name} to go on"
    if not sys.stdin.isatty() or typer.prompt(question, default="", show_default=False) != name:
        raise SawhorseError(f"Nothing was changed for {name}. Add --yes to go on without a question.")

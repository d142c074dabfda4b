"""Plan a root, and make of what it plans the policies of the role that deploys it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.local.overlay import LOCAL_PREFIX, bucket_for_local_states
from sawhorse.plans.deployer.boundary import boundary_of
from sawhorse.plans.deployer.packing import document, packed, size
from sawhorse.plans.deployer.statements import Place, Policy, Statement, policy_of, resources_of
from sawhorse.plans.deployer.table import Rule, Rules, Table, table
from sawhorse.plans.plan import Plan
from sawhorse.project import Root
from sawhorse.workspace import Workspace

# What an app's own seed and smoke checks call of AWS, beside its operations.
OPERATIONS = "deployer.yaml"


@dataclass(frozen=True)
class RootPolicies:
    """The policies of a root's deployer, of whoever only reads, and the boundary of the root's roles."""

    root: str
    policy: Policy
    policies: Sequence[Sequence[Statement]]
    reader: Sequence[Sequence[Statement]]
    boundary: Sequence[Statement]
    unproven: Mapping[str, str]
    # Roles of others that policies of the root are attached to, by their names.
    unbounded: str = ""

    @property
    def sizes(self) -> list[int]:
        """The characters of each policy of the deployer, as IAM counts them."""
        return [size(one) for one in self.policies]

    def as_json(self) -> dict[str, Any]:
        return {
            "root": self.root,
            "policies": [document(one) for one in self.policies],
            "reader": [document(one) for one in self.reader],
            "boundary": document(self.boundary),
            "wildcards": dict(self.policy.wildcards),
            "unproven": dict(self.unproven),
            "unbounded": self.unbounded.split(", ") if self.unbounded else [],
        }


def policies_of(workspace: Workspace) -> RootPolicies:
    """Plan a root and return its policies. Raises BadConfiguration for what nobody can be given a right to alone."""
    plan = Plan(workspace.terraform.planned())
    return made_of(plan, workspace.root, workspace.environment, local=workspace.local is not None)


def made_of(plan: Plan, root: Root, environment: Environment, *, local: bool) -> RootPolicies:
    """Return a root's policies, made of its plan, for AWS or for the local AWS."""
    known = table()
    policy = policy_of(plan, place_of(root, environment, local=local), known, operations_of(root))
    return RootPolicies(
        root.name,
        policy,
        packed(policy.all, root=root.name),
        packed(policy.read, root=root.name),
        boundary_of(plan, root=root.name),
        unproven_of(policy, known),
        ", ".join(roles_of_others(plan)),
    )


def place_of(root: Root, environment: Environment, *, local: bool) -> Place:
    """Return where a root is deployed. Raises BadConfiguration where its environment keeps states on laptops."""
    # The bucket is in the environment's own region, wherever the app is.
    facts_of_all = read_environment(root.project, root.environment)
    bucket = bucket_for_local_states(facts_of_all) if local else environment.state_bucket
    boundary = environment.boundary_of(root.app)
    facts = f"environments/{root.environment}/environment.yaml"
    if bucket is None:
        raise BadConfiguration(
            f"{facts} names no state_bucket, and what deploys from elsewhere finds no state on a laptop; name one "
            f"there and make it with sawhorse state make {root.environment}."
        )
    if boundary is None:
        raise BadConfiguration(
            f"{facts} does not say deployers: true, so the roles of its apps would have no boundary, and whoever makes "
            "roles without one may do anything; write it there."
        )
    return Place(
        partition=environment.partition,
        region=environment.region,
        account=environment.account_id,
        environment=root.environment,
        app=root.app,
        state_bucket=bucket,
        state_key=f"{LOCAL_PREFIX if local else ''}{root.name}",
        boundary=boundary,
    )


def operations_of(root: Root) -> Mapping[str, Sequence[Rule]]:
    """Read what an app's own operations call, by the kind of resource; most call nothing besides the engine."""
    path = root.project.lambda_path / root.app / "ops" / OPERATIONS
    if not path.is_file():
        return {}
    try:
        return TypeAdapter(dict[str, Rules]).validate_python(yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, ValidationError) as error:
        raise BadConfiguration(
            f"{root.project.shown(path)} must hold kinds of resources with rules, as kinds.yaml of the engine has "
            f"them: {' '.join(str(error).split())[:300]}."
        ) from error


def roles_of_others(plan: Plan) -> list[str]:
    """Name the roles that policies of a plan are attached to, and that the plan does not make."""
    found = list(resources_of(plan))
    own = {str(values["name"]) for kind, _, values in found if kind == "aws_iam_role"}
    attached = {str(values["role"]) for kind, _, values in found if kind == "aws_iam_role_policy_attachment"}
    return sorted(attached - own)


def unproven_of(policy: Policy, known: Table) -> dict[str, str]:
    """Return the actions of a policy that the local AWS does not judge, each with the reason."""
    reasons = {action: known.why_unproven(action) for action in policy.actions}
    return {action: reason for action, reason in reasons.items() if reason}

"""Name the roles that a pipeline takes for a root: the environment's own, and from it the root's deployer."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration, WrongAccount
from sawhorse.project import Root

# What GitHub takes as the name of a repository: an owner's of up to 39 letters, digits and single hyphens, and its own
# of up to 100.
REPOSITORY = re.compile(r"(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


@dataclass(frozen=True)
class Roles:
    """The ARNs of the roles that a run takes one after the other, with account and region.

    A deployment takes `deploy_role` with the token of the run and from it `deployer`, the root's own; what only reads
    takes `read_role` and from it `reader`.
    """

    account: str
    region: str
    deploy_role: str
    deployer: str
    read_role: str
    reader: str

    def as_outputs(self) -> dict[str, str]:
        """Return what `aws-actions/configure-aws-credentials` is given, as outputs of a step."""
        return asdict(self)


def roles_of(root: Root) -> Roles:
    """Return the roles for a root, by the names that the modules github_oidc and deployer give them."""
    facts = read_environment(root.project, root.environment).of_app(root.app)
    app = root.app.replace("_", "-")
    return Roles(
        account=facts.account_id,
        region=facts.region,
        deploy_role=arn_of(facts, f"github-{root.environment}"),
        deployer=arn_of(facts, f"deployers/{app}-deployer-{root.environment}"),
        read_role=arn_of(facts, f"github-{root.environment}-read"),
        reader=arn_of(facts, f"deployers/{app}-reader-{root.environment}"),
    )


def arn_of(facts: Environment, name: str) -> str:
    partition = next((one for begin, one in PARTITIONS.items() if facts.region.startswith(begin)), "aws")
    return f"arn:{partition}:iam::{facts.account_id}:role/{name}"


def refuse_repository(repository: str, meant: str | None) -> None:
    """Raise for a name that is no repository's, and for another repository than the one that deploys here.

    `meant` is the one that environment.yaml names, None where it names none.
    """
    if not REPOSITORY.fullmatch(repository):
        raise BadConfiguration(f"{repository} is not the name of a repository of GitHub, such as OWNER/NAME.")
    if meant is not None and repository.lower() != meant.lower():
        raise WrongAccount(
            f"This run is of {repository}, and environment.yaml says that {meant} deploys here. Nothing was asked of "
            "AWS, whose roles trust that repository alone; correct the file, or run it there."
        )

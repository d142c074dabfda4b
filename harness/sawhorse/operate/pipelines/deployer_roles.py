"""Name the roles that a pipeline takes for a root: the one that trusts the run's token, and from it the root's own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sawhorse.environment import Environment, read_environment
from sawhorse.errors import WrongAccount
from sawhorse.project import Root

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


@dataclass(frozen=True)
class Roles:
    """The ARNs of the roles that a run takes one after the other, with account and region of the root.

    With its token a run takes `role`, and from it `deployer` or `reader`: what deploys the root, and what only reads.
    """

    account: str
    region: str
    role: str
    deployer: str
    reader: str

    def as_outputs(self) -> dict[str, str]:
        """Return what `aws-actions/configure-aws-credentials` is given, as outputs of a step."""
        return asdict(self)


def roles_of(root: Root, whose: str, repository: str | None = None) -> Roles:
    """Return the roles for a root, by the names that the modules github_oidc and deployer give them.

    `whose` is the end of the first one's name: the environment that the job names, or pull-requests. Raises
    WrongAccount for a run of another repository than the one that environment.yaml names, if it names one.
    """
    facts = read_environment(root.project, root.environment).of_app(root.app)
    refuse_repository(facts, repository)
    app = root.app.replace("_", "-")
    return Roles(
        account=facts.account_id,
        region=facts.region,
        role=arn_of(facts, f"{facts.github.name_prefix if facts.github else 'github-'}{whose}"),
        deployer=arn_of(facts, f"deployers/{app}-deployer-{root.environment}"),
        reader=arn_of(facts, f"deployers/{app}-reader-{root.environment}"),
    )


def refuse_repository(facts: Environment, repository: str | None) -> None:
    """Raise for a run of another repository; AWS would refuse its token as well, and not say why."""
    meant = facts.github.repository if facts.github else None
    if repository and meant and repository.lower() != meant.lower():
        raise WrongAccount(
            f"This run is of {repository}, and environments/{facts.name}/environment.yaml says that {meant} deploys "
            "there. AWS was not asked; run it in that repository, or correct the file and make the deployers again."
        )


def arn_of(facts: Environment, name: str) -> str:
    partition = next((one for begin, one in PARTITIONS.items() if facts.region.startswith(begin)), "aws")
    return f"arn:{partition}:iam::{facts.account_id}:role/{name}"

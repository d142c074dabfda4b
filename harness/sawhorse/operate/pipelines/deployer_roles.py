"""Name the roles that a pipeline takes for a root: the one that trusts the run's token, and from it the root's own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sawhorse.environment import Environment, read_environment
from sawhorse.errors import WrongAccount
from sawhorse.project import Root


@dataclass(frozen=True)
class Roles:
    """The ARNs of the roles that a run takes one after the other, with the region of the root.

    With its token a run takes `role`, and from it `deployer` or `reader`: what deploys the root, and what only reads.
    """

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
    prefix = facts.github.name_prefix if facts.github else "github-"
    return Roles(
        region=facts.region,
        role=f"arn:{facts.partition}:iam::{facts.account_id}:role/{prefix}{whose}",
        deployer=facts.role_of(root.app, "deployer"),
        reader=facts.role_of(root.app, "reader"),
    )


def refuse_repository(facts: Environment, repository: str | None) -> None:
    """Raise for a run of another repository; AWS would refuse its token as well, and not say why.

    A trust compares subjects letter by letter, so a name in another case is another repository's
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
    """
    meant = facts.github.repository if facts.github else None
    if repository and meant and repository != meant:
        same = repository.lower() == meant.lower()
        case = " These differ in case, which AWS's trust distinguishes." if same else ""
        raise WrongAccount(
            f"This run is of {repository}, and environments/{facts.name}/environment.yaml says that {meant} deploys "
            f"there.{case} AWS was not asked; run it in that repository, or correct the file and make the deployers "
            "again."
        )

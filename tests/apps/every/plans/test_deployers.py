"""The deployer of every root fits into AWS's quotas, and reaches nothing that is another root's."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from sawhorse.environment import read_environment
from sawhorse.operate.deployer.policies import RootPolicies, made_of
from sawhorse.plans.deployer.packing import MOST_CHARACTERS, MOST_POLICIES, size
from sawhorse.plans.deployer.statements import literal
from sawhorse.plans.plan import Plan
from sawhorse.project import Project

pytestmark = pytest.mark.whole_plans

REPOSITORY = Path(__file__).resolve().parents[4]
ROOTS = sorted(f"{path.parts[-3]}/{path.parts[-2]}" for path in (REPOSITORY / "environments").glob("*/*/main.tf"))


def policies_of(root: str, plan: Plan) -> RootPolicies:
    """Return a root's policies, were its environment one with deployers."""
    found = Project(REPOSITORY).root(root)
    said = {"deployers": True, "state_bucket": "states"}
    facts = read_environment(found.project, found.environment).of_app(found.app).model_copy(update=said)
    return made_of(plan, found, facts, local=False)


def exact_of(policies: RootPolicies) -> set[str]:
    """Return all that a deployer reaches by name; the bucket of states is everybody's to list."""
    found = {arn for statement in policies.policy.all for arn in statement.resources if "*" not in arn}
    return found - {"arn:aws:s3:::states"}


@pytest.mark.parametrize("root", ROOTS)
def test_the_policies_of_a_root_fit_into_those_of_a_role(root: str, root_plan: Callable[[str], Plan]) -> None:
    found = policies_of(root, root_plan(root))
    for policies in (found.policies, found.reader):
        assert 1 <= len(policies) <= MOST_POLICIES
        assert all(size(one) <= MOST_CHARACTERS for one in policies)
    assert size(found.boundary) <= MOST_CHARACTERS
    assert {arn for one in found.policy.all for arn in one.resources if "*" in arn} == found.policy.wildcards.keys()


@pytest.mark.parametrize("root", ROOTS)
def test_a_deployer_reaches_nothing_of_another_root_by_name(root: str, root_plan: Callable[[str], Plan]) -> None:
    own = policies_of(root, root_plan(root))
    patterns = [arn for one in own.policy.all if not one.condition for arn in one.resources]
    # What lists, and what AWS ties to no resource or to ids of its own, names nobody's things.
    named = ("Lambda numbers", "The ARN")
    narrow = [literal(arn) for arn in patterns if own.policy.wildcards.get(arn, "").startswith(named)]
    names = [*exact_of(own), *narrow]
    environment = root.partition("/")[0]
    for other in ROOTS:
        if other == root or not other.startswith(f"{environment}/"):
            continue
        # Collections of APIs are one for all, and so is the role that AWS has for scaling.
        foreign = [
            arn
            for arn in exact_of(policies_of(other, root_plan(other)))
            if "::/" not in arn and "aws-service-role" not in arn
        ]
        assert foreign
        reached = {arn for arn in foreign for name in names if fnmatchcase(arn, name)}
        assert reached == set(), f"{root} reaches what is {other}'s."

"""Deploy a root as the role that was made for it, with permissions left out, and see which step fails for the lack."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from sawhorse.environment import read_environment
from sawhorse.local.decisions import RECORD, decisions
from sawhorse.local.overlay import overlay_of
from sawhorse.local.role_sessions import ROLE
from sawhorse.plans.deployer.packing import document, packed
from sawhorse.plans.deployer.statements import Statement, literal, merged
from sawhorse.plans.deployer.table import table
from sawhorse.terraform.state import UNSAVED
from tests.end_to_end.support import Sawhorse
from tests.grants import become

# As every service says it; SQS and SNS spell actions in their own ways.
REFUSED = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: \"?([^\s\"]+))?", re.IGNORECASE)
# The provider asks for the key of DynamoDB's own, and does without it.
DONE_WITHOUT = {"kms:DescribeKey"}
NOTHING = Statement(("sts:GetCallerIdentity",), ("*",))


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource, or what a wildcard stands for, under a condition as JSON."""

    action: str
    resource: str
    condition: str = ""

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"

    def covers(self, action: str, resource: str) -> bool:
        same = self.action.lower() == action.lower()
        return same and fnmatchcase(resource or self.resource, literal(self.resource))

    def covered_by(self, pairs: Iterable[tuple[str, str]]) -> bool:
        return any(self.covers(action, resource) for action, resource in pairs)


def permissions_of(statements: Iterable[Mapping[str, Any]]) -> set[Permission]:
    """Take the statements of policies apart."""
    return {
        Permission(action, resource, json.dumps(one["Condition"], sort_keys=True) if "Condition" in one else "")
        for one in statements
        for action in one["Action"]
        for resource in one["Resource"]
    }


@dataclass
class Deployer:
    """The deployer of one root on the local AWS, as `sawhorse deployer make` made it."""

    sawhorse: Sawhorse
    root: str
    permissions: set[Permission] = field(default_factory=set)

    def __post_init__(self) -> None:
        environment, _, app = self.root.partition("/")
        self.app = app
        self.account = read_environment(self.sawhorse.project, environment).account_id
        self.name = f"{app.replace('_', '-')}-deployer-{environment}"
        self.arn = f"arn:aws:iam::{self.account}:role/deployers/{self.name}"
        self.iam = self.sawhorse.client("iam", environment)
        self.record = self.sawhorse.project.local / RECORD
        self.policies = sorted(
            one["PolicyArn"] for one in self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        )
        documents = [self.document_of(arn) for arn in self.policies]
        self.permissions = permissions_of(one for each in documents for one in each["Statement"])

    def document_of(self, arn: str) -> dict[str, Any]:
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        read: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
        return read

    @property
    def proven(self) -> set[Permission]:
        """The permissions that the local AWS judges."""
        return {one for one in self.permissions if table().why_unproven(one.action) is None}

    def allow(self, permissions: Iterable[Permission]) -> None:
        """Let the role do these things alone."""
        found = [((one.resource, one.condition, None), {one.action}) for one in permissions]
        parts = packed(merged(found), root=self.root)
        assert len(parts) <= len(self.policies)
        for arn, statements in zip(self.policies, [*parts, *[[NOTHING]] * len(self.policies)], strict=False):
            become(self.iam, arn, document(statements))

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.sawhorse.run(*arguments, variables={ROLE: self.arn})

    @property
    def of_states(self) -> set[Permission]:
        """The permissions on the root's state, its lock and its record, without which a failed run leaves a mess."""
        return {one for one in self.permissions if re.fullmatch(r"arn:aws:s3:::[^/]*states[^/]*(/.*)?", one.resource)}

    def clean_up(self) -> None:
        """Release the lock that a run could not, and forget a state that it could not write."""
        [lock] = {one.resource for one in self.of_states if one.resource.endswith(".tflock")}
        bucket, _, key = lock.removeprefix("arn:aws:s3:::").partition("/")
        self.sawhorse.client("s3", self.root.partition("/")[0]).delete_object(Bucket=bucket, Key=key)
        (overlay_of(self.sawhorse.project.root(self.root)) / UNSAVED).unlink(missing_ok=True)

    def run(self, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Counter[Call]]:
        """Run a command as the role, and count what IAM was asked about it meanwhile."""
        self.record.write_text("")
        ended = self(*arguments)
        own = [one for one in decisions(self.record) if f"/{self.name}/" in one["who"]]
        return ended, Counter(Call(one["action"], one["resource"], one["allowed"]) for one in own)


class Call(NamedTuple):
    """What IAM was asked, and whether it allowed that."""

    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class Step:
    """One thing that whoever deploys does, in one command or several, after what others do first.

    It can be run again after it failed. `codes` are the exit codes of one that did not fail.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    before: Callable[[], object] | None = None
    # What changes the state once more, by the number of the run, so that each permission on it is tried alone.
    of_states: Callable[[int], tuple[str, ...]] | None = None
    codes: tuple[int, ...] = (0,)


@dataclass
class Growth:
    """What a role was given until every step was done, what of its policy it was not, and how often it was asked."""

    granted: set[Permission] = field(default_factory=set)
    idle: set[Permission] = field(default_factory=set)
    runs: int = 0
    calls: Counter[Call] = field(default_factory=Counter)

    def count(self, *, allowed: bool) -> int:
        return sum(number for call, number in self.calls.items() if call.allowed == allowed)


def grow(deployer: Deployer, steps: Iterable[Step]) -> Growth:
    """Do step after step as a role that may do nothing at first, and give it what each fails for the lack of.

    A permission that a failed run names as refused is given and needed. One that IAM was asked for and nobody named is
    given as well, and taken away alone once the step is done: where the step is then done again, nothing needs it.
    """
    growth = Growth()
    always = deployer.permissions - deployer.proven | deployer.of_states
    for step in steps:
        if step.before:
            step.before()
        unnamed: set[Permission] = set()
        while True:
            deployer.allow(always | growth.granted)
            ended, calls = done(deployer, step, growth)
            if ended is None:
                break
            said = " ".join((ended.stdout + ended.stderr).split())
            missing = deployer.proven - always - growth.granted
            named = {one for one in missing if one.covered_by(REFUSED.findall(said))}
            if not named:
                refused = [(call.action, call.resource) for call in calls if not call.allowed]
                named = {one for one in missing if one.covered_by(refused)}
                unnamed |= named
            assert named, f"{step.name} fails for no permission that the policy has:\n{said[-3000:]}"
            growth.granted |= named
        for one in sorted(unnamed):
            deployer.allow((always | growth.granted) - {one})
            if done(deployer, step, growth)[0] is None:
                growth.granted.discard(one)
        try_states_alone(deployer, step, growth, always)
    growth.idle = deployer.proven - growth.granted
    return growth


def try_states_alone(deployer: Deployer, step: Step, growth: Growth, always: set[Permission]) -> None:
    """Take each permission on the state away alone, where a step changes the state once more."""
    if step.of_states is None:
        return
    for one in sorted(deployer.of_states - growth.granted):
        deployer.allow((always | growth.granted) - {one})
        more = (*step.commands[0], *step.of_states(growth.runs))
        if done(deployer, replace(step, commands=(*step.commands, more)), growth)[0] is not None:
            growth.granted.add(one)
        deployer.clean_up()


def done(
    deployer: Deployer, step: Step, growth: Growth
) -> tuple[subprocess.CompletedProcess[str] | None, Counter[Call]]:
    """Run a step's commands until one fails, and return that one, or None, with what IAM was asked."""
    asked: Counter[Call] = Counter()
    growth.runs += 1
    for command in step.commands:
        ended, calls = deployer.run(*command)
        asked += calls
        growth.calls += calls
        if ended.returncode not in step.codes:
            deployer.clean_up()
            return ended, asked
    return None, asked


def steps_of(deployer: Deployer, tampering: Tampering) -> list[Step]:
    """Return all that a deployer does with its root, in order; between the steps others change the root or AWS."""
    root = deployer.root

    def local(command: str, *options: str) -> tuple[str, ...]:
        return (command, root, "--local", *options)

    knobs = [f"--var={name}" for name in tampering.knobs]
    return [
        Step("plan", (local("plan", "--state-bucket"),), of_states=lambda _: ()),
        Step("apply", (local("apply"),)),
        Step("plan again", (local("plan", "--exit-code"),)),
        Step("seed", (local("seed"),)),
        Step("smoke", (local("smoke"),)),
        Step("new code", (local("apply"),), before=tampering.change_the_code),
        # What a check that failed for want of a permission left published and not live.
        Step("release", (local("release"),)),
        Step("rollback", (local("rollback", "--why", "a test"),)),
        Step("release again", (local("release"),)),
        Step("prune", (local("releases", "--prune", "1"),)),
        Step("freeze", (local("freeze", "--why", "a test"), local("unfreeze"))),
        Step("verify", (local("verify"),)),
        Step("drift", (local("drift", "--no-verify"),)),
        Step("knobs", (local("apply", *knobs),)),
        Step("states", (local("apply"),), of_states=lambda run: (f"--var=lambda_reserved_concurrency={run}",)),
        Step("decisions", (local("apply"),), before=tampering.change_the_root),
        Step("put back", (local("apply"),), before=tampering.change_aws_by_hand),
        Step("destroy", (local("destroy"),)),
    ]


class Tampering:
    """What others change: the code and the root in the repository, and in AWS what an apply is to put back."""

    def __init__(self, deployer: Deployer) -> None:
        self.deployer = deployer
        self.project = deployer.sawhorse.project
        self.path = self.project.path / "environments" / deployer.root

    @property
    def knobs(self) -> list[str]:
        """The knobs that the root has, with values that change something."""
        text = (self.path / "sawhorse.tf").read_text()
        return [f"{name}={value}" for name, value in KNOBS.items() if f'variable "{name}"' in text]

    def change_the_code(self) -> None:
        file = max((self.project.lambda_path / self.deployer.app).glob("*.py"))
        file.write_text(file.read_text() + '\nCHANGED = "by a test"\n')
        commit(self.project.path)
        self.deployer.sawhorse("build", self.deployer.app)

    def change_the_root(self) -> None:
        """Put another tag on everything and take one away, and decide otherwise what the root decides."""
        facts = self.path.parent / "environment.yaml"
        facts.write_text(facts.read_text().replace("\n  project: ", "\n  team: post\n  was: "))
        main = self.path / "main.tf"
        text = main.read_text()
        for pattern, value in DECISIONS.items():
            text = re.sub(pattern, value, text)
        main.write_text(text)
        self.deployer.sawhorse("sync")

    def change_aws_by_hand(self) -> None:
        """Change roles as nobody should: their boundary, trust, description and policies."""
        iam = self.deployer.iam
        known = {one.resource.rpartition("/")[2] for one in self.deployer.permissions if one.action == "iam:CreateRole"}
        for name in known:
            iam.delete_role_permissions_boundary(RoleName=name)
            trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self.deployer.account}}
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(trust))
            iam.update_role_description(RoleName=name, Description="Changed by hand.")
            allowed = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName="by-hand", PolicyDocument=policy(allowed))
            iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        for one in self.deployer.permissions:
            if one.action == "iam:CreatePolicyVersion":
                for number in range(4):
                    allowed = {
                        "Effect": "Allow",
                        "Action": "s3:GetObject",
                        "Resource": f"arn:aws:s3:::by-hand-{number}",
                    }
                    iam.create_policy_version(PolicyArn=one.resource, PolicyDocument=policy(allowed), SetAsDefault=True)


KNOBS = {
    "lambda_reserved_concurrency": "5",
    "dynamodb_billing_mode": "PROVISIONED",
    "dynamodb_read_capacity": "3",
    "dynamodb_write_capacity": "3",
}
DECISIONS = {
    r"(memory_size\s*=\s*)\d+": r"\g<1>640",
    r"(retention_in_days\s*=\s*)\d+": r"\g<1>14",
    r"(point_in_time_recovery_enabled\s*=\s*)false": r"\g<1>true",
    r"(rate_limit\s*=\s*)\d+": r"\g<1>40",
}


def policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def commit(path: Path) -> None:
    """Commit all that is there, which `verify` builds."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "Change")):
        subprocess.run(["git", *words], cwd=path, check=True, capture_output=True)


def made(sawhorse: Sawhorse, root: str) -> Deployer:
    """Have the deployers of a root's environment made, as an administrator does, and return that of the root."""
    environment = root.partition("/")[0]
    facts = sawhorse.project.path / "environments" / environment / "environment.yaml"
    facts.write_text(f"{facts.read_text().rstrip()}\ndeployers: true\n")
    commit(sawhorse.project.path)
    sawhorse("build")
    sawhorse("deployer", "make", environment, "--local")
    return Deployer(sawhorse, root)

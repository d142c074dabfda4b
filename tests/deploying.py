"""Deploy a root as the role that was made for it, with permissions left out, and see which step fails for the lack."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.decisions import RECORD, decisions
from sawhorse.local.emulators import LocalAWS
from sawhorse.local.overlay import overlay_of
from sawhorse.local.role_sessions import ROLE
from sawhorse.plans.deployer.packing import document, packed
from sawhorse.plans.deployer.statements import Statement, literal, merged
from sawhorse.plans.deployer.table import table
from sawhorse.terraform.state import UNSAVED
from tests.commits import commit_all
from tests.end_to_end.support import Sawhorse
from tests.grants import become

# As every service says it; SQS and SNS spell actions in their own ways.
REFUSED = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: \"?([^\s\"]+))?", re.IGNORECASE)
# The provider asks for the key of DynamoDB's own, and does without it.
DONE_WITHOUT = {"kms:DescribeKey"}
# How services say that IAM refused a call.
REFUSALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
NOTHING = Statement(("sts:GetCallerIdentity",), ("*",))


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource, or what a wildcard stands for, under a condition as JSON."""

    action: str
    resource: str
    condition: str = ""

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"

    @property
    def kind(self) -> str:
        """What it is whichever thing it names: whatever does without it does without all of its kind."""
        of, service = self.resource.split(":", 5)[-1], self.action.partition(":")[0]
        if service != "apigateway" and of != "*":
            # ARNs of some services begin with a name; what ends them may be a version, a stream, an index, a lock.
            kind = "" if service in ("s3", "sns", "sqs") else re.split("[:/]", of)[0]
            of = " ".join([kind, *re.findall(r":live$|:\*$|/index/|\.\w+$", of)])
        keys = sorted(key for values in json.loads(self.condition or "{}").values() for key in values)
        return " ".join([self.action, of, *keys])

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
    statements: int = 0

    def __post_init__(self) -> None:
        self.environment, _, self.app = self.root.partition("/")
        facts = read_environment(self.sawhorse.project, self.environment).of_app(self.app)
        self.account, self.region = facts.account_id, facts.region
        self.name = f"{self.app.replace('_', '-')}-deployer-{self.environment}"
        self.arn = f"arn:aws:iam::{self.account}:role/deployers/{self.name}"
        self.iam = self.sawhorse.client("iam", self.environment)
        self.record = self.sawhorse.project.local / RECORD
        self.policies = sorted(
            one["PolicyArn"] for one in self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        )
        found = [one for arn in self.policies for one in self.document_of(arn)["Statement"]]
        self.statements = len(found)
        self.permissions = permissions_of(found)

    def document_of(self, arn: str) -> dict[str, Any]:
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        read: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
        return read

    @property
    def proven(self) -> set[Permission]:
        """The permissions that the local AWS judges."""
        return {one for one in self.permissions if table().why_unproven(one.action) is None}

    def client(self, service: str) -> Any:
        """Make a client of the account, where the root is."""
        return self.sawhorse.client(service, self.environment, self.region)

    @property
    def session(self) -> Callable[[str], Any]:
        """Take the role, and make clients of that session."""
        running = LocalAWS(self.sawhorse.project).required()
        owner = {**running.environment(self.account), "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        taken = local_client("sts", owner).assume_role(RoleArn=self.arn, RoleSessionName="test")["Credentials"]
        variables = {
            **owner,
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }
        return lambda service: local_client(service, variables)

    def names(self, action: str) -> list[str]:
        """Name the things that one action is allowed on."""
        return sorted(re.split("[:/]", one.resource)[-1] for one in self.permissions if one.action == action)

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
        self.sawhorse.client("s3", self.environment).delete_object(Bucket=bucket, Key=key)
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
    """One thing that whoever deploys does, in one command or several, each time after what others do first.

    It can be run again after it failed. `codes` are the exit codes of one that did not fail.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    before: Callable[[], object] | None = None
    # What changes the state once more, by the number of the run, so that each permission on it is tried alone.
    of_states: Callable[[int], tuple[str, ...]] | None = None
    codes: tuple[int, ...] = (0,)


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
        Step("seed again", (local("seed"),)),
        Step("smoke", (local("smoke"),), before=tampering.leave_messages),
        Step("alarms", (local("smoke", "--alarms"),)),
        # What a check that failed for want of a permission left published and not live.
        Step("release", (local("release"),)),
        Step("new code", (local("apply"),), before=tampering.change_the_code),
        Step("release of it", (local("release"),)),
        Step("rollback", (local("rollback", "--why", "a test"),)),
        Step("release again", (local("release"),)),
        Step("freeze", (local("freeze", "--why", "a test"), local("unfreeze"))),
        Step("verify", (local("verify"),)),
        Step("drift", (local("drift", "--no-verify"),)),
        Step("knobs", (local("apply", *knobs),)),
        Step("states", (local("apply"),), of_states=lambda run: (f"--var=lambda_reserved_concurrency={run}",)),
        Step("decisions", (local("apply"),), before=tampering.change_the_root),
        Step("put back", (local("apply"),), before=tampering.change_aws_by_hand),
        # Of the versions that no check has found good the newest stays.
        Step("prune", (local("releases", "--prune", "1"),)),
        Step("destroy", (local("destroy"),)),
    ]


class Tampering:
    """What others change: the code and the root in the repository, and in AWS what an apply is to put back."""

    def __init__(self, deployer: Deployer) -> None:
        self.deployer = deployer
        self.project = deployer.sawhorse.project
        self.path = self.project.path / "environments" / deployer.root
        self.decided = 0

    @property
    def knobs(self) -> list[str]:
        """The knobs that the root has, with values that change something."""
        text = (self.path / "sawhorse.tf").read_text()
        return [f"{name}={value}" for name, value in KNOBS.items() if f'variable "{name}"' in text]

    def leave_messages(self) -> None:
        """Leave a message of somebody else's in each queue that smoke takes messages out of."""
        sqs = self.deployer.client("sqs")
        for name in self.deployer.names("sqs:ReceiveMessage"):
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], MessageBody="{}")

    def change_the_code(self) -> None:
        file = max((self.project.lambda_path / self.deployer.app).glob("*.py"))
        file.write_text(file.read_text() + '\nCHANGED = "by a test"\n')
        commit_all(self.project.path)
        self.deployer.sawhorse("build", self.deployer.app)

    def change_the_root(self) -> None:
        """Rename a tag of everything, to a name that it never had, and decide otherwise what the root decides."""
        facts = self.path.parent / "environment.yaml"
        renamed = re.compile(r"\n  (?:project|was-(\d+)): ")
        facts.write_text(renamed.sub(lambda one: f"\n  was-{int(one[1] or 0) + 1}: ", facts.read_text()))
        main = self.path / "main.tf"
        text = main.read_text()
        for pattern, values in DECISIONS.items():
            text = re.sub(pattern, rf"\g<1>{values[self.decided % len(values)]}", text)
        main.write_text(text)
        self.decided += 1
        self.deployer.sawhorse("sync")

    def change_aws_by_hand(self) -> None:
        """Change functions and roles as nobody should: memory, a version, what they read; trust, boundary, policies."""
        functions = self.deployer.client("lambda")
        for name in self.deployer.names("lambda:CreateFunction"):
            functions.update_function_configuration(FunctionName=name, MemorySize=1024)
            functions.publish_version(FunctionName=name)
            for one in functions.list_event_source_mappings(FunctionName=f"{name}:live")["EventSourceMappings"]:
                functions.update_event_source_mapping(UUID=one["UUID"], Enabled=False)
        iam = self.deployer.iam
        for name in self.deployer.names("iam:CreateRole"):
            # A run that failed may have left the role as it was changed before.
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role_permissions_boundary(RoleName=name)
            trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self.deployer.account}}
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(trust))
            iam.update_role_description(RoleName=name, Description="Changed by hand.")
            allowed = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName="by-hand", PolicyDocument=policy(allowed))
            iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::by-hand"}
        for one in self.deployer.permissions:
            if one.action == "iam:CreatePolicyVersion":
                for _ in range(len(iam.list_policy_versions(PolicyArn=one.resource)["Versions"]), MOST_VERSIONS):
                    iam.create_policy_version(PolicyArn=one.resource, PolicyDocument=policy(allowed), SetAsDefault=True)


# Of a managed policy (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
MOST_VERSIONS = 5
KNOBS = {
    "cors_origins": '["https://app.example.com"]',
    "lambda_reserved_concurrency": "5",
    "dynamodb_billing_mode": "PROVISIONED",
    "dynamodb_read_capacity": "3",
    "dynamodb_write_capacity": "3",
}
# What is said in their place, one after the other.
DECISIONS = {
    r"(memory_size\s*=\s*)\d+": ("640", "768"),
    r"(retention_in_days\s*=\s*)\d+": ("14", "30"),
    r"(point_in_time_recovery_enabled\s*=\s*)(?:false|true)": ("true", "false"),
    r"(rate_limit\s*=\s*)\d+": ("40", "60"),
}


def policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def have_deployers_made(sawhorse: Sawhorse, environment: str) -> None:
    """Have the deployers of an environment made, as an administrator does."""
    facts = sawhorse.project.path / "environments" / environment / "environment.yaml"
    # An address, so that everything is made that a root can make.
    facts.write_text(f"{facts.read_text().rstrip()}\ndeployers: true\nalarm_email: on-call@example.com\n")
    commit_all(sawhorse.project.path)
    sawhorse("build")
    sawhorse("deployer", "make", environment, "--local")

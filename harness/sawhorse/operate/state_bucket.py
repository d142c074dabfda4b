"""Say field by field whether the buckets that an environment names for states and packages are as they must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.account import check_account
from sawhorse.aws_sessions import aws_session
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS
from sawhorse.local.overlay import bucket_for_local_states
from sawhorse.project import Project
from sawhorse.terraform.state_store import S3Store
from sawhorse.workspace import refuse_exports_of_local_aws

# Beside the states of roots, whose keys have one slash: what knows of the buckets themselves.
PREFIX = "sawhorse/state_backend/"
# S3's responses where a part of a bucket was never configured.
UNCONFIGURED = (
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)


@dataclass(frozen=True)
class Bucket:
    """A bucket that environment.yaml names, and what its module is called in what makes it."""

    label: str
    name: str
    region: str


@dataclass(frozen=True)
class Finding:
    """What a bucket has in one respect; `ok` is None where it was not tried."""

    bucket: str
    field: str
    wanted: str
    found: str
    ok: bool | None


class Buckets:
    """The buckets of an environment, and clients for them: on AWS, where the account is checked first, or locally."""

    def __init__(self, project: Project, name: str, *, local: bool) -> None:
        self.project = project
        self.environment = read_environment(project, name)
        self.local = LocalAWS(project).required() if local else None
        self.all = buckets_of(self.environment, local=local)
        if not local:
            refuse_exports_of_local_aws()
            check_account(self.environment)

    @property
    def home(self) -> Bucket:
        """The one that holds what Terraform knows of all of them."""
        return self.all[0]

    def client(self, region: str) -> Any:
        if self.local:
            return local_client("s3", self.local.variables(self.environment.model_copy(update={"region": region})))
        config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3})
        return aws_session(region_name=region).client("s3", config=config)

    @property
    def store(self) -> S3Store:
        """Where the state of the buckets themselves lies."""
        return S3Store(self.client(self.home.region), self.home.name, self.environment.name, prefix=PREFIX)

    def exists(self, bucket: Bucket) -> bool:
        """Say whether the account has a bucket. Raises SawhorseError where another account has it."""
        try:
            self.client(bucket.region).head_bucket(Bucket=bucket.name)
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code in ("404", "NoSuchBucket"):
                return False
            if code in ("403", "AccessDenied", "301", "PermanentRedirect"):
                raise SawhorseError(
                    f"The bucket {bucket.name} is another account's, in another region than {bucket.region}, or closed "
                    "to whoever runs this. Name one of its own in "
                    f"environments/{self.environment.name}/environment.yaml, or use other credentials."
                ) from error
            raise
        return True

    def findings(self) -> list[Finding]:
        """Look at every bucket."""
        return [finding for bucket in self.all for finding in self.findings_of(bucket)]

    def findings_of(self, bucket: Bucket) -> Iterator[Finding]:
        if not self.exists(bucket):
            yield Finding(bucket.name, "bucket", "exists", "does not exist", ok=False)
            return
        s3 = self.client(bucket.region)
        for field, (wanted, look) in LOOKS.items():
            found = look(s3, bucket.name)
            yield Finding(bucket.name, field, wanted, found, ok=found == wanted)
        if self.local:
            yield Finding(
                bucket.name, "a call over http", REFUSED, "not tried: the local AWS has nothing else", ok=None
            )
        else:
            yield tried_over_http(aws_session(region_name=bucket.region).client("s3", use_ssl=False), bucket)


def buckets_of(environment: Environment, *, local: bool) -> list[Bucket]:
    """Return what an environment names, each bucket once, that of states first.

    Raises BadConfiguration where it names none, or one for two regions.
    """
    facts = f"environments/{environment.name}/environment.yaml"
    states = bucket_for_local_states(environment) if local else environment.state_bucket
    named = [Bucket("states", states, environment.region)] if states else []
    for region, name in sorted(environment.packages_bucket.items()):
        same = next((one for one in named if one.name == name), None)
        if same and same.region != region:
            raise BadConfiguration(
                f"{facts} names {name} for states, in {same.region}, and for packages of {region}; a bucket is in one "
                "region, so name two."
            )
        named += [] if same else [Bucket(f"packages_{region.replace('-', '_')}", name, region)]
    if not named:
        raise BadConfiguration(
            f"{facts} names no bucket; write state_bucket: NAME there, and packages_bucket: NAME where packages go "
            "through S3, with names that nobody else has."
        )
    return named


def configured(call: Callable[..., Any], bucket: str) -> Mapping[str, Any]:
    """Ask for a part of a bucket; empty where it was never configured."""
    try:
        found: Mapping[str, Any] = call(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in UNCONFIGURED:
            return {}
        raise
    return found


def versioning(s3: Any, bucket: str) -> str:
    return str(configured(s3.get_bucket_versioning, bucket).get("Status", "never enabled"))


def encryption(s3: Any, bucket: str) -> str:
    rules = configured(s3.get_bucket_encryption, bucket).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    kinds = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "none") for rule in rules]
    return ", ".join(kinds) or "none"


BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def public_access(s3: Any, bucket: str) -> str:
    found = configured(s3.get_public_access_block, bucket).get("PublicAccessBlockConfiguration", {})
    missing = [name for name in BLOCKS if found.get(name) is not True]
    return f"without {', '.join(missing)}" if missing else "blocked in all four ways"


def ownership(s3: Any, bucket: str) -> str:
    rules = configured(s3.get_bucket_ownership_controls, bucket).get("OwnershipControls", {}).get("Rules", [])
    return ", ".join(rule["ObjectOwnership"] for rule in rules) or "never set"


def policy(s3: Any, bucket: str) -> str:
    """Say what the bucket's policy has: the refusal of http, and whatever else."""
    try:
        document = json.loads(configured(s3.get_bucket_policy, bucket).get("Policy", "{}"))
        statements = listed(document.get("Statement", []))
    except (AttributeError, ValueError):
        return "what is no policy"
    refusing = [one for one in statements if refuses_http(one, bucket)]
    if not refusing:
        return "lets http in"
    others = len(statements) - 1
    return REFUSES_HTTP if not others else f"{REFUSES_HTTP}, and {others} statements of somebody else's"


def refuses_http(statement: Mapping[str, Any], bucket: str) -> bool:
    """Whether a statement keeps everybody out who comes without TLS, whatever they want."""
    condition = statement.get("Condition", {})
    resources = {str(one).rpartition(":::")[2] for one in listed(statement.get("Resource", []))}
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and listed(statement.get("Action")) in (["s3:*"], ["*"])
        and {bucket, f"{bucket}/*"} <= resources
        and list(condition) == ["Bool"]
        and {name.lower(): listed(value) for name, value in condition["Bool"].items()}
        in ({"aws:securetransport": ["false"]}, {"aws:securetransport": [False]})
    )


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def lifecycle(s3: Any, bucket: str) -> str:
    """Say what becomes of earlier versions, and whether anything else goes by its age."""
    rules = configured(s3.get_bucket_lifecycle_configuration, bucket).get("Rules", [])
    enabled = [rule for rule in rules if rule.get("Status") == "Enabled"]
    if any("Expiration" in rule or "Transitions" in rule for rule in enabled):
        return "current versions go as well"
    if any(kept_too_few(rule.get("NoncurrentVersionExpiration", {})) for rule in enabled):
        return "fewer than ten of them stay"
    return OLD_VERSIONS


def kept_too_few(expiration: Mapping[str, Any]) -> bool:
    return bool(expiration) and int(expiration.get("NewerNoncurrentVersions", 0)) < KEPT_VERSIONS


KEPT_VERSIONS = 10
REFUSED, REFUSES_HTTP, OLD_VERSIONS = "refused", "refuses http", "ten of each object stay"
# By field: what is wanted, and a look that says what there is.
LOOKS: Mapping[str, tuple[str, Callable[[Any, str], str]]] = {
    "versioning": ("Enabled", versioning),
    "encryption": ("AES256", encryption),
    "public access": ("blocked in all four ways", public_access),
    "object ownership": ("BucketOwnerEnforced", ownership),
    "policy": (REFUSES_HTTP, policy),
    "earlier versions": (OLD_VERSIONS, lifecycle),
}


def tried_over_http(s3: Any, bucket: Bucket) -> Finding:
    """Call a bucket over http, which its policy must refuse; whoever asks was let in over https just now."""
    field = "a call over http"
    if not s3.meta.endpoint_url.startswith("http://"):
        return Finding(bucket.name, field, REFUSED, f"not tried: calls go to {s3.meta.endpoint_url}", ok=None)
    try:
        s3.head_bucket(Bucket=bucket.name)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        refused = code in ("403", "AccessDenied")
        return Finding(bucket.name, field, REFUSED, REFUSED if refused else code, ok=refused)
    except BotoCoreError as error:
        return Finding(bucket.name, field, REFUSED, f"not tried: {error}", ok=None)
    return Finding(bucket.name, field, REFUSED, "let in", ok=False)


def differing(findings: Sequence[Finding]) -> list[str]:
    """Name every field that is not as it must be."""
    return [f"{one.bucket}: {one.field} is {one.found}, wanted {one.wanted}" for one in findings if one.ok is False]

"""Read what is true of a whole environment from `environments/<environment>/environment.yaml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.plain_values import secrets_in
from sawhorse.project import Project, one_of

AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
# What AWS takes as the name of a bucket
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
BUCKET_NAME = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!([0-9]+\.){3}[0-9]+$)(?!.*\.\.)"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)"
)
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Audience = Annotated[str, StringConstraints(min_length=1)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]

# Regions of other partitions than AWS's own begin so
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
# The path of all that is made in IAM for whoever deploys.
DEPLOYERS = "/deployers/"

# The template of the roots adds environment and app.
MOST_TAGS = 48


def bucket_name(name: str) -> str:
    """Return the name of a bucket, unless AWS would refuse it."""
    if not BUCKET_NAME.fullmatch(name):
        raise ValueError
    return name


def by_region(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> dict[str, str]:
    """Read a bucket for each region; one name alone is that of the environment's own region."""
    if value is None:
        return {}
    try:
        found: dict[str, str] = handler({info.data.get("region"): value} if isinstance(value, str) else value)
    except ValidationError as error:
        # What pydantic says of a part would name a region that the file may not have.
        raise ValueError from error
    if len(set(found.values())) < len(found):
        # A bucket is in one region.
        raise ValueError
    return found


def tags_of_aws(tags: dict[str, str]) -> dict[str, str]:
    """Return tags, unless AWS would refuse them.

    It takes fifty (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html), of which
    every root says two itself.
    """
    taken = all(
        of_tag(name, least=1, most=128) and of_tag(value, least=0, most=256) and not name.lower().startswith("aws:")
        for name, value in tags.items()
    )
    if len(tags) > MOST_TAGS or not taken:
        raise ValueError
    return tags


def of_tag(text: str, *, least: int, most: int) -> bool:
    return least <= len(text) <= most and all(
        letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LNZ" for letter in text
    )


def beside_no_address(unheard: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 # as pydantic calls it
    """Return whether alarms are meant to be unheard, unless an address says otherwise."""
    if unheard and info.data.get("alarm_email") is not None:
        raise ValueError
    return unheard


BucketName = Annotated[str, AfterValidator(bucket_name)]
Tags = Annotated[dict[str, str], AfterValidator(tags_of_aws)]
BucketsByRegion = Annotated[dict[Region, BucketName], WrapValidator(by_region)]

A_BUCKET = "the name of an S3 bucket as AWS takes it (3 to 63 lower-case letters, digits, hyphens and dots)"
FIELD_HELP = {
    "account_id": 'the twelve digits of an AWS account, in quotes, such as "111111111111"',
    "region": "an AWS region such as us-east-1",
    "alarm_email": "an e-mail address, or left out",
    "alarms_unheard": (
        "true or false: true where nobody is meant to hear the alarms of production, or hears them by a subscription "
        "made elsewhere, and so never beside alarm_email; left out it is false"
    ),
    "app_regions": "apps with the region of each that has another one, such as shop: us-east-2",
    "auth0": "the domain and the audience of an Auth0 tenant, or left out",
    "deployers": "true or false: true where roots are applied by roles of their own; left out it is false",
    "github": (
        "the repository whose jobs deploy, such as {repository: acme/shop}, where they are needed with repository_ids, "
        "the provider_arn of a provider that the account has already and a name_prefix, or left out"
    ),
    "production": "true or false: true where what lets everybody write has to be said in a root",
    "packages_bucket": f"{A_BUCKET}, or one for each region, such as {{us-east-1: one, us-east-2: two}}, or left out",
    "smoke_writes": "true or false: true where smoke checks may write in production; left out it is false",
    "state_bucket": f"{A_BUCKET}, or left out",
    "tags": (
        "names with texts, such as cost_center: shop, as AWS takes them (48 at most, names of 1 to 128 and texts of up "
        "to 256 letters, digits, spaces and _.:/=+-@, and no name that begins with aws:)"
    ),
}


class Auth0(BaseModel):
    """The tenant whose tokens APIs take: its domain, and the identifier of the API that a token must be for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    domain: Domain
    audience: Audience

    @property
    def issuer(self) -> str:
        """The issuer as it stands in the tokens."""
        return f"https://{self.domain}/"


class GitHub(BaseModel):
    """The repository whose jobs deploy: its name, the numbers in newer subjects, and what the account has already."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    repository: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+$")]
    repository_ids: dict[Literal["owner", "repository"], str] | None = Field(default=None, min_length=2)
    provider_arn: str | None = None
    name_prefix: str = "github-"


@dataclass(frozen=True)
class Jwt:
    """Whose tokens an API takes."""

    issuer: str
    audience: str


class Environment(BaseModel):
    """The facts of one environment, as its file states them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    account_id: AccountId
    region: Region
    alarm_email: Email | None = None
    # Whether a production whose alarms have no subscriber is meant.
    alarms_unheard: Annotated[bool, AfterValidator(beside_no_address)] = False
    app_regions: dict[str, Region] = Field(default_factory=dict)
    auth0: Auth0 | None = None
    # Whether roots are applied by roles of their own, and the roles that they make are bounded.
    deployers: bool = False
    # Whose jobs take these roles.
    github: GitHub | None = None
    packages_bucket: BucketsByRegion = Field(default_factory=dict)
    # Nobody is to forget it: on it depends what modules refuse and what functions let in.
    production: bool
    # Whether smoke checks may write in production.
    smoke_writes: bool = False
    state_bucket: BucketName | None = None
    tags: Tags = Field(default_factory=dict)

    def of_app(self, app: str) -> Environment:
        """Return the facts as they are for one app, which may live in another region."""
        return self.model_copy(update={"region": self.app_regions.get(app, self.region)})

    @property
    def bucket_of_packages(self) -> str | None:
        """The bucket that packages are uploaded to: one of the region, since Lambda reads from no other."""
        return self.packages_bucket.get(self.region)

    @property
    def partition(self) -> str:
        """The partition of AWS that the region belongs to, which every ARN names."""
        return next((name for start, name in PARTITIONS.items() if self.region.startswith(start)), "aws")

    def boundary_of(self, app: str) -> str | None:
        """Return the ARN of what bounds the roles that an app makes; None where whoever applies makes any."""
        name = f"{app.replace('_', '-')}-boundary-{self.name}"
        return f"arn:{self.partition}:iam::{self.account_id}:policy{DEPLOYERS}{name}" if self.deployers else None

    def role_of(self, app: str, kind: str) -> str:
        """Return the ARN of the role that deploys an app's root, or that only reads: `deployer` or `reader`."""
        name = f"{app.replace('_', '-')}-{kind}-{self.name}"
        return f"arn:{self.partition}:iam::{self.account_id}:role{DEPLOYERS}{name}"

    def jwt(self, local_issuer: str | None = None) -> Jwt | None:
        """Say whose tokens APIs take: the tenant's, or those of the local issuer that stands in for it."""
        if self.auth0 is None:
            return None
        return Jwt(local_issuer or self.auth0.issuer, self.auth0.audience)


class StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice, where YAML's own would quietly take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 # as it is called
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.YAMLError(f"{twice} stands twice")
        return super().construct_mapping(node, deep)


def read_environment(project: Project, name: str) -> Environment:
    """Read and check an environment's file."""
    if name not in project.environments and (project.path / "environments" / name).is_dir():
        raise BadConfiguration(f"environments/{name}/environment.yaml does not exist; write it as another one's is.")
    if name not in project.environments:
        raise UnknownName(f"There is no environment {name}; choose {one_of(project.environments)}.")
    path = project.path / "environments" / name / "environment.yaml"
    shown = path.relative_to(project.path)
    try:
        content = yaml.load(path.read_text(), Loader=StrictLoader)  # noqa: S506 # it is a safe loader, but stricter
    except (yaml.YAMLError, ValueError) as error:
        raise BadConfiguration(
            f"{shown} is not valid YAML ({' '.join(str(error).split())}); fix that place."
        ) from error
    if not isinstance(content, dict):
        raise BadConfiguration(f"{shown} must hold names with values, such as region: us-east-1.")
    if "name" in content:
        raise BadConfiguration(f"{shown} must not say name: the directory is the name. Remove that line.")
    for place, why in secrets_in({str(key): value for key, value in content.items()}):
        raise BadConfiguration(
            f"{shown}: {place} {why}, and everything here stands in plans, in the state and in the console. Keep it "
            "among the secrets of the module ssm_parameters, and take it out of the file's history too."
        )
    try:
        return Environment.model_validate({**{str(key): value for key, value in content.items()}, "name": name})
    except ValidationError as error:
        raise BadConfiguration(f"{shown}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """Say the first fault in words that a reader of the file understands."""
    fault = error.errors()[0]
    key = str(fault["loc"][0])
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"{key} is missing; it must be {FIELD_HELP[key]}."
    if fault["type"] == "extra_forbidden":
        return f"nothing reads {key}; remove it, or choose from {', '.join(FIELD_HELP)}."
    help_text = FIELD_HELP.get(key, "something else")
    return f"{place} is {fault['input']!r}; {'it' if place == key else key} must be {help_text}."

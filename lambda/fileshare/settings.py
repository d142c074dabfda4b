"""Read the application's settings from its environment once, and refuse what cannot work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fileshare.addresses import Addresses
from shared.settings import LOG_LEVELS, choice, flag, origins, public_docs, required

SWITCH = "USE_DYNAMODB"
SWITCH_VALUES = ("true", "false")
REGION = "AWS_REGION"
USERS_TABLE = "DYNAMODB_USERS_TABLE_NAME"
URLS_TABLE = "DYNAMODB_URLS_TABLE_NAME"
SQLITE_PATH = "SQLITE_PATH"
MERGE_PLUS_ADDRESSES = "MERGE_PLUS_ADDRESSES"
DEFAULT_SQLITE_PATH = "fileshare.sqlite3"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Where the DynamoDB tables are."""

    region: str
    users: str
    urls: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides: `database` is the tables in DynamoDB, or the path of the SQLite file."""

    database: Tables | Path
    in_lambda: bool = False
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    public_docs: bool = True
    addresses: Addresses = field(default_factory=Addresses)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as one that is not set.

        The switch has no default: a service that forgot it would read from an empty file.
        """
        required(environment, SWITCH)
        return cls(
            database=_tables(environment)
            if choice(environment, SWITCH, SWITCH_VALUES, default="") == "true"
            else Path(environment.get(SQLITE_PATH, "").strip() or DEFAULT_SQLITE_PATH),
            in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment,
            log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=origins(environment),
            public_docs=public_docs(environment),
            addresses=Addresses(merge_plus=flag(environment, MERGE_PLUS_ADDRESSES, default=False)),
        )


def _tables(environment: Mapping[str, str]) -> Tables:
    return Tables(
        region=required(environment, REGION),
        users=required(environment, USERS_TABLE),
        urls=required(environment, URLS_TABLE),
    )

"""Read the settings of the API and of the worker from their environments once, and refuse what cannot work."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings import LOG_LEVELS, SettingsError, choice, origins, required, whole_number

DEFAULT_REGION = "us-east-1"
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{3,240}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What both functions need."""

    table_prefix: str
    region: str = DEFAULT_REGION
    endpoint: str | None = None
    is_lambda: bool = False
    log_level: str = "INFO"

    @property
    def table(self) -> str:
        """The table of channels, picks, track records and jobs."""
        return self.table_prefix

    @property
    def stocks_table(self) -> str:
        """The table of stocks and their prices."""
        return f"{self.table_prefix}-Stocks"


@dataclass(frozen=True, kw_only=True)
class ApiSettings(Settings):
    """What the API needs."""

    queue_url: str
    cors_origins: tuple[str, ...] = ("*",)
    # Of which a token needs one; none are asked for where tokens are not.
    read_scopes: tuple[str, ...] = ()
    write_scopes: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ApiSettings":
        """Read the settings; an empty variable counts as one that is not set."""
        common = _common(environment)
        return cls(
            **vars(common),
            queue_url=required(environment, "SQS_QUEUE_URL"),
            cors_origins=origins(environment, "FRONTEND_URL"),
            read_scopes=tuple(environment.get("READ_SCOPES", "").split()),
            write_scopes=tuple(environment.get("WRITE_SCOPES", "").split()),
        )


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(Settings):
    """What the worker needs; without a queue's address it cannot give messages back before their time."""

    queue_url: str | None = None
    max_receives: int = 3

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "WorkerSettings":
        """Read the settings; an empty variable counts as one that is not set."""
        common = _common(environment)
        return cls(
            **vars(common),
            queue_url=environment.get("SQS_QUEUE_URL", "").strip() or None,
            max_receives=whole_number(environment, "SQS_MAX_RECEIVES", default=3, least=1, most=1000),
        )


def _common(environment: Mapping[str, str]) -> Settings:
    is_lambda = choice(environment, "IS_LAMBDA", ("true", "false"), default="false") == "true"
    endpoint = environment.get("DYNAMODB_ENDPOINT", "").strip() or None
    if endpoint and (is_lambda or "AWS_LAMBDA_FUNCTION_NAME" in environment):
        raise SettingsError(
            f"DYNAMODB_ENDPOINT is {endpoint!r}, which is for development alone. "
            "Remove it from the function's environment."
        )
    prefix = required(environment, "DYNAMODB_TABLE_PREFIX")
    if not _PREFIX.fullmatch(prefix):
        raise SettingsError(
            f"DYNAMODB_TABLE_PREFIX is {prefix!r}. Set it to 3 to 240 letters, digits, underscores, dots or hyphens."
        )
    return Settings(
        table_prefix=prefix,
        region=environment.get("DYNAMODB_REGION", "").strip() or DEFAULT_REGION,
        endpoint=endpoint,
        is_lambda=is_lambda,
        log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
    )

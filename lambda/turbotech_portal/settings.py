"""Read the application's settings from its environment once, and refuse what cannot work."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.settings import LOG_LEVELS, SettingsError, choice, origins, production, public_docs, required

AUTH_MODES = ("gateway", "local")
# RFC 6749, 3.3; without a comma, since lists of permissions have one between two.
_SCOPE = re.compile(r"[!#-+\--Z\^-~]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """What a token must have to read, and to change each thing that is not its owner's alone; None asks for nothing."""

    read: str | None = None
    deliverables: str | None = None
    metrics: str | None = None
    updates: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Scopes":
        """Read the four variables; an empty one counts as one that is not set."""
        return cls(
            read=_scope(environment, "SCOPE_READ"),
            deliverables=_scope(environment, "SCOPE_DELIVERABLES"),
            metrics=_scope(environment, "SCOPE_METRICS"),
            updates=_scope(environment, "SCOPE_UPDATES"),
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides."""

    deliverables_table: str
    metrics_table: str
    updates_table: str
    users_table: str
    stage: str
    production: bool = True
    auth_mode: Literal["gateway", "local"] = "gateway"
    in_lambda: bool = False
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    public_docs: bool = True
    scopes: Scopes = field(default_factory=Scopes)

    def __post_init__(self) -> None:
        """Refuse a development user where there are customers."""
        if self.auth_mode != "local":
            return
        if self.production:
            raise SettingsError(
                "AUTH_MODE is local and PRODUCTION is not false, but nobody may come into production without a token. "
                "Set AUTH_MODE to gateway."
            )
        if self.in_lambda:
            raise SettingsError(
                "AUTH_MODE is local inside Lambda, where everybody would be the development user. "
                "Set AUTH_MODE to gateway; local is for a laptop."
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as one that is not set."""
        mode = choice(environment, "AUTH_MODE", AUTH_MODES, default="gateway")
        return cls(
            deliverables_table=required(environment, "DYNAMODB_TABLE_DELIVERABLES"),
            metrics_table=required(environment, "DYNAMODB_TABLE_METRICS"),
            updates_table=required(environment, "DYNAMODB_TABLE_UPDATES"),
            users_table=required(environment, "DYNAMODB_TABLE_USERS"),
            stage=required(environment, "STAGE"),
            production=production(environment),
            auth_mode="local" if mode == "local" else "gateway",
            in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment,
            log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=origins(environment),
            public_docs=public_docs(environment),
            scopes=Scopes.from_environment(environment),
        )


def _scope(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name, "").strip()
    if value and not _SCOPE.fullmatch(value):
        raise SettingsError(
            f"{name} is {value!r}. Set it to one scope as tokens spell it, such as change:deliverables, or to nothing."
        )
    return value or None

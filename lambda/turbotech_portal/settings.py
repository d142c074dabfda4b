"""Read the application's settings from its environment once, and refuse what cannot work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.settings import LOG_LEVELS, SettingsError, choice, origins, required

AUTH_MODES = ("gateway", "local")
PRODUCTION_STAGES = ("prod", "production")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides."""

    deliverables_table: str
    metrics_table: str
    updates_table: str
    users_table: str
    stage: str
    auth_mode: Literal["gateway", "local"] = "gateway"
    in_lambda: bool = False
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    public_docs: bool = True

    def __post_init__(self) -> None:
        """Refuse a development user where there are customers."""
        if self.auth_mode != "local":
            return
        if self.stage.lower() in PRODUCTION_STAGES:
            raise SettingsError(
                f"AUTH_MODE is local and STAGE is {self.stage}, but nobody may come into production without a token. "
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
            auth_mode="local" if mode == "local" else "gateway",
            in_lambda="AWS_LAMBDA_FUNCTION_NAME" in environment,
            log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=origins(environment),
            public_docs=choice(environment, "PUBLIC_DOCS", ("true", "false"), default="true") == "true",
        )

"""Read the application's settings from its environment once, and refuse what cannot work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.settings import LOG_LEVELS, SettingsError, choice, origins, production, required, whole_number

AUTH_MODES = ("aws", "local")
MAX_SHARDS = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides."""

    events_table: str
    keys_table: str
    stage: str
    production: bool = True
    auth_mode: Literal["aws", "local"] = "aws"
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    inbox_write_shards: int = 1
    inbox_read_shards: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that do not go together."""
        if self.auth_mode == "local" and self.production:
            raise SettingsError(
                "AUTH_MODE is local and PRODUCTION is not false, but the development key must never open production. "
                "Set AUTH_MODE to aws."
            )
        if self.inbox_read_shards < self.inbox_write_shards:
            raise SettingsError(
                f"INBOX_READ_SHARDS is {self.inbox_read_shards} and INBOX_WRITE_SHARDS is {self.inbox_write_shards}, "
                "so events would be written where nobody reads. Set INBOX_READ_SHARDS to at least as many."
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as one that is not set."""
        write_shards = whole_number(environment, "INBOX_WRITE_SHARDS", default=1, least=1, most=MAX_SHARDS)
        return cls(
            events_table=required(environment, "DYNAMODB_TABLE_EVENTS"),
            keys_table=required(environment, "DYNAMODB_TABLE_KEYS"),
            stage=required(environment, "STAGE"),
            production=production(environment),
            auth_mode="local" if choice(environment, "AUTH_MODE", AUTH_MODES, default="aws") == "local" else "aws",
            log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=origins(environment),
            inbox_write_shards=write_shards,
            inbox_read_shards=whole_number(
                environment, "INBOX_READ_SHARDS", default=write_shards, least=1, most=MAX_SHARDS
            ),
        )

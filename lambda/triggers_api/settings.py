"""Read the application's settings from its environment once, and refuse what cannot work."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AUTH_MODES = ("aws", "local")
LOG_LEVELS = ("DEBUG", "ERROR", "INFO", "WARNING")
MAX_SHARDS = 32
PRODUCTION_STAGES = ("prod", "production")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """A setting is missing or wrong; the message says which and what to set."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides."""

    events_table: str
    keys_table: str
    stage: str
    auth_mode: Literal["aws", "local"] = "aws"
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    inbox_write_shards: int = 1
    inbox_read_shards: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that do not go together."""
        if self.auth_mode == "local" and self.is_production:
            raise SettingsError(
                f"AUTH_MODE is local and STAGE is {self.stage}, but the development key must never open production. "
                "Set AUTH_MODE to aws."
            )
        if self.inbox_read_shards < self.inbox_write_shards:
            raise SettingsError(
                f"INBOX_READ_SHARDS is {self.inbox_read_shards} and INBOX_WRITE_SHARDS is {self.inbox_write_shards}, "
                "so events would be written where nobody reads. Set INBOX_READ_SHARDS to at least as many."
            )

    @property
    def is_production(self) -> bool:
        """Tell whether payloads and the development key are out of the question."""
        return self.stage.lower() in PRODUCTION_STAGES

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as one that is not set."""
        write_shards = _shards(environment, "INBOX_WRITE_SHARDS", default=1)
        return cls(
            events_table=_required(environment, "DYNAMODB_TABLE_EVENTS"),
            keys_table=_required(environment, "DYNAMODB_TABLE_KEYS"),
            stage=_required(environment, "STAGE"),
            auth_mode="local" if _choice(environment, "AUTH_MODE", AUTH_MODES, default="aws") == "local" else "aws",
            log_level=_choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=_origins(environment),
            inbox_write_shards=write_shards,
            inbox_read_shards=_shards(environment, "INBOX_READ_SHARDS", default=write_shards),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set. Set it in the function's environment.")
    return value


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = environment.get(name, "").strip() or default
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}. Set it to one of {', '.join(choices)}.")
    return value


def _shards(environment: Mapping[str, str], name: str, *, default: int) -> int:
    value = environment.get(name, "").strip() or str(default)
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= MAX_SHARDS:
        raise SettingsError(f"{name} is {value!r}. Set it to a whole number from 1 to {MAX_SHARDS}.")
    return int(value)


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    listed = environment.get("CORS_ORIGINS", "").strip() or "*"
    origins = tuple(origin.strip() for origin in listed.split(",") if origin.strip())
    if origins == ("*",):
        return origins
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"CORS_ORIGINS has {origin!r}. "
                "Set it to * alone, or to origins such as https://app.example.com with commas between them."
            )
    return origins

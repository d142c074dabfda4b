"""Read the application's settings from its environment once, and refuse what cannot work."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.settings import LOG_LEVELS, SettingsError, choice, flag, origins, production, required, whole_number

DEFAULT_LIFETIME_SECONDS = 7 * 24 * 3600
# A user's log-out everywhere is remembered for as long as a session could have been made to live.
MAX_LIFETIME_SECONDS = 90 * 24 * 3600
DEFAULT_LOST_AFTER_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment decides."""

    sessions_table: str
    jobs_table: str
    agents_table: str
    stage: str
    log_level: str = "INFO"
    cors_origins: tuple[str, ...] = ("*",)
    session_lifetime: timedelta = timedelta(seconds=DEFAULT_LIFETIME_SECONDS)
    session_key_hash: str | None = None
    agent_lost_after: timedelta = timedelta(seconds=DEFAULT_LOST_AFTER_SECONDS)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as one that is not set."""
        lifetime = whole_number(
            environment,
            "SESSION_LIFETIME_SECONDS",
            default=DEFAULT_LIFETIME_SECONDS,
            least=60,
            most=MAX_LIFETIME_SECONDS,
        )
        lost_after = whole_number(
            environment, "AGENT_LOST_AFTER_SECONDS", default=DEFAULT_LOST_AFTER_SECONDS, least=5, most=24 * 3600
        )
        return cls(
            sessions_table=required(environment, "DYNAMODB_TABLE_SESSIONS"),
            jobs_table=required(environment, "DYNAMODB_TABLE_JOBS"),
            agents_table=required(environment, "DYNAMODB_TABLE_AGENTS"),
            stage=required(environment, "STAGE"),
            log_level=choice(environment, "LOG_LEVEL", LOG_LEVELS, default="INFO"),
            cors_origins=origins(environment),
            session_lifetime=timedelta(seconds=lifetime),
            session_key_hash=_session_key(environment),
            agent_lost_after=timedelta(seconds=lost_after),
        )


def _session_key(environment: Mapping[str, str]) -> str | None:
    """Read the hash of the key that makes sessions; production goes without one only where that was said."""
    found = _sha256(environment, "SESSION_KEY_SHA256")
    if found is None and production(environment) and not flag(environment, "OPEN_SESSIONS", default=False):
        raise SettingsError(
            "SESSION_KEY_SHA256 is not set and PRODUCTION is not false, so whoever reaches POST /auth/session would "
            "become any user of production. Set it, or set OPEN_SESSIONS to true if that is meant."
        )
    return found


def _sha256(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name, "").strip().lower()
    if value and not re.fullmatch(r"[0-9a-f]{64}", value):
        # The value is not shown: it may be the key itself.
        raise SettingsError(
            f"{name} is not a SHA-256 in hexadecimal. Set it to what `printf %s KEY | sha256sum` prints."
        )
    return value or None

"""Make session ids and agents' tokens, and tell what can be one."""

import hashlib
import re
import secrets

from shared.ids import PATTERN

_SECRET = r"[A-Za-z0-9_-]{43}"  # noqa: S105 - the form of 256 random bits in base64url


def new_session_id() -> str:
    """Make a session id from 256 random bits."""
    return secrets.token_urlsafe(32)


def is_session_id(text: str) -> bool:
    """Tell whether a session can have this id."""
    return re.fullmatch(_SECRET, text) is not None


def is_handle(text: str) -> bool:
    """Tell whether a session can have this handle, which is the hash of its id."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def logout_key(user_id: str) -> str:
    """Name the record of a user's last log-out everywhere; no session's hash looks like it."""
    return f"logout#{hashlib.sha256(user_id.encode()).hexdigest()}"


def new_agent_token(agent_id: str) -> str:
    """Make an agent's token: its id, by which it is found, and 256 random bits."""
    return f"{agent_id}.{secrets.token_urlsafe(32)}"


def agent_id_of(token: str) -> str | None:
    """Read the agent's id from a token, or None when it cannot be an agent's token."""
    match = re.fullmatch(rf"({PATTERN})\.{_SECRET}", token, flags=re.ASCII)
    return match[1] if match else None

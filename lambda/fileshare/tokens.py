"""Make the token that a user is known by, and read whose it is."""

import hmac
import re
import secrets
from dataclasses import dataclass, field

from shared.api_keys import hash_key

PREFIX = "fs"
_TOKEN = re.compile(rf"{PREFIX}_([A-Za-z0-9._@-]{{1,128}})_([0-9a-f]{{64}})")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A new token: `clear` is shown once and kept nowhere, `hashed` is stored with the user."""

    clear: str = field(repr=False)
    hashed: str = field(repr=False)


def new_token(user_id: str) -> Token:
    """Make a token of a user from 256 random bits; the user's id stands in it, so that no index of tokens is needed."""
    clear = f"{PREFIX}_{user_id}_{secrets.token_hex(32)}"
    return Token(clear=clear, hashed=hash_key(clear))


def user_id_of(token: str) -> str | None:
    """Read whose token it says it is, or None when it has not the form of one."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


def opens(token: str, hashed: str | None) -> bool:
    """Tell whether a token is the one that was stored, in the same time for every wrong one."""
    # As bytes: texts are compared in ASCII alone, and other code can have stored any.
    return hmac.compare_digest(hash_key(token).encode(), (hashed or "").encode())

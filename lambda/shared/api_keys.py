"""Make API keys, and turn a key into the hash under which it is stored."""

import hashlib
import secrets
from dataclasses import dataclass, field

PREFIX = "swh"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A new key: `clear` is shown once and kept nowhere, `hashed` is stored, `key_id` may be printed anywhere."""

    clear: str = field(repr=False)
    hashed: str = field(repr=False)
    key_id: str


def generate() -> ApiKey:
    """Make a key from 256 random bits; its id stands in the key, so that its owner can tell which one it is."""
    key_id = secrets.token_hex(4)
    clear = f"{PREFIX}_{key_id}_{secrets.token_hex(32)}"
    return ApiKey(clear=clear, hashed=hash_key(clear), key_id=key_id)


def hash_key(clear: str) -> str:
    """Hash a key as SHA-256 in hexadecimal.

    A key has 256 random bits, so nobody can guess it from its hash, and neither salt nor a slow hash adds anything.
    """
    return hashlib.sha256(clear.encode()).hexdigest()

"""Authenticate what is kept for later with a key of this user's own, so that only what this user wrote is believed.

What comes from elsewhere, such as a cache that was copied or restored, counts as not there.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from sawhorse.errors import Untrusted
from sawhorse.files import locked, write_atomically
from sawhorse.trusted_files import FOR_OTHERS, PRIVATE_FILE, make_own_directory, open_trusted, own_directory, read_own
from sawhorse.user_directories import user_directory

MAC_BYTES = 32
KEY_BYTES = 32
STATE_VARIABLE = "SAWHORSE_STATE_DIR"
INSTEAD = f"name another directory in {STATE_VARIABLE}"


def mac_of(key: bytes, role: str, content: bytes | memoryview) -> bytes:
    """Return the HMAC-SHA256 (RFC 2104) of a content in its role."""
    named = role.encode(errors="surrogateescape")
    mac = hmac.new(key, len(named).to_bytes(8, "big") + named, "sha256")
    mac.update(content)
    return mac.digest()


def sign(content: bytes, role: str) -> bytes:
    """Put after a content what proves that this user wrote it in this role; a key is made where there is none."""
    return content + mac_of(own_key() or make_key(), role, content)


def read_signed(path: Path | str, role: str) -> bytes | None:
    """Read what was signed in this role; None when it is not there, or not what this user wrote.

    Raises Untrusted where somebody else may have written.
    """
    try:
        content = read_own(path)
    except FileNotFoundError:
        return None
    key = own_key()
    if key is None or len(content) < MAC_BYTES:
        return None
    held = content[:-MAC_BYTES]
    return held if hmac.compare_digest(mac_of(key, role, held), content[-MAC_BYTES:]) else None


def state_directory() -> Path:
    """Return SAWHORSE_STATE_DIR, else `sawhorse` in XDG_STATE_HOME, which is `~/.local/state` unless it is set."""
    return user_directory(STATE_VARIABLE, base="XDG_STATE_HOME", usual=".local/state")


def own_key() -> bytes | None:
    """Return this user's key, None when there is none yet. Raises Untrusted for one that others may know."""
    directory = state_directory()
    path = directory / "key"
    try:
        own_directory(directory, link=True, instead=INSTEAD)
        descriptor = open_trusted(path, directory=False)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & FOR_OTHERS:
            raise Untrusted(
                f"{path} may be known to others, so it proves nothing; remove it, and what was kept is prepared anew."
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise Untrusted(f"{path} is not a key of {KEY_BYTES} bytes; remove it, and what was kept is prepared anew.")
    return key


def make_key() -> bytes:
    """Make this user's key; of several processes at once one makes it, and all return that one."""
    directory = state_directory()
    make_own_directory(directory, link=True, instead=INSTEAD)
    with locked(directory / ".lock"):
        key = own_key()
        if key is None:
            key = os.urandom(KEY_BYTES)
            write_atomically(directory / "key", key, mode=PRIVATE_FILE)
    return key

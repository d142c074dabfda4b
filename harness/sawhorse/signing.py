"""Authenticate what is kept for later with a key of this user's own, so that only what this user wrote is believed.

What comes from elsewhere, such as a cache that was copied or restored, counts as not there.

Imports only what a build that changes nothing needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import hashlib
import os
from _operator import _compare_digest as same  # `hmac` takes half a millisecond to import

from sawhorse.errors import BadConfiguration, Untrusted
from sawhorse.files import locked, write_atomically
from sawhorse.trusted_files import FOR_OTHERS, PRIVATE_FILE, make_own_directory, open_trusted, own_directory, read_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

MAC_BYTES = 32
KEY_BYTES = 32
# https://specifications.freedesktop.org/basedir-spec/latest/
STATE_VARIABLE, BASE_VARIABLE, USUAL_BASE = "SAWHORSE_STATE_DIR", "XDG_STATE_HOME", "~/.local/state"
INSTEAD = f"name another directory in {STATE_VARIABLE}"


def mac_of(key: bytes, role: str, content: bytes | memoryview) -> bytes:
    """Return the HMAC-SHA256 (RFC 2104) of a content in its role; `key` is no longer than 64 bytes."""
    named = role.encode(errors="surrogateescape")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(64, b"\0")))
    inner.update(len(named).to_bytes(8, "big") + named)
    inner.update(content)
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(64, b"\0")) + inner.digest()).digest()


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
    return held if same(mac_of(key, role, held), content[-MAC_BYTES:]) else None


def state_directory() -> str:
    """Return SAWHORSE_STATE_DIR, else `sawhorse` in XDG_STATE_HOME, which is `~/.local/state` unless it is set."""
    named, base = os.environ.get(STATE_VARIABLE), os.environ.get(BASE_VARIABLE, "")
    if named and not named.startswith("/"):
        raise BadConfiguration(f"{STATE_VARIABLE} is {named}; name a directory from / on, or unset it.")
    # A relative one is to be ignored, says the specification.
    home = base if base.startswith("/") else os.path.expanduser(USUAL_BASE)  # noqa: PTH111 # pathlib takes 10 ms
    return named or f"{home}/sawhorse"


def own_key() -> bytes | None:
    """Return this user's key, None when there is none yet. Raises Untrusted for one that others may know."""
    directory = state_directory()
    path = f"{directory}/key"
    try:
        own_directory(directory, link=True, instead=INSTEAD)
        descriptor = open_trusted(path, directory=False)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 # a descriptor
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
    with locked(f"{directory}/.lock"):
        key = own_key()
        if key is None:
            key = os.urandom(KEY_BYTES)
            write_atomically(f"{directory}/key", key, mode=PRIVATE_FILE)
    return key

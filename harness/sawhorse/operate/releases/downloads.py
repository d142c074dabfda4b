"""Fetch code from where Lambda says that it lies, whole and no more than Lambda takes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from sawhorse.build.lambda_limits import UNZIPPED_LIMIT
from sawhorse.errors import CouldNotAsk

# A zip of members that hardly compress is somewhat larger than what is in it.
LARGEST = UNZIPPED_LIMIT + 16 * 1024 * 1024
SECONDS = 30
ATTEMPTS = 3
LOOPBACK = ("127.0.0.1", "localhost")


def download(location: str, path: Path) -> None:
    """Write what lies at an address to a file. Raises CouldNotAsk when it does not come whole.

    The address is signed, so no message has it.
    """
    # A proxy of the shell's is for what is not on this machine.
    trust = urlsplit(location).hostname not in LOOPBACK
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetch(location, path, trust=trust)
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS:
                raise CouldNotAsk(
                    f"The code that Lambda names at {urlsplit(location).hostname} did not come "
                    f"({type(error).__name__}); run it again."
                ) from None
        else:
            return


def fetch(location: str, path: Path, *, trust: bool) -> None:
    written = 0
    with (
        httpx.Client(timeout=SECONDS, trust_env=trust, follow_redirects=False) as http,
        http.stream("GET", location) as response,
        path.open("wb") as file,
    ):
        if response.status_code != httpx.codes.OK:
            raise CouldNotAsk(
                f"The code that Lambda names at {urlsplit(location).hostname} is refused with {response.status_code}; "
                "an address holds for ten minutes, so run it again."
            )
        for part in response.iter_bytes():
            written += len(part)
            if written > LARGEST:
                raise CouldNotAsk(f"What Lambda names has more than {LARGEST:,} bytes, which no function has.")
            file.write(part)


def sha256_of(path: Path) -> str:
    """Return the hash of a file as Lambda writes it (CodeSha256)."""
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()

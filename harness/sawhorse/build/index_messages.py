"""Say what uv did not get from an index, and what to do about it."""

from __future__ import annotations

from sawhorse.build.index_credentials import hidden

LINES_OF_UV = 8


def refusal_of_index(failed: str, words: str, again: str = "build again") -> str:
    """Say why uv, which said `words`, did not get from an index what was wanted, and what to do."""
    lower = words.lower()
    if "hash mismatch" in lower:
        sentence = (
            f"{failed}: what the index gave is not what was locked. Do not lock it anew before you know who changed it."
        )
    elif "network was disabled" in lower:
        sentence = f"{failed}: uv may not reach the index, and its cache lacks some; {again}, once with the network."
    elif "not found in the package registry" in lower or "there is no version" in lower:
        sentence = (
            f"{failed}: an index that has them is not asked here. Name it in UV_INDEX (UV_EXTRA_INDEX_URL), or in "
            "uv.toml at the top of the project, for the lock and the build alike."
        )
    else:
        sentence = f"{failed}. Correct what uv names, and {again}."
    return f"{sentence} {said_by_uv(words)}"


def said_by_uv(words: str) -> str:
    return "uv says:\n  " + hidden("\n  ".join(words.strip().splitlines()[-LINES_OF_UV:]))

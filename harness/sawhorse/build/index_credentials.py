"""Find the user and the password of an index where uv finds them, for the archives that it has.

uv takes them from an index's address, from variables named after it, and from ~/.netrc
(https://docs.astral.sh/uv/concepts/authentication/http/); they are sent to that very host and port alone.
"""

from __future__ import annotations

import netrc
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

# https://docs.astral.sh/uv/reference/environment/
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
INDEX_KEYS = ("index-url", "extra-index-url", "find-links")
PORTS = {"http": 80, "https": 443}

Credentials = tuple[str, str]


def credentials_for(url: str, directory: Path) -> Credentials | None:
    """Return what an index at the same host and port is asked with; `directory` is where uv looks for its settings."""
    asked = urlsplit(url)
    for name, index in indexes(directory):
        if realm(index) != realm(asked):
            continue
        user = os.environ.get(variable(name, "USERNAME")) if name else None
        password = os.environ.get(variable(name, "PASSWORD")) if name else None
        if index.username or user:
            return unquote(index.username or "") or user or "", unquote(index.password or "") or password or ""
    return of_netrc(asked.hostname or "")


def variable(name: str, kind: str) -> str:
    return f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_{kind}"


def realm(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or PORTS.get(url.scheme)


def indexes(directory: Path) -> Iterator[tuple[str, SplitResult]]:
    """Yield the name, if it has one, and the address of every index that uv knows."""
    for name in INDEX_VARIABLES:
        for word in re.split(r"[\s,]+", os.environ.get(name, "")):
            named = re.match(r"([\w.-]+)=", word)
            yield (named[1] if named else ""), address(word.removeprefix(named[0]) if named else word)
    for settings in settings_of_uv(directory):
        for table in [*lists(settings, "index"), *lists(settings.get("pip"), "index")]:
            if isinstance(table, dict):
                yield str(table.get("name", "")), address(str(table.get("url", "")))
        for key in INDEX_KEYS:
            for one in [*lists(settings, key), *lists(settings.get("pip"), key)]:
                yield "", address(str(one))


def address(word: str) -> SplitResult:
    try:
        split = urlsplit(word)
        _ = split.port
    except ValueError:
        # What is no address is a directory, or uv says what is wrong with it.
        return urlsplit("")
    return split


def lists(settings: Any, key: str) -> list[Any]:
    value = settings.get(key) if isinstance(settings, dict) else None
    return value if isinstance(value, list) else [value] if value is not None else []


def settings_of_uv(directory: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what uv's files of settings say: of the project, then of the user."""
    if os.environ.get("UV_NO_CONFIG", "").lower() in {"1", "true", "yes", "on"}:
        return
    named = os.environ.get("UV_CONFIG_FILE")
    if named:
        yield content_of(Path(named))
        return
    for parent in (directory, *directory.parents):
        own = content_of(parent / "uv.toml") if (parent / "uv.toml").is_file() else None
        own = own or settings_among(content_of(parent / "pyproject.toml"))
        if own:
            yield own
            break
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    yield content_of(home / "uv/uv.toml")
    yield content_of(Path("/etc/uv/uv.toml"))


def settings_among(content: Mapping[str, Any]) -> Mapping[str, Any]:
    tool = content.get("tool")
    settings = tool.get("uv") if isinstance(tool, dict) else None
    return settings if isinstance(settings, dict) else {}


def content_of(path: Path) -> Mapping[str, Any]:
    """Read TOML; what cannot be read says nothing here, and uv says why."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def of_netrc(host: str) -> Credentials | None:
    path = Path(os.environ.get("NETRC") or Path("~/.netrc").expanduser())
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return (found[0], found[2] or "") if found else None


def without_user(location: str) -> str:
    parts = urlsplit(location)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def hidden(text: str) -> str:
    """Take user names and passwords out of the addresses in a text."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)

"""Read settings from an environment's variables, and refuse what cannot work in a sentence."""

import re
from collections.abc import Mapping, Sequence

LOG_LEVELS = ("DEBUG", "ERROR", "INFO", "WARNING")
# What API Gateway takes for the path of a mapping: https://docs.aws.amazon.com/apigateway/latest/api/API_BasePathMapping.html
_BASE_PATH = re.compile(r"(/[A-Za-z0-9$_.+!*'()-]+)+")
_LONGEST_BASE_PATH = 300
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """A setting is missing or wrong; the message says which and what to set."""


def required(environment: Mapping[str, str], name: str) -> str:
    """Read a variable that has to be there; an empty one counts as one that is not set."""
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set. Set it in the function's environment.")
    return value


def choice(environment: Mapping[str, str], name: str, choices: Sequence[str], *, default: str) -> str:
    """Read a variable that has one of a few values."""
    value = environment.get(name, "").strip() or default
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}. Set it to one of {', '.join(choices)}.")
    return value


def flag(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Read a variable that is `true` or `false`."""
    return choice(environment, name, ("true", "false"), default="true" if default else "false") == "true"


def production(environment: Mapping[str, str]) -> bool:
    """Read whether this is production; what does not say that it is none is, so that nothing is open by mistake."""
    return flag(environment, "PRODUCTION", default=True)


def public_docs(environment: Mapping[str, str]) -> bool:
    """Read whether everybody may read the pages of the API."""
    return flag(environment, "PUBLIC_DOCS", default=True)


def whole_number(environment: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """Read a variable that is a whole number between bounds."""
    value = environment.get(name, "").strip() or str(default)
    if not re.fullmatch(r"[0-9]{1,15}", value) or not least <= int(value) <= most:
        raise SettingsError(f"{name} is {value!r}. Set it to a whole number from {least} to {most}.")
    return int(value)


def base_path(environment: Mapping[str, str]) -> str:
    """Read what a custom domain puts before every path of the API, such as `/shop`; nothing when nothing is set."""
    value = environment.get("BASE_PATH", "").strip()
    if value and (len(value) > _LONGEST_BASE_PATH or not _BASE_PATH.fullmatch(value)):
        raise SettingsError(
            f"BASE_PATH is {value!r}. Set it to what the custom domain's mapping puts before every path, such as "
            f"/shop, with a slash at its start and none at its end, in at most {_LONGEST_BASE_PATH} characters."
        )
    return value


def origins(environment: Mapping[str, str], name: str = "CORS_ORIGINS") -> tuple[str, ...]:
    """Read the origins whose pages may call: exactly one `*`, or a list with commas; `*` when nothing is set."""
    listed = environment.get(name, "").strip() or "*"
    found = tuple(origin.strip() for origin in listed.split(",") if origin.strip())
    if found == ("*",):
        return found
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"{name} has {origin!r}. "
                "Set it to * alone, or to origins such as https://app.example.com with commas between them."
            )
    return found

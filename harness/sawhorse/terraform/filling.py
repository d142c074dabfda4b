"""Fill the engine's templates in, with values written as HCL reads them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from sawhorse.errors import BadConfiguration

TEMPLATES = Path(__file__).parent / "templates"
SHORT_ESCAPES = re.compile(r"\\.")
HCL_ESCAPES = {"\\b": "\\u0008", "\\f": "\\u000c"}


def fill(name: str, *, templates: Path = TEMPLATES, **values: Any) -> str:
    """Fill a template; a variable that it names and nobody gives is an error."""
    try:
        return engine_of(templates).get_template(name).render(values)
    except jinja2.UndefinedError as error:
        raise BadConfiguration(f"The template {name} wants a value that nobody gives: {error}.") from error
    except jinja2.TemplateError as error:
        raise BadConfiguration(f"The template {name} cannot be read: {error}.") from error


@lru_cache(maxsize=8)
def engine_of(templates: Path) -> jinja2.Environment:
    """Return the engine of a directory, which compiles each template once, and again when its file has changed."""
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 # HCL is not HTML: the filter below quotes for it
    )
    engine.filters["hcl"] = hcl
    return engine


def hcl(value: str | float | bool | None) -> str:  # noqa: FBT001 # a filter takes what the template holds
    """Write a value as HCL reads it; templates in strings (`${`, `%{`) are taken literally."""
    if isinstance(value, jinja2.StrictUndefined):
        # A filter is handed what nobody gave as well; using it as a text raises the error that names it.
        str(value)
    if value is None:
        return "null"
    written = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return written
    # JSON's short escapes of these two are none of HCL's; a backslash of the value's own stands doubled before them.
    written = SHORT_ESCAPES.sub(lambda found: HCL_ESCAPES.get(found[0], found[0]), written)
    return written.replace("${", "$${").replace("%{", "%%{")

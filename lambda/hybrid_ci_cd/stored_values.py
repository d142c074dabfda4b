"""Say what attributes of items have to be to be read: those that several tables have, each with its one reading."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError, from_json

from hybrid_ci_cd.models import json_text
from shared.dynamodb import Item
from shared.numbers import as_doubles
from shared.stored import Reader, Stored
from shared.strict_json import NotStrictJsonError, read_object

# The generation of those whose user's record has one that cannot be read: no other is it, so what was made before the
# record became so has ended, and what is made from then on holds.
UNREADABLE = "unreadable"


def json_members(text: object) -> dict[str, Any]:
    """Read the text of a JSON object whose meaning no reader changes, or refuse it: none is shown otherwise.

    That is what this service writes, which comes out of pydantic's reader as it went in, and what a body may hold.
    """
    value = _as_written(text) if isinstance(text, str) else None
    if not isinstance(value, dict):
        raise PydanticCustomError("json", "is not text of a JSON object that every reader reads alike")
    return value


def _as_written(text: str) -> object:
    with suppress(ValueError, RecursionError):
        value: object = from_json(text, allow_inf_nan=False)
        if json_text(value) == text:
            return value
    try:
        return as_doubles(read_object(text.encode()).values)
    except (NotStrictJsonError, PydanticCustomError):
        return None


# User ids and names are as long as callers may make them: longer ones are no key of an index, or fill a page.
StoredName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
StoredMembers = Annotated[dict[str, Any], BeforeValidator(json_members)]
StoredHash = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{64})$")]


class StoredGeneration(Stored):
    """The record of a user's last log-out everywhere."""

    generation: str


def generation_of(reader: Reader[StoredGeneration], item: Item | None) -> str | None:
    """Read a user's generation; None when no log-out everywhere is remembered, so that any will do."""
    if item is None:
        return None
    found = reader.find(item)
    return found.generation if found else UNREADABLE

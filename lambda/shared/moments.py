"""Take a moment from a caller: a text in the form of RFC 3339, and nothing that could be read in another way."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.times import NotATimeError, read_time


def _moment(value: object) -> object:
    if isinstance(value, datetime) or value is None:
        return value
    try:
        return read_time(value if isinstance(value, str) else "")
    except NotATimeError as error:
        raise PydanticCustomError("time", "{sentence}", {"sentence": str(error)}) from None


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]

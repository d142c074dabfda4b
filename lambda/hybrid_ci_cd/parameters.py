"""Name the query parameters that every list has."""

from typing import Annotated

from fastapi import Query
from pydantic.json_schema import SkipJsonSchema

from hybrid_ci_cd import openapi
from shared.cursor import MAX_LENGTH

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=openapi.LIMIT_DESCRIPTION)]
After = Annotated[
    str | SkipJsonSchema[None], Query(alias="cursor", max_length=MAX_LENGTH, description=openapi.CURSOR_DESCRIPTION)
]

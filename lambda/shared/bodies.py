"""Read a JSON body as a model: whatever does not fit is a 4xx with a sentence, and never an error of our own."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.api_errors import ENCODED, ApiError, invalid
from shared.asgi import header
from shared.strict_json import JsonObject, NotStrictJsonError, read_object, read_texts
from shared.validation import validation_sentence

Model = TypeVar("Model", bound=BaseModel)

IDENTITY = "identity"


async def read_body(request: Request, model: type[Model], *, subject: str) -> Model:
    """Read and check the body; `subject` begins the sentence that says what does not fit, such as "The channel".

    The model gets numbers as they were sent, an int or a Decimal: what is kept of them is for its fields to say.
    """
    _refuse_encoded(request)
    try:
        return _fitted(read_object(await request.body()), model, subject)
    except NotStrictJsonError as error:
        raise invalid(str(error)) from None


async def read_written(request: Request, model: type[Model], *, subject: str) -> tuple[Model, Mapping[str, str]]:
    """Read and check a body without numbers, but for members that are kept as they were written; return their texts."""
    _refuse_encoded(request)
    try:
        read = read_texts(await request.body())
    except NotStrictJsonError as error:
        raise invalid(str(error)) from None
    return _fitted(read, model, subject), read.texts


def _fitted(read: JsonObject, model: type[Model], subject: str) -> Model:
    try:
        return model.model_validate(read.values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid(validation_sentence(faults, subject=subject)) from None


def _refuse_encoded(request: Request) -> None:
    """Refuse what would have to be unpacked first: a small body may hold a very large one."""
    codings = (header(request.scope, "Content-Encoding") or "").split(",")
    if any(coding.strip().lower() not in ("", IDENTITY) for coding in codings):
        # RFC 9110, 15.5.16: which codings would have been taken.
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", ENCODED, headers={"Accept-Encoding": IDENTITY}
        )

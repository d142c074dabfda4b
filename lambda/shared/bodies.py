"""Read a JSON body as a model: whatever does not fit is a 422 with a sentence, and never an error of our own."""

from http import HTTPStatus
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.api_errors import ApiError
from shared.validation import validation_sentence

Model = TypeVar("Model", bound=BaseModel)


class StrictModel(BaseModel):
    """What callers send: no member that nothing reads, no text where a number is meant, no NaN and no Infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


async def read_body(request: Request, model: type[Model], *, subject: str) -> Model:
    """Read and check the body; `subject` begins the sentence that says what does not fit, such as "The channel".

    pydantic's own reader takes bytes: text that is no UTF-8, halves of surrogate pairs and deep nesting are faults
    like any other.
    """
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        sentence = validation_sentence(error.errors(include_url=False, include_context=False), subject=subject)
        raise invalid(sentence) from None


def invalid(message: str) -> ApiError:
    """Make the answer to a request that does not fit."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", message)

"""Read a JSON body as a model: whatever does not fit is a 422 with a sentence, and never an error of our own."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.api_errors import invalid
from shared.validation import validation_sentence

Model = TypeVar("Model", bound=BaseModel)


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

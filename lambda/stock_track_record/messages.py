"""Say what stands in a message: which job of which channel is to be done."""

from typing import Annotated

from pydantic import Field, ValidationError

from shared import ids
from shared.log_lines import faults
from shared.strict_model import StrictModel

Id = Annotated[str, Field(pattern=f"^{ids.PATTERN}$")]


class MalformedMessageError(ValueError):
    """A message is not one that the API sends."""


class JobMessage(StrictModel):
    """The body of a message."""

    channel_id: Id
    job_id: Id


def write_message(*, channel_id: str, job_id: str) -> str:
    """Write the body of a message."""
    return JobMessage(channel_id=channel_id, job_id=job_id).model_dump_json()


def read_message(body: str) -> JobMessage:
    """Read the body of a message, whoever sent it."""
    try:
        return JobMessage.model_validate_json(body.encode("utf-8", errors="surrogatepass"))
    except ValidationError as error:
        # Whoever reads this reads the log, which has no names that a sender chose.
        raise MalformedMessageError(f"The message does not fit: {faults(error)}.") from None

"""Say what stands in a message: which job of which channel is to be done."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import ids
from shared.log_lines import faults
from shared.strict_json import NotStrictJsonError, read_texts

Id = Annotated[str, Field(pattern=f"^{ids.PATTERN}$")]

# A message without a version has this one. The API writes none, so that a worker of before can read what it sends.
VERSION = "1"


class MalformedMessageError(ValueError):
    """A message is not one that this worker can read."""


class JobMessage(BaseModel):
    """The body of a message. Others may add members on its way, such as `traceparent`: they change nothing."""

    model_config = ConfigDict(extra="ignore", strict=True)

    channel_id: Id
    job_id: Id


def write_message(*, channel_id: str, job_id: str) -> str:
    """Write the body of a message."""
    return JobMessage(channel_id=channel_id, job_id=job_id).model_dump_json()


def read_message(body: str) -> JobMessage:
    """Read the body of a message, whoever sent it; what is logged of one that does not fit has no values."""
    try:
        read = read_texts(body.encode("utf-8", errors="surrogatepass"))
        if read.texts.get("version", VERSION) != VERSION:
            raise MalformedMessageError(
                f"The message has a version that this worker cannot read: it reads {VERSION}, which is also that of a "
                "message without one. Deploy the worker that reads it, then redrive."
            )
        return JobMessage.model_validate(read.values)
    except NotStrictJsonError as error:
        raise MalformedMessageError(f"The message does not fit. {error}") from None
    except ValidationError as error:
        # Whoever reads this reads the log, which has no names that a sender chose.
        raise MalformedMessageError(f"The message does not fit: {faults(error)}.") from None

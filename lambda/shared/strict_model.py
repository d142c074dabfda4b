"""What callers and messages have to be, to the letter."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """No member that nothing reads, no text where a number is meant, no NaN and no Infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

"""Say in one sentence what does not fit, and never with values."""

from collections.abc import Sequence
from typing import Any

# What a sentence shows of a request, so that no request makes a response larger than Lambda's 6 MB.
SHOWN_FAULTS = 5
SHOWN_PLACE_LENGTH = 64


def validation_sentence(errors: Sequence[Any], *, subject: str) -> str:
    """Say in one sentence which parts do not fit: the first few, by names that are cut short, and never with values."""
    parts = [f"{_place(error['loc'])}: {error['msg'][:1].lower()}{error['msg'][1:]}" for error in errors[:SHOWN_FAULTS]]
    more = f"; and {len(errors) - SHOWN_FAULTS} more" if len(errors) > SHOWN_FAULTS else ""
    return f"{subject} does not fit: {'; '.join(parts)}{more}."


def _place(location: Sequence[object]) -> str:
    place = ".".join(str(part) for part in location) or "it"
    return place if len(place) <= SHOWN_PLACE_LENGTH else f"{place[: SHOWN_PLACE_LENGTH - 1]}…"

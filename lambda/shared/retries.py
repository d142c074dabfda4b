"""Say how long to wait before a write that met another one is tried again."""

import random

FIRST_SECONDS = 0.03


def backoff_seconds(attempt: int) -> float:
    """Return the seconds before the next attempt, counted from 0: twice as long each time, spread by chance."""
    return random.uniform(0.5, 1) * FIRST_SECONDS * float(2**attempt)  # noqa: S311 - only spreads the retries

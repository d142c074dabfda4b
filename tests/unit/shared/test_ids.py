"""An id has one form, the one that is made, so that anything else is refused before DynamoDB is asked."""

import uuid

import pytest

from shared.ids import is_id, new_id
from shared.retries import backoff_seconds


def test_every_id_that_is_made_is_one_and_no_two_are_the_same() -> None:
    made = {new_id() for _ in range(1000)}

    assert len(made) == 1000
    assert all(is_id(text) for text in made)


@pytest.mark.parametrize(
    "text",
    ["", "x", new_id().upper(), f"{new_id()}\n", f"{{{new_id()}}}", str(uuid.uuid1()), str(uuid.UUID(int=0)), "é" * 36],
    ids=["empty", "short", "capitals", "a line more", "braces", "another version", "all zeros", "other letters"],
)
def test_what_is_never_made_is_none(text: str) -> None:
    assert not is_id(text)


def test_each_pause_can_be_twice_as_long_as_the_one_before_and_never_less_than_half_of_that() -> None:
    for attempt, longest in enumerate([0.03, 0.06, 0.12, 0.24]):
        waits = [backoff_seconds(attempt) for _ in range(200)]
        assert longest / 2 <= min(waits)
        assert max(waits) <= longest

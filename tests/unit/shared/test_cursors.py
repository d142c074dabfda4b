"""A cursor comes back as it was made, and anything else is malformed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import cursor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_a_cursor_comes_back_as_it_was_made_and_can_stand_in_a_query(value: object) -> None:
    text = cursor.encode(value)

    assert cursor.decode(text) == value
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text())
def test_no_text_makes_another_error_than_the_one_for_malformed_cursors(text: str) -> None:
    try:
        decoded = cursor.decode(text)
    except cursor.MalformedCursorError:
        return
    assert cursor.decode(cursor.encode(decoded)) == decoded


@pytest.mark.parametrize("text", ["!", "eyJ", "\u00e9", "W1tb", "A" * 5, cursor.encode([])[:-1] + "="])
def test_a_text_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(cursor.MalformedCursorError):
        cursor.decode(text)

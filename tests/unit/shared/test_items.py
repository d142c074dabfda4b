"""Values come back from DynamoDB's typed form as they went in."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.items import from_item, to_item

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6
)
VALUES = st.recursive(
    st.text(min_size=1) | st.booleans() | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=5))
def test_what_went_in_comes_back(values: dict[str, Any]) -> None:
    assert from_item(to_item(values)) == values


def test_a_whole_number_comes_back_as_int_and_any_other_exactly() -> None:
    found = from_item({"whole": {"N": "7"}, "part": {"N": "0.1"}, "zero": {"N": "1E+2"}})

    assert found == {"whole": 7, "part": Decimal("0.1"), "zero": 100}
    assert (type(found["whole"]), type(found["part"]), type(found["zero"])) == (int, Decimal, int)


def test_what_is_none_is_left_out() -> None:
    assert to_item({"here": "x", "absent": None}) == {"here": {"S": "x"}}


def test_a_float_is_refused_since_it_would_not_come_back_as_it_was() -> None:
    with pytest.raises(TypeError):
        to_item({"price": 0.1})

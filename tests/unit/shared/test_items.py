"""Values come back from DynamoDB's typed form as they went in."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from shared.items import Binary, from_item, plain, to_item

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6
)
TOP_LEVEL = st.text() | st.booleans() | NUMBERS | st.just(Decimal("-0"))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4)


# A None at the top is left out; within a list or a map it is a value.
NESTED = st.recursive(st.none() | TOP_LEVEL, containers, max_leaves=10)
VALUES = TOP_LEVEL | containers(NESTED)
# A tuple comes back as a list.
WITH_TUPLES = st.recursive(
    st.none() | TOP_LEVEL,
    lambda inner: containers(inner) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=10,
).filter(lambda value: value is not None)


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


@pytest.mark.parametrize("value", [{"a"}, b"bytes", object(), Decimal("NaN"), Decimal("Infinity")])
def test_what_cannot_be_stored_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        to_item({"inner": [value]})


def test_a_refusal_names_the_type_and_all_that_can_be_stored() -> None:
    with pytest.raises(TypeError, match=r"A value of type float cannot be stored\. Make it .*, a boolean, "):
        to_item({"price": 0.1})


def test_a_type_that_dynamodb_does_not_have_yet_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match=r"DynamoDB's type 'V' cannot be read\."):
        from_item({"list": {"L": [{"V": "x"}]}})


@pytest.mark.parametrize("number", [10**38 + 1, Decimal("1E+127"), Decimal("1E-200")])
def test_a_number_that_dynamodb_cannot_keep_whole_is_refused(number: int | Decimal) -> None:
    with pytest.raises(ArithmeticError):
        to_item({"price": number})


def test_what_other_code_stored_is_read_whatever_it_is() -> None:
    found = from_item(
        {
            "null": {"NULL": True},
            "texts": {"SS": ["a", "b"]},
            "numbers": {"NS": ["1", "0.5"]},
            "bytes": {"B": b"x"},
            "all bytes": {"BS": [b"x"]},
            "nested": {"M": {"list": {"L": [{"N": "1"}, {"BOOL": True}]}}},
        }
    )

    assert found == {
        "null": None,
        "texts": {"a", "b"},
        "numbers": {Decimal(1), Decimal("0.5")},
        "bytes": Binary(b"x"),
        "all bytes": {Binary(b"x")},
        "nested": {"list": [1, True]},
    }


@given(st.dictionaries(st.text(min_size=1), WITH_TUPLES, max_size=5))
def test_the_typed_form_is_the_one_that_boto3_writes(values: dict[str, Any]) -> None:
    boto3 = TypeSerializer()

    assert to_item(values) == {name: boto3.serialize(value) for name, value in values.items()}


@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_a_number_is_read_by_its_value_however_it_is_spelled(digits: str) -> None:
    number = plain({"N": digits})

    assert number == Decimal(digits)
    assert isinstance(number, int) == (Decimal(digits) == Decimal(digits).to_integral_value())

"""JSON that other programs stored is shown as it stands there, or not at all."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from hybrid_ci_cd.stored_values import json_members


def exactly(text: str) -> Any:
    """Read JSON without rounding, and with each member that stands in it."""

    def members(found: list[tuple[str, Any]]) -> Any:
        return sorted(found, key=repr)

    return json.loads(text, parse_float=Decimal, object_pairs_hook=members)


# Any JSON text, also one that readers read in different ways.
NUMBERS_IN_JSON = st.from_regex(r"-?(?:0|[1-9][0-9]{0,45})(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,3})?", fullmatch=True)
LEAVES = (
    st.sampled_from(["true", "null", '"a"', '"\\u00e9"', '"\\ud800"', "NaN", "1e400", "-0", "-0.0", "1.50"])
    | NUMBERS_IN_JSON
)
SPACES = st.sampled_from(["", " "])


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.tuples(st.sampled_from("ab"), inner), max_size=3)
    return st.builds(
        lambda found, space: "{" + f",{space}".join(f'"{name}":{space}{value}' for name, value in found) + "}",
        members,
        SPACES,
    )


JSON_TEXTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda found, space: f"[{f',{space}'.join(found)}]", st.lists(inner, max_size=3), SPACES),
        objects(inner),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(text=objects(JSON_TEXTS))
@example(text='{"a": 0.1234567890123456789012}')
@example(text='{"a":1,"a":2}')
@example(text='{"b": {"a":1,"a":1}}')
@example(text='{"a":[1.0000000000000000001]}')
def test_stored_json_is_shown_as_it_was_written_or_refused(text: str) -> None:
    try:
        shown = json_members(text)
    except PydanticCustomError:
        return
    assert exactly(json.dumps(shown)) == exactly(text)

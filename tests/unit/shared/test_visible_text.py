"""No text that others read has characters that nobody sees or that turn it around: all of Unicode is tried."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from shared.visible_text import checked, visible

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1)]
# What Python's own data says, which the code does not ask: marks of direction, and what has no glyph of its own.
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"}
CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Signs of Arabic, Syriac and Kaithi that stand around digits and are seen (Prepended_Concatenation_Mark).
SEEN = {chr(code) for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
# Long lists of these, and of what does work beside them, come up in texts far more often than by chance.
TRICKY = "\u200b\u200c\u200d\u200e\u202e\u2066\ufe0e\ufe0f\ufeff\u00ad\U000e0041\u061c\u2028\r\n\tabب\u094dक👩💻🏽❤1#"
TEXTS = st.text() | st.text(alphabet=TRICKY, max_size=12)
WORDS = [
    "Zoë O\u2019Brien-Łukasz",
    "山田\u3000太郎",
    "عل\u06cc\u200cرض\u0627",
    "क्\u200dष",
    "👩\u200d💻 👨\u200d👩\u200d👧\u200d👦 👩🏽\u200d🔧",
    "❤\ufe0f\u200d🔥 1\ufe0f\u20e3 🙂\u200d↔\ufe0f",
    "שלום, עולם",
    "e\u0301 ≤ 5 €",
]


def test_of_all_characters_those_without_a_glyph_or_with_a_direction_are_left_out() -> None:
    kept = {character for character in EVERYTHING if visible(f"x{character}y") == f"x{character}y"}

    hidden = {c for c in EVERYTHING if unicodedata.category(c) in CATEGORIES - {"Cf"}}
    hidden |= {c for c in EVERYTHING if unicodedata.category(c) == "Cf" and c not in SEEN}
    hidden |= {c for c in EVERYTHING if unicodedata.bidirectional(c) in DIRECTIONS and c not in SEEN}
    assert kept & hidden == set()
    # Letters, digits, punctuation and symbols are all kept but the blank ones.
    seen = {c for c in EVERYTHING if unicodedata.category(c)[0] in "LNPS"}
    assert seen - kept == set("\u115f\u1160\u2800\u3164\uffa0\U0001d159")


@pytest.mark.parametrize("character", "\t\n\r")
def test_a_message_keeps_its_lines_and_a_name_has_one(character: str) -> None:
    text = f"a{character}b"

    assert (visible(text), visible(text, lines=True)) == ("ab", text)
    assert checked(text, lines=True) == text


@pytest.mark.parametrize("text", WORDS)
def test_words_and_emoji_that_need_joiners_keep_them(text: str) -> None:
    assert checked(text) == text


@given(TEXTS, st.booleans())
def test_what_is_shown_is_taken_and_what_is_taken_is_shown_as_it_is(text: str, lines: bool) -> None:  # noqa: FBT001 - drawn
    shown = visible(text, lines=lines)

    assert visible(shown, lines=lines) == shown
    assert checked(shown, lines=lines) == shown
    assert len(shown) <= len(text)
    if shown != text:
        with pytest.raises(PydanticCustomError) as caught:
            checked(text, lines=lines)
        # The sentence can be shown and logged, whatever the text was.
        assert caught.value.message().isascii()


@given(TEXTS)
def test_nothing_that_turns_a_text_around_is_ever_shown(text: str) -> None:
    directions = {unicodedata.bidirectional(character) for character in visible(text)}

    assert directions & (DIRECTIONS - {"BN"}) == set()


@given(
    st.text(alphabet="abz\u0410я09", min_size=1),
    st.text(alphabet="abz\u0410я09", min_size=1),
    st.sampled_from("\u200c\u200d"),
)
def test_no_joiner_hides_in_a_word_that_needs_none(before: str, after: str, joiner: str) -> None:
    assert visible(before + joiner + after) == before + after

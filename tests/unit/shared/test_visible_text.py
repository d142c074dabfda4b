"""No text that others read has characters that nobody sees or that turn it around: all of Unicode is tried."""

import sys
import time
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError

from shared.personal import public_name
from shared.strict_model import StrictModel
from shared.visible_text import VisibleId, VisibleLine, checked, checked_line, visible

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1)]
# Without the planes of ideographs, private characters and tags.
TWO_PLANES = EVERYTHING[:0x20000]
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
    "#\ufe0f\u20e3 *\ufe0f\u20e3 9\ufe0f\u20e3",
    "☺\ufe0e ☺\ufe0f ⚡\ufe0f ©\ufe0f ‼\ufe0f 🅰\ufe0f 🀄\ufe0f 🛠\ufe0f",
    "🏳\ufe0f\u200d🌈 🏴\u200d☠\ufe0f 🧑🏽\u200d🦰 👨🏿\u200d⚖\ufe0f",
    "👩\u200d❤\ufe0f\u200d💋\u200d👩 🐻\u200d❄\ufe0f 🙂\u200d↕\ufe0f 🏃\u200d➡\ufe0f",
    "می\u200cروم کتاب\u200c\u0647\u0627 نرم\u200c\u0627فز\u0627ر",
    "\u845b\U000e0100\u98fe\u533a \u1820\u180b\u182d\u180c",
    "\u2d30\u2d7f\u2d31 \U00011064\U0001107f\U00011053",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "ශ්\u200dරී നന്\u200dമ क्\u200cष क़्\u200dष",
]
# What looks the same with a joiner or a style behind it as it does without.
UNCHANGED = "ab1#*²٣+=<>~^|≤\u00d7¬÷¨\u00b4`$€|°¦…-—\u0301ßяא日あ가\U0001f3fb\U0001f1e6"
# Letters that join nothing behind them, and those of a script that joins none.
UNJOINED = "\u0627أدذرزوةءܐܕגक"


def test_of_all_characters_those_without_a_glyph_or_with_a_direction_are_left_out() -> None:
    kept = {character for character in EVERYTHING if visible(f"x{character}y") == f"x{character}y"}

    hidden = {c for c in EVERYTHING if unicodedata.category(c) in CATEGORIES - {"Cf"}}
    hidden |= {c for c in EVERYTHING if unicodedata.category(c) == "Cf" and c not in SEEN}
    hidden |= {c for c in EVERYTHING if unicodedata.bidirectional(c) in DIRECTIONS and c not in SEEN}
    assert kept & hidden == set()
    # Letters, digits, punctuation and symbols are all kept but the blank ones.
    seen = {c for c in EVERYTHING if unicodedata.category(c)[0] in "LNPS"}
    assert seen - kept == set("\u115f\u1160\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U0001d159") & seen


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


@given(st.text(alphabet=UNCHANGED, min_size=1), st.data())
def test_no_text_has_a_second_spelling_that_looks_the_same(text: str, data: st.DataObject) -> None:
    hidden = data.draw(st.lists(st.sampled_from("\u200c\u200d\ufe0e\ufe0f"), min_size=1, max_size=4))
    spelt = text
    for character in hidden:
        place = data.draw(st.integers(0, len(spelt)))
        spelt = spelt[:place] + character + spelt[place:]

    assert visible(spelt) == text
    with pytest.raises(PydanticCustomError):
        checked(spelt)


@given(st.text(alphabet=UNJOINED + "بس", min_size=1), st.sampled_from(UNJOINED), st.text(alphabet="بسد", min_size=1))
def test_no_joiner_hides_between_letters_that_do_not_join(before: str, last: str, after: str) -> None:
    for joiner in "\u200c\u200d":
        assert visible(before + last + joiner + after) == before + last + after
    assert visible(f"{before}ب\u200d{after}") == f"{before}ب{after}"


def test_of_all_characters_only_emoji_take_a_style_or_are_joined() -> None:
    for style in "\ufe0e\ufe0f":
        styled = {one for one in TWO_PLANES if visible(f"{one}{style}") == f"{one}{style}"}
        kinds = {unicodedata.category(one) for one in styled - set("\u2139‼⁉〰〽↔⤴⤵◾◽◼◻")}
        assert kinds == {"So"}
        assert len(styled) > len("0123456789") * 10
    joined = {one for one in TWO_PLANES if visible(f"{one}\u200d🔧") == f"{one}\u200d🔧"}
    assert {unicodedata.category(one) for one in joined - set("↔⤴⤵◾◽◼◻🏻🏼🏽🏾🏿")} <= {"So", "Cn"}
    assert not joined & set("+=©®™°¦\u2139‼㊗🀀🄰🩠🕀")


def test_a_sign_on_a_key_has_a_style_only_inside_the_key() -> None:
    for sign in "0123456789#*":
        assert visible(f"{sign}\ufe0f\u20e3") == f"{sign}\ufe0f\u20e3"
        for spelt in (f"{sign}\ufe0e\u20e3", f"{sign}\ufe0f\u200b\u20e3", f"{sign}\ufe0f\ufe0f\u20e3"):
            assert visible(spelt) in (f"{sign}\u20e3", f"{sign}\ufe0f\u20e3")
        assert visible(f"a{sign}\ufe0f") == f"a{sign}"


@pytest.mark.parametrize(
    "text",
    [
        "a\U000e0100",
        "\u845b\u180b",
        "a\u180b",
        "\u845b\U000e0100\U000e0101",
        "a\u2d7f",
        "1\U0001107f",
        "\U0001f3f4\U000e0067",
    ],
)
def test_what_works_in_one_script_hides_nowhere_else(text: str) -> None:
    assert visible(text) != text


@pytest.mark.parametrize("text", ["क्\u200ca", "क्\u200c1", "a्\u200cक", "+्\u200d+", "ก\u0e3a\u200c+"])
def test_a_joiner_behind_a_virama_stands_beside_letters_of_its_script(text: str) -> None:
    assert visible(text) == text.replace("\u200c", "").replace("\u200d", "")


class Named(StrictModel):
    """What the sample takes."""

    name: Annotated[str, Field(min_length=1, max_length=4), VisibleLine] = "name"
    source: Annotated[str, Field(min_length=1, max_length=4), VisibleId] = "source"


@pytest.mark.parametrize(
    "text",
    [
        *(
            " ",
            "\u00a0",
            "\u3000",
            "\u2003 \u2003",
            "\u1680",
            "\u0301",
            " \u0301",
            "\u2800",
            "\u200b",
            "\u3164",
            "\u115f",
        ),
        *("\ufe0f", "\U000e0041", "\U000e0100", "a\u202eb", "a\x00", "a\tb", "a\nb", "a\x85b", "\ufffe", "a\u180e"),
    ],
)
@pytest.mark.parametrize("member", ["name", "source"])
def test_what_nobody_can_see_is_no_name(member: str, text: str) -> None:
    with pytest.raises(ValidationError, match=r"must have something that can be seen|must have no characters"):
        Named.model_validate({member: text})


@pytest.mark.parametrize("text", ["a", " a ", "é", "報告", "👩\u200d💻", "a\u00a0b", "\u0378", "\U0001fae9", "\ue000"])
@pytest.mark.parametrize("member", ["name", "source"])
def test_what_can_be_seen_is_a_name_also_where_this_python_does_not_know_it(member: str, text: str) -> None:
    assert getattr(Named.model_validate({member: text}), member) == text


@pytest.mark.parametrize(
    ("text", "composed_text"),
    [("e\u0301", "é"), ("\u212a", "K"), ("A\u030a", "\u00c5"), ("\u0958", "क़"), ("\u1112\u1161\u11ab", "한")],
)
def test_a_name_is_composed_and_an_id_is_never_changed(text: str, composed_text: str) -> None:
    assert Named.model_validate({"name": text}).name == composed_text
    assert Named.model_validate({"source": composed_text}).source == composed_text
    with pytest.raises(ValidationError, match="must be in Unicode's form NFC"):
        Named.model_validate({"source": text})


def test_a_name_is_as_long_as_what_is_kept_of_it() -> None:
    assert Named.model_validate({"name": "e\u0301" * 4}).name == "é" * 4
    with pytest.raises(ValidationError, match="at most 4 characters"):
        # Composed it is longer: such letters have two parts there.
        Named.model_validate({"name": "\u0958" * 3})


@given(st.text())
def test_what_is_taken_as_a_name_is_taken_again_as_it_is_kept(text: str) -> None:
    try:
        name = checked_line(text)
    except PydanticCustomError:
        return
    assert checked_line(name) == name == unicodedata.normalize("NFC", text)
    assert name.strip()


# Each took the square of its length, and so seconds to minutes of a request, or of every list that shows it.
LONG = {
    "marks out of their order": "a" + "\u0301" * 32_000 + "\u0316" * 32_000,
    "joiners behind marks": "ب" + "\u0301\u200c" * 40_000,
    "signs that stand for many": "\ufdfa" * 100_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_no_long_text_takes_more_than_a_moment(text: str) -> None:
    started = time.process_time()

    visible(text)
    public_name(text, user_id="ada")
    with pytest.raises(ValidationError):
        Named.model_validate({"name": text})

    assert time.process_time() - started < 3

"""Keep texts that one user writes and others read free of what nobody sees and of what turns text around.

A text that is sent is refused with the character that does not fit (`VisibleLine`, `VisibleLines`); one that is stored
already, by us or by anybody else, is read without it (`visible`).
"""

import unicodedata

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

# The Unicode Standard's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which has all characters of no width
# and all that set the direction of a text, and what else shows nothing: separators of lines, marks around annotations,
# surrogates, noncharacters in the middle, and two letters that look like a space. By ranges, since the categories of
# characters to come differ between Pythons.
_UNSEEN = (
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x13430, 0x13440),
    (0x16FE4, 0x16FE4),
    (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_LAST_TWO = 0xFFFE
_BREAKS = frozenset("\t\n\r")
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_TEXT_STYLE, _EMOJI_STYLE = "\ufe0e", "\ufe0f"
_VIRAMA = 9
# Scripts whose letters take another form beside a joiner (RFC 5892, A.1).
_JOINING = ("ARABIC LETTER", "SYRIAC LETTER", "MONGOLIAN LETTER", "NKO LETTER", "MANDAIC LETTER", "PHAGS-PA LETTER")
_PICTOGRAPHS = range(0x1F000, 0x1FB00)


def visible(text: str, *, lines: bool = False) -> str:
    """Return a text without what nobody sees; `lines` keeps tabs and ends of lines."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for place, character in enumerate(text):
        seen = not _is_unseen(character) or (lines and character in _BREAKS)
        if seen or _does_its_work(kept, character, text[place + 1 : place + 2]):
            kept.append(character)
    return "".join(kept)


def checked(text: str, *, lines: bool = False) -> str:
    """Return a text as it is, or refuse it with the first character that nobody sees: never with the text."""
    if (shown := visible(text, lines=lines)) == text:
        return text
    place = next((place for place, pair in enumerate(zip(text, shown, strict=False)) if pair[0] != pair[1]), len(shown))
    raise PydanticCustomError(
        "unseen",
        "must have no characters that nobody sees or that turn text around, as {character} at {place}",
        {"character": f"U+{ord(text[place]):04X}", "place": place + 1},
    )


def _lines(text: str) -> str:
    return checked(text, lines=True)


# What a model takes: a name or a title on one line, and a message of several.
VisibleLine = AfterValidator(checked)
VisibleLines = AfterValidator(_lines)


def _is_unseen(character: str) -> bool:
    code = ord(character)
    return code & _LAST_TWO == _LAST_TWO or any(first <= code <= last for first, last in _UNSEEN)


def _does_its_work(kept: list[str], character: str, following: str) -> bool:
    """Tell whether a character without a width of its own changes how its neighbours look, as it does in some words.

    Emoji are joined into one and shown in colour; Persian words and those of Indian scripts need joiners
    (RFC 5892, A.1 and A.2).
    """
    before = kept[-1] if kept else "\n"
    if character in (_TEXT_STYLE, _EMOJI_STYLE):
        return _takes_a_style(before)
    if character not in (_JOINER, _NON_JOINER) or not following or _is_unseen(following):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if character == _JOINER and _is_pictograph(following):
        return _is_pictograph(before) or (before == _EMOJI_STYLE and _is_pictograph(kept[-2]))
    base = next((one for one in reversed(kept) if not unicodedata.combining(one)), "")
    return bool(base) and _joins(base) and _joins(following)


def _takes_a_style(character: str) -> bool:
    return _is_pictograph(character) or character in "#*0123456789"


def _is_pictograph(character: str) -> bool:
    return ord(character) in _PICTOGRAPHS or unicodedata.category(character) in ("So", "Sm", "Sk")


def _joins(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_JOINING)

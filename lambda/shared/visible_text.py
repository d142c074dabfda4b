"""Keep texts that one user writes and others read free of what nobody sees and of what turns text around.

A text that is sent is refused with the character that does not fit (`VisibleLine`, `VisibleId`, `VisibleLines`); one
that is stored already, by us or by anybody else, is read without it (`visible`). Characters that this Python does not
know yet are taken: they are the emoji and letters of newer telephones.
"""

import re
import sys
import unicodedata
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

# The Unicode Standard's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which has all characters of no width
# and all that set the direction of a text, and what else shows nothing: separators of lines, marks around annotations,
# surrogates, noncharacters in the middle, joiners of Tifinagh letters and Brahmi numbers, what stands for an object
# that is elsewhere, and letters and signs that look like a space. By ranges, since the categories of characters to
# come differ between Pythons.
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
    (0x2D7F, 0x2D7F),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFC),
    (0x1107F, 0x1107F),
    (0x13430, 0x13442),
    (0x16FE4, 0x16FE4),
    (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# A composed text has a quarter of the characters at least, so a longer one is none of our names however it is composed.
# Composing takes the square of a text's length where it has marks alone.
LONGEST_TO_COMPOSE = 2048
_BREAKS = frozenset("\t\n\r")
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_TEXT_STYLE, _EMOJI_STYLE = "\ufe0e", "\ufe0f"
_VIRAMA = 9
# Joiners and variation selectors that only work behind a character of their script, by the beginning of its name:
# ideographs' variants (UTS 37), and forms of Mongolian letters.
_BEHIND = {
    **dict.fromkeys(map(chr, range(0xE0100, 0xE01F0)), "CJK UNIFIED IDEOGRAPH"),
    **dict.fromkeys("\u180b\u180c\u180d\u180f", "MONGOLIAN LETTER"),
    "\u2d7f": "TIFINAGH LETTER",
    "\U0001107f": "BRAHMI NUMBER",
}
# The flags that a black one and tags stand for: England's, Scotland's and Wales's (emoji-sequences.txt).
_FLAGS = re.compile(
    "\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|"
    "\U000e0077\U000e006c\U000e0073)\U000e007f)"
)
_KEYS = "#*0123456789"
_KEY = "\u20e3"


def _codes(ranges: str) -> frozenset[int]:
    """Return the numbers of all characters in ranges of hexadecimal numbers."""
    ends = (one.partition("-") for one in ranges.split())
    return frozenset(code for first, _, last in ends for code in range(int(first, 16), int(last or first, 16) + 1))


# What is a picture only where a style says so, and what is one by itself since before there were styles
# (emoji-data.txt: Emoji below U+10000, and above it Emoji without Emoji_Presentation). Keys stand apart.
_STYLED = _codes(
    "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0 "
    "25FB-25FE 2600-2604 260E 2611 2614-2615 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642 "
    "2648-2653 265F-2660 2663 2665-2666 2668 267B 267E-267F 2692-2697 2699 269B-269C 26A0-26A1 26A7 26AA-26AB "
    "26B0-26B1 26BD-26BE 26C4-26C5 26C8 26CE-26CF 26D1 26D3-26D4 26E9-26EA 26F0-26F5 26F7-26FA 26FD 2702 2705 "
    "2708-270D 270F 2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2764 2795-2797 "
    "27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F004 1F21A 1F22F 1F170-1F171 "
    "1F17E-1F17F 1F202 1F237 1F321 1F324-1F32C 1F336 1F37D 1F396-1F397 1F399-1F39B 1F39E-1F39F 1F3CB-1F3CE "
    "1F3D4-1F3DF 1F3F3 1F3F5 1F3F7 1F43F 1F441 1F4FD 1F549-1F54A 1F56F-1F570 1F573-1F579 1F587 1F58A-1F58D 1F590 "
    "1F5A5 1F5A8 1F5B1-1F5B2 1F5BC 1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA 1F6CB "
    "1F6CD-1F6CF 1F6E0-1F6E5 1F6E9 1F6F0 1F6F3"
)
# What is joined to one picture with others; blocks that grow are taken whole.
_PICTURES = frozenset(code for code in _STYLED if 0x2194 <= code < 0x3000) | _codes(  # noqa: PLR2004
    "1F300-1F321 1F324-1F393 1F396-1F397 1F399-1F39B 1F39E-1F3F0 1F3F3-1F3F5 1F3F7-1F4FD 1F4FF-1F53D 1F549-1F54E "
    "1F550-1F567 1F56F-1F570 1F573-1F57A 1F587 1F58A-1F58D 1F590 1F595-1F596 1F5A4-1F5A5 1F5A8 1F5B1-1F5B2 1F5BC "
    "1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA-1F64F 1F680-1F6C5 1F6CB-1F6CF "
    "1F6D0-1F6FF 1F7E0-1F7FF 1F90C-1F93A 1F93C-1F945 1F947-1F9FF 1FA70-1FAFF"
)
# Letters that take another form when a letter before them, or behind them, is kept apart (DerivedJoiningType.txt: D
# and L, D and R, below U+10000).
_JOIN_BOTH = _codes(
    "620 626 628 62A-62E 633-63F 641-647 649-64A 66E-66F 678-687 69A-6BF 6C1-6C2 6CC 6CE 6D0-6D1 6FA-6FC 6FF 712-714 "
    "71A-71D 71F-727 729 72B 72D-72E 74E-758 75C-76A 76D-770 772 775-777 77A-77F 7CA-7EA 841-845 848 84A-853 855 860 "
    "862-865 868 886 889-88D 8A0-8A9 8AF-8B0 8B3-8B8 8BA-8C8 1807 1820-1878 1887-18A8 18AA A840-A872"
)
_JOIN_BEFORE = _codes(
    "622-625 627 629 62F-632 648 671-673 675-677 688-699 6C0 6C3-6CB 6CD 6CF 6D2-6D3 6D5 6EE-6EF 710 715-719 71E 728 "
    "72A 72C 72F 74D 759-75B 76B-76C 771 773-774 778-779 840 846-847 849 854 856-858 867 869-86A 870-882 88E 8AA-8AC "
    "8AE 8B1-8B2 8B9"
)


@cache
def _unseen_character() -> re.Pattern[str]:
    """Make the pattern of `_UNSEEN` and the last two characters of each plane, which most starts have no need of."""
    last = ((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, sys.maxunicode, 0x10000))
    return re.compile(f"[{''.join(f'{chr(first)}-{chr(end)}' for first, end in (*_UNSEEN, *last))}]")


def visible(text: str, *, lines: bool = False) -> str:
    """Return a text without what nobody sees; `lines` keeps tabs and ends of lines."""
    if text.isascii() and text.isprintable():
        return text
    hidden = {found.start() for found in _unseen_character().finditer(text)}
    if not hidden:
        return text
    kept: list[str] = []
    # The last that is not a mark on another: looked for at each joiner, it would take the square of a text's length.
    base = ""
    in_flags = {place for flag in _FLAGS.finditer(text) for place in range(*flag.span())}
    for place, character in enumerate(text):
        seen = place in in_flags or place not in hidden or (lines and character in _BREAKS)
        if seen or _does_its_work(kept, base, character, text[place + 1 : place + 2]):
            kept.append(character)
            base = base if unicodedata.combining(character) else character
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


def composed(text: str) -> str:
    """Return a text in Unicode's form NFC: the same text, each of whose letters has one spelling."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def checked_line(text: str) -> str:
    """Return what something is called, composed, or refuse it: also where it is nothing but space and marks."""
    name = checked(composed(text))
    if all(unicodedata.category(character)[0] in "MZ" for character in name):
        raise PydanticCustomError("blank", "must have something that can be seen")
    return name


def _line(value: Any, fitted: ValidatorFunctionWrapHandler) -> str:
    # Composed first, since it may become longer; what is longer than any name is left to the limit of its length.
    is_short = isinstance(value, str) and len(value) <= LONGEST_TO_COMPOSE
    return checked_line(fitted(composed(value) if is_short else value))


def _same_line(text: str) -> str:
    if checked_line(text) != text:
        raise PydanticCustomError("composed", "must be in Unicode's form NFC, in which each letter has one spelling")
    return text


def _lines(text: str) -> str:
    return checked(text, lines=True)


# What a model takes: a name or a title on one line; a name by which programs find something, which is never changed;
# and a message of several lines.
VisibleLine = WrapValidator(_line)
VisibleId = AfterValidator(_same_line)
VisibleLines = AfterValidator(_lines)


def _visible_lines(text: str) -> str:
    return visible(text, lines=True)


# What users get to see. Tables also hold what scripts and earlier releases wrote: it stays as it is, and is shown
# without what nobody sees. Only JSON is written so: models have what is stored.
ShownLine = Annotated[str, PlainSerializer(visible, when_used="json")]
ShownLines = Annotated[str, PlainSerializer(_visible_lines, when_used="json")]


def _is_unseen(character: str) -> bool:
    return _unseen_character().match(character) is not None


def _does_its_work(kept: list[str], base: str, character: str, following: str) -> bool:
    """Tell whether a character without a width of its own changes how its neighbours look, as it does in some words.

    Emoji are joined into one and shown in colour; Persian words and those of Indian scripts need joiners
    (RFC 5892, A.1 and A.2). Where it changes nothing, two texts would look the same.
    """
    before = kept[-1] if kept else ""
    if character in (_TEXT_STYLE, _EMOJI_STYLE):
        return before != "" and (
            ord(before) in _STYLED or (before in _KEYS and character == _EMOJI_STYLE and following == _KEY)
        )
    if character in _BEHIND:
        return before != "" and unicodedata.name(before, "").startswith(_BEHIND[character])
    if character not in (_JOINER, _NON_JOINER) or not before or not following or _is_unseen(following):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        # A letter before a joiner has another form whatever follows it.
        return _is_letter_beside(base, before) and (character == _JOINER or _is_letter_beside(following, before))
    if character == _JOINER:
        picture = kept[-2] if before == _EMOJI_STYLE else before
        return ord(picture) in _PICTURES and ord(following) in _PICTURES
    joins_on = bool(base) and ord(base) in _JOIN_BOTH
    return joins_on and (ord(following) in _JOIN_BOTH or ord(following) in _JOIN_BEFORE)


def _is_letter_beside(character: str, mark: str) -> bool:
    """Tell whether a character is a letter of the script that a mark is of; names begin with their scripts."""
    script = unicodedata.name(mark, "").partition(" ")[0]
    return unicodedata.category(character or " ") == "Lo" and unicodedata.name(character, "").startswith(f"{script} ")

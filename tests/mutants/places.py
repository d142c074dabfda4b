"""Find in a Terraform file the blocks, arguments and tokens that can be changed, each with where it begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sawhorse.hcl import OPENING, end_of_brackets, end_of_string, end_of_text, without_comments

NAME = re.compile(r"[^\W\d][\w-]*")
TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+)|(?P<line>\n)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[^\W\d][\w-]*)"
    r"|(?P<sign>\.\.\.|=>|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:=.,])"
)


@dataclass(frozen=True)
class Span:
    """A part of a text."""

    start: int
    end: int


@dataclass(frozen=True)
class Argument:
    """`name = expression`, whole, and its expression alone."""

    name: str
    path: tuple[str, ...]
    whole: Span
    expression: Span


@dataclass(frozen=True)
class Block:
    """`type "label" { ... }` with what is in it."""

    path: tuple[str, ...]
    whole: Span
    arguments: list[Argument]
    blocks: list[Block]

    @property
    def type(self) -> str:
        """What kind of block it is."""
        return self.path[-1].split(".")[0]

    def within(self) -> Iterator[Block]:
        """Walk the block and all that it holds."""
        yield self
        for block in self.blocks:
            yield from block.within()


@dataclass(frozen=True)
class Token:
    """A part of an expression: a string, number, name or sign, or brackets with all that they hold."""

    kind: str
    start: int
    end: int
    text: str
    # What brackets hold, and of a string the tokens of each of its templates.
    inner: tuple[Token, ...] = ()
    templates: tuple[tuple[Token, ...], ...] = field(default=())


def blocks_of(text: str, shown: str) -> list[Block]:
    """Return the blocks of a file."""
    plain = without_comments(text, shown)
    _, blocks, end = body(plain, 0, (), shown)
    assert end == len(plain), f"{shown}: only a part of it was understood"
    return blocks


def body(text: str, place: int, path: tuple[str, ...], shown: str) -> tuple[list[Argument], list[Block], int]:
    """Read arguments and blocks up to the closing brace, or the end of the file."""
    arguments: list[Argument] = []
    blocks: list[Block] = []
    while (place := after_blanks(text, place)) < len(text) and text[place] != "}":
        start = place
        found = NAME.match(text, place)
        assert found, f"{shown}: no name where one is expected"
        words, place = [found[0]], found.end()
        while text[place := after_blanks(text, place, " \t")] not in "={":
            end = end_of_string(text, place, shown)
            words.append(text[place + 1 : end - 1])
            place = end
        if text[place] == "{":
            inner_path = (*path, ".".join(words))
            inner, held, place = body(text, place + 1, inner_path, shown)
            place += 1
            blocks.append(Block(inner_path, Span(start, place), inner, held))
        else:
            begin = place = after_blanks(text, place + 1, " \t")
            while place < len(text) and text[place] not in "\n}":
                place = (
                    end_of_brackets(text, place, shown)
                    if text[place] in OPENING
                    else end_of_text(text, place, shown) or place + 1
                )
            expression = Span(begin, begin + len(text[begin:place].rstrip()))
            arguments.append(Argument(words[0], (*path, words[0]), Span(start, expression.end), expression))
    return arguments, blocks, place


def after_blanks(text: str, place: int, blanks: str = " \t\r\n") -> int:
    while place < len(text) and text[place] in blanks:
        place += 1
    return place


def tokens_of(text: str, span: Span, shown: str) -> tuple[Token, ...]:
    """Return the tokens of an expression of a text without comments."""
    tokens = []
    place = span.start
    while place < span.end:
        if text[place] in OPENING:
            end = end_of_brackets(text, place, shown)
            inner = tokens_of(text, Span(place + 1, end - 1), shown)
            tokens.append(Token(text[place], place, end, text[place:end], inner))
        elif text[place] == '"':
            end = end_of_string(text, place, shown)
            tokens.append(
                Token("string", place, end, text[place:end], templates=tuple(templates_of(text, place, end, shown)))
            )
        else:
            found = TOKEN.match(text, place)
            assert found, f"{shown}: {text[place : place + 10]!r} is no part of an expression"
            end = found.end()
            if found.lastgroup != "blank":
                tokens.append(Token(str(found.lastgroup), place, end, found[0]))
        place = end
    return tuple(tokens)


def templates_of(text: str, start: int, end: int, shown: str) -> Iterator[tuple[Token, ...]]:
    """Walk the tokens of each `${...}` in a string."""
    place = start + 1
    while place < end - 1:
        if text[place] == "\\":
            place += 2
        elif text[place : place + 3] == "$${":
            place += 3
        elif text[place : place + 2] == "${":
            close = end_of_brackets(text, place + 1, shown)
            yield tokens_of(text, Span(place + 2, close - 1), shown)
            place = close
        else:
            place += 1

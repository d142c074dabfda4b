"""Read the blocks, arguments and references of a Terraform file, each with its line.

What a value means is Terraform's to say: an expression is found and kept as it is written. What `terraform fmt` and
`terraform validate` refuse need not be understood here. Libraries that parse HCL keep the lines of blocks alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import BadConfiguration

NAME = re.compile(r"[^\W\d][\w-]*")
HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)\n")
COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
REFERENCE = re.compile(r"(?<![\w.-])((?:data\.)?[a-z][a-z0-9]*_\w+)\.(\w+)")
ATTRIBUTE = re.compile(r"\.([^\W\d]\w*)")
PAIR = re.compile(r'("(?:[^"\\]|\\.)*"|\([^\n]*?\)|[^\s=:]+)\s*[=:](.*)', re.DOTALL)
OPENING, CLOSING = "([{", ")]}"
# What neither begins nor ends a comment, a string, a heredoc or a bracket is stepped over at once.
OUTSIDE = re.compile(r'[^"#/<]+')
IN_A_STRING = re.compile(r'[^"\\$%\n]+')
IN_BRACKETS = re.compile(r'[^"#/<()\[\]{}]+')


@dataclass(frozen=True)
class Argument:
    """`name = expression`, with the line of the name."""

    name: str
    line: int
    expression: str


@dataclass(frozen=True)
class Block:
    """`type "label" { ... }` with the line of its type; a whole file is a block without a type."""

    type: str
    labels: tuple[str, ...]
    line: int
    arguments: tuple[Argument, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Reference:
    """An attribute that is read by a resource's own address, such as `aws_sqs_queue.this["a"].arn`.

    `type` begins with `data.` for a data source.
    """

    type: str
    name: str
    attribute: str
    line: int


def text_of(path: Path, shown: str) -> str:
    """Read a Terraform file. Raises BadConfiguration where it is not UTF-8, which is all that Terraform reads."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{shown} is not UTF-8 at byte {error.start}; save it as UTF-8, which is all that Terraform reads."
        ) from error


def read_hcl(text: str, shown: str) -> Block:
    """Read a file's text; `shown` is what messages call it. Raises BadConfiguration where it is not HCL."""
    reader = Reader(without_comments(text, shown), shown)
    arguments, blocks = reader.body()
    if reader.place < len(reader.text):
        raise reader.unexpected(reader.place)
    return Block("", (), 1, arguments, blocks)


def references(text: str, shown: str) -> Iterator[Reference]:
    """Find what a file reads of resources and data sources by their addresses, not through a local value or a loop."""
    plain = without_literals(without_comments(text, shown), shown)
    for found in REFERENCE.finditer(plain):
        place = found.end()
        while plain[place : place + 1] == "[":
            place = end_of_brackets(plain, place, shown)
        attribute = ATTRIBUTE.match(plain, place)
        if attribute:
            yield Reference(found[1], found[2], attribute[1], plain.count("\n", 0, found.start()) + 1)


def without_comments(text: str, shown: str) -> str:
    """Return the text with blanks in the place of comments, so that every place and line stays."""
    parts, place, kept = [], 0, 0
    while place < len(text):
        comment = COMMENT.match(text, place)
        if comment:
            parts += [text[kept:place], re.sub(r"[^\n]", " ", comment[0])]
            place = kept = comment.end()
        else:
            place = end_of_text(text, place, shown) or after(OUTSIDE, text, place)
    return "".join([*parts, text[kept:]])


def without_literals(text: str, shown: str) -> str:
    """Return the text with blanks in the place of what strings say, so that every place and line stays."""
    parts, place = [], 0
    while place < len(text):
        end = end_of_text(text, place, shown)
        next_place = end or after(OUTSIDE, text, place)
        parts.append(templates_alone(text[place:end], shown) if end else text[place:next_place])
        place = next_place
    return "".join(parts)


def templates_alone(string: str, shown: str) -> str:
    """Return what a string or a heredoc works out, `${...}` and `%{...}`, with blanks in the place of the rest."""
    parts, place = [], 0
    while place < len(string):
        if string[place : place + 3] in ("$${", "%%{"):
            parts.append("   ")
            place += 3
        elif string[place : place + 2] in ("${", "%{"):
            end = end_of_brackets(string, place + 1, shown)
            inner = without_comments(string[place + 2 : end - 1], shown)
            parts.append(f"  {without_literals(inner, shown)} ")
            place = end
        else:
            parts.append("\n" if string[place] == "\n" else " ")
            place += 1
    return "".join(parts)


def end_of_text(text: str, place: int, shown: str) -> int | None:
    """Return where a string or heredoc that begins at a place ends; None where none begins."""
    if text[place] == '"':
        return end_of_string(text, place, shown)
    heredoc = HEREDOC.match(text, place)
    if not heredoc:
        return None
    end = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}[ \t]*$", re.MULTILINE).search(text, heredoc.end())
    if not end:
        raise not_closed(text, place, shown, f"<<{heredoc[1]}")
    return end.end()


def end_of_string(text: str, start: int, shown: str) -> int:
    place = start + 1
    while place < len(text):
        if text[place] == '"':
            return place + 1
        if text[place] == "\\" or text[place : place + 3] in ("$${", "%%{"):
            place += 2 if text[place] == "\\" else 3
        elif text[place : place + 2] in ("${", "%{"):
            place = end_of_brackets(text, place + 1, shown)
        elif text[place] == "\n":
            break
        else:
            place = after(IN_A_STRING, text, place)
    raise not_closed(text, start, shown, '"')


def end_of_brackets(text: str, start: int, shown: str) -> int:
    """Return the place behind the bracket that closes the one at `start`."""
    depth, place = 0, start
    while place < len(text):
        if text[place] in OPENING:
            depth += 1
        elif text[place] in CLOSING:
            depth -= 1
            if depth == 0:
                return place + 1
        # In a template there still are some.
        comment = COMMENT.match(text, place) if text[place] in "#/" else None
        place = comment.end() if comment else end_of_text(text, place, shown) or after(IN_BRACKETS, text, place)
    raise not_closed(text, start, shown, text[start])


def after(plain: re.Pattern[str], text: str, place: int) -> int:
    """Return the place behind what is plain at a place, and behind that one letter where nothing is."""
    stepped_over = plain.match(text, place)
    return stepped_over.end() if stepped_over else place + 1


def members(expression: str) -> list[tuple[str, str]] | None:
    """Return the keys of an object that is written out, as they stand, with their expressions; None for all else."""
    inside = within(expression, "{}")
    if inside is None:
        return None
    pairs = [PAIR.match(part) for part in parts(inside)]
    return [(pair[1], pair[2].strip()) for pair in pairs if pair]


def elements(expression: str) -> list[str]:
    """Return the expressions of a list that is written out, or of a call's arguments without its brackets."""
    text = expression.strip()
    if text.startswith("{") or re.match(r"\[\s*for\b", text):
        return []
    inside = within(text, "[]")
    return list(parts(text if inside is None else inside))


def within(expression: str, brackets: str) -> str | None:
    """Return what stands between the brackets that hold a whole expression; None where they do not, and for a loop."""
    text = expression.strip()
    if not text.startswith(brackets[0]) or end_of_brackets(text, 0, "the expression") < len(text):
        return None
    inside = text[1:-1]
    return None if re.match(r"\s*for\b", inside) else inside


def parts(text: str) -> Iterator[str]:
    """Split at the commas and ends of lines that stand within no brackets and no string."""
    place = start = 0
    while place < len(text):
        if text[place] in ",\n":
            if text[start:place].strip():
                yield text[start:place].strip()
            start = place = place + 1
        elif text[place] in OPENING:
            place = end_of_brackets(text, place, "the expression")
        else:
            place = end_of_text(text, place, "the expression") or place + 1
    if text[start:].strip():
        yield text[start:].strip()


def not_closed(text: str, place: int, shown: str, what: str) -> BadConfiguration:
    line = text.count("\n", 0, place) + 1
    return BadConfiguration(f"{shown}:{line}: {what} is not closed; run terraform fmt, which says what it expects.")


class Reader:
    """Reads a text without comments from `place` on."""

    def __init__(self, text: str, shown: str) -> None:
        self.text = text
        self.shown = shown
        self.place = 0

    def body(self) -> tuple[tuple[Argument, ...], tuple[Block, ...]]:
        """Read arguments and blocks up to a closing brace, or the end of the file."""
        arguments, blocks = [], []
        while self.skip() < len(self.text) and self.text[self.place] != "}":
            start = self.place
            name = self.name()
            labels = []
            while self.skip(lines=False) < len(self.text) and self.text[self.place] not in "={\n":
                labels.append(self.label())
            if self.take("{"):
                inner = self.body()
                if not self.take("}"):
                    raise not_closed(self.text, start, self.shown, name)
                blocks.append(Block(name, tuple(labels), self.line(start), *inner))
            elif not labels and self.take("="):
                arguments.append(Argument(name, self.line(start), self.expression()))
            else:
                raise self.unexpected(self.place)
        return tuple(arguments), tuple(blocks)

    def expression(self) -> str:
        """Read up to the end of the line, or the brace that closes the block; brackets hold lines together."""
        start = self.place
        while self.place < len(self.text) and self.text[self.place] not in "\n}":
            if self.text[self.place] in OPENING:
                self.place = end_of_brackets(self.text, self.place, self.shown)
            else:
                self.place = end_of_text(self.text, self.place, self.shown) or self.place + 1
        return self.text[start : self.place].strip()

    def name(self) -> str:
        found = NAME.match(self.text, self.place)
        if not found:
            raise self.unexpected(self.place)
        self.place = found.end()
        return found[0]

    def label(self) -> str:
        if self.text[self.place] != '"':
            return self.name()
        start, self.place = self.place, end_of_string(self.text, self.place, self.shown)
        return self.text[start + 1 : self.place - 1]

    def take(self, character: str) -> bool:
        if self.text[self.place : self.place + 1] != character:
            return False
        self.place += 1
        return True

    def skip(self, *, lines: bool = True) -> int:
        """Go over blanks, and over lines as well, and return the place."""
        blanks = " \t\r\n" if lines else " \t\r"
        while self.place < len(self.text) and self.text[self.place] in blanks:
            self.place += 1
        return self.place

    def line(self, place: int) -> int:
        return self.text.count("\n", 0, place) + 1

    def unexpected(self, place: int) -> BadConfiguration:
        found = self.text[place : place + 10].partition("\n")[0] or "the end of the line"
        return BadConfiguration(
            f"{self.shown}:{self.line(place)}: {found} stands where an argument or a block is expected; "
            "run terraform fmt, which says what it expects."
        )

"""What can be changed in the Terraform of a module, one place at a time.

Every default, bound, literal, list item, nested block, reference and condition is dropped, swapped or widened. Left out
is what makes nothing: descriptions of variables and outputs, the sentences of refusals, and which provider is wanted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sawhorse.hcl import without_comments
from sawhorse.toolchain.provider_record import Schema, read_records
from tests.mutants.inputs import Inputs
from tests.mutants.places import Argument, Block, Span, Token, blocks_of, tokens_of
from tests.mutants.swaps import OTHER_FUNCTION, OTHER_SIGN, SIBLINGS, SWAPPED

JOINED = {"concat", "merge", "coalesce", "compact"}
# A block of one of these types is nothing of AWS's.
CHECKS = ("validation", "precondition", "postcondition")
PROSE = {("variable", "description"), ("output", "description"), *((check, "error_message") for check in CHECKS)}
# What cannot be left out, or is changed where it stands.
KEPT = {
    "nullable",
    "default",
    "type",
    "condition",
    "for_each",
    "count",
    "source",
    "value",
    "sensitive",
    "error_message",
}
# Blocks of which every argument but those can be left out.
WITH_ARGUMENTS = ("resource", "data", "module", "variable", "lifecycle")


@dataclass(frozen=True)
class Mutant:
    """One change to one file of a module."""

    module: str
    file: str
    line: int
    # The block and the argument, as they are nested.
    path: tuple[str, ...]
    span: Span
    old: str
    new: str
    # Tells those apart that would be told with the same words.
    number: int = 1
    # The sentence of the check that it stands in, "" elsewhere.
    sentence: str = ""
    # The variables that can tell it.
    inputs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What a line in survivors.yaml calls it: no line's number, which other changes move."""
        shown = f"{self.module}/{self.file} > {' > '.join(self.path)}: {brief(self.old)} -> {brief(self.new)}"
        return shown if self.number == 1 else f"{shown} ({self.number})"

    @property
    def is_a_default(self) -> bool:
        """Whether it only changes what is not given."""
        return "".join(self.path[:1]).startswith("variable.") and not self.in_a_check

    @property
    def in_a_check(self) -> bool:
        """Whether it only changes what is refused."""
        return any(part in CHECKS for part in self.path)

    def text(self, modules: Path) -> str:
        """Return the file with the change."""
        text = (modules / self.module / self.file).read_text()
        return text[: self.span.start] + self.new + text[self.span.end :]


def brief(text: str) -> str:
    words = " ".join(text.split()) or "nothing"
    return words if len(words) <= 60 else f"{words[:57]}..."


def mutants_of(modules: Path, module: str) -> list[Mutant]:
    """Return every change that is tried in a module."""
    files = {path.name: path.read_text() for path in sorted((modules / module).glob("*.tf"))}
    files.pop("terraform.tf", None)
    blocks = {name: blocks_of(text, f"{module}/{name}") for name, text in files.items()}
    kinds = types_of_variables(files.get("variables.tf", ""), blocks.get("variables.tf", []))
    plain = {name: without_comments(text, module) for name, text in files.items()}
    whole = "\n".join(plain.values())
    inputs = Inputs(plain, blocks)
    seen: Counter[tuple[object, ...]] = Counter()
    found = []
    for name, text in files.items():
        file = File(f"{module}/{name}", plain[name], kinds, whole)
        sentences = sentences_of(text, blocks[name])
        for path, span, new in sorted(file.changes(blocks[name]), key=lambda change: (change[1].start, change[1].end)):
            old = text[span.start : span.end]
            if new == old:
                continue
            told = (name, path, brief(old), brief(new))
            seen[told] += 1
            line = text.count("\n", 0, span.start) + 1
            sentence = next((said for whole, said in sentences if whole.start <= span.start < whole.end), "")
            telling = inputs.around(name, span.start, span.end) | (frozenset([new]) & kinds.keys())
            found.append(Mutant(module, name, line, path, span, old, new, seen[told], sentence, telling))
    return found


def types_of_variables(text: str, blocks: Iterable[Block]) -> dict[str, str]:
    """Return the type of every variable as it is written."""
    return {
        block.path[0].split(".", 1)[1]: " ".join(text[a.expression.start : a.expression.end].split())
        for block in blocks
        for a in block.arguments
        if a.name == "type"
    }


def sentences_of(text: str, blocks: Iterable[Block]) -> list[tuple[Span, str]]:
    """Return the sentence of every check, with where the check stands."""
    return [
        (block.whole, text[argument.expression.start : argument.expression.end])
        for top in blocks
        for block in top.within()
        if block.type in CHECKS
        for argument in block.arguments
        if argument.name == "error_message"
    ]


Change = tuple[tuple[str, ...], Span, str]


@dataclass(frozen=True)
class File:
    """A file of a module without its comments, and what the module has besides."""

    shown: str
    text: str
    variables: Mapping[str, str]
    whole: str

    def changes(self, blocks: Iterable[Block]) -> Iterator[Change]:
        """Walk the changes of some blocks of the file and of all that they hold."""
        for top in blocks:
            kind, *labels = top.path[0].split(".")
            if kind == "resource" and not re.search(rf"\b{labels[0]}\.{labels[1]}\b", self.whole):
                yield top.path, top.whole, ""
            for block in top.within():
                if block is not top and block.type != "content" and not needed(block.path):
                    yield block.path, block.whole, ""
                for argument in block.arguments:
                    yield from self.of_argument(top, block, argument)

    def of_argument(self, top: Block, block: Block, argument: Argument) -> Iterator[Change]:
        kind = top.type if block is top else block.type
        if (kind, argument.name) in PROSE or argument.name == "source":
            return
        if argument.name == "type" and kind == "variable":
            yield from self.defaults(argument)
            return
        tokens = tokens_of(self.text, argument.expression, self.shown)
        droppable = kind in WITH_ARGUMENTS or block is not top
        if droppable and argument.name not in KEPT and not literal(tokens) and not needed(argument.path):
            yield argument.path, argument.whole, ""
        yield from self.of_expression(argument.path, tokens, ())

    def defaults(self, argument: Argument) -> Iterator[Change]:
        """Walk the defaults within a type."""

        def walk(tokens: Sequence[Token]) -> Iterator[Change]:
            for number, token in enumerate(tokens):
                before = tokens[number - 1].text if number else ""
                if token.kind == "(" and before == "optional":
                    parts = split(token.inner, ",")
                    if len(parts) > 1:
                        default = [one for part in parts[1:] for one in part]
                        yield argument.path, Span(parts[0][-1].end, default[-1].end), ""
                        yield from self.of_expression(argument.path, default, ())
                    yield from walk(parts[0])
                else:
                    yield from walk(token.inner)

        yield from walk(tokens_of(self.text, argument.expression, self.shown))

    def of_expression(
        self, path: tuple[str, ...], tokens: Sequence[Token], around: tuple[str, ...]
    ) -> Iterator[Change]:
        """Walk the changes of an expression, `around` which the functions and brackets are."""
        yield from self.conditions(path, tokens)
        for number, token in enumerate(tokens):
            if token.kind in ("(", "[", "{"):
                yield from self.of_brackets(path, tokens, number, around)
            elif token.kind == "string":
                yield from self.strings(path, token, around)
            elif token.kind == "name":
                yield from self.of_name(path, tokens, number, around)
            else:
                yield from self.of_sign(path, tokens, number, around)

    def of_brackets(
        self, path: tuple[str, ...], tokens: Sequence[Token], number: int, around: tuple[str, ...]
    ) -> Iterator[Change]:
        """Walk the changes of what brackets hold."""
        token, before = tokens[number], tokens[number - 1] if number else None
        joined = before is not None and before.end == token.start
        called = before.text if before and joined and before.kind == "name" else ""
        if token.kind == "[" and before and joined and before.kind in ("name", "[", "("):
            if not any(one.kind == "number" for one in token.inner):
                yield from self.of_expression(path, token.inner, (*around, "index"))
            return
        yield from self.items(path, token, called)
        yield from self.of_expression(path, token.inner, (*around, called or token.kind))

    def of_name(
        self, path: tuple[str, ...], tokens: Sequence[Token], number: int, around: tuple[str, ...]
    ) -> Iterator[Change]:
        """Walk what else a word could be: the other boolean, another function, or what stands beside it."""
        token = tokens[number]
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        if token.text in ("true", "false"):
            yield path, span(token), "false" if token.text == "true" else "true"
        elif after is not None and after.kind == "(" and after.start == token.end:
            if token.text in OTHER_FUNCTION and not self.is_rounded(after):
                yield path, span(token), OTHER_FUNCTION[token.text]
        elif not (after is not None and after.text == "=" and around[-1:] == ("{",)):
            yield from self.references(path, tokens, number)

    def is_rounded(self, brackets: Token) -> bool:
        """Whether what brackets hold is compared with itself rounded, which is the same up as down."""
        inner = self.text[brackets.start + 1 : brackets.end - 1]
        return self.text.startswith(f" == {inner}", brackets.end)

    def of_sign(
        self, path: tuple[str, ...], tokens: Sequence[Token], number: int, around: tuple[str, ...]
    ) -> Iterator[Change]:
        """Walk the changes of a number or an operator."""
        token = tokens[number]
        beside = [*tokens[max(0, number - 1) : number], *tokens[number + 1 : number + 2]]
        if token.kind == "number":
            # CloudWatch counts in minutes.
            yield path, span(token), str(2 * int(token.text)) if path[-1] == "period" else more(token.text)
            if path[-1] == "condition" and token.text != "0" and around[-1:] != ("[",):
                yield path, span(token), less(token.text)
        elif token.text == "!":
            yield path, span(token), ""
        elif token.text in OTHER_SIGN:
            # Another bound is tried with its number, and a choice as a whole.
            bound = token.text[0] in "<>" and any(one.kind == "number" for one in beside)
            choice = any(one.text == "?" and one.kind == "sign" for one in tokens[number:])
            if not bound and not choice:
                yield path, span(token), OTHER_SIGN[token.text]

    def items(self, path: tuple[str, ...], token: Token, called: str) -> Iterator[Change]:
        """Walk the items that brackets can lose, and the condition of a loop."""
        inner = [one for one in token.inner if one.kind != "line"]
        if inner and inner[0].text == "for":
            place = next((n for n, one in enumerate(inner) if one.text == "if"), None)
            if place is not None:
                yield path, Span(inner[place].start, inner[-1].end), ""
            return
        if token.kind == "(" and called not in JOINED:
            return
        parts = split(token.inner, ",", *("\n",) if token.kind == "{" else ())
        if token.kind == "(" and len(parts) == 1:
            return
        for number, part in enumerate(parts):
            value = next((part[n + 1 :] for n, one in enumerate(part) if one.text == "="), part)
            if literal(value) and (token.kind == "{" or value[0].kind == "number"):
                continue
            # What is read by its name elsewhere cannot be left out.
            if token.kind == "{" and value is not part and re.search(rf"\.{re.escape(part[0].text)}\b", self.whole):
                continue
            end = part[-1].end
            comma = next((one for one in token.inner if one.start >= end and one.kind != "line"), None)
            start = part[0].start
            if comma is not None and comma.text == ",":
                end = comma.end
            elif number and token.kind == "(":
                start = parts[number - 1][-1].end
            yield path, Span(start, end), ""

    def conditions(self, path: tuple[str, ...], tokens: Sequence[Token]) -> Iterator[Change]:
        """Walk the choices of an expression, each taken as if its condition always, or never, held."""
        for number, token in enumerate(tokens):
            if token.text != "?" or token.kind != "sign":
                continue
            start = number
            while start and not (
                tokens[start - 1].text in (",", "=", "=>", ":", "?", "if", "in") and tokens[start - 1].kind != "string"
            ):
                start -= 1
            part = [one for one in tokens[start:number] if one.kind != "line"]
            if part:
                whole = Span(part[0].start, part[-1].end)
                yield path, whole, "true"
                yield path, whole, "false"

    def references(self, path: tuple[str, ...], tokens: Sequence[Token], number: int) -> Iterator[Change]:
        """Walk what a name may be taken for: another variable of its type, or what stands beside it."""
        if path[0].startswith("variable."):
            return  # a validation is of its own variable
        token = tokens[number]
        before = tokens[number - 1].text if number else ""
        if before == ".":
            head = tokens[number - 2].text if number > 1 else ""
            if head == "var":
                others = [name for name, kind in self.variables.items() if kind == self.variables.get(token.text)]
                if len(others) > 1:
                    place = others.index(token.text)
                    yield path, span(token), others[(place + 1) % len(others)]
            elif token.text in SIBLINGS and head not in ("each", "module"):
                first = next((one.text for one in reversed(tokens[:number]) if one.start == chain(tokens, number)), "")
                if self.has(first, head, SIBLINGS[token.text]):
                    yield path, span(token), SIBLINGS[token.text]

    def has(self, first: str, head: str, name: str) -> bool:
        """Whether there is such a thing where a chain of names begins with one and leads over another."""
        if head.startswith("aws_"):
            return re.search(rf'resource "{head}" "{name}"', self.whole) is not None
        if first.startswith("aws_"):
            return first in schemas() and name in schemas()[first].names
        place = r"^  " if head == "local" else r"\b"
        return re.search(rf"{place}{name}\s*=", self.whole, re.MULTILINE) is not None

    def strings(self, path: tuple[str, ...], token: Token, around: tuple[str, ...]) -> Iterator[Change]:
        """Walk the changes of a string: its letters, what it holds of others, and of a pattern its ends and bounds."""
        for template in token.templates:
            yield from self.of_expression(path, template, (*around, "template"))
        text = token.text[1:-1]
        if "regex" in around or (text.startswith("/") and text.endswith("/") and len(text) > 1):
            yield from patterns(path, token)
        elif text in SWAPPED:
            yield path, span(token), f'"{SWAPPED[text]}"'
        elif around[-1:] == ("[",) and not token.templates:
            return  # it is left out instead
        elif not token.templates or re.sub(r"\$\{.*\}", "", text):
            yield path, Span(token.end - 1, token.end - 1), "-mutated"


def patterns(path: tuple[str, ...], token: Token) -> Iterator[Change]:
    """Walk the changes of a regular expression that let through more, or less."""
    text = token.text
    for found in re.finditer(r"^\"\^|\$\"$|\{(\d+),(\d+)\}|\{(\d+)\}", text):
        start = token.start + found.start()
        if found[0] == '"^':
            yield path, Span(start + 1, start + 2), ""
        elif found[0] == '$"':
            yield path, Span(start, start + 1), ""
        else:
            bounds = [int(bound) for bound in found.groups() if bound]
            for place, change in ((0, -1), (-1, 1)):
                other = list(bounds)
                other[place] += change
                if other[0] >= 0:
                    new = "{" + ",".join(map(str, other)) + "}"
                    yield path, Span(start, start + len(found[0])), new


@cache
def schemas() -> Mapping[str, Schema]:
    """Return what the provider says of every type of resource and data source."""
    executed, _ = read_records()
    return executed.types


def needed(path: Sequence[str]) -> bool:
    """Whether the provider wants an argument or a block, and Terraform would refuse everything without it."""
    kind, *labels = path[0].split(".")
    schema = schemas().get(f"data.{labels[0]}" if kind == "data" else labels[0]) if labels else None
    names = [part.split(".")[-1] for part in path[1:] if part != "content"]
    for name in names[:-1]:
        schema = schema.blocks.get(name) if schema else None
    return schema is not None and bool(names) and names[-1] in schema.required | schema.required_blocks


def chain(tokens: Sequence[Token], number: int) -> int:
    """Return where the names and dots begin that lead to a name."""
    while number >= 2 and tokens[number - 1].text == ".":
        number -= 2
        while tokens[number].kind in ("[", "(") and number:
            number -= 1
    return tokens[number].start


def literal(tokens: Sequence[Token]) -> bool:
    """Whether an expression is one number, boolean or text, which is changed and not left out."""
    return len(tokens) == 1 and (
        tokens[0].kind == "number"
        or tokens[0].text in ("true", "false")
        or (tokens[0].kind == "string" and not tokens[0].templates)
    )


def span(token: Token) -> Span:
    return Span(token.start, token.end)


def more(number: str) -> str:
    return str(int(number) + 1) if number.isdecimal() else f"{number}1"


def less(number: str) -> str:
    return str(int(number) - 1) if number.isdecimal() else f"0{number}"


def split(tokens: Iterable[Token], *separators: str) -> list[list[Token]]:
    """Return the parts of some tokens, without the empty ones and their line ends."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in separators and token.kind in ("sign", "line"):
            parts.append([])
        elif token.kind != "line":
            parts[-1].append(token)
    return [part for part in parts if part]

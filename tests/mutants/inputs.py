"""Follow an expression of a module to the variables that it depends on: no other argument can tell a change to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tests.mutants.places import Argument, Block

REFERENCE = re.compile(r"\b(?:(var|local)\.(\w+)|(aws_\w+\.\w+))")
# What says how many there are of something.
LOOPS = ("for_each", "count")


class Inputs:
    """What stands in a module, by what it is called elsewhere in the module."""

    def __init__(self, texts: Mapping[str, str], blocks: Mapping[str, Iterable[Block]]) -> None:
        self.blocks = {name: list(found) for name, found in blocks.items()}
        self.texts = texts
        self.said: dict[str, str] = {}
        for name, found in self.blocks.items():
            for block in found:
                self.said |= dict(self.read(texts[name], block))

    def read(self, text: str, block: Block) -> Iterator[tuple[str, str]]:
        """Walk what a block says under a name: each local value, and of a resource how many there are."""
        kind, *labels = block.path[0].split(".")
        if kind == "locals":
            yield from ((f"local.{argument.name}", written(text, argument)) for argument in block.arguments)
        elif kind == "resource":
            yield ".".join(labels), loops(text, block)

    def of(self, text: str) -> frozenset[str]:
        """Return the names of the variables that a text depends on."""
        names: set[str] = set()
        seen: set[str] = set()
        texts = [text]
        while texts:
            for found in REFERENCE.finditer(texts.pop()):
                if found[1] == "var":
                    names.add(found[2])
                elif found[0] not in seen:
                    seen.add(found[0])
                    texts.append(self.said.get(found[0], ""))
        return frozenset(names)

    def around(self, name: str, start: int, end: int) -> frozenset[str]:
        """Return the variables that a place of a file depends on, with how often it is there."""
        text = self.texts[name]
        top = next(block for block in self.blocks[name] if block.whole.start <= start < block.whole.end)
        holding = [block for block in top.within() if block.whole.start <= start and end <= block.whole.end]
        innermost = holding[-1]
        argument = next((one for one in innermost.arguments if one.whole.start <= start and end <= one.whole.end), None)
        own = text[innermost.whole.start : innermost.whole.end] if argument is None else written(text, argument)
        kind, *labels = top.path[0].split(".")
        of_it = labels if kind == "variable" else []
        return self.of("\n".join([own, *(loops(text, block) for block in holding)])) | frozenset(of_it)


def written(text: str, argument: Argument) -> str:
    return text[argument.expression.start : argument.expression.end]


def loops(text: str, block: Block) -> str:
    return "\n".join(written(text, argument) for argument in block.arguments if argument.name in LOOPS)

"""Compare what a check of a variable takes with what its sentence says."""

from __future__ import annotations

import re

from sawhorse.hcl import without_comments
from tests.mutants.places import Block, Token, blocks_of, tokens_of

# A shorter list is no list of all that is taken.
SHORTEST = 3


def lists_that_differ(text: str, shown: str) -> list[str]:
    """Return the checks whose list of numbers is not the one that their sentence names."""
    plain = without_comments(text, shown)
    found = []
    for top in blocks_of(text, shown):
        for block in top.within():
            if block.type == "validation":
                found += differing(plain, block, shown)
    return found


def differing(text: str, block: Block, shown: str) -> list[str]:
    arguments = {argument.name: argument.expression for argument in block.arguments}
    sentence = text[arguments["error_message"].start : arguments["error_message"].end]
    named = re.findall(r"\b\d+\b", re.sub(r"\$\{.*?\}", "", sentence))
    line = text.count("\n", 0, block.whole.start) + 1
    return [
        f"{shown}:{line}: {', '.join(taken)} are taken, and the sentence names {', '.join(named)}"
        for taken in numbers_of(tokens_of(text, arguments["condition"], shown))
        if not any(named[start : start + len(taken)] == taken for start in range(len(named)))
    ]


def numbers_of(tokens: tuple[Token, ...]) -> list[list[str]]:
    """Return the lists of numbers in an expression, however deep."""
    found = []
    for token in tokens:
        items = [one for one in token.inner if one.kind != "line" and one.text != ","]
        if token.kind == "[" and len(items) >= SHORTEST and all(one.kind == "number" for one in items):
            found.append([one.text for one in items])
        found += numbers_of(token.inner)
    return found

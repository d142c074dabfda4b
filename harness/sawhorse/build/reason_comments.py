"""Read the reasons that a list in package.toml gives for its words, which TOML itself takes for comments.

A word's reason is a comment on its line, or on the lines directly above it; comments directly above the list's key are
the reason of every word.
"""

from __future__ import annotations

import re
import tomllib

# As much of TOML as tells comments from texts, and where a list begins and ends (https://toml.io/en/v1.0.0).
TOKEN = re.compile(
    r"""
    (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')
    |(?P<comment>\#[^\n]*)
    |(?P<end>\n)
    |(?P<sign>[\[\]{}=,])
    |(?P<word>[^\s\"'\#\[\]{}=,]+)
    |[^\S\n]+
    """,
    re.VERBOSE | re.DOTALL,
)
# What a comment has to have to be a reason.
SAYS_SOMETHING = re.compile(r"\w\w")


def words_without_reason(written: str, key: str) -> list[int]:
    """Return which words of the list `key`, counted from 0, have no reason; `written` is whole and valid TOML."""
    comments: dict[int, str] = {}
    # The line of every word of the list, and the line that its key stands on.
    words: list[int] = []
    key_line: int | None = None
    line, depth, within = 1, 0, False
    code_lines: set[int] = set()
    statement: list[str] = []
    for found in TOKEN.finditer(written):
        kind, token = found.lastgroup, found[0]
        if kind == "comment":
            comments[line] = token.lstrip("#")
        elif kind == "end":
            if depth == 0:
                statement = []
                within = False
        elif kind is not None:
            code_lines.add(line)
            statement.append(token)
            if statement == ["["]:
                # The first table: what stands in it is not at the top.
                break
            if statement[1:] == ["="] and key_meant(statement[0]) == key:
                within, key_line = True, line
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0) if kind == "sign" else 0
            if within and kind == "text":
                words.append(line)
        line += token.count("\n")
    return [
        number
        for number, at in enumerate(words)
        if not any(is_reason(comments, code_lines, one) for one in (at, key_line) if one is not None)
    ]


def key_meant(written: str) -> str:
    """Return the key that a word stands for: TOML takes it bare, quoted, and quoted with escapes."""
    return next(iter(tomllib.loads(f"{written} = 0")))


def is_reason(comments: dict[int, str], code_lines: set[int], line: int) -> bool:
    """Say whether a line, or the comments directly above it, say something."""
    if SAYS_SOMETHING.search(comments.get(line, "")):
        return True
    above = line - 1
    while above in comments and above not in code_lines:
        if SAYS_SOMETHING.search(comments[above]):
            return True
        above -= 1
    return False

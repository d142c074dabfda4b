"""Text that others wrote, as it is kept and shown: nothing in it steers a terminal or begins a line of its own."""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    """Replace what would steer a terminal or turn a line around by U+FFFD; tabs stay, and newlines where `lines`."""
    if text.isprintable():
        return text
    kept = "\t\n" if lines else "\t"
    return "".join(letter if letter.isprintable() or letter in kept else "\N{REPLACEMENT CHARACTER}" for letter in text)


def one_line(text: str) -> str:
    """Put a text on one line that only says what it says: whitespace is a space, what is left is printable."""
    return printable(" ".join(text.split()))

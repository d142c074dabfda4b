"""Commit what stands in a project of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sawhorse.git import git

if TYPE_CHECKING:
    from pathlib import Path

AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")


def commit_all(directory: Path, *paths: str) -> str:
    """Commit all that git does not ignore, or these paths though it does, and return the commit.

    The first time it makes the repository; where nothing has changed the commit is an empty one.
    """
    added = ("--force", "--", *paths) if paths else ()
    for words in (
        ("init", "--quiet"),
        ("add", "--all", *added),
        (*AUTHOR, "commit", "--quiet", "--allow-empty", "--message=Change"),
    ):
        said(directory, *words)
    return said(directory, "rev-parse", "HEAD")


def said(directory: Path, *words: str) -> str:
    """Return what git prints, and expect that it does what it is told."""
    ended = git(directory, *words)
    assert ended is not None
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode().strip()

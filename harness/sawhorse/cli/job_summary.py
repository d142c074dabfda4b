"""Add how a command ended to the summary of the job that it runs in; nothing outside of a workflow."""

from __future__ import annotations

import itertools
import os
import sys

from sawhorse.errors import SawhorseError, file_error_sentence, report_error

# What people look for in a summary: what was done to a root, and what was found.
TOLD = ("apply", "deploy", "destroy", "release", "rollback", "seed", "smoke", "verify")


def reported(error: SawhorseError | OSError) -> int:
    """Tell of an error on standard error and in the summary, and return the exit code."""
    code = report_error(error)
    tell(code, file_error_sentence(error) if isinstance(error, OSError) else str(error))
    return code


def tell(code: int, sentence: str = "") -> None:
    """Add a line for a command that ended with an exit code. Options are left out: they may hold values."""
    if not os.environ.get("GITHUB_STEP_SUMMARY"):
        return
    # What runs elsewhere has no use for these.
    from sawhorse.operate.pipelines.comment import code as as_code
    from sawhorse.operate.pipelines.comment import plain
    from sawhorse.operate.pipelines.this_run import keep_reason, summarize

    words = list(itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:4]))
    command = f"sawhorse {' '.join(words)}"
    if code:
        keep_reason(f"{command} ended with exit code {code}{told(sentence)}")
        summarize(f"> [!CAUTION]\n> {as_code(command)} ended with exit code {code}{plain(told(sentence))}")
    elif words[:1] and words[0] in TOLD:
        summarize(f"- {as_code(command)}: done")


def told(sentence: str) -> str:
    return f": {' '.join(sentence.split())}" if sentence else "; its output is in the log."

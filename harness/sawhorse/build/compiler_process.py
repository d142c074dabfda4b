"""Start an interpreter as a compiler of sources, in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

# What a compiler is told that is to judge imports as well.
JUDGING = "judging"
HARNESS = str(Path(__file__).parents[2])
# Isolated from where it lies, Python finds the harness nowhere else. A module that is imported keeps its bytecode.
COMPILER = f"import sys; sys.path.append({HARNESS!r}); from sawhorse.build.bytecode_worker import main; main()"


class WrongInterpreter(Exception):
    """What was to compile is not there, is another version, or failed."""


def compiler_command(interpreter: str) -> list[str]:
    """Return what starts a compiler: isolated from the user's settings, and with the standard library alone."""
    return [interpreter, "-I", "-S", "-c", COMPILER]


class CompilerProcess:
    """A compiler in a process of its own; `subprocess` would take 10 ms more of every build to import.

    One that is `judging` imports what judges imports while it waits for sources.
    """

    __slots__ = ("answer", "child", "question", "said")

    def __init__(self, interpreter: str, *, judging: bool = False) -> None:
        self.said: str | None = None
        question_out, question_in = os.pipe()
        answer_out, answer_in = os.pipe()
        self.question, self.answer = os.fdopen(question_in, "wb"), os.fdopen(answer_out, "rb")
        actions = [(os.POSIX_SPAWN_DUP2, question_out, 0), (os.POSIX_SPAWN_DUP2, answer_in, 1)]
        command = [*compiler_command(interpreter), *([JUDGING] if judging else [])]
        try:
            # An interrupt waits until the compiler is ready to end at it without a word: Python is not while it starts.
            self.child = os.posix_spawn(
                interpreter, command, dict(os.environ), file_actions=actions, setsigmask=[signal.SIGINT]
            )
        except OSError as error:
            self.close()
            raise WrongInterpreter(f"{interpreter} cannot be run ({error.strerror}).") from error
        finally:
            os.close(question_out)
            os.close(answer_in)

    def version(self) -> str:
        """Return the whole version of the interpreter, which it says at once; empty where it says none."""
        if self.said is None:
            self.said = self.answer.readline().decode(errors="replace").rstrip("\n")
        return self.said

    def send(self, question: bytes) -> None:
        """Write a question whole; a compiler that ended before shows that by its answer."""
        try:
            self.question.write(question)
            self.question.close()
        except BrokenPipeError:
            return

    def end(self) -> None:
        """Wait until it ended, which it does at once where nothing was sent or nothing is read."""
        self.close()
        if self.child:
            os.waitpid(self.child, 0)
            self.child = 0

    def close(self) -> None:
        self.answer.close()
        try:
            self.question.close()
        except BrokenPipeError:
            return


def version_of(interpreter: str) -> str:
    """Ask an interpreter for its whole version, such as `3.13.0`. Raises WrongInterpreter for one that does not say."""
    ready = CompilerProcess(interpreter)
    try:
        version = ready.version()
    finally:
        ready.end()
    if not version:
        raise WrongInterpreter(f"{interpreter} does not say which Python it is.")
    return version


def end_all(running: Iterable[CompilerProcess]) -> None:
    """Wait until compilers ended."""
    for compiler in running:
        compiler.end()

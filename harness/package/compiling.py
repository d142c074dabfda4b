"""Have an interpreter compile sources in a process of its own, whichever Python runs the harness.

Imports only what a build that changes one file needs (`harness/package/quick.py`).
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

# SIGINT has this number on every POSIX system; the `signal` module takes its time to import.
INTERRUPT = 2
COMPILER = os.path.join(os.path.dirname(__file__), "compiler.py")  # noqa: PTH118, PTH120 # pathlib takes 10 ms to import


class Compiled:
    """A source as the interpreter took it: its bytecode, what it imports, or why it cannot be compiled."""

    __slots__ = ("bytecode", "error", "imports", "name")

    def __init__(self, name: str, bytecode: bytes | None, imports: list[str], error: str | None) -> None:
        self.name, self.bytecode, self.imports, self.error = name, bytecode, imports, error


class WrongInterpreter(Exception):
    """What was to compile is not there, is another version, or failed."""


def compile_sources(
    interpreter: str, python: str, sources: Sequence[tuple[str, bytes]], *, imports: bool = True
) -> list[Compiled]:
    """Compile `(name, source)` pairs for the minor version `python`, and with `imports` say what they import.

    Each call starts one process. Raises WrongInterpreter.
    """
    if not sources:
        return []
    answer = ask(interpreter, marshal.dumps([imports, [list(source) for source in sources]], 2))
    try:
        version, compiled = marshal.loads(answer)
    except (ValueError, EOFError, TypeError) as error:
        raise WrongInterpreter(f"{interpreter} could not compile the sources of the package.") from error
    if version != python:
        raise WrongInterpreter(f"{interpreter} is Python {version}, not {python}.")
    return [Compiled(*one) for one in compiled]


def ask(interpreter: str, question: bytes) -> bytes:
    """Run the compiler with a question on standard input; `posix_spawn`, since `subprocess` takes 10 ms to import."""
    question_out, question_in = os.pipe()
    answer_out, answer_in = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, question_out, 0), (os.POSIX_SPAWN_DUP2, answer_in, 1)]
    # Isolated from the user's settings, without site-packages: the compiler needs the standard library alone.
    command = [interpreter, "-I", "-S", "-B", COMPILER]
    try:
        # An interrupt waits until the compiler is ready to end at it without a word: Python is not while it starts.
        child = os.posix_spawn(interpreter, command, dict(os.environ), file_actions=actions, setsigmask=[INTERRUPT])
    except OSError as error:
        os.close(question_in)
        os.close(answer_out)
        raise WrongInterpreter(f"{interpreter} cannot be run ({error.strerror}).") from error
    finally:
        os.close(question_out)
        os.close(answer_in)
    with open(question_in, "wb") as pipe:  # noqa: PTH123 # a descriptor
        send(pipe, question)
    with open(answer_out, "rb") as pipe:  # noqa: PTH123 # a descriptor
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def send(pipe: IO[bytes], question: bytes) -> None:
    try:
        pipe.write(question)
        pipe.flush()
    except BrokenPipeError:
        # It ended before it read all; its answer will show that.
        return


def bytecode_name(name: str, python: str) -> str:
    """Return where Python looks for a module's bytecode (PEP 3147): `a/b.py` -> `a/__pycache__/b.cpython-313.pyc`."""
    directory, _, file = name.rpartition("/")
    parent = f"{directory}/" if directory else ""
    return f"{parent}__pycache__/{file.removesuffix('.py')}.cpython-{python.replace('.', '')}.pyc"

"""Have an interpreter compile sources in a process of its own, whichever Python runs the harness.

Imports only what a build that changes one file needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import marshal
import os

from sawhorse.build.zip_writer import BYTECODE_HEADER, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any

    from sawhorse.build.zip_writer import Member

# The magic numbers of the released versions (CPython's Include/internal/pycore_magic_number.h).
MAGIC = {"3.11": 3495, "3.12": 3531, "3.13": 3571, "3.14": 3627}
# What `bytecode_worker.py` writes after the magic number (PEP 552: hash-based, unchecked).
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
# SIGINT has this number on every POSIX system; the `signal` module takes its time to import.
INTERRUPT = 2
# From so many sources on, two compilers side by side take less time than one.
WORTH_TWO = 16
# What a compiler is told that is to judge imports as well.
JUDGING = "judging"
COMPILER = os.path.join(os.path.dirname(__file__), "bytecode_worker.py")  # noqa: PTH118, PTH120 # pathlib takes 10 ms to import


class Imports:
    """What a module imports, each name with its line.

    `certain` runs whenever the module is imported, `possible` for some or later, and `optional` may fail. Named are
    the package's own modules, by every name that may stand for one, and modules that are absent; `a:b` is what is
    imported from the package a and is no module. `bound` are the names that the module may have, None where nobody
    asked or knows; `opens` says that it may make modules that no file is.
    """

    __slots__ = ("bound", "certain", "opens", "optional", "possible")

    def __init__(  # one value each
        self,
        certain: Sequence[tuple[str, int]],
        possible: Sequence[tuple[str, int]],
        optional: Sequence[tuple[str, int]],
        bound: Sequence[str] | None,
        opens: bool = False,  # noqa: FBT001, FBT002 # as it is marshalled
    ) -> None:
        self.certain, self.possible, self.optional = dict(certain), dict(possible), dict(optional)
        self.bound, self.opens = bound, opens

    def described(self) -> list[Any]:
        """All of it, as it can be marshalled."""
        found = [list(found.items()) for found in (self.certain, self.possible, self.optional)]
        return [*found, self.bound, self.opens]


class Compiled:
    """A source as the interpreter took it: its bytecode, what it imports, or why it cannot be compiled.

    `mention` is the first pruned module that it names, with its line.
    """

    __slots__ = ("bytecode", "error", "imports", "mention", "name")

    def __init__(  # one value each
        self,
        name: str,
        bytecode: bytes | None,
        imports: list[Any] | None,
        error: str | None,
        mention: tuple[str, int] | None = None,
    ) -> None:
        self.name, self.bytecode, self.error, self.mention = name, bytecode, error, mention
        self.imports = Imports(*imports) if imports else None


class Judged:
    """Which modules a source's imports are judged by, and which sources are programs.

    `own` are those of the package's sources at the top, `others` those of its dependencies and of the runtime,
    `expected` those that may be there, and `pruned` those that were left out. `modules` are the files of all own ones,
    None where others may come to be. Where `started` is not empty, any other module may be started by what is. Of the
    sources `binding`, the names are asked that they bind.
    """

    __slots__ = ("binding", "expected", "modules", "others", "own", "pruned", "started")

    def __init__(  # noqa: PLR0913 # one value each
        self,
        *,
        own: Sequence[str],
        others: Sequence[str],
        expected: Sequence[str],
        pruned: Sequence[str],
        modules: dict[str, str] | None,
        started: Sequence[str],
        binding: Collection[str],
    ) -> None:
        self.own, self.others, self.expected, self.pruned = own, others, expected, pruned
        self.modules, self.started, self.binding = modules, started, binding

    def how(self, name: str) -> str:
        """Say how a source runs, as the compiler wants to know it."""
        return "started" if name in self.started else "either" if self.started else "imported"

    def surroundings(self) -> list[Any]:
        """All that is the same for every source, as it can be marshalled."""
        return [list(self.own), list(self.others), list(self.expected), list(self.pruned), self.modules]


class WrongInterpreter(Exception):
    """What was to compile is not there, is another version, or failed."""


def compile_sources(
    interpreter: str,
    python: str,
    sources: Sequence[tuple[str, bytes]],
    judged: Judged | None = None,
    ready: Sequence[Running] = (),
) -> list[Compiled]:
    """Compile `(name, source)` pairs, and with `judged` tell what they import.

    `python` is the version that the interpreter must be, minor (`3.13`) or whole (`3.13.0`). Each call takes as many
    processes as `compilers_for` says: those that are `ready`, and others that it starts. Raises WrongInterpreter.
    """
    jobs = [
        [name, source, judged.how(name) if judged else "ignored", judged is not None and name in judged.binding]
        for name, source in sources
    ]
    surroundings = judged.surroundings() if judged else []
    shares = compilers_for(len(jobs))
    compiled: list[Compiled] = [Compiled("", None, None, None)] * len(jobs)
    questions = [marshal.dumps([jobs[number::shares], surroundings], 2) for number in range(shares)]
    for number, (version, answer) in enumerate(ask(interpreter, questions, ready)):
        if version and not f"{version}.".startswith(f"{python}."):
            raise WrongInterpreter(f"{interpreter} is Python {version}, not {python}.")
        try:
            found = marshal.loads(answer)
        except (ValueError, EOFError, TypeError) as error:
            raise WrongInterpreter(f"{interpreter} could not compile the sources of the package.") from error
        compiled[number::shares] = [Compiled(*one) for one in found]
    return compiled


def compilers_for(sources: int) -> int:
    """Return how many compilers share so many sources."""
    return 2 if sources > WORTH_TWO else min(sources, 1)


def version_of(interpreter: str) -> str:
    """Ask an interpreter for its whole version, such as `3.13.0`. Raises WrongInterpreter for one that does not say."""
    ready = Running(interpreter)
    try:
        version = ready.version()
    finally:
        ready.end()
    if not version:
        raise WrongInterpreter(f"{interpreter} does not say which Python it is.")
    return version


def ask(interpreter: str, questions: Sequence[bytes], ready: Sequence[Running] = ()) -> list[tuple[str, bytes]]:
    """Run one compiler for each question, side by side, and return the version of each and what it wrote."""
    running = list(ready)
    try:
        while len(running) < len(questions):
            running.append(Running(interpreter))
        for compiler, question in zip(running, questions, strict=False):
            compiler.send(question)
        return [(compiler.version(), compiler.answer.read()) for compiler, _ in zip(running, questions, strict=False)]
    finally:
        end_all(running)


def end_all(running: Iterable[Running]) -> None:
    """Wait until compilers ended."""
    for compiler in running:
        compiler.end()


class Running:
    """A compiler in a process of its own, started by `posix_spawn`, since `subprocess` takes 10 ms to import.

    One that is `judging` imports what judges imports while it waits for sources.
    """

    __slots__ = ("answer", "child", "question", "said")

    def __init__(self, interpreter: str, *, judging: bool = False) -> None:
        self.said: str | None = None
        question_out, question_in = os.pipe()
        answer_out, answer_in = os.pipe()
        self.question, self.answer = open(question_in, "wb"), open(answer_out, "rb")  # noqa: PTH123, SIM115 # descriptors
        actions = [(os.POSIX_SPAWN_DUP2, question_out, 0), (os.POSIX_SPAWN_DUP2, answer_in, 1)]
        # Isolated from the user's settings, without site-packages: the compiler needs the standard library alone. Its
        # own bytecode is kept beside it, as that of the harness is.
        command = [interpreter, "-I", "-S", COMPILER, *([JUDGING] if judging else [])]
        try:
            # An interrupt waits until the compiler is ready to end at it without a word: Python is not while it starts.
            self.child = os.posix_spawn(
                interpreter, command, dict(os.environ), file_actions=actions, setsigmask=[INTERRUPT]
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


def packed_bytecode(name: str, bytecode: bytes, python: str) -> Member:
    """Compress what was compiled of the source `name` for the minor version `python`."""
    return pack(bytecode_name(name, python), bytecode, from_source=is_kept_unchecked(bytecode, python))


def is_kept_unchecked(bytecode: bytes, python: str) -> bool:
    """Say whether bytecode has the header that a build gives it: this Python's number, never checked, more behind it.

    Of a Python whose number nobody wrote down here yet, any is taken.
    """
    number = int.from_bytes(bytecode[:2], "little")
    begins = bytecode[2:4] == b"\r\n" and bytecode[4:8] == UNCHECKED_HASH
    return begins and MAGIC.get(python, number) == number and len(bytecode) > BYTECODE_HEADER


def bytecode_name(name: str, python: str) -> str:
    """Return where Python looks for a module's bytecode (PEP 3147): `a/b.py` -> `a/__pycache__/b.cpython-313.pyc`."""
    directory, _, file = name.rpartition("/")
    parent = f"{directory}/" if directory else ""
    return f"{parent}__pycache__/{file.removesuffix('.py')}.cpython-{python.replace('.', '')}.pyc"

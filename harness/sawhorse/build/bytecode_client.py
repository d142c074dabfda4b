"""Have an interpreter compile sources in a process of its own, whichever Python runs the harness."""

from __future__ import annotations

import marshal
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sawhorse.build.compiler_process import CompilerProcess, WrongInterpreter, end_all
from sawhorse.build.zip_writer import BYTECODE_HEADER, Member, pack

# The magic numbers of the released versions (CPython's Include/internal/pycore_magic_number.h).
MAGIC = {"3.11": 3495, "3.12": 3531, "3.13": 3571, "3.14": 3627}
# What `bytecode_worker.py` writes after the magic number (PEP 552: hash-based, unchecked).
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
# From so many sources on, two compilers side by side take less time than one.
WORTH_TWO = 16


class Imports(NamedTuple):
    """What a module imports, each name with its line.

    `certain` runs whenever the module is imported, `possible` for some or later, and `optional` may fail. Named are
    the package's own modules, by every name that may stand for one, and modules that are absent; `a:b` is what is
    imported from the package a and is no module. `bound` are the names that the module may have, None where nobody
    asked or knows; `opens` says that it may make modules that no file is.
    """

    certain: Mapping[str, int]
    possible: Mapping[str, int]
    optional: Mapping[str, int]
    bound: Sequence[str] | None
    opens: bool = False

    @classmethod
    def of(cls, described: Sequence[Any]) -> Imports:
        """Take them as they are marshalled."""
        certain, possible, optional, *others = described
        return cls(dict(certain), dict(possible), dict(optional), *others)

    def described(self) -> list[Any]:
        """All of it, as it can be marshalled."""
        found = [list(found.items()) for found in (self.certain, self.possible, self.optional)]
        return [*found, self.bound, self.opens]


class Compiled(NamedTuple):
    """A source as the interpreter took it: its bytecode, what it imports, or why it cannot be compiled.

    `mention` is the first pruned module that it names, with its line.
    """

    name: str
    bytecode: bytes | None
    imports: Imports | None
    error: str | None
    mention: tuple[str, int] | None = None


class Judged(NamedTuple):
    """Which modules a source's imports are judged by, and which sources are programs.

    `own` are those of the package's sources at the top, `others` those of its dependencies and of the runtime,
    `expected` those that may be there, and `pruned` those that were left out. `modules` are the files of all own ones,
    None where others may come to be. Where `started` is not empty, any other module may be started by what is. Of the
    sources `binding`, the names are asked that they bind.
    """

    own: Sequence[str]
    others: Sequence[str] = ()
    expected: Sequence[str] = ()
    pruned: Sequence[str] = ()
    modules: Mapping[str, str] | None = None
    started: Sequence[str] = ()
    binding: Collection[str] = frozenset()

    def how(self, name: str) -> str:
        """Say how a source runs, as the compiler wants to know it."""
        return "started" if name in self.started else "either" if self.started else "imported"

    def surroundings(self) -> list[Any]:
        """All that is the same for every source, as it can be marshalled."""
        modules = None if self.modules is None else dict(self.modules)
        return [list(self.own), list(self.others), list(self.expected), list(self.pruned), modules]


class Compilation(NamedTuple):
    """Sources that compilers are at work on; `results` has to be asked for, once."""

    interpreter: str
    python: str
    running: Sequence[CompilerProcess]
    # Which sources each of them has.
    shares: Sequence[Sequence[int]]

    def results(self) -> list[Compiled]:
        """Return the sources as they were compiled, in their order, once all are. Raises WrongInterpreter."""
        compiled: dict[int, Compiled] = {}
        try:
            for compiler, share in zip(self.running, self.shares, strict=True):
                version, written = compiler.version(), compiler.answer.read()
                if version and not f"{version}.".startswith(f"{self.python}."):
                    raise WrongInterpreter(f"{self.interpreter} is Python {version}, not {self.python}.")
                found = read_compiled(self.interpreter, written, len(share))
                compiled |= dict(zip(share, found, strict=True))
        finally:
            end_all(self.running)
        return [compiled[number] for number in range(len(compiled))]


def read_compiled(interpreter: str, written: bytes, sources: int) -> list[Compiled]:
    """Read what a compiler wrote of so many sources. Raises WrongInterpreter."""
    try:
        compiled = [
            Compiled(name, bytecode, Imports.of(imports) if imports else None, error, mention)
            for name, bytecode, imports, error, mention in marshal.loads(written)
        ]
    except (ValueError, EOFError, TypeError):
        compiled = []
    if len(compiled) != sources:
        raise WrongInterpreter(f"{interpreter} could not compile the sources of the package.")
    return compiled


def start_compiling(
    interpreter: str,
    python: str,
    sources: Sequence[tuple[str, bytes]],
    judged: Judged | None = None,
    ready: Sequence[CompilerProcess] = (),
) -> Compilation:
    """Have `(name, source)` pairs compiled, and with `judged` told what they import.

    `python` is the version that the interpreter must be, minor (`3.13`) or whole (`3.13.0`). Each call takes as many
    processes as `compilers_for` says: those that are `ready`, and others that it starts; a `ready` one that is not
    needed is ended. Raises WrongInterpreter.
    """
    jobs = [
        [name, source, judged.how(name) if judged else "ignored", judged is not None and name in judged.binding]
        for name, source in sources
    ]
    surroundings = judged.surroundings() if judged else []
    shares = shared_out([len(source) for _, source in sources], compilers_for(len(jobs)))
    running = list(ready)
    try:
        while len(running) < len(shares):
            running.append(CompilerProcess(interpreter))
        for compiler, share in zip(running, shares, strict=False):
            compiler.send(marshal.dumps([[jobs[number] for number in share], surroundings], 2))
    except BaseException:
        end_all(running)
        raise
    end_all(running[len(shares) :])
    return Compilation(interpreter, python, running[: len(shares)], shares)


def shared_out(sizes: Sequence[int], compilers: int) -> list[list[int]]:
    """Return which sources each compiler gets, so that all have as many bytes: the larger ones are given out first."""
    shares: list[list[int]] = [[] for _ in range(compilers)]
    loads = [0] * compilers
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number]):
        least = loads.index(min(loads))
        loads[least] += sizes[number]
        shares[least].append(number)
    return shares


def compile_sources(
    interpreter: str, python: str, sources: Sequence[tuple[str, bytes]], judged: Judged | None = None
) -> list[Compiled]:
    """Compile `(name, source)` pairs, as `start_compiling` does, and wait for them."""
    return start_compiling(interpreter, python, sources, judged).results()


def compilers_for(sources: int) -> int:
    """Return how many compilers share so many sources."""
    return 2 if sources > WORTH_TWO else min(sources, 1)


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

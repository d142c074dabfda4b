"""Compile sources to bytecode that is never stale: run by the interpreter whose bytecode it is.

Writes a line with its whole version, such as `3.13.0`: another patch release may compile otherwise. Then it reads a
marshalled `[[[name, source, how, binds], ...], surroundings]` from standard input, and writes a marshalled
`[[name, bytecode or None, imports or None, error or None, mention or None], ...]`. `how` says whether the imports are
wanted as well: `ignored`, or `imported`, `started` or `either` for how the module runs; `binds`, whether the names that
it binds are. `surroundings` are own, other, expected and pruned modules, and the own ones' files or None. Imports the
standard library alone, and what judges imports, since any Python from 3.11 on may be the one that runs it.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import marshal
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    import signal
    from typing import Any
else:
    # What `os` and `signal` are made of. The latter imports `enum`: a third of the time that this takes to start.
    import _signal as signal
    import posix as os

# Marshalled so by every version of Python, and read by every version.
EXCHANGE_FORMAT = 2
# The loader takes the file as it is and looks at no source (PEP 552: hash-based, unchecked).
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
AST_ONLY = 0x400
# Before 3.12, where interned strings became immortal, a later format marks what else of this process has the same
# string, so that equal sources would give different bytes.
CODE_FORMAT = 4 if sys.version_info >= (3, 12) else 2


IGNORED, IMPORTED, STARTED = "ignored", "imported", "started"
# As an argument: imports are to be judged.
JUDGING = "judging"
# Imported only where imports are judged: wheels are compiled without.
JUDGES = ("sawhorse.build.import_statements", "sawhorse.build.present_modules")


def main() -> None:
    try:
        os.write(sys.stdout.fileno(), f"{sys.version.split()[0]}\n".encode())
    except BrokenPipeError:
        # Nobody asks any more.
        sys.exit(1)
    # Whoever asks is interrupted as well, and says so. Where that one ignores interrupts, this does too.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # It was started with interrupts waiting.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # Whoever asks may be killed: nobody is left to be told that nobody reads the response.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if sys.argv[1:] == [JUDGING]:
        prepare_to_judge()
    # A tree of a source is no garbage until all are compiled, and the collector would go through it again and again.
    gc.disable()
    # What a source warns of is for its author's linter.
    warnings.simplefilter("ignore")
    try:
        jobs, surroundings = marshal.loads(sys.stdin.buffer.read())
    except (EOFError, ValueError, TypeError):
        # Whoever asks ended while it sent, and says why itself; if it did not, no response tells it enough.
        sys.exit(1)
    answer = [compiled(job, surroundings) for job in jobs]
    sys.stdout.buffer.write(marshal.dumps(answer, EXCHANGE_FORMAT))


def prepare_to_judge() -> None:
    """Import what judges imports while whoever asks prepares the rest."""
    for name in JUDGES:
        importlib.import_module(name)


def compiled(job: tuple[str, bytes, str, bool], surroundings: list[Any]) -> list[object]:
    """Compile a source under its name in the package, so that no path of this machine gets in."""
    name, source, how, binds = job
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
        tree = None if how == IGNORED else compile(source, name, "exec", AST_ONLY, dont_inherit=True)
    except (MemoryError, RecursionError):
        return [name, None, None, "line 1: nested too deeply for Python", None]
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return [name, None, None, f"line {line}: {getattr(error, 'msg', None) or error}", None]
    bytecode = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source)
    bytecode += marshal.dumps(code, CODE_FORMAT)
    if tree is None:
        return [name, bytecode, None, None, None]
    imports, mention = judged(tree, name, how, surroundings)
    bound = None
    if binds:
        from sawhorse.build.module_attributes import names_bound  # noqa: PLC0415 # of few modules

        bound = names_bound(name, tree, code, name.rpartition("/")[0].replace("/", "."))
    return [name, bytecode, [*imports, bound], None, mention]


def judged(tree: Any, name: str, how: str, surroundings: list[Any]) -> tuple[list[object], tuple[str, int] | None]:
    """Return what a source imports, and the first pruned module that it names.

    It imports for certain, possibly, and what may fail, each module with its line.
    """
    from sawhorse.build.import_statements import imports_of  # noqa: PLC0415 # wheels are compiled without
    from sawhorse.build.present_modules import Surroundings  # noqa: PLC0415 # the same

    own, others, expected, pruned, modules = surroundings
    package, _, file = name.removesuffix(".py").replace("/", ".").rpartition(".")
    module = package if file == "__init__" else f"{package}.{file}" if package else file
    here = Surroundings(
        {IMPORTED: module, STARTED: "__main__"}.get(how),
        frozenset(own),
        frozenset(others),
        frozenset(expected),
        modules,
    )
    mention = None
    if pruned:
        from sawhorse.build.module_mentions import first_mention  # noqa: PLC0415 # few packages had anything pruned

        mention = first_mention(tree, package, frozenset(pruned))
    return [list(found.items()) for found in imports_of(tree, package, here)], mention

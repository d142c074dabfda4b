"""Compile sources to bytecode that is never stale: run by the interpreter whose bytecode it is.

Reads a marshalled `[whether imports are asked for, [[name, source], ...]]` from standard input, and writes a marshalled
`[version, [[name, bytecode or None, modules that it imports, error or None], ...]]`. Imports the standard library
alone, since any Python from 3.11 on may be the one that runs it.
"""

from __future__ import annotations

import importlib.util
import marshal
import signal
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Marshalled so by every version of Python, and read by every version.
EXCHANGE_FORMAT = 2
# The loader takes the file as it is and looks at no source (PEP 552: hash-based, unchecked).
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
AST_ONLY = 0x400


def main() -> None:
    # Whoever asks is interrupted as well, and says so. Where that one ignores interrupts, this does too.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # It was started with interrupts waiting.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # What a source warns of is for its author's linter.
    warnings.simplefilter("ignore")
    imports, jobs = marshal.loads(sys.stdin.buffer.read())
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    answer = [version, [compiled(name, source, imports=imports) for name, source in jobs]]
    sys.stdout.buffer.write(marshal.dumps(answer, EXCHANGE_FORMAT))


def compiled(name: str, source: bytes, *, imports: bool) -> list[object]:
    """Compile a source under its name in the package, so that no path of this machine gets in."""
    try:
        tree = compile(source, name, "exec", AST_ONLY, dont_inherit=True) if imports else None
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except (MemoryError, RecursionError):
        return [name, None, [], "line 1: nested too deeply for Python"]
    except (SyntaxError, ValueError) as error:
        return [name, None, [], f"line {getattr(error, 'lineno', None) or 1}: {getattr(error, 'msg', None) or error}"]
    bytecode = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source) + marshal.dumps(code)
    return [name, bytecode, sorted(imported(tree.body) - sys.stdlib_module_names) if tree else [], None]


def imported(statements: list[Any]) -> set[str]:
    """Name the top-level modules that must be there for these statements to run."""
    modules: set[str] = set()
    for statement in statements:
        kind = type(statement).__name__
        if kind == "Import":
            modules |= {alias.name.partition(".")[0] for alias in statement.names}
        elif kind == "ImportFrom" and not statement.level:
            modules.add(statement.module.partition(".")[0])
        elif kind == "If" and "TYPE_CHECKING" in words_of(statement.test):
            modules |= imported(statement.orelse)
        elif (kind == "If" and "version_info" in words_of(statement.test)) or (
            kind == "With" and suppresses(statement)
        ):
            # What is imported there is there for some Pythons, or may be missing.
            continue
        elif kind == "Try" and any(expects_absence(handler.type) for handler in statement.handlers):
            modules |= imported(statement.orelse) | imported(statement.finalbody)
        else:
            for part in ("body", "orelse", "finalbody", "handlers", "cases"):
                modules |= imported(getattr(statement, part, None) or [])
    return modules


def words_of(test: Any) -> set[str]:
    """Name what a condition speaks of: `sys.version_info >= (3, 12)` -> sys, version_info."""
    words = {getattr(test, "id", ""), getattr(test, "attr", "")}
    for part in ("left", "value", "operand"):
        if hasattr(test, part):
            words |= words_of(getattr(test, part))
    for inner in getattr(test, "values", []):
        words |= words_of(inner)
    return words


def suppresses(statement: Any) -> bool:
    """Say whether a `with` passes over a module that is missing: `with suppress(ImportError):`."""
    calls = [item.context_expr for item in statement.items if hasattr(item.context_expr, "func")]
    return any("suppress" in words_of(call.func) and any(map(expects_absence, call.args)) for call in calls)


def expects_absence(caught: Any) -> bool:
    """Say whether an `except` is there for a module that may be missing."""
    names = {getattr(one, "id", "") for one in getattr(caught, "elts", [caught])}
    return bool(names & {"ImportError", "ModuleNotFoundError"})


if __name__ == "__main__":
    main()

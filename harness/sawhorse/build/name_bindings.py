"""Say which names a source binds, and keep what is known of them where several ways meet.

Run by the interpreter of the functions, so it imports the standard library alone.
"""

from __future__ import annotations

from sawhorse.build.condition_values import ASKED, UNKNOWN, Known, Many, Named, Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
# They bind nothing, and nothing is within them.
LEAVES = frozenset({"Constant", "NoneType", "str", "int"})


def loose_names(statements: Sequence[Any]) -> set[str]:
    """Name what functions assign with `global`."""
    found = (statement.names for statement in statements_in(statements) if type(statement).__name__ == "Global")
    return {name for names in found for name in names}


def statements_in(statements: Sequence[Any]) -> Iterator[Any]:
    """Yield statements, and those in their blocks."""
    open_blocks = [statements]
    while open_blocks:
        for statement in open_blocks.pop():
            yield statement
            open_blocks += blocks_in(statement)


def blocks_in(statement: Any) -> list[Any]:
    return [block for part in BLOCKS if (block := getattr(statement, part, None))]


def names_within(function: Any, names: Names) -> Names:
    """Return the names that are known when a function's body begins."""
    inner = dict(names)
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            inner[argument.arg] = UNKNOWN
    forget_assigned(function.body, inner)
    return inner


def forget_assigned(statements: Sequence[Any], names: Names) -> None:
    """Know nothing any more of what statements assign, in blocks within them as well."""
    for statement in statements_in(statements):
        for name in assigned(statement):
            names[name] = UNKNOWN


def assigned(statement: Any) -> set[str]:
    """Name what one statement binds, leaving the blocks within it out."""
    # Asked once for each block around it; the parser's node keeps what was found.
    found: set[str] | None = getattr(statement, "bound", None)
    if found is None:
        found = statement.bound = bound_by(statement)
    return found


def bound_by(statement: Any) -> set[str]:
    kind = type(statement).__name__
    if kind in {"Import", "ImportFrom"}:
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    found = {statement.name} if isinstance(getattr(statement, "name", None), str) else set()
    if kind in {"FunctionDef", "AsyncFunctionDef", "ClassDef"}:
        return found
    parts: list[Any] = [
        getattr(statement, part, None) for part in ("targets", "target", "items", "pattern", "test", "value", "subject")
    ]
    while parts:
        part = parts.pop()
        kind = type(part).__name__
        if kind == "list":
            parts += part
        elif kind == "Name":
            if type(part.ctx).__name__ != "Load":
                found.add(part.id)
        elif kind not in LEAVES:
            captured = getattr(part, "name", None) or getattr(part, "rest", None)
            if isinstance(captured, str):
                found.add(captured)
            parts += [getattr(part, field, None) for field in getattr(part, "_fields", ()) if field != "ctx"]
    return found


def base_of(statement: Any, package: str) -> str | None:
    """Return what `from a import b` of a package imports from, by its full name; None above all packages."""
    if not statement.level:
        return statement.module or ""
    kept = package.split(".")[: package.count(".") + 2 - statement.level] if package else []
    if not kept:
        return None
    return ".".join([*kept, statement.module] if statement.module else kept)


def merge(names: Names, found: Sequence[Names], *, asked: bool) -> None:
    """Keep what is the same in all of them."""
    for name in {name for one in found for name in one}:
        values = [one.get(name, UNKNOWN) for one in found]
        names[name] = values[0] if all(same(values[0], value) for value in values) else ASKED if asked else UNKNOWN


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Known) and isinstance(other, Known):
        return type(one.value) is type(other.value) and bool(one.value == other.value)
    if isinstance(one, Named) and isinstance(other, Named):
        return (one.name, one.there) == (other.name, other.there)
    if isinstance(one, Many) and isinstance(other, Many):
        pairs = list(zip(one.values, other.values, strict=False))
        return len(one.values) == len(other.values) and all(same(*pair) for pair in pairs)
    return one is other


def halfway(before: Names, after: Names) -> Names:
    """Return what is known when a block ended early; of modules, that does not depend on how far it came."""
    changed = {
        name for name, value in after.items() if isinstance(value, Known) and not same(before.get(name, UNKNOWN), value)
    }
    return {**after, **{name: before.get(name, UNKNOWN) for name in changed}}

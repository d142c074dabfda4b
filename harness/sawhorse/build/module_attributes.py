"""Say which names a module may have once it was imported, where its source shows that.

Run by the interpreter of the functions, so it imports the standard library alone.
"""

from __future__ import annotations

import ast
from opcode import opmap

from sawhorse.build.name_bindings import base_of, statements_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

# Whoever uses one of these may give a module any name.
OPENING = frozenset({
    "__builtins__", "__dict__", "__import__", "eval", "exec", "f_globals", "f_locals", "globals", "locals", "modules",
    "setattr", "vars",
})  # fmt: skip
STORE_NAME, STORE_GLOBAL, EXTENDED = (opmap[name] for name in ("STORE_NAME", "STORE_GLOBAL", "EXTENDED_ARG"))
# With these a source sets attributes that it does not write out.
SETTING = (b"setattr", b"__dict__", b"vars(")
# What a name is imported as that is looked for elsewhere.
ELSEWHERE = "_"


def names_bound(name: str, tree: Any, code: CodeType, package: str) -> list[str] | None:
    """Return every name that a source may bind in its module; None where nobody can tell.

    A package that imports a name from itself has it from elsewhere. The tree is changed.
    """
    statements = [one for one in statements_in(tree.body) if type(one).__name__ == "ImportFrom"]
    own = [one for one in statements if name.endswith("__init__.py") and base_of(one, package) == package]
    for statement in own:
        for alias in statement.names:
            if alias.name != "*":
                alias.asname = alias.asname or ELSEWHERE
    if own:
        code = compile(tree, name, "exec", dont_inherit=True, optimize=0)
    codes = list(codes_in(code))
    if any(not OPENING.isdisjoint(one.co_names) for one in codes) or any(
        one.names[0].name == "*" for one in statements
    ):
        return None
    found = {*stored_by(code, STORE_NAME), *(stored for one in codes for stored in stored_by(one, STORE_GLOBAL))}
    # It is asked for every name that is not there.
    return None if "__getattr__" in found else sorted(found)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    ahead = [code]
    while ahead:
        one = ahead.pop()
        yield one
        ahead += [constant for constant in one.co_consts if isinstance(constant, type(code))]


def stored_by(code: CodeType, operation: int) -> Iterator[str]:
    """Yield the names that an operation of bytecode stores; each takes two bytes, and a large number more of them."""
    above = 0
    for operator, argument in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        if operator == operation:
            yield code.co_names[above | argument]
        above = (above | argument) << 8 if operator == EXTENDED else 0


def may_set(source: bytes, name: str) -> bool:
    """Say whether a source may set this attribute of something."""
    if any(word in source for word in SETTING):
        return True
    try:
        ahead: list[Any] = [compile(source, "module", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return True
    while ahead:
        node = ahead.pop()
        if type(node).__name__ == "Attribute" and node.attr == name and type(node.ctx).__name__ != "Load":
            return True
        for field in getattr(node, "_fields", ()):
            value = getattr(node, field, None)
            ahead += value if isinstance(value, list) else [value]
    return False

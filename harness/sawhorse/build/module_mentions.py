"""Say which modules a source names: in an import of any form, anywhere, or as a string.

Run by the interpreter of the functions, so it imports the standard library alone.
"""

from __future__ import annotations

from sawhorse.build.name_bindings import base_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

# What takes the names below a module as a list of its own.
IMPORTERS = frozenset({"__import__", "import_module"})
LISTS = frozenset({"List", "Tuple", "Set"})
# A longer sum of texts is none of a module's name.
MOST_PARTS = 50


def first_mention(tree: Any, package: str, modules: Collection[str]) -> tuple[str, int] | None:
    """Return the first of these modules that a source of this package names, and its line."""
    found = [
        (line, module) for name, line in mentions_in(tree, package) for module in prefixes_of(name) if module in modules
    ]
    return min(found)[::-1] if found else None


def prefixes_of(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def mentions_in(tree: Any, package: str) -> Iterator[tuple[str, int]]:
    """Yield every dotted name that may be that of a module, with its line."""
    ahead = [tree]
    while ahead:
        node = ahead.pop()
        kind = type(node).__name__
        if kind == "Import":
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif kind == "ImportFrom":
            yield from ((name, node.lineno) for name in imported_from(node, package))
        elif kind == "Call":
            yield from ((name, node.lineno) for name in called_with(node))
        text = text_of(node)
        if text is not None:
            yield from ((name, node.lineno) for name in [dotted(text)] if name)
            continue
        for field in getattr(node, "_fields", ()):
            value = getattr(node, field, None)
            if isinstance(value, list):
                ahead += value
            elif value is not None:
                ahead.append(value)


def imported_from(node: Any, package: str) -> list[str]:
    """Return the modules that `from a import b` may import: a, and a.b."""
    module = base_of(node, package)
    if module is None:
        return []
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


def called_with(node: Any) -> list[str]:
    """Return the modules that a call names in parts: `import_module(".b", "a")`, `__import__("a", fromlist=["b"])`.

    A whole dotted name is a string like any other.
    """
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    texts = [text for one in arguments if (text := text_of(one) or name_of_module(one))]
    packages = [text for text in texts if is_name(text)]
    found = [
        joined(package, text) for text in texts if text[0] == "." and is_name(text.lstrip(".")) for package in packages
    ]
    if getattr(node.func, "attr", getattr(node.func, "id", "")) in IMPORTERS:
        lists = [one.elts for one in arguments if type(one).__name__ in LISTS]
        names = [text for elements in lists for one in elements if (text := text_of(one))]
        found += [*packages, *(f"{package}.{name}" for package in packages for name in names)]
    return found


def joined(package: str, relative: str) -> str:
    """Return the module that `..b` is, seen from `a.c`."""
    name = relative.lstrip(".")
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - (len(relative) - len(name) - 1)], name])


def name_of_module(node: Any) -> str | None:
    """Return `a.b` of `a.b.__name__` and `a.b.__package__`."""
    if type(node).__name__ != "Attribute" or node.attr not in {"__name__", "__package__"}:
        return None
    parts = []
    while type(node.value).__name__ == "Attribute":
        node = node.value
        parts.append(node.attr)
    return ".".join([node.value.id, *reversed(parts)]) if type(node.value).__name__ == "Name" else None


def text_of(node: Any) -> str | None:
    """Return the text that an expression is, where its parts stand there."""
    ahead: list[Any] = [node]
    parts: list[str] = []
    while ahead and len(parts) < MOST_PARTS:
        one = ahead.pop()
        kind = type(one).__name__
        if kind == "BinOp" and type(one.op).__name__ == "Add":
            ahead += (one.left, one.right)
        elif kind == "JoinedStr":
            ahead += one.values
        elif kind == "FormattedValue":
            ahead.append(one.value)
        elif kind == "Constant" and isinstance(one.value, str):
            parts.append(one.value)
        else:
            return None
    return None if ahead else "".join(reversed(parts))


def dotted(text: str) -> str | None:
    """Return the dotted name that a text is, `a.b` or `a.b:c` as entry points are written; None for any other."""
    name = text.partition(":")[0].strip()
    return name if "." in name and is_name(name) else None


def is_name(text: str) -> bool:
    """Say whether a text is a name, or names between dots."""
    return all(map(str.isidentifier, text.split(".")))

"""Find what is handed to a module within an object and is not in the object's type.

Terraform refuses an argument that a module does not have, and drops an attribute that an object type does not have,
without a word: https://developer.hashicorp.com/terraform/language/expressions/type-constraints#conversion-of-complex-types.
A misspelled `retention_in_day = 30` would so mean the default. Objects that are written out are looked at, however
deep; what comes of a function, a condition or a loop is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from sawhorse.hcl import Block, elements, members, read_hcl, text_of
from sawhorse.project import Project

CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
PLAIN = re.compile(r'[^\W\d][\w-]*|"[^"$%\\]*"')
EXAMPLE = re.compile(r"^```hcl\n(.*?)^```", re.MULTILINE | re.DOTALL)
OF_MANY = frozenset({"list", "map", "set", "tuple"})


def lint(project: Project) -> str:
    """Return a line for each attribute that a module would not get, of every root's and module's calls."""
    texts = ((path, project.shown(path)) for path in files(project))
    found = [one for path, shown in texts for one in complaints_of(text_of(path, shown), path.parent, shown)]
    # As deep as a root, so that an example's source path is the one that a root would write.
    root = project.path / "environments/examples/all"
    for readme in sorted((project.path / "modules").rglob("README.md")):
        for example in EXAMPLE.finditer(text_of(readme, project.shown(readme))):
            lines = "\n" * example.string.count("\n", 0, example.start(1))
            found += complaints_of(lines + example[1], root, project.shown(readme))
    return "\n".join(found)


def files(project: Project) -> Iterator[Path]:
    roots = [path for root in project.roots for path in sorted(root.path.glob("*.tf"))]
    modules = sorted((project.path / "modules").rglob("*.tf"))
    return (path for path in [*roots, *modules] if ".terraform" not in path.parts)


def complaints_of(text: str, directory: Path, shown: str) -> Iterator[str]:
    for call in read_hcl(text, shown).blocks:
        said = {argument.name: argument for argument in call.arguments}
        source = said["source"].expression.strip('"') if call.type == "module" and "source" in said else ""
        if not source.startswith("."):
            continue
        for name, type_ in types_of((directory / source).resolve()).items():
            if name in said:
                for attribute, known in unknown(said[name].expression, type_):
                    yield (
                        f"{shown}:{said[name].line}: {name} of the module {''.join(call.labels)} has no {attribute}, "
                        f"which Terraform would drop without a word; it has {', '.join(sorted(known))}."
                    )


@cache
def types_of(module: Path) -> Mapping[str, str]:
    """Return the type of each of a module's variables, as it is written."""
    found = (argument_of(block) for path in sorted(module.glob("*.tf")) for block in variables(path))
    return dict(pair for pair in found if pair)


def variables(path: Path) -> Iterator[Block]:
    return (block for block in read_hcl(text_of(path, str(path)), str(path)).blocks if block.type == "variable")


def argument_of(variable: Block) -> tuple[str, str] | None:
    types = [argument.expression for argument in variable.arguments if argument.name == "type"]
    return ("".join(variable.labels), types[0]) if types else None


def unknown(expression: str, type_: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Walk the attributes of an expression that its type does not have, each with those that it has."""
    call = CALL.fullmatch(type_.strip())
    if call is None:
        return
    kind, inner = call[1], call[2]
    if kind == "optional":
        yield from unknown(expression, elements(inner)[0])
    elif kind == "object":
        types = dict(members(inner) or ())
        for name, value in members(expression) or ():
            plain = name.strip('"')
            if plain in types:
                yield from unknown(value, types[plain])
            elif PLAIN.fullmatch(name):
                yield plain, frozenset(types)
    elif kind in OF_MANY:
        values = [value for _, value in members(expression) or ()] if kind == "map" else elements(expression)
        for value in values:
            yield from unknown(value, inner)

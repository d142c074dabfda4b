"""Refuse a package whose functions cannot be imported, and warn of what may be missing later.

What a handler's module imports runs when its function starts, and so does what those modules import, through packages'
`__init__`. Imports only what a build that changes one file needs (`harness/package/quick.py`).
"""

from __future__ import annotations

from harness.errors import BuildFailed
from harness.package.compiling import Imports
from harness.package.declared import edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.package.state import Recipe

NAMED_AT_MOST = 3
PACKAGE, PROGRAM = "__init__.py", "__main__.py"


def judge(recipe: Recipe, imports: Mapping[str, Imports]) -> list[str]:
    """Return warnings for an app whose sources import this, by their names. Raises BuildFailed."""
    files = files_of_modules(imports)
    # Nobody sees what a program starts.
    programs = [handler for handler in recipe.handlers.values() if handler in recipe.root_files]
    started = files if programs else {handler.rpartition(".")[0] for handler in recipe.handlers.values()}
    reached = reached_from(started, files, imports)
    own = set(recipe.own)
    for name in sorted(reached):
        absent = absent_in(imports[name].certain, own)
        if absent:
            module, line = absent[0]
            raise BuildFailed(
                f"{shown(recipe, name)}, line {line}, imports {module}, which the package of {recipe.app} will not "
                f"have. Add it to {edit(recipe.declared)}; where Lambda has it, name it under "
                f'"provided" in lambda/{recipe.app}/package.toml, and where a layer brings it, under "expected".'
            )
    return warnings_of(recipe, imports, reached, files)


def refuse_pruned(recipe: Recipe, sources: Iterable[tuple[str, bytes]]) -> None:
    """Refuse a source that names a module that was pruned of a dependency, at its top or later. Raises BuildFailed."""
    if not recipe.pruned:
        return
    pruned = set(recipe.pruned)
    for name, content in sources:
        named = sorted(modules_named(content.decode("utf-8", errors="replace")) & pruned)
        if named:
            raise BuildFailed(
                f"{shown(recipe, name)} names {named[0]}, which the package leaves out: it was pruned of a dependency. "
                f"Say prune = [] in lambda/{recipe.app}/package.toml to keep everything, or prune less there."
            )


def modules_named(source: str) -> set[str]:
    """Return the modules that a source may import: of `from a import b` both `a` and `a.b`, and names in strings."""
    import re  # noqa: PLC0415 # takes 5 ms, and few packages had anything pruned

    source = source.replace("\\\n", " ")
    found = set(re.findall(r"""["']([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)["']""", source))
    imported_from = r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]+)"
    for base, names in re.findall(imported_from, source, re.MULTILINE):
        found.add(base)
        found |= {f"{base}.{word}" for word in re.findall(r"[A-Za-z_]\w*", names)}
    for names in re.findall(r"^[ \t]*import[ \t]+([^\n#;]+)", source, re.MULTILINE):
        found |= set(re.findall(r"[A-Za-z_][\w.]*", names))
    return found


def warnings_of(
    recipe: Recipe, imports: Mapping[str, Imports], reached: set[str], files: Mapping[str, str]
) -> list[str]:
    own = set(recipe.own)
    optional = {module for name in reached for module in imports[name].optional}
    excused = reached_from(optional, files, imports)
    found: list[tuple[str, str, int]] = []
    for name in sorted(imports):
        if name in reached:
            found += [(module, name, line) for module, line in absent_in(imports[name].possible, own)]
        elif is_app_module(recipe, name) and name not in excused:
            both = {**imports[name].possible, **imports[name].certain}
            found += [(module, name, line) for module, line in absent_in(both, own)]
    if not found:
        return []
    named = [f"{module} ({shown(recipe, name)}, line {line})" for module, name, line in found[:NAMED_AT_MOST]]
    more = f" and {len(found) - NAMED_AT_MOST} more" if len(found) > NAMED_AT_MOST else ""
    sentence = (
        f"The package of {recipe.app} will not have {', '.join(named)}{more}. No function needs that to start, but "
        f"what imports it later fails in Lambda. Add it to {edit(recipe.declared)}, or, where a layer or the "
        f'runtime brings it, name it under "expected" in lambda/{recipe.app}/package.toml.'
    )
    return [sentence]


def files_of_modules(names: Iterable[str]) -> dict[str, str]:
    """Return the file of each module by the module's name; as in Python, a package comes before a module."""
    modules = {name.removesuffix(".py").replace("/", "."): name for name in names if not name.endswith(f"/{PACKAGE}")}
    packages = {
        name.removesuffix(f"/{PACKAGE}").replace("/", "."): name for name in names if name.endswith(f"/{PACKAGE}")
    }
    return modules | packages


def reached_from(modules: Iterable[str], files: Mapping[str, str], imports: Mapping[str, Imports]) -> set[str]:
    """Return the files that run for certain when these modules are imported."""
    reached: set[str] = set()
    open_modules = list(modules)
    while open_modules:
        module = open_modules.pop()
        # With a module, the packages that it lies in are imported.
        while module:
            name = files.get(module)
            if name is not None and name not in reached:
                reached.add(name)
                open_modules += imports[name].certain
            module = module.rpartition(".")[0]
    return reached


def absent_in(found: Mapping[str, int], own: set[str]) -> list[tuple[str, int]]:
    """Return the modules that are absent, by their lines."""
    absent = [(module, line) for module, line in found.items() if module.partition(".")[0] not in own]
    return sorted(absent, key=lambda one: (one[1], one[0]))


def is_app_module(recipe: Recipe, name: str) -> bool:
    """Say whether a module is the app's own; what is shared may be for other apps, and `__main__` for a person."""
    return (name.startswith(f"{recipe.app}/") or name in recipe.root_files) and not name.endswith(f"/{PROGRAM}")


def shown(recipe: Recipe, name: str) -> str:
    """Return where a source lies in the project."""
    return f"lambda/{recipe.app}/{name}" if name in recipe.root_files else f"lambda/{name}"

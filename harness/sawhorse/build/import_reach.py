"""Refuse a package whose functions cannot be imported, and warn of what may be missing later.

What a handler's module imports runs when its function starts, and so does what those modules import, through packages'
`__init__`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sawhorse.build.bytecode_client import Imports
from sawhorse.build.module_attributes import may_set
from sawhorse.build.module_mentions import first_mention
from sawhorse.build.module_paths import modules_of
from sawhorse.build.packed_names import OPERATIONS
from sawhorse.build.present_modules import is_expected
from sawhorse.build.requirement_files import edit
from sawhorse.errors import BuildFailed

if TYPE_CHECKING:
    from sawhorse.build.build_state import BuildInputs
    from sawhorse.build.sources import Sources

NAMED_AT_MOST = 3
PACKAGE, PROGRAM = "__init__.py", "__main__.py"
# With these a source can make modules that no file is, or have others found.
OPENING = (b".modules", b"__path__", b"meta_path", b"path_hooks", b"from sys import")


class Own:
    """The package's own modules: their files and sources, and whether others may come to be while they are imported."""

    __slots__ = ("binding", "expected", "modules", "opens", "sources", "tops")

    def __init__(self, inputs: BuildInputs, sources: Sources, *, opens: bool) -> None:
        self.sources, self.opens = sources, opens
        self.modules = modules_of(sources)
        self.tops, self.expected = frozenset(inputs.own), frozenset(inputs.expected)
        # Only of these anybody asks which names they bind.
        handlers = {self.modules.get(handler.rpartition(".")[0], "") for handler in inputs.handlers.values()}
        self.binding = {name for name in sources if name in handlers or name.endswith(f"/{PACKAGE}")}

    def lacks(self, entry: str, imports: Mapping[str, Imports]) -> bool:
        """Say whether what a source imports is absent for certain: a module, or `a:b`, a name in a package."""
        package, colon, name = entry.partition(":")
        if colon:
            return not is_expected(f"{package}.{name}", self.expected) and self.lacks_name(
                self.modules.get(package), name, imports
            )
        if entry.partition(".")[0] not in self.tops:
            return True
        return not self.opens and entry not in self.modules and not is_expected(entry, self.expected)

    def lacks_name(self, file: str | None, name: str, imports: Mapping[str, Imports]) -> bool:
        """Say whether nothing binds a name in a module of this file, empty for a directory."""
        if not file:
            return file is not None
        bound = imports[file].bound if file in imports else None
        return bound is not None and name not in bound and not self.may_be_set(name)

    def may_be_set(self, name: str) -> bool:
        """Say whether a source may give another module a name; asked before anything is refused."""
        return any(may_set(content, name) for file, (content, _) in self.sources.items() if file.endswith(".py"))


def opens_modules(source: bytes) -> bool:
    return any(word in source for word in OPENING)


def judge(inputs: BuildInputs, imports: Mapping[str, Imports], own: Own) -> list[str]:
    """Return warnings for an app whose sources import this, by their names. Raises BuildFailed."""
    # Nobody sees what a program starts.
    programs = [handler for handler in inputs.handlers.values() if handler in inputs.root_files]
    started = {handler.rpartition(".")[0] for handler in inputs.handlers.values()}
    reached = set(imports) if programs else reached_from(started, own.modules, imports)
    for name in sorted(reached):
        absent = absent_in(imports[name].certain, own, imports)
        if absent:
            raise refusal(inputs, name, *absent[0], own)
    refuse_unbound(inputs, imports, own)
    return warnings_of(inputs, imports, reached, own)


def refuse_unbound(inputs: BuildInputs, imports: Mapping[str, Imports], own: Own) -> None:
    """Refuse a handler's function that its module has not, whatever runs."""
    for handler in inputs.handlers.values():
        module, _, function = handler.rpartition(".")
        file = own.modules.get(module)
        if handler not in inputs.root_files and own.lacks_name(file, function, imports):
            raise BuildFailed(
                f"{shown(inputs, file or module)} has no {function}, so Lambda does not find the handler {handler} of "
                f"{inputs.app}; write that function, or name another one in lambda/{inputs.app}/package.toml."
            )


def refusal(inputs: BuildInputs, name: str, module: str, line: int, own: Own) -> BuildFailed:
    """Say what a source imports that the package lacks, and what to do."""
    expect = f'under "expected" in lambda/{inputs.app}/package.toml'
    package, colon, member = module.partition(":")
    where = f"{shown(inputs, name)}, line {line}, imports"
    if module.startswith("."):
        return BuildFailed(f"{where} from {module}, which lies above all packages; name the module from the top.")
    if f"{package}.{member}.".startswith(f"{inputs.app}.{OPERATIONS}."):
        return BuildFailed(
            f"{where} {module.replace(':', '.')}, and what lies in lambda/{inputs.app}/{OPERATIONS} is never part of a "
            f"package. Move what the functions need of it into lambda/{inputs.app}."
        )
    if colon:
        return BuildFailed(
            f"{where} {member} from {package}, which has neither a module nor anything else of that name. Correct it, "
            f"or, where a layer brings {package}.{member}, name it {expect}."
        )
    if module.partition(".")[0] in own.tops:
        return BuildFailed(
            f"{where} {module}, and the package of {inputs.app} has no such module. Correct it, or, where a layer "
            f"brings it, name it {expect}."
        )
    return BuildFailed(
        f"{where} {module}, which the package of {inputs.app} will not have. Add it to {edit(inputs.declared)}; where "
        f'Lambda has it, name it under "provided" in lambda/{inputs.app}/package.toml, and where a layer brings it, '
        'under "expected".'
    )


def refuse_mentions(inputs: BuildInputs, sources: Iterable[tuple[str, bytes]]) -> None:
    """Refuse a source that names a pruned module, as far as this Python reads it. Raises BuildFailed."""
    if not inputs.pruned:
        return
    for name, content in sources:
        try:
            tree = compile(content, name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        package = name.rpartition("/")[0].replace("/", ".")
        mention = first_mention(tree, package, frozenset(inputs.pruned))
        if mention:
            raise pruned_mention(inputs, name, *mention)


def pruned_mention(inputs: BuildInputs, name: str, module: str, line: int) -> BuildFailed:
    return BuildFailed(
        f"{shown(inputs, name)}, line {line}, names {module}, which the package leaves out: it was pruned of a "
        f"dependency. Say prune = [] in lambda/{inputs.app}/package.toml to keep everything, or prune less there."
    )


def warnings_of(inputs: BuildInputs, imports: Mapping[str, Imports], reached: set[str], own: Own) -> list[str]:
    optional = {module for name in reached for module in imports[name].optional}
    excused = reached_from(optional, own.modules, imports)
    found: list[tuple[str, str, int]] = []
    for name in sorted(imports):
        if name in reached:
            found += [(module, name, line) for module, line in absent_in(imports[name].possible, own, imports)]
        elif is_app_module(inputs, name) and name not in excused:
            both = {**imports[name].possible, **imports[name].certain}
            found += [(module, name, line) for module, line in absent_in(both, own, imports)]
    theirs = [one for one in found if one[0].partition(".")[0].partition(":")[0] not in own.tops and one[0][0] != "."]
    ours = [one for one in found if one not in theirs]
    expect = f'under "expected" in lambda/{inputs.app}/package.toml.'
    advice = f"Add it to {edit(inputs.declared)}, or, where a layer or the runtime brings it, name it {expect}"
    return [
        *warning(inputs, theirs, advice),
        *warning(inputs, ours, f"Correct the name, or, where a layer brings it, name it {expect}"),
    ]


def warning(inputs: BuildInputs, found: Sequence[tuple[str, str, int]], advice: str) -> list[str]:
    """Name the first of what is absent, each with the source that imports it and its line."""
    if not found:
        return []
    named = [
        f"{module.replace(':', '.')} ({shown(inputs, name)}, line {line})"
        for module, name, line in found[:NAMED_AT_MOST]
    ]
    more = f" and {len(found) - NAMED_AT_MOST} more" if len(found) > NAMED_AT_MOST else ""
    sentence = (
        f"The package of {inputs.app} will not have {', '.join(named)}{more}. No function needs that to start, but "
        f"what imports it later fails in Lambda. {advice}"
    )
    return [sentence]


def unused_expected(inputs: BuildInputs, sources: Mapping[str, tuple[bytes, bool]]) -> list[str]:
    """Return a warning where no source has the name of a module that is expected: nothing asks for it then."""
    contents = [content for name, (content, _) in sources.items() if name.endswith(".py") or name in inputs.root_files]
    # A relative import has the last part of a name alone.
    last = {name: name.rpartition(".")[2].encode() for name in inputs.expected}
    unused = [name for name in inputs.expected if not any(last[name] in content for content in contents)]
    if not unused:
        return []
    sentence = (
        f"lambda/{inputs.app}/package.toml: expected has {', '.join(unused)}, which no source of the package names; "
        "remove what nothing imports."
    )
    return [sentence]


def reached_from(modules: Iterable[str], files: Mapping[str, str], imports: Mapping[str, Imports]) -> set[str]:
    """Return the files that run for certain when these modules are imported."""
    reached: set[str] = set()
    open_modules = list(modules)
    while open_modules:
        module = open_modules.pop()
        # With a module, the packages that it lies in are imported.
        while module:
            name = files.get(module, "")
            if name in imports and name not in reached:
                reached.add(name)
                open_modules += [one for one in imports[name].certain if not is_bound(one, files, imports)]
            module = module.rpartition(".")[0]
    return reached


def is_bound(module: str, files: Mapping[str, str], imports: Mapping[str, Imports]) -> bool:
    """Say whether a package may have this name of its own: `from package import name` imports no module then."""
    package, _, name = module.rpartition(".")
    found = imports.get(files.get(package, ""))
    return found is not None and (found.bound is None or name in found.bound)


def absent_in(found: Mapping[str, int], own: Own, imports: Mapping[str, Imports]) -> list[tuple[str, int]]:
    """Return what is absent, by its lines."""
    absent = [(entry, line) for entry, line in found.items() if own.lacks(entry, imports)]
    return sorted(absent, key=lambda one: (one[1], one[0]))


def is_app_module(inputs: BuildInputs, name: str) -> bool:
    """Say whether a module is the app's own; what is shared may be for other apps, and `__main__` for a person."""
    return (name.startswith(f"{inputs.app}/") or name in inputs.root_files) and not name.endswith(f"/{PROGRAM}")


def shown(inputs: BuildInputs, name: str) -> str:
    """Return where a source lies in the project."""
    return f"lambda/{inputs.app}/{name}" if name in inputs.root_files else f"lambda/{name}"

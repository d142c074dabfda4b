"""Say which files of `lambda/shared` a package has: the modules that its own sources reach, and the data of those.

What is shared serves every app, and no function takes the rest of it along: neither its bytes, nor a deployment
whenever another app's part changes. A module is reached by an import of any kind, anywhere in a source; by its dotted
name in a string; and where a source has modules found by names that nobody can read, all are reached.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sawhorse.build.module_paths import Modules, modules_of, prefixes_of
from sawhorse.build.packed_names import SHARED

if TYPE_CHECKING:
    from sawhorse.build.bytecode_client import Imports
    from sawhorse.build.sources import Sources

WORD = re.compile(rb"[^\W\d]\w*")
# In Python within quotes, elsewhere anywhere: `shared.items`, `shared/items`.
NAMED = re.compile(rf"{SHARED}(?:[./][A-Za-z_]\w*)+".encode())
QUOTED = re.compile(rf"[\"']({SHARED}(?:[./][A-Za-z_]\w*)+)".encode())
# A source with one of these may have any module found, or read any file that lies beside it.
OPENS_MODULES = (
    b"import_module", b"__import__", b"find_spec", b"spec_from", b"pkgutil", b"__path__", b"runpy", b"exec(",
    b"import *",
)  # fmt: skip
OPENS_FILES = (b"__file__", b"resources", b"pkgutil", b"__path__", b"__spec__", b"__loader__", b"get_data")


def is_shared(name: str) -> bool:
    return name.startswith(f"{SHARED}/")


def own_names(sources: Sources) -> set[str]:
    """Return the files that a package has in any case: all but the shared ones."""
    return {name for name in sources if not is_shared(name)}


def mentioned(sources: Sources, looked_at: Iterable[str], known: Collection[str]) -> set[str]:
    """Return the shared modules that these sources may name, directly or by one another, besides those `known`.

    A superset of what is reached, found by words alone, so that nothing else need be compiled.
    """
    modules = modules_of(name for name in sources if is_shared(name))
    by_word: dict[bytes, set[str]] = {}
    for module, file in modules.items():
        if file and file not in known:
            by_word.setdefault(module.rpartition(".")[2].encode(), set()).add(file)
    found: set[str] = set()
    ahead = list(looked_at)
    while ahead and by_word:
        name = ahead.pop()
        content = sources[name][0]
        if not is_shared(name) and SHARED.encode() not in content:
            continue
        if finds_any_module(content):
            words = set(by_word)
        else:
            # Python takes several spellings for one name beyond ASCII.
            words = {word for word in by_word if not word.isascii()} | (by_word.keys() & set(WORD.findall(content)))
        for word in words:
            files = by_word.pop(word) - found
            found |= files
            ahead += [file for file in files if file.endswith(".py")]
    return found


def reached(
    sources: Sources,
    compiled: Collection[str],
    imports: Mapping[str, Imports],
    entered: Iterable[str],
    named: Mapping[str, set[str]],
) -> set[str]:
    """Return the shared files of a package whose sources import this; `compiled` are those that may be among them.

    `entered` are reached whoever names them, and `named` is what `named_in_texts` gives.
    """
    modules = modules_of(name for name in sources if is_shared(name))
    found: set[str] = set()
    ahead = [*own_names(sources), *files_of_entries(sources, entered)]
    while ahead:
        name = ahead.pop()
        if is_shared(name):
            if name in found:
                continue
            found.add(name)
        ahead += [file for file in named[name] | imported_by(name, modules, imports) if file in compiled]
    return found | data_of(sources, found)


def named_in_texts(sources: Sources) -> dict[str, set[str]]:
    """Return the files of the shared modules that each source names in a text, by the source's name."""
    modules = modules_of(name for name in sources if is_shared(name))
    return {name: named_in(name, content, modules) for name, (content, _) in sources.items()}


def named_in(name: str, content: bytes, modules: Modules) -> set[str]:
    if not is_shared(name) and SHARED.encode() not in content:
        return set()
    if name.endswith(".py") and finds_any_module(content):
        return {file for file in modules.values() if file}
    pattern = QUOTED if name.endswith(".py") else NAMED
    named = {module_in(one.decode().replace("/", "."), modules) for one in pattern.findall(content)}
    return {file for module in named for file in files_of(module, modules)}


def imported_by(name: str, modules: Modules, imports: Mapping[str, Imports]) -> set[str]:
    """Return the files of the shared modules that a source imports."""
    if name not in imports:
        return set()
    one = imports[name]
    names: set[str] = set()
    for entry in (*one.certain, *one.possible, *one.optional):
        package, _, member = entry.partition(":")
        names |= {package, f"{package}.{member}" if member else package}
    return {file for module in names for file in files_of(module, modules)}


def module_in(name: str, modules: Modules) -> str:
    """Return the module that a dotted name in a string begins with, such as that of a function; empty for none."""
    return next((one for one in prefixes_of(name) if one in modules and one != SHARED), "")


def files_of_entries(sources: Sources, entered: Iterable[str]) -> set[str]:
    """Return the shared files of modules that are reached whoever names them, such as those of handlers."""
    modules = modules_of(name for name in sources if is_shared(name))
    return {file for module in entered for file in files_of(module, modules)}


def files_of(module: str, modules: Modules) -> list[str]:
    """Return the file of a module, and those of the packages that are imported with it."""
    return [file for one in prefixes_of(module) if (file := modules.get(one, ""))]


def finds_any_module(content: bytes) -> bool:
    return any(word in content for word in OPENS_MODULES)


def shared_data(sources: Sources) -> list[str]:
    """Return the shared files that are no modules."""
    modules = set(modules_of(name for name in sources if is_shared(name)).values())
    return [name for name in sources if is_shared(name) and name not in modules]


def data_of(sources: Sources, found: Collection[str]) -> set[str]:
    """Return the shared files that are no modules, and that a reached source names or may read beside itself."""
    data = shared_data(sources)
    if not data:
        return set()
    texts = {name: sources[name][0] for name in (*own_names(sources), *found)}
    open_places = {name.rpartition("/")[0] for name in found if any(word in texts[name] for word in OPENS_FILES)}
    return {
        name
        for name in data
        if any(name.startswith(f"{place}/") for place in open_places)
        or any(name.rpartition("/")[2].encode() in text for text in texts.values())
    }

"""Find the modules that the usual rule prunes of a wheel, and that another wheel of the same lock names.

What one wheel has is looked at where the rule decides. This looks at the others, once for a lock.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from sawhorse.build.module_mentions import mentions_in
from sawhorse.build.module_paths import prefixes_of
from sawhorse.build.pruning_trial import modules_among
from sawhorse.build.wheel_cache import Part
from sawhorse.build.wheel_pruning import USUAL, named_by
from sawhorse.build.zip_writer import content_of_member

if TYPE_CHECKING:
    from sawhorse.build.zip_writer import Member

Key = TypeVar("Key")
DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w+)+")


def named_elsewhere(parts: Mapping[Key, Part]) -> dict[Key, set[str]]:
    """Return the pruned files of each part whose module another part names; parts without any are left out."""
    files = {
        key: {module: name for name in part.pruned.get(USUAL, ()) for module in modules_among([name])}
        for key, part in parts.items()
    }
    found: dict[Key, set[str]] = {}
    for key, part in parts.items():
        wanted = {module for other, modules in files.items() if other != key for module in modules}
        named = {module for member in part.members for module in named_in(member, wanted)} if wanted else set()
        for other, modules in files.items():
            names = {name for module, name in modules.items() if module in named} if other != key else set()
            if names:
                found.setdefault(other, set()).update(names)
    return found


def named_in(member: Member, modules: set[str]) -> Iterator[str]:
    """Yield which of these modules a file names: a source that can be read exactly, all others where it may."""
    name = member.name
    entries = name.endswith(".dist-info/entry_points.txt")
    if not (entries or name.endswith((".py", ".pyc", ".so"))) or "__pycache__/" in name:
        return
    content = content_of_member(member)
    stems = named_by(name, lambda _: content, {module.rpartition(".")[2] for module in modules})
    if not stems:
        return
    # A relative import does not say what it begins with; a file's place does.
    around = content + b"\n" + name.encode()
    possible = {
        module
        for module in modules
        if module.rpartition(".")[2] in stems and module.partition(".")[0].encode() in around
    }
    if not possible:
        return
    mentions = set(DOTTED.findall(content.decode(errors="replace"))) if entries else mentioned(name, content)
    yield from possible if mentions is None else possible & {one for word in mentions for one in prefixes_of(word)}


def mentioned(name: str, content: bytes) -> set[str] | None:
    """Return the modules that a source names; None for what this Python does not read."""
    if not name.endswith(".py"):
        return None
    try:
        tree = compile(content, name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return {word for word, _ in mentions_in(tree, name.rpartition("/")[0].replace("/", "."))}

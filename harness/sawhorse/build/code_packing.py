"""Compress and compile an app's own files, and those of `lambda/shared` that they reach."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sawhorse.build.bytecode_client import Compiled, Imports, Judged, bytecode_name, packed_bytecode, start_compiling
from sawhorse.build.compiler_process import CompilerProcess
from sawhorse.build.import_reach import (
    Own,
    judge,
    opens_modules,
    pruned_mention,
    refuse_mentions,
    shown,
    unused_expected,
)
from sawhorse.build.reused_parts import Known
from sawhorse.build.shared_files import (
    data_of,
    files_of_entries,
    mentioned,
    named_in_texts,
    own_names,
    reached,
    shared_data,
)
from sawhorse.build.zip_writer import Member, pack
from sawhorse.errors import BuildFailed

if TYPE_CHECKING:
    from sawhorse.build.build_state import BuildInputs
    from sawhorse.build.sources import Sources


class Code(NamedTuple):
    """The app's own files as they are packed, what its modules import, and what is to be said of that.

    `sources` are those of the package; what lies in `lambda/shared` besides is `left_out`.
    """

    sources: Sources
    members: Sequence[Member]
    imports: Mapping[str, Imports]
    warnings: Sequence[str]
    left_out: Sequence[str]


def pack_sources(inputs: BuildInputs, sources: Sources, known: Known, ready: Sequence[CompilerProcess] = ()) -> Code:
    """Compress the app's files and compile its modules; what is `known` of the same content is taken from there.

    `ready` are compilers that were started already.
    Raises BuildFailed for a source that cannot be compiled, and for one that imports what will not be there;
    WrongInterpreter when the compiler is not what it was.
    """
    entered = [handler.rpartition(".")[0] for handler in inputs.handlers.values()]
    wanted = own_names(sources) | files_of_entries(sources, entered)
    wanted |= {name for name in known.imports if name in sources}
    same = {name for name in wanted if is_same(name, sources, known.members)}
    wanted |= mentioned(sources, [name for name in wanted if name not in same], wanted)
    if not known.imports:
        wanted |= mentioned(sources, same, wanted)
    wanted |= set(shared_data(sources))
    taken = {name: content for name, content in sources.items() if name in wanted}
    imports = {name: known.imports[name] for name in taken if name in same and name in known.imports}
    changed = [(name, content) for name, (content, _) in taken.items() if name.endswith(".py") and name not in imports]
    if not inputs.compiler:
        # Another Python's word on what these sources import would be wrong.
        refuse_mentions(inputs, changed)
        modules = wanted - set(shared_data(sources))
        taken = {name: taken[name] for name in taken if name in modules | data_of(sources, modules)}
        return Code(taken, compressed(taken, same, known.members), {}, (), left_out_of(sources, taken))
    opening = {name for name, content in changed if opens_modules(content)}
    opens = bool(opening) or any(one.opens for one in imports.values())
    if known.imports and opens != any(one.opens for one in known.imports.values()):
        # Whether own modules can be known, every source was judged by.
        return pack_sources(inputs, sources, Known(known.members, {}), ready)
    own = Own(inputs, sources, opens=opens)
    judged = judged_by(inputs, own)
    compilation = start_compiling(inputs.compiler, inputs.compiled_by, changed, judged, ready)
    members = compressed(taken, same, known.members)
    bytecode = {name: known.members[bytecode_name(name, inputs.python)] for name in imports}
    named = named_in_texts(sources)
    for one in compilation.results():
        bytecode[one.name], found = bytecode_of(inputs, one)
        imports[one.name] = found._replace(opens=one.name in opening)
    kept = own_names(sources) | reached(sources, taken, imports, entered, named)
    imports = {name: one for name, one in imports.items() if name in kept}
    taken = {name: content for name, content in taken.items() if name in kept}
    warnings = [*judge(inputs, imports, own), *unused_expected(inputs, taken)]
    packed = [*(one for one in members if one.name in kept), *(one for name, one in bytecode.items() if name in kept)]
    return Code(taken, packed, imports, warnings, left_out_of(sources, taken))


def is_same(name: str, sources: Sources, members: Mapping[str, Member]) -> bool:
    """Say whether a member has a source's content and mode."""
    content, executable = sources[name]
    member = members.get(name)
    if member is None or member.executable != executable:
        return False
    return member.sha256 == hashlib.sha256(content).digest()


def compressed(sources: Sources, same: Collection[str], members: Mapping[str, Member]) -> list[Member]:
    """Compress sources, but for those that are the `same` as members."""
    return [
        members[name] if name in same else pack(name, content, executable=executable)
        for name, (content, executable) in sources.items()
    ]


def left_out_of(sources: Sources, taken: Collection[str]) -> list[str]:
    return sorted(name for name in sources if name not in taken)


def judged_by(inputs: BuildInputs, own: Own) -> Judged:
    return Judged(
        own=inputs.own,
        others=inputs.modules,
        expected=inputs.expected,
        pruned=inputs.pruned,
        modules=None if own.opens else own.modules,
        started=[handler for handler in inputs.handlers.values() if handler in inputs.root_files],
        binding=own.binding,
    )


def bytecode_of(inputs: BuildInputs, one: Compiled) -> tuple[Member, Imports]:
    """Return a source's bytecode and what it imports. Raises BuildFailed."""
    if one.error or one.bytecode is None or one.imports is None:
        raise BuildFailed(f"{shown(inputs, one.name)}, {one.error}. Fix it and build again.")
    if one.mention:
        raise pruned_mention(inputs, one.name, *one.mention)
    return packed_bytecode(one.name, one.bytecode, inputs.python), one.imports

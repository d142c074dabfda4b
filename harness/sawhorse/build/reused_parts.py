"""Say what a package is made of besides its sources, and take that from the last one where it did not change."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sawhorse.build.bytecode_client import Imports, bytecode_name
from sawhorse.build.zip_writer import Member, described_again

if TYPE_CHECKING:
    from sawhorse.build.build_state import BuildInputs, BuildState
    from sawhorse.build.incremental import Found
    from sawhorse.build.sources import Sources


class Known(NamedTuple):
    """What an earlier build of the same inputs made: members by their names, and what each module imports."""

    members: Mapping[str, Member] = MappingProxyType({})
    imports: Mapping[str, Imports] = MappingProxyType({})


class Parts(NamedTuple):
    """What a build knows before it packs a source.

    `dependencies` are the files of the lock's distributions, `documents` lie beside the package by their names, and
    `known` was made of sources before. `check` refuses sources that do not go with all that.
    """

    inputs: BuildInputs
    dependencies: Sequence[Member]
    documents: Mapping[str, bytes]
    known: Known = Known()
    check: Callable[[Sources], None] = lambda _sources: None


def last_parts(found: Found) -> Parts | None:
    """Take everything but changed sources from the package that is there; None where it cannot be."""
    state = found.state
    if state is None or state.inputs.layer:
        return None
    inputs = state.inputs
    outputs = found.outputs
    if outputs is None:
        # A package that is not as it was written is no place to take anything from.
        return None
    members = members_in(outputs[f"{inputs.app}.zip"], state)
    own = {*state.sources, *(bytecode_name(name, inputs.python) for name in state.sources)}
    imports = {name: Imports.of(described) for name, described in state.imports.items()}
    return Parts(
        inputs,
        [member for name, member in members.items() if name not in own],
        {name: content for name, content in outputs.items() if not name.endswith(".zip")},
        Known({name: member for name, member in members.items() if name in own}, imports),
    )


def members_in(archive: bytes, state: BuildState) -> dict[str, Member]:
    """Take the members out of the zip that a state describes, still compressed, by their names."""
    content = memoryview(archive)
    described = ((one, content[begin : begin + one[-1]]) for one, begin in marshal.loads(state.members))
    return {one[0]: described_again(one, data) for one, data in described}

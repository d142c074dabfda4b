"""Decide what of a package is stale: read what it is made of, and compare that with what the last build noted.

A build that changes nothing waits for this and for `cli/start.py`, so they import what is needed for that alone.
Modification times are believed nowhere: sources, package.toml, the lock, the builder's own code, the files in dist and
the entry in the manifest are compared by their contents.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sawhorse.build.background import Reader, read_output
from sawhorse.build.build_state import BuildInputs, BuildState, noted, read_state
from sawhorse.build.compiler_process import CompilerProcess
from sawhorse.build.last_package import Package, outputs_intact
from sawhorse.build.requirement_files import declared_in, lock_digest, lock_inputs
from sawhorse.build.sources import Sources, hashes_of, read_sources
from sawhorse.trusted_files import is_own_program

if TYPE_CHECKING:
    from sawhorse.build.platform import Target


class Found:
    """What stands in a checkout of an app, beside what its last build made in `dist`.

    `state` is None where all is to be settled anew: there was no build, or its inputs changed; `before` is what that
    build noted all the same, and `noted` the very bytes. `sources` are what was read, empty where `state` is None.
    `reader` gives what lies in `dist`.
    """

    def __init__(  # noqa: PLR0913 # what there is to find
        self,
        dist: str,
        *,
        state: BuildState | None = None,
        sources: Sources | None = None,
        before: BuildState | None = None,
        noted: bytes | None = None,
        reader: Reader = read_output,
    ) -> None:
        self.dist = dist
        self.state = state
        self.sources = sources or {}
        self.before = before
        self.noted = noted
        self._reader = reader

    def changed(self) -> list[str]:
        """Return the sources of the package that are not those of the last build."""
        before = self.state.sources if self.state else {}
        now = hashes_of({name: self.sources[name] for name in before})
        return [name for name, hashed in now.items() if hashed != before[name]]

    @cached_property
    def compilers(self) -> list[CompilerProcess]:
        """The compiler of changed sources, started when it is first asked for: it is ready once everything else is."""
        if self.state is None or self.state.inputs.layer or not any(name.endswith(".py") for name in self.changed()):
            return []
        return [CompilerProcess(self.state.inputs.compiler, judging=True)]

    @cached_property
    def outputs(self) -> dict[str, bytes] | None:
        """What the last build wrote, by its name, read once; None unless all of it is as it was written."""
        return outputs_intact(self.dist, self.state, self._reader) if self.state else None

    def is_still(self) -> bool:
        """Say whether no other build has written the package since."""
        return self.state is not None and self.noted == noted(self.dist, self.state.inputs.app)

    def up_to_date(self) -> Package | None:
        """Return the package of the last build where that is what a build would make now."""
        if self.state is None or self.changed() or self.outputs is None:
            return None
        return Package.of(self.dist, self.state, changed=False)


def look(project: str, app: str, dist: str, target: Target | None = None, *, reader: Reader = read_output) -> Found:
    """Read what an app's package is made of and what its last build in `dist` noted.

    `target` is the platform to build for, whatever was built for last when None; `reader` gives what lies in `dist`.
    Raises BuildFailed.
    """
    bytes_of_state = noted(dist, app)
    state = read_state(dist, app)
    if state is None or not inputs_unchanged(project, state.inputs, target.name if target else None):
        return Found(dist, before=state)
    sources = read_sources(project, app, state.inputs.root_files)
    # A file that came or went may be a handler or what an import finds, and so may one that cannot be executed now.
    if not same_names(state, sources):
        return Found(dist, before=state)
    return Found(dist, state=state, sources=sources, before=state, noted=bytes_of_state, reader=reader)


def inputs_unchanged(project: str, inputs: BuildInputs, target: str | None) -> bool:
    """Say whether what was settled before still is: configuration, lock, platform, and an interpreter that compiles."""
    if (
        not inputs.compiler
        or inputs.directories
        or target not in {None, inputs.target}
        or not is_own_program(inputs.compiler)
    ):
        return False
    try:
        config = Path(project, "lambda", inputs.app, "package.toml").read_bytes()
        lock = lock_digest(lock_inputs(project, inputs.app))
    except OSError:
        return False
    settled = hashlib.sha256(config).digest() == inputs.config and lock == inputs.lock
    # Sentences name where requirements are edited.
    return settled and declared_in(project, inputs.app) == inputs.declared


def same_names(state: BuildState, sources: Sources) -> bool:
    """Say whether the files are those of the last build, each as executable as it was."""
    modes = {name: executable for name, (_, executable) in sources.items() if name in state.sources}
    before = {name: executable for name, (_, executable) in state.sources.items()}
    return modes == before and sources.keys() - before.keys() == set(state.left_out)

"""Look at what the last build of an app wrote, and say whether it is still that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sawhorse.build.background import Reader, read_output
from sawhorse.build.build_state import BuildState
from sawhorse.errors import Untrusted
from sawhorse.files import read


class Package(NamedTuple):
    """A package on disk, and whether this build changed it. `size` is in bytes, `sha256` base64 as in Lambda."""

    app: str
    path: str
    sha256: str
    size: int
    warnings: Sequence[str]
    changed: bool

    @classmethod
    def of(cls, dist: str, state: BuildState, *, changed: bool) -> Package:
        app = state.inputs.app
        return cls(app, f"{dist}/{app}.zip", state.sha256, state.size, state.warnings, changed)


def is_manifest_with(text: str, fragment: str) -> bool:
    """Say whether this looks like a manifest that holds an app's part as it was written, once."""
    return text.startswith("{\n") and text.endswith("\n}\n") and text.count(fragment) == 1


def outputs_intact(dist: str, state: BuildState, reader: Reader = read_output) -> dict[str, bytes] | None:
    """Return everything that a build wrote, by its name; None unless all of it is as it was written."""
    try:
        manifest = read(f"{dist}/manifest.json").decode(errors="replace")
        outputs = {name: reader(f"{dist}/{name}") for name in state.outputs}
    except (OSError, Untrusted):
        # Whoever builds writes it anew, and whoever hands it over says what is wrong with it.
        return None
    hashes = {name: hashed for name, (_, hashed) in outputs.items()}
    if hashes != state.outputs or not is_manifest_with(manifest, state.fragment):
        return None
    return {name: content for name, (content, _) in outputs.items()}

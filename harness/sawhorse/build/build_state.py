"""Remember of every package what it was made from, so that a later build knows what need not be made again."""

from __future__ import annotations

import hashlib
import marshal
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sawhorse.files import locked, write_atomically
from sawhorse.signing import read_signed, sign
from sawhorse.trusted_files import make_own_directory, own_directory

if TYPE_CHECKING:
    from sawhorse.build.requirement_files import Declared

# The SHA-256 of each source of a package and whether it may be executed, by its path in the package.
Hashes = dict[str, tuple[bytes, bool]]
# The modules whose change may change a package's bytes.
BUILDER = (
    "archive_fetch",
    "code_packing",
    "build",
    "build_state",
    "bytecode_client",
    "compiler_process",
    "last_package",
    "bytecode_worker",
    "condition_values",
    "config",
    "control_flow",
    "locked_directory",
    "environment_markers",
    "handler_check",
    "present_modules",
    "import_reach",
    "import_statements",
    "pruning_trial",
    "lambda_limits",
    "lock_files",
    "lock_reader",
    "module_mentions",
    "module_attributes",
    "module_paths",
    "name_bindings",
    "name_conflicts",
    "package_writer",
    "packed_names",
    "reused_parts",
    "platform",
    "wheels_of_lock",
    "pruned_import_check",
    "pruned_mentions",
    "requirement_files",
    "sbom",
    "build_inputs",
    "shared_files",
    "source_links",
    "sources",
    "wheel_request",
    "wheel_builder",
    "wheel_cache",
    "wheel_preparation",
    "wheel_pruning",
    "wheel_reader",
    "zip_writer",
)

# The builder's digest, once it is known: no program changes while it runs.
BUILDER_DIGEST: list[str] = []


class BuildInputs(NamedTuple):
    """What a build settled before it looked at a source: all that package.toml, the lock and the platform decide.

    `compiler` is the interpreter that compiles and `compiled_by` its whole version, such as `3.13.0`; both are empty
    where there is no bytecode. Of top-level modules, `own` are those of the sources, `modules` what is there besides
    them and the standard library, and `expected` what may be there. `config` is the SHA-256 of package.toml, `lock`
    that of the files of `lock_inputs`. `declared` is where requirements are edited, and what locks them. `directories`
    are the digests of those that the lock names, by their paths from the project. `reused_parts` are the dependencies'
    unzipped bytes by name, `pruned` the modules that were left out of them; `notes` every build says.
    """

    app: str
    runtime: str
    architecture: str
    handlers: dict[str, str]
    root_files: list[str]
    layer: bool
    upload: str | None
    target: str
    python: str
    compiler: str
    compiled_by: str
    own: list[str]
    modules: list[str]
    expected: list[str]
    parts: dict[str, int]
    pruned: list[str]
    config: bytes
    directories: dict[str, str]
    lock: bytes
    declared: Declared
    notes: list[str]
    builder: str


class BuildState(NamedTuple):
    """What the last build of an app made.

    `sources` are the hashes of the app's files in the package and whether they may be executed, `left_out` the names of
    the shared files that no source of it reaches; `imports` what each module imports (`Imports.described`); `outputs`
    the hashes of the files in dist; `members` describes, marshalled, what is in the zip, and where the data of each
    begins; `fragment` is the app's part of the manifest; `warnings` are said again by every build.
    """

    inputs: BuildInputs
    sources: Hashes
    left_out: list[str]
    imports: dict[str, list[Any]]
    outputs: dict[str, bytes]
    members: bytes
    fragment: str
    warnings: list[str]
    sha256: str
    size: int


class Remembered(NamedTuple):
    """The hashes of what a package was made of: package.toml, the lock, and every source with its mode."""

    config: bytes
    lock: bytes
    sources: Hashes
    left_out: list[str]


def state_path(dist: str, app: str) -> str:
    return f"{dist}/.build/{app}"


def writing(dist: str, app: str) -> locked:
    """Hold the lock of an app's package while it is written. Raises Untrusted where `dist` is not this user's own."""
    make_own_directory(dist, private=False, link=True)
    return locked(f"{dist}/.build/{app}.lock")


def role_of(dist: str, app: str) -> str:
    """Name what a state is sealed as: that of another directory, or of another app, is not this one's."""
    return f"state of {app} in {os.path.realpath(dist)}"


def noted(dist: str, app: str) -> bytes | None:
    """Return what the last build of an app in `dist` wrote down, as it lies there; None where there is nothing."""
    try:
        return Path(state_path(dist, app)).read_bytes()
    except OSError:
        return None


def sealed_state(dist: str, app: str) -> bytes | None:
    """Read what `write_state` wrote; None when this user did not. Raises Untrusted where somebody else may have."""
    try:
        own_directory(dist, private=False, link=True)
    except FileNotFoundError:
        return None
    return read_signed(state_path(dist, app), role_of(dist, app))


def read_state(dist: str, app: str) -> BuildState | None:
    """Return what the last build of an app in `dist` made; None when there was none, or one of another builder.

    Whoever reads it may believe it: it is sealed.
    """
    try:
        content = marshal.loads(sealed_state(dist, app) or b"")
        inputs = BuildInputs(**content.pop("inputs"))
        mine = inputs.builder == builder_digest() and inputs.app == app
        return BuildState(inputs=inputs, **content) if mine else None
    except (FileNotFoundError, ValueError, EOFError, TypeError, AttributeError, KeyError):
        return None


def remembered(dist: str, app: str) -> Remembered | None:
    """Return what the last build of an app in `dist` made it of, whichever builder that was; None when nobody knows."""
    try:
        content = marshal.loads(sealed_state(dist, app) or b"")
        inputs = content["inputs"]
        return Remembered(inputs["config"], inputs["lock"], content["sources"], content["left_out"])
    except (FileNotFoundError, ValueError, EOFError, TypeError, KeyError):
        return None


def write_state(dist: str, state: BuildState) -> None:
    content = {**state._asdict(), "inputs": state.inputs._asdict()}
    app = state.inputs.app
    write_atomically(state_path(dist, app), sign(marshal.dumps(content, 2), role_of(dist, app)))


def builder_digest() -> str:
    """Stand for what makes packages, this code and zlib: another one makes all of them anew."""
    if not BUILDER_DIGEST:
        BUILDER_DIGEST.append(digest_of_builder())
    return BUILDER_DIGEST[0]


def digest_of_builder() -> str:
    digest = hashlib.sha256(zlib.ZLIB_RUNTIME_VERSION.encode())
    for name in BUILDER:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()

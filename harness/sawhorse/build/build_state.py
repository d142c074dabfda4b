"""Remember of every package what it was made from, to prove later that it need not be made again.

Imports only what a build that changes nothing needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import hashlib
import marshal
import os
import zlib

from sawhorse.build.zip_writer import described_again
from sawhorse.files import locked, read, write_atomically
from sawhorse.seals import sealed, unsealed
from sawhorse.trusted_files import make_own_directory, own_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sawhorse.build.requirement_source import Declared
    from sawhorse.build.zip_writer import Member

# The modules whose change may change a package's bytes.
BUILDER = (
    "archive_fetch",
    "assembly",
    "build",
    "build_state",
    "bytecode_client",
    "bytecode_worker",
    "condition_values",
    "config",
    "control_flow",
    "directory_hash",
    "environment_markers",
    "handler_check",
    "import_context",
    "import_reach",
    "import_statements",
    "import_trial",
    "lambda_limits",
    "lock_files",
    "lock_reader",
    "module_mentions",
    "module_names",
    "module_paths",
    "name_bindings",
    "name_conflicts",
    "platform",
    "prepared_wheels",
    "pruned_import_check",
    "pruned_mentions",
    "requirement_source",
    "sbom",
    "source_links",
    "sources",
    "wheel_builder",
    "wheel_cache",
    "wheel_preparation",
    "wheel_pruning",
    "wheel_reader",
    "zip_writer",
)

# The builder's digest, once it is known: no program changes while it runs.
BUILDER_DIGEST: list[str] = []


class Recipe:
    """What a build settled before it looked at a source: all that package.toml, the lock and the platform decide.

    `compiler` is the interpreter that compiles and `compiled_by` its whole version, such as `3.13.0`; both are empty
    where there is no bytecode. Of top-level modules, `own` are
    those of the sources, `modules` what is there besides them and the standard library, and `expected` what may be
    there. `declared` is where requirements are edited, and what locks them. `directories` are the digests of those
    that the lock names, by their paths from the project. `parts` are the dependencies' unzipped bytes by name,
    `pruned` the modules that were left out of them. `notes` are sentences that every build says.
    """

    __slots__ = (
        "app", "architecture", "builder", "compiled_by", "compiler", "config", "declared", "directories", "expected",
        "handlers", "layer", "lock", "modules", "notes", "own", "parts", "pruned", "python", "root_files", "runtime",
        "target", "upload",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 # one value each
        self,
        *,
        app: str,
        runtime: str,
        architecture: str,
        handlers: dict[str, str],
        root_files: list[str],
        layer: bool,
        upload: str | None,
        target: str,
        python: str,
        compiler: str,
        compiled_by: str,
        own: list[str],
        modules: list[str],
        expected: list[str],
        parts: dict[str, int],
        pruned: list[str],
        config: bytes,
        directories: dict[str, str],
        lock: bytes,
        declared: Declared,
        notes: list[str],
        builder: str,
    ) -> None:
        self.app, self.runtime, self.architecture, self.handlers = app, runtime, architecture, handlers
        self.root_files, self.layer, self.target, self.python, self.compiler = (
            root_files,
            layer,
            target,
            python,
            compiler,
        )
        self.compiled_by = compiled_by
        self.directories, self.upload, self.pruned = directories, upload, pruned
        self.own, self.modules, self.expected = own, modules, expected
        self.declared, self.notes = declared, notes
        self.parts, self.config, self.lock, self.builder = parts, config, lock, builder


class State:
    """What the last build of an app made.

    `sources` are the hashes of the app's files and whether they may be executed; `imports` what each module imports
    (`Imports.described`); `outputs` the hashes of the files in dist; `members` describes, marshalled, what is in the
    zip, and where the data of each begins; `fragment` is the app's part of the manifest; `warnings` are said again by
    every build.
    """

    __slots__ = ("fragment", "imports", "members", "outputs", "recipe", "sha256", "size", "sources", "warnings")

    def __init__(  # noqa: PLR0913 # one value each
        self,
        *,
        recipe: Recipe,
        sources: dict[str, tuple[bytes, bool]],
        imports: dict[str, list[Any]],
        outputs: dict[str, bytes],
        members: bytes,
        fragment: str,
        warnings: list[str],
        sha256: str,
        size: int,
    ) -> None:
        self.recipe, self.sources, self.imports, self.outputs, self.members = recipe, sources, imports, outputs, members
        self.fragment, self.warnings, self.sha256, self.size = fragment, warnings, sha256, size

    def members_in(self, archive: bytes) -> list[Member]:
        """Take the members out of the zip that this state describes, still compressed."""
        members = marshal.loads(self.members)
        return [described_again(described, archive[begin : begin + described[-1]]) for described, begin in members]


def state_path(dist: str, app: str) -> str:
    return f"{dist}/.build/{app}"


def writing(dist: str, app: str) -> locked:
    """Hold the lock of an app's package while it is written. Raises Untrusted where `dist` is not this user's own."""
    make_own_directory(dist, private=False, link=True)
    return locked(f"{dist}/.build/{app}.lock")


def role_of(dist: str, app: str) -> str:
    """Name what a state is sealed as: that of another directory, or of another app, is not this one's."""
    return f"state of {app} in {os.path.realpath(dist)}"


def sealed_state(dist: str, app: str) -> bytes | None:
    """Read what `write_state` wrote; None when this user did not. Raises Untrusted where somebody else may have."""
    try:
        own_directory(dist, private=False, link=True)
    except FileNotFoundError:
        return None
    return unsealed(state_path(dist, app), role_of(dist, app))


def read_state(dist: str, app: str) -> State | None:
    """Return what the last build of an app in `dist` made; None when there was none, or one of another builder.

    Whoever reads it may believe it: it is sealed.
    """
    try:
        content = marshal.loads(sealed_state(dist, app) or b"")
        recipe = Recipe(**content.pop("recipe"))
        mine = recipe.builder == builder_digest() and recipe.app == app
        return State(recipe=recipe, **content) if mine else None
    except (FileNotFoundError, ValueError, EOFError, TypeError, AttributeError, KeyError):
        return None


class Remembered:
    """The hashes of what a package was made of: package.toml, the lock, and every source with its mode."""

    __slots__ = ("config", "lock", "sources")

    def __init__(self, config: bytes, lock: bytes, sources: dict[str, tuple[bytes, bool]]) -> None:
        self.config, self.lock, self.sources = config, lock, sources


def remembered(dist: str, app: str) -> Remembered | None:
    """Return what the last build of an app in `dist` made it of, whichever builder that was; None when nobody knows."""
    try:
        content = marshal.loads(sealed_state(dist, app) or b"")
        return Remembered(content["recipe"]["config"], content["recipe"]["lock"], content["sources"])
    except (FileNotFoundError, ValueError, EOFError, TypeError, KeyError):
        return None


def write_state(dist: str, state: State) -> None:
    content = {name: getattr(state, name) for name in State.__slots__ if name != "recipe"}
    content["recipe"] = {name: getattr(state.recipe, name) for name in Recipe.__slots__}
    app = state.recipe.app
    write_atomically(state_path(dist, app), sealed(marshal.dumps(content, 2), role_of(dist, app)))


def lock_inputs(project: str, app: str) -> dict[str, bytes]:
    """Return the files that say what an app's dependencies are, by their paths from the project.

    A uv.lock lies beside the app's pyproject.toml, or further up where a workspace has the app as a member.
    """
    found = found_among(project, (f"lambda/{app}/requirements.txt", f"lambda/{app}/uv.lock"))
    if f"lambda/{app}/requirements.txt" in found:
        return found
    # Whether a uv.lock fits them is asked whenever one of them changes.
    found.update(found_among(project, (f"lambda/{app}/pyproject.toml",)))
    if f"lambda/{app}/pyproject.toml" in found and f"lambda/{app}/uv.lock" not in found:
        found.update(found_among(project, ("lambda/uv.lock", "lambda/pyproject.toml", "uv.lock", "pyproject.toml")))
    return found


def found_among(project: str, names: tuple[str, ...]) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            found[name] = read(f"{project}/{name}")
        except FileNotFoundError:
            continue
    return found


def lock_digest(inputs: Mapping[str, bytes]) -> bytes:
    """Stand for the files of `lock_inputs`."""
    digest = hashlib.sha256()
    for name, content in sorted(inputs.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.digest()


def builder_digest() -> str:
    """Stand for what makes packages, this code and zlib: another one makes all of them anew."""
    if not BUILDER_DIGEST:
        BUILDER_DIGEST.append(digest_of_builder())
    return BUILDER_DIGEST[0]


def digest_of_builder() -> str:
    directory = os.path.dirname(__file__)  # noqa: PTH120 # pathlib takes 10 ms to import
    digest = hashlib.sha256(zlib.ZLIB_RUNTIME_VERSION.encode())
    for name in BUILDER:
        digest.update(read(f"{directory}/{name}.py"))
    return digest.hexdigest()

"""Make an app's package of its sources and its prepared dependencies, and write it with all that belongs to it.

Imports only what a build that changes one file needs (`harness/sawhorse/build/incremental.py`).
"""

from __future__ import annotations

import hashlib
import marshal
import os
from _json import encode_basestring_ascii as quoted  # `json` takes 10 ms to import

from sawhorse.build.build_state import Recipe, State, write_state
from sawhorse.build.bytecode_client import Imports, Judged, Running, bytecode_name, compile_sources, packed_bytecode
from sawhorse.build.import_reach import (
    Own,
    judge,
    opens_modules,
    pruned_mention,
    refuse_mentions,
    shown,
    unused_expected,
)
from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
from sawhorse.build.requirement_source import edit
from sawhorse.build.sources import digest_of, hashes_of
from sawhorse.build.zip_writer import MOST_MEMBERS, Member, base64_of, by_name, content_sha256, pack, write_archive
from sawhorse.errors import BuildFailed, Untrusted
from sawhorse.files import locked, read, remove, sweep_asides, write_shared
from sawhorse.trusted_files import read_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sawhorse.build.sources import Sources

# Where Lambda's Python looks in a layer (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
LAYER_PREFIX = "python/"
LARGEST = 10
# What the addresses in a zip can reach, with room for its own lists.
MOST_BYTES = 0xF000_0000
# From this share of a limit on, builds name the largest parts.
NEAR_LIMIT = 0.8


class Package:
    """A package on disk, and whether this build changed it. `size` is in bytes, `sha256` base64 as in Lambda."""

    __slots__ = ("app", "changed", "path", "sha256", "size", "warnings")

    def __init__(self, dist: str, state: State, *, changed: bool) -> None:
        self.app = state.recipe.app
        self.path = f"{dist}/{self.app}.zip"
        self.sha256, self.size, self.warnings, self.changed = state.sha256, state.size, state.warnings, changed


class Code:
    """The app's own files as they are packed, what its modules import, and what is to be said of that."""

    __slots__ = ("imports", "members", "warnings")

    def __init__(self, members: Sequence[Member], imports: Mapping[str, Imports], warnings: Sequence[str]) -> None:
        self.members, self.imports, self.warnings = members, imports, warnings


def pack_sources(
    recipe: Recipe,
    sources: Sources,
    before: Mapping[str, Member],
    imports: Mapping[str, Imports] | None = None,
    ready: Sequence[Running] = (),
) -> Code:
    """Compress the app's files and compile its modules; what `before` and `imports` have already is taken from there.

    `ready` are compilers that were started already.
    Raises BuildFailed for a source that cannot be compiled, and for one that imports what will not be there;
    WrongInterpreter when the recipe's compiler is not what it was.
    """
    members: list[Member] = []
    changed: list[tuple[str, bytes]] = []
    known: dict[str, Imports] = {}
    for name, (content, executable) in sources.items():
        old = before.get(name)
        compiled = before.get(bytecode_name(name, recipe.python)) if name.endswith(".py") else None
        if old and old.executable == executable and old.sha256 == hashlib.sha256(content).digest():
            members.append(old)
        else:
            members.append(pack(name, content, executable=executable))
            old = None
        if not name.endswith(".py"):
            continue
        if old and compiled and imports and name in imports:
            members.append(compiled)
            known[name] = imports[name]
        else:
            changed.append((name, content))
    if not recipe.compiler:
        # Another Python's word on what these sources import would be wrong.
        refuse_mentions(recipe, changed)
        return Code(members, {}, [])
    opening = {name for name, content in changed if opens_modules(content)}
    opens = bool(opening) or any(one.opens for one in known.values())
    if imports and opens != any(one.opens for one in imports.values()):
        # Whether own modules can be known, every source was judged by.
        return pack_sources(
            recipe, sources, {name: one for name, one in before.items() if name in sources}, None, ready
        )
    own = Own(recipe, sources, opens=opens)
    members += compile_changed(recipe, changed, known, own, ready)
    for name in opening:
        known[name].opens = True
    return Code(members, known, [*judge(recipe, known, own), *unused_expected(recipe, sources)])


def compile_changed(
    recipe: Recipe,
    sources: Sequence[tuple[str, bytes]],
    imports: dict[str, Imports],
    own: Own,
    ready: Sequence[Running],
) -> list[Member]:
    """Compile sources, and enter what they import."""
    members = []
    judged = Judged(
        own=recipe.own,
        others=recipe.modules,
        expected=recipe.expected,
        pruned=recipe.pruned,
        modules=None if own.opens else own.modules,
        started=[handler for handler in recipe.handlers.values() if handler in recipe.root_files],
        binding=own.binding,
    )
    for one in compile_sources(recipe.compiler, recipe.compiled_by, sources, judged, ready):
        if one.error:
            raise BuildFailed(f"{shown(recipe, one.name)}, {one.error}. Fix it and build again.")
        if one.mention:
            raise pruned_mention(recipe, one.name, *one.mention)
        if one.bytecode:
            members.append(packed_bytecode(one.name, one.bytecode, recipe.python))
        if one.imports:
            imports[one.name] = one.imports
    return members


class Contents:
    """What goes into a package: the app's own files as they are read and as they are packed, and the dependencies."""

    __slots__ = ("code", "dependencies", "imports", "sources", "warnings")

    def __init__(self, sources: Sources, code: Code, dependencies: Sequence[Member]) -> None:
        self.sources, self.code, self.dependencies = sources, code.members, dependencies
        self.imports, self.warnings = code.imports, code.warnings


def write_package(  # noqa: PLR0913 # what a package is made of
    dist: str,
    recipe: Recipe,
    contents: Contents,
    *,
    documents: Mapping[str, bytes],
    warnings: Sequence[str] = (),
    before: State | None = None,
) -> Package:
    """Write zip, layer, documents and manifest, each whole or not at all, and remember what they were made from.

    `documents` are files beside the package by their names, `warnings` sentences that every build of it repeats,
    `before` what the last build left. Only whoever holds the app's lock may call it. Raises BuildFailed.
    """
    # AWS takes no layer without a file.
    layered = recipe.layer and bool(contents.dependencies)
    members = sorted(contents.code if layered else [*contents.dependencies, *contents.code], key=by_name)
    layer = sorted(contents.dependencies, key=by_name) if layered else []
    check_countable(recipe, [*contents.dependencies, *contents.code])
    archive, begins = write_archive(members)
    files = {f"{recipe.app}.zip": archive, **documents}
    if layered:
        files[layer_name(recipe.app)] = write_archive(layer, LAYER_PREFIX)[0]
    hashes = {name: hashlib.sha256(content).digest() for name, content in files.items()}

    def described(name: str, inside: Sequence[Member]) -> dict[str, object]:
        sha256, size = base64_of(hashes[name]), len(files[name])
        content = content_sha256(inside)
        upload = upload_of(recipe, size)
        return {"path": f"dist/{name}", "sha256": sha256, "content_sha256": content, "size": size, "upload": upload}

    entry = described(f"{recipe.app}.zip", members)
    layer_entry = described(layer_name(recipe.app), layer) if layered else None
    archives = [content for name, content in files.items() if name.endswith(".zip")]
    warnings = [*recipe.notes, *warnings, *contents.warnings, *check_sizes(recipe, contents, archives)]
    for name in files:
        sweep_asides(f"{dist}/{name}")
    if not layered:
        remove(f"{dist}/{layer_name(recipe.app)}")
    written = [write_shared(f"{dist}/{name}", content) for name, content in files.items()]
    hashed = hashes_of(contents.sources)
    made_of = base64_of(digest_of(recipe.config, recipe.lock, hashed))
    fragment = manifest_fragment(recipe, entry, layer_entry, made_of)
    enter(dist, fragment, before.fragment if before else None)
    state = State(
        recipe=recipe,
        sources=hashed,
        imports={name: found.described() for name, found in contents.imports.items()},
        outputs=hashes,
        members=marshal.dumps([(member.described(), begin) for member, begin in zip(members, begins, strict=True)], 2),
        fragment=fragment,
        warnings=list(warnings),
        sha256=str(entry["sha256"]),
        size=len(archive),
    )
    write_state(dist, state)
    return Package(dist, state, changed=any(written) or fragment != (before.fragment if before else None))


def upload_of(recipe: Recipe, size: int) -> str:
    """Say how a zip of this size gets to Lambda: as package.toml decides, else in the call while it fits."""
    return recipe.upload or ("s3" if size > ZIPPED_LIMIT else "direct")


def check_countable(recipe: Recipe, members: Sequence[Member]) -> None:
    """Refuse more than a zip can list before one is written."""
    size = sum(len(member.data) for member in members)
    if len(members) > MOST_MEMBERS or size > MOST_BYTES:
        raise BuildFailed(
            f"The package of {recipe.app} would have {len(members):,} files and {size:,} bytes zipped; a zip for "
            f"Lambda lists {MOST_MEMBERS:,} files, and Lambda takes {UNZIPPED_LIMIT:,} bytes unzipped. Remove "
            f"dependencies from {edit(recipe.declared)}."
        )


def check_sizes(recipe: Recipe, contents: Contents, archives: Sequence[bytes]) -> list[str]:
    """Refuse a package that Lambda refuses, and name its largest parts already when it comes near."""
    zipped = max(len(archive) for archive in archives)
    unzipped = sum(member.size for member in (*contents.dependencies, *contents.code))
    # Through S3, the zip may have any size.
    in_a_call = 0 if recipe.upload == "s3" else zipped / ZIPPED_LIMIT
    if max(in_a_call, unzipped / UNZIPPED_LIMIT) < NEAR_LIMIT:
        return []
    parts = {**recipe.parts, f"{recipe.app} itself": sum(member.size for member in contents.code)}
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:LARGEST]
    sentence = (
        f"The package of {recipe.app} has {zipped:,} bytes zipped and {unzipped:,} unzipped; Lambda takes "
        f"{ZIPPED_LIMIT:,} in a call and more through S3, and {UNZIPPED_LIMIT:,} unzipped. "
        f"Its largest parts, unzipped: {', '.join(f'{name} {size:,}' for name, size in largest)}."
    )
    if unzipped > UNZIPPED_LIMIT:
        raise BuildFailed(f"{sentence} Remove dependencies from {edit(recipe.declared)}.")
    if in_a_call > 1 and recipe.upload:
        raise BuildFailed(
            f"{sentence} Remove dependencies from {edit(recipe.declared)}, or the line upload = "
            f'"{recipe.upload}" from lambda/{recipe.app}/package.toml, and it goes through S3.'
        )
    if in_a_call > 1:
        return [f"{sentence} It goes through S3, into the packages_bucket of environment.yaml."]
    return [sentence]


def manifest_fragment(
    recipe: Recipe, entry: Mapping[str, object], layer: Mapping[str, object] | None, made_of: str
) -> str:
    """Return the app's part of the manifest, written as `json.dumps(..., indent=2)` writes it there."""
    platform = {"runtime": recipe.runtime, "architecture": recipe.architecture}
    functions = {
        name: {
            **entry,
            "handler": handler,
            **platform,
            **({"layer": layer} if layer else {}),
            "sources_sha256": made_of,
            **({"compiled_by": recipe.compiled_by} if recipe.compiled_by else {}),
            **({"directories": recipe.directories} if recipe.directories else {}),
        }
        for name, handler in sorted(recipe.handlers.items())
    }
    return f"  {quoted(recipe.app)}: {dumped(functions, 2)}"


def dumped(value: object, indent: int) -> str:
    if not isinstance(value, dict):
        return quoted(value) if isinstance(value, str) else str(value)
    within = " " * (indent + 2)
    lines = ",\n".join(f"{within}{quoted(key)}: {dumped(inner, indent + 2)}" for key, inner in value.items())
    return f"{{\n{lines}\n{' ' * indent}}}"


def enter(dist: str, fragment: str, before: str | None) -> None:
    """Put an app's functions into the manifest, one build at a time."""
    path = f"{dist}/manifest.json"
    with locked(f"{dist}/.lock"):
        sweep_asides(path)
        text = read_own(path, private=False).decode(errors="replace") if os.path.isfile(path) else ""  # noqa: PTH113
        if before and is_manifest_with(text, before):
            write_shared(path, text.replace(before, fragment))
            return
        from sawhorse.build.manifest import enter_fragment  # noqa: PLC0415 # dataclasses and json, 30 ms

        enter_fragment(dist, fragment)


def is_manifest_with(text: str, fragment: str) -> bool:
    """Say whether this looks like a manifest that holds an app's part as it was written, once."""
    return text.startswith("{\n") and text.endswith("\n}\n") and text.count(fragment) == 1


def whole_outputs(dist: str, state: State) -> dict[str, bytes] | None:
    """Return everything that a build wrote, by its name; None unless all of it is as it was written."""
    try:
        manifest = read(f"{dist}/manifest.json").decode(errors="replace")
        outputs = {name: read_own(f"{dist}/{name}", private=False, link=True) for name in state.outputs}
    except (OSError, Untrusted):
        # Whoever builds writes it anew, and whoever hands it over says what is wrong with it.
        return None
    hashes = {name: hashlib.sha256(content).digest() for name, content in outputs.items()}
    return outputs if is_manifest_with(manifest, state.fragment) and hashes == state.outputs else None


def layer_name(app: str) -> str:
    return f"{app}-layer.zip"

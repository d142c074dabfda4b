"""Write an app's package with all that belongs to it: zip, layer, documents, part of the manifest, state."""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sawhorse.build.background import Background
from sawhorse.build.build_state import BuildInputs, BuildState, write_state
from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
from sawhorse.build.last_package import Package, is_manifest_with
from sawhorse.build.requirement_files import edit
from sawhorse.build.sources import digest_of, hashes_of
from sawhorse.build.zip_writer import MOST_MEMBERS, Member, base64_of, by_name, content_sha256, write_archive
from sawhorse.errors import BuildFailed
from sawhorse.files import locked, remove, remove_temporary_files, write_shared
from sawhorse.trusted_files import read_own

if TYPE_CHECKING:
    from sawhorse.build.code_packing import Code

# Where Lambda's Python looks in a layer (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
LAYER_PREFIX = "python/"
LARGEST = 10
# What the addresses in a zip can reach, with room for its own lists.
MOST_BYTES = 0xF000_0000
# From this share of a limit on, builds name the largest parts.
NEAR_LIMIT = 0.8


def write_package(  # noqa: PLR0913 # what a package is made of
    dist: str,
    inputs: BuildInputs,
    code: Code,
    dependencies: Sequence[Member],
    *,
    documents: Mapping[str, bytes],
    commit: Callable[[], Mapping[str, str | bool]],
    before: BuildState | None = None,
) -> Package:
    """Write zip, layer, documents and manifest, each whole or not at all, and remember what they were made from.

    `documents` are files beside the package by their names, and `before` is what the last build left. `commit` is asked
    what was checked out once the zip is made, since it changes nothing but what the manifest says. Only whoever holds
    the app's lock may call it. Raises BuildFailed.
    """
    # AWS takes no layer without a file.
    layered = inputs.layer and bool(dependencies)
    members = sorted(code.members if layered else [*dependencies, *code.members], key=by_name)
    layer = sorted(dependencies, key=by_name) if layered else []
    check_countable(inputs, [*dependencies, *code.members])
    archive, begins = write_archive(members)
    files = {f"{inputs.app}.zip": archive, **documents}
    if layered:
        files[layer_name(inputs.app)] = write_archive(layer, LAYER_PREFIX)[0]
    archives = [content for name, content in files.items() if name.endswith(".zip")]
    warnings = [*inputs.notes, *code.warnings, *check_sizes(inputs, code, dependencies, archives)]
    # Ten megabytes are hashed in the time that it takes to write them.
    hashing = Background(partial(sha256_of, files))
    revision = commit()
    for name in files:
        remove_temporary_files(f"{dist}/{name}")
    if not layered:
        remove(f"{dist}/{layer_name(inputs.app)}")
    written = [write_shared(f"{dist}/{name}", content) for name, content in files.items()]
    hashes = hashing.result()
    entry = entry_of(inputs, f"{inputs.app}.zip", files, hashes, members)
    layer_entry = entry_of(inputs, layer_name(inputs.app), files, hashes, layer) if layered else None
    hashed = hashes_of(code.sources)
    made_of = base64_of(digest_of(inputs.config, inputs.lock, hashed, code.left_out))
    fragment = manifest_fragment(inputs, entry, layer_entry, made_of, revision)
    enter(dist, fragment, before.fragment if before else None)
    state = BuildState(
        inputs=inputs,
        sources=hashed,
        left_out=list(code.left_out),
        imports={name: found.described() for name, found in code.imports.items()},
        outputs=hashes,
        members=marshal.dumps([(member.described(), begin) for member, begin in zip(members, begins, strict=True)], 2),
        fragment=fragment,
        warnings=list(warnings),
        sha256=str(entry["sha256"]),
        size=len(archive),
    )
    changed = any(written) or fragment != (before.fragment if before else None)
    package = Package.of(dist, state, changed=changed)
    write_state(dist, state)
    return package


def sha256_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: hashlib.sha256(content).digest() for name, content in files.items()}


def entry_of(
    inputs: BuildInputs, name: str, files: Mapping[str, bytes], hashes: Mapping[str, bytes], inside: Sequence[Member]
) -> dict[str, object]:
    """Describe a zip for the manifest: where it lies, what it is, and how it gets to Lambda."""
    size = len(files[name])
    return {
        "path": f"dist/{name}",
        "sha256": base64_of(hashes[name]),
        "content_sha256": content_sha256(inside),
        "size": size,
        "upload": upload_of(inputs, size),
    }


def upload_of(inputs: BuildInputs, size: int) -> str:
    """Say how a zip of this size gets to Lambda: as package.toml decides, else in the call while it fits."""
    return inputs.upload or ("s3" if size > ZIPPED_LIMIT else "direct")


def check_countable(inputs: BuildInputs, members: Sequence[Member]) -> None:
    """Refuse more than a zip can list before one is written."""
    size = sum(len(member.data) for member in members)
    if len(members) > MOST_MEMBERS or size > MOST_BYTES:
        raise BuildFailed(
            f"The package of {inputs.app} would have {len(members):,} files and {size:,} bytes zipped; a zip for "
            f"Lambda lists {MOST_MEMBERS:,} files, and Lambda takes {UNZIPPED_LIMIT:,} bytes unzipped. Remove "
            f"dependencies from {edit(inputs.declared)}."
        )


def check_sizes(
    inputs: BuildInputs, code: Code, dependencies: Sequence[Member], archives: Sequence[bytes]
) -> list[str]:
    """Refuse a package that Lambda refuses, and name its largest parts already when it comes near."""
    zipped = max(len(archive) for archive in archives)
    unzipped = sum(member.size for member in (*dependencies, *code.members))
    # Through S3, the zip may have any size.
    in_a_call = 0 if inputs.upload == "s3" else zipped / ZIPPED_LIMIT
    if max(in_a_call, unzipped / UNZIPPED_LIMIT) < NEAR_LIMIT:
        return []
    parts = {**inputs.parts, f"{inputs.app} itself": sum(member.size for member in code.members)}
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:LARGEST]
    sentence = (
        f"The package of {inputs.app} has {zipped:,} bytes zipped and {unzipped:,} unzipped; Lambda takes "
        f"{ZIPPED_LIMIT:,} in a call and more through S3, and {UNZIPPED_LIMIT:,} unzipped. "
        f"Its largest parts, unzipped: {', '.join(f'{name} {size:,}' for name, size in largest)}."
    )
    if unzipped > UNZIPPED_LIMIT:
        raise BuildFailed(f"{sentence} Remove dependencies from {edit(inputs.declared)}.")
    if in_a_call > 1 and inputs.upload:
        raise BuildFailed(
            f"{sentence} Remove dependencies from {edit(inputs.declared)}, or the line upload = "
            f'"{inputs.upload}" from lambda/{inputs.app}/package.toml, and it goes through S3.'
        )
    if in_a_call > 1:
        return [f"{sentence} It goes through S3, into the packages_bucket of environment.yaml."]
    return [sentence]


def manifest_fragment(
    inputs: BuildInputs,
    entry: Mapping[str, object],
    layer: Mapping[str, object] | None,
    made_of: str,
    commit: Mapping[str, str | bool],
) -> str:
    """Return the app's part of the manifest, written as `json.dumps(..., indent=2)` writes it there."""
    platform = {"runtime": inputs.runtime, "architecture": inputs.architecture}
    functions = {
        name: {
            **entry,
            "handler": handler,
            **platform,
            **({"layer": layer} if layer else {}),
            "sources_sha256": made_of,
            **({"compiled_by": inputs.compiled_by} if inputs.compiled_by else {}),
            **commit,
            **({"directories": inputs.directories} if inputs.directories else {}),
        }
        for name, handler in sorted(inputs.handlers.items())
    }
    return indented(f"{json.dumps(inputs.app)}: {json.dumps(functions, indent=2)}")


def indented(text: str) -> str:
    """Write a part of a JSON document as it stands one level below the top."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def enter(dist: str, fragment: str, before: str | None) -> None:
    """Put an app's functions into the manifest, one build at a time."""
    path = f"{dist}/manifest.json"
    with locked(f"{dist}/.lock"):
        remove_temporary_files(path)
        text = read_own(path, private=False).decode(errors="replace") if Path(path).is_file() else ""
        if before and is_manifest_with(text, before):
            write_shared(path, text.replace(before, fragment))
            return
        from sawhorse.build.manifest import enter_fragment  # noqa: PLC0415 # takes 15 ms, and most builds change it in place

        enter_fragment(dist, fragment)


def layer_name(app: str) -> str:
    return f"{app}-layer.zip"

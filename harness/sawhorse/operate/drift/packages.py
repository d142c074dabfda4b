"""Plan with the packages of the last apply: what was built since and is not applied is nobody's drift."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sawhorse.build.manifest import Archive, Entry
from sawhorse.operate.releases.applied import archive_of, values_of
from sawhorse.operate.releases.built_from import dist_of
from sawhorse.terraform.render import packages_of
from sawhorse.terraform.state_store import State
from sawhorse.workspace import Workspace

# What Terraform is told of a zip, and of a function besides.
OF_ZIP = ("path", "sha256", "content_sha256", "size", "upload")
OF_FUNCTION = (*OF_ZIP, "handler", "runtime", "architecture")


def packages_as_applied(workspace: Workspace, state: State) -> dict[str, Entry]:
    """Return what was built, as if each zip had the content that the last apply uploaded; that alone decides.

    A zip that no apply has uploaded, or of which an apply that was cut off has left two contents, is as it was built.
    """
    applied = dict(contents_of(state))

    def as_applied(archive: Archive) -> dict[str, Any]:
        return applied.get(Path(archive.path).name) or {}

    return {
        name: replace(entry, **as_applied(entry), layer=entry.layer and replace(entry.layer, **as_applied(entry.layer)))
        for name, entry in packages_of(dist_of(workspace), workspace.root.app).items()
    }


def contents_of(state: State) -> Iterator[tuple[str, dict[str, str]]]:
    """Walk the zips that a state has one content of, by their names: the content, and the way it was uploaded."""
    found: dict[str, list[dict[str, str]]] = {}
    for kind in ("aws_lambda_function", "aws_lambda_layer_version"):
        for _, values in values_of(state, kind):
            content, name = values.get("source_code_hash"), archive_of(values)
            if content and name:
                upload = "direct" if values.get("filename") else "s3"
                known = found.setdefault(name, [])
                known += [{"content_sha256": content, "upload": upload}]
    for name, known in found.items():
        if all(one == known[0] for one in known):
            yield name, known[0]


def written(packages: Mapping[str, Entry], directory: Path) -> Path:
    """Write packages as a file of variables for Terraform, and return its path."""
    path = directory / "packages.tfvars.json"
    path.write_text(json.dumps({"packages": {name: variable_of(entry) for name, entry in packages.items()}}))
    return path


def variable_of(entry: Entry) -> dict[str, Any]:
    layer = {"layer": told(entry.layer, OF_ZIP)} if entry.layer else {}
    return {**told(entry, OF_FUNCTION), **layer}


def told(archive: Archive, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what Terraform is told of a zip, its path as a root sees it."""
    return {**{name: getattr(archive, name) for name in names}, "path": f"../../../{archive.path}"}

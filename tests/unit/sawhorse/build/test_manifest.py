"""A manifest is what a build writes, whole, or it is refused in a sentence by everything that reads it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.manifest import code_sha256, read_manifest
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse

REFUSED = r'^\S+/manifest\.json is not what the build writes; delete it and run "make build"\.$'
NO_HASH: list[object] = [3, "", "x" * 44, "=" * 44, "\u00e9" * 44]
WRONG: dict[str, list[object]] = {
    "path": [3, "", "tiny.zip", "/dist/tiny.zip", "dist/../tiny.zip", "dist/", "dist/a\nb.zip"],
    "sha256": NO_HASH,
    "content_sha256": NO_HASH,
    "sources_sha256": NO_HASH,
    "size": ["big", -1, True, 1.5, None],
    "upload": ["", "ftp", None, ["s3"]],
    "handler": [3, "", None],
    "runtime": [3, "", "python2.7", ["python3.13"]],
    "architecture": [3, "m68k"],
    "layer": [3, {}, [], "x", {"path": "dist/x.zip"}, {"size": "big"}],
    "directories": [["x"], "x", {"x": 1}, 3],
    "colour": ["red"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_an_entry_that_no_build_writes_is_refused(tiny: Project, field: str, value: object) -> None:
    build(tiny, "tiny")
    path = tiny.path / "dist/manifest.json"
    content = json.loads(path.read_text())
    content["tiny"]["api"][field] = value
    path.write_text(json.dumps(content))

    with pytest.raises(BuildFailed, match=REFUSED):
        read_manifest(path.parent)


@pytest.mark.parametrize(
    "content",
    [
        '{"tiny": 3}', '{"tiny": []}', '{"tiny": {"api": []}}', '{"tiny": {"api": null}}', '{"tiny": {"api": {}}}',
        '{"tiny": {"api": ' + "[" * 100_000 + "]" * 100_000 + "}}", "\ud800", "[",
    ],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused(tiny: Project, content: str) -> None:
    (tiny.path / "dist").mkdir()
    (tiny.path / "dist/manifest.json").write_bytes(content.encode(errors="surrogatepass"))

    with pytest.raises(BuildFailed, match=REFUSED):
        read_manifest(tiny.path / "dist")


@pytest.mark.parametrize("change", [{"directories": ["x"]}, {"runtime": 3}, {"size": "big"}, {"upload": "ftp"}])
def test_every_command_that_reads_a_manifest_refuses_it_in_a_sentence(tiny: Project, change: dict[str, object]) -> None:
    build(tiny, "tiny")
    path = tiny.path / "dist/manifest.json"
    content = json.loads(path.read_text())
    content["tiny"]["api"] |= change
    path.write_text(json.dumps(content))

    for command in (["render", "dev/tiny"], ["package", "inspect", "tiny", "--no-start"]):
        assert_refused(sawhorse(tiny, *command), "dist/manifest.json is not what the build writes; delete it and run")


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "path", "sha256", "content_sha256", "size", "upload", "handler", "runtime", "architecture", "layer",
    "sources_sha256", "directories",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), WORDS, min_size=1, max_size=3))
def test_whatever_an_entry_holds_it_is_read_as_what_terraform_takes_or_refused(change: dict[str, object]) -> None:
    whole = {
        "path": "dist/tiny.zip", "sha256": code_sha256(b""), "content_sha256": code_sha256(b"x"), "size": 1,
        "upload": "direct", "handler": "tiny.main.handler", "runtime": "python3.13", "architecture": "x86_64",
        "sources_sha256": code_sha256(b"y"), "directories": {"libs/x": "z"},
    }  # fmt: skip
    with TemporaryDirectory() as directory:
        (Path(directory) / "manifest.json").write_text(json.dumps({"tiny": {"api": {**whole, **change}}}))
        try:
            entry = read_manifest(Path(directory))["tiny"]["api"]
        except BuildFailed:
            return

    assert entry.upload in {"direct", "s3"}
    assert isinstance(entry.size, int)
    assert entry.size >= 0
    assert all(isinstance(one, str) for one in (*entry.directories, *entry.directories.values(), entry.handler))
    assert entry.path == f"dist/{Path(entry.path).name}"
    assert entry.layer is None

"""Packages that another build made are taken whole and as they were measured, or nothing changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.manifest import Archive, Entry, code_sha256, read_manifest, write_manifest
from sawhorse.errors import SawhorseError
from sawhorse.operate.releases.deploying import take_packages

NAMES = ("shop", "shop-worker", "shop-layer")


def entry(name: str, content: bytes, layer: Archive | None = None) -> Entry:
    return Entry(
        f"dist/{name}.zip", code_sha256(content), code_sha256(b"of " + content), len(content), "shop.main.handler",
        "python3.13", "x86_64", layer=layer,
    )  # fmt: skip


def built(directory: Path, contents: dict[str, bytes]) -> Path:
    """Write a directory of packages as a build does: two functions with one layer."""
    directory.mkdir(parents=True)
    for name, content in contents.items():
        (directory / f"{name}.zip").write_bytes(content)
    layer = contents["shop-layer"]
    measured = Archive("dist/shop-layer.zip", code_sha256(layer), code_sha256(b"of " + layer), len(layer))
    functions = {
        "api": entry("shop", contents["shop"], measured),
        "worker": entry("shop-worker", contents["shop-worker"], measured),
    }
    write_manifest(directory, {"shop": functions})
    return directory


def found(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


contents = st.fixed_dictionaries({name: st.binary(min_size=1, max_size=64) for name in NAMES})


@given(before=contents, after=contents)
def test_packages_come_with_what_was_measured_of_them(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    place = built(tmp_path_factory.mktemp("packages") / "dist", before)
    other = {"other": {"api": entry("other", b"another app's")}}
    write_manifest(place, {**read_manifest(place), **other})
    source = built(place.parent / "promoted", after)

    take_packages(source, place, "shop")

    assert {name: (place / f"{name}.zip").read_bytes() for name in NAMES} == after
    assert read_manifest(place) == {**read_manifest(source), **other}


def without(name: str) -> Callable[[Path], Any]:
    return lambda source: (source / name).unlink()


def overwritten(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda source: (source / name).write_bytes(content)


def of_another_app(source: Path) -> None:
    manifest = json.loads((source / "manifest.json").read_text())
    (source / "manifest.json").write_text(json.dumps({"basket": manifest["shop"]}))


def pointing_elsewhere(source: Path) -> None:
    text = (source / "manifest.json").read_text()
    (source / "manifest.json").write_text(text.replace("dist/shop-layer.zip", "dist/../shop-layer.zip"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without("shop.zip"), "shop.zip does not exist"),
        (without("shop-worker.zip"), "shop-worker.zip does not exist"),
        (without("shop-layer.zip"), "shop-layer.zip does not exist"),
        (without("manifest.json"), "shop.zip does not exist"),
        (overwritten("shop-layer.zip", b"another"), "shop-layer.zip is not the one that was measured"),
        (overwritten("shop-worker.zip", b""), "shop-worker.zip is not the one that was measured"),
        (overwritten("manifest.json", b"{"), "manifest.json is not what the build writes"),
        (overwritten("manifest.json", b"[]"), "manifest.json is not what the build writes"),
        (of_another_app, "shop.zip does not exist"),
        (pointing_elsewhere, "manifest.json is not what the build writes"),
    ],
)
def test_packages_that_are_not_whole_change_nothing(
    tmp_path: Path, spoil: Callable[[Path], Any], complaint: str
) -> None:
    place = built(tmp_path / "dist", dict.fromkeys(NAMES, b"today's"))
    source = built(tmp_path / "promoted", dict.fromkeys(NAMES, b"promoted"))
    spoil(source)
    before = found(place)

    with pytest.raises(SawhorseError, match="promoted/") as refused:
        take_packages(source, place, "shop")

    assert complaint in str(refused.value)
    assert str(refused.value).endswith("fetch the packages again from the build that made them.")
    assert found(place) == before


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    place = built(tmp_path / "dist", dict.fromkeys(NAMES, b"today's"))

    with pytest.raises(SawhorseError, match="nowhere is no directory of packages"):
        take_packages(tmp_path / "nowhere", place, "shop")


def test_packages_that_lie_where_they_are_taken_from_stay_as_they_are(tmp_path: Path) -> None:
    place = built(tmp_path / "dist", dict.fromkeys(NAMES, b"today's"))
    before = found(place)

    take_packages(tmp_path / "dist/../dist", place, "shop")

    assert found(place) == before

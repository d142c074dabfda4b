"""A zip is walked as a whole, however many files it has, and a damaged one has a sentence or no names."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sawhorse.build.zip_reader import names_in_zip, opened
from sawhorse.errors import SawhorseError


@pytest.mark.parametrize("files", [10, 2000])
def test_a_zip_is_walked_a_few_times_and_not_once_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(files):
            archive.writestr(f"a/b/c/{number}", "")
    asked: list[str] = []
    is_dir = zipfile.ZipInfo.is_dir

    def remember(info: zipfile.ZipInfo) -> bool:
        asked.append(info.filename)
        return is_dir(info)

    monkeypatch.setattr(zipfile.ZipInfo, "is_dir", remember)
    with opened(path) as package:
        assert len(package.files) == files

    assert files <= len(asked) <= 3 * files


NAMES = ("a/b.py", "a/\N{LATIN SMALL LETTER U WITH DIAERESIS}.txt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "one.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.writestr(name, name * 50)
    return path


def assert_names_or_none(path: Path) -> None:
    """No damage is more than a zip without names, or one that is refused in a sentence."""
    names_in_zip(path)
    sentence = f"{path}"
    try:
        with opened(path) as package:
            for name in package.files:
                package.read(name)
    except SawhorseError as error:
        sentence = str(error)
    assert sentence.startswith(f"{path}")


def test_whichever_byte_of_a_zip_is_lost_it_has_names_or_none(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    assert names_in_zip(whole) == set(NAMES)
    damaged = tmp_path / "damaged.zip"
    for place in range(len(content)):
        damaged.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        assert_names_or_none(damaged)


@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), kept=st.floats(0, 1))
@example(places=[], kept=0)
def test_whatever_the_bytes_of_a_zip_are_it_has_names_or_none(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, places: Sequence[tuple[float, int]], kept: float
) -> None:
    content = bytearray(whole.read_bytes())
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    damaged = tmp_path_factory.getbasetemp() / "damaged.zip"
    damaged.write_bytes(content[: int(kept * len(content))])
    assert_names_or_none(damaged)

"""A zip is walked as a whole, however many files it has."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from sawhorse.build.zip_reader import opened


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

"""Zips as `zip -r` makes them, extracted as `unzip` does, and kept from being written to."""

import os
import time
import zipfile
from pathlib import Path

import pytest

from tests.benchmarks.packages import modified_at, read_only, read_packages, unzip, zip_directory
from tests.benchmarks.processes import NotMeasured


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A script and a module, changed at an odd second."""
    directory = tmp_path / "sources"
    (directory / "app").mkdir(parents=True)
    (directory / "app/main.py").write_text("VALUE = 1\n")
    (directory / "run.sh").write_text("#!/bin/sh\n")
    (directory / "run.sh").chmod(0o755)
    for path in (directory / "app/main.py", directory / "run.sh"):
        os.utime(path, (1_700_000_001, 1_700_000_001))
    return directory


def test_what_is_zipped_and_extracted_keeps_contents_modes_and_odd_seconds(sources: Path, tmp_path: Path) -> None:
    zip_directory(sources, tmp_path / "package.zip")
    unzip(tmp_path / "package.zip", tmp_path / "extracted")
    assert (tmp_path / "extracted/app/main.py").read_text() == "VALUE = 1\n"
    assert (tmp_path / "extracted/run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "extracted/app/main.py").stat().st_mtime == 1_700_000_001


def test_a_zip_without_utc_seconds_is_read_by_its_own_clock() -> None:
    info = zipfile.ZipInfo("main.py", date_time=(2026, 1, 31, 9, 15, 2))
    assert modified_at(info) == time.mktime((2026, 1, 31, 9, 15, 2, 0, 0, -1))


def test_a_package_can_be_deleted_after_it_was_read_only(sources: Path) -> None:
    with read_only(sources):
        assert not sources.stat().st_mode & 0o222
        assert not (sources / "app/main.py").stat().st_mode & 0o222
    (sources / "app/main.py").unlink()


def test_a_file_that_is_written_into_a_package_spoils_the_measurement(sources: Path) -> None:
    def write() -> None:
        with read_only(sources):
            (sources / "app").chmod(0o755)
            (sources / "app/main.pyc").write_bytes(b"")

    with pytest.raises(NotMeasured, match=r"main\.pyc was written"):
        write()


def test_a_manifest_names_every_function_with_its_layer(tmp_path: Path) -> None:
    entry = '{"path": "dist/a.zip", "handler": "a.main.handler", "runtime": "python3.13", "architecture": "x86_64"'
    (tmp_path / "dist").mkdir()
    layer = ', "layer": {"path": "dist/a-layer.zip"}'
    (tmp_path / "dist/manifest.json").write_text(f'{{"a": {{"api": {entry}}}, "worker": {entry}{layer}}}}}}}')
    api, worker = read_packages(tmp_path)
    assert (api.title, api.archives) == ("a/api", (tmp_path / "dist/a.zip",))
    assert worker.archives == (tmp_path / "dist/a.zip", tmp_path / "dist/a-layer.zip")

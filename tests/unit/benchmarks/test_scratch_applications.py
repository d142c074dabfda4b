"""The same application as each builder wants to have it."""

from pathlib import Path

import pytest

from sawhorse.checkout import is_checkout
from sawhorse.project import Project
from tests.benchmarks.imports import by_distribution, read_import_times, slowest
from tests.benchmarks.scratch import (
    Sources,
    change,
    make_chalice_application,
    make_checkout,
    make_sam_application,
    without_hashes,
)

SOURCES = Sources("sample", "sample/limits.py")
LOCK = """\
# made by uv
annotated-doc==0.0.7 \\
    --hash=sha256:00 \\
    --hash=sha256:01
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:02
"""
IMPORT_TIMES = """\
import time: self [us] | cumulative | imported package
import time:       200 |        200 |     json.decoder
import time:       300 |        500 |   json
import time:      1500 |       2000 | application
a line of somebody else's
"""


def test_a_lock_loses_its_hashes_and_nothing_else() -> None:
    assert without_hashes(LOCK) == "annotated-doc==0.0.7\ncolorama==0.4.6 ; sys_platform == 'win32'\n"


def test_a_change_is_a_new_one_every_time(project: Project, tmp_path: Path) -> None:
    source = make_sam_application(project.path, tmp_path / "sam", SOURCES, with_uv=False) / "code" / SOURCES.changed
    first = change(source)
    second = change(source)
    assert first != second
    assert second in source.read_text().splitlines()
    assert first not in source.read_text()


def test_a_constant_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "routes.py").write_text("OTHER = 1\n")
    with pytest.raises(ValueError, match="has no line such as DEFAULT_LIMIT"):
        change(tmp_path / "routes.py")


def test_every_builder_gets_the_same_sources(project: Project, tmp_path: Path) -> None:
    (tmp_path / "chalice").mkdir()
    checkout = make_checkout(project.path, tmp_path / "ours").path / "lambda"
    places = [
        make_sam_application(project.path, tmp_path / "sam", SOURCES, with_uv=True) / "code",
        make_chalice_application(project.path, tmp_path / "chalice", SOURCES) / "vendor",
    ]
    for place in places:
        for path in place.rglob("*.py"):
            assert path.read_bytes() == (checkout / path.relative_to(place)).read_bytes()
        assert (place / SOURCES.changed).is_file()


def test_a_scratch_checkout_is_a_project_without_roots(project: Project, tmp_path: Path) -> None:
    checkout = make_checkout(project.path, tmp_path / "ours")
    assert is_checkout(checkout.path)
    assert checkout.apps == ["sample"]
    assert checkout.roots == []


def test_a_scratch_checkout_of_a_fresh_clone_links_nothing_that_is_not_there(repository: Path, tmp_path: Path) -> None:
    for name in ("lambda", "harness", "pyproject.toml"):
        (tmp_path / "clone").mkdir(exist_ok=True)
        (tmp_path / "clone" / name).symlink_to(repository / name)

    place = make_checkout(tmp_path / "clone", tmp_path / "ours").path

    links = [path for path in (*place.iterdir(), *(place / ".sawhorse").iterdir()) if path.is_symlink()]
    assert sorted(path.name for path in links) == ["harness", "pyproject.toml"]
    assert [path for path in links if not path.exists()] == []


def test_import_times_are_read_and_ranked() -> None:
    imports = read_import_times(IMPORT_TIMES)
    assert [each.module for each in slowest(imports)] == ["application", "json", "json.decoder"]
    assert slowest(imports)[0].cumulative == 0.002
    assert by_distribution(imports) == [("application", 0.0015), ("json", 0.0005)]

"""What is taken from a builder before it is measured, and what stands in the table of builders."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.builders import (
    BEFORE,
    CHANGED,
    COLD,
    EMPTY,
    OURS,
    ROWS,
    SAM_UV,
    STRICT,
    UNCHANGED,
    Builder,
    Member,
    measure_round,
)
from tests.benchmarks.processes import NotMeasured
from tests.benchmarks.tables import builder_tables

# Stands for a builder: writes down what it finds of its caches, fills them, and builds.
PROGRAM = """
import json, os, pathlib, shutil
seen = {}
for name in ("OWN_CACHE", "UV_CACHE_DIR"):
    cache = pathlib.Path(os.environ[name])
    seen[name] = sorted(path.name for path in cache.iterdir()) if cache.is_dir() else []
    for kind in ("archives", "selections", "wheels", "locks"):
        (cache / kind).mkdir(parents=True, exist_ok=True)
seen["built before"] = os.path.exists("built")
with open("seen", "a") as file:
    file.write(json.dumps(seen) + "\\n")
os.makedirs("built", exist_ok=True)
shutil.copy("routes.py", "built/routes.py")
"""
FULL = ["archives", "locks", "selections", "wheels"]
DOWNLOADED = ["archives", "selections"]


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    (tmp_path / "routes.py").write_text("DEFAULT_LIMIT = 50\n")
    variables = {"OWN_CACHE": str(tmp_path / "own"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    return Builder(
        name=OURS,
        directory=tmp_path,
        command=[sys.executable, "-c", PROGRAM],
        variables=variables,
        source=tmp_path / "routes.py",
        state=[tmp_path / "built"],
        product=(tmp_path / "built/routes.py").read_text,
        cache=tmp_path / "own",
        caches=("OWN_CACHE", "UV_CACHE_DIR"),
    )


def seen(builder: Builder) -> list[tuple[list[str], list[str], bool]]:

    lines = [json.loads(line) for line in (builder.directory / "seen").read_text().splitlines()]
    return [(line["OWN_CACHE"], line["UV_CACHE_DIR"], line["built before"]) for line in lines]


def test_each_row_finds_what_it_says_and_nothing_else(builder: Builder, tmp_path: Path) -> None:
    builder.seconds()

    times = measure_round([builder], ROWS, tmp_path)

    assert seen(builder)[1:] == [
        ([], [], False),
        (DOWNLOADED, FULL, False),
        (FULL, FULL, False),
        (FULL, FULL, True),
        (FULL, FULL, True),
    ]
    assert [list(times[row]) for row in ROWS] == [[OURS]] * 5


@pytest.mark.parametrize("row", ROWS)
def test_a_row_alone_is_one_build(builder: Builder, tmp_path: Path, row: str) -> None:
    builder.seconds()

    times = measure_round([builder], [row], tmp_path)

    assert list(times) == [row]
    assert len(seen(builder)) == 2


def test_a_builder_that_prepares_nothing_has_one_run_for_both_rows_and_none_from_nothing(
    builder: Builder, tmp_path: Path
) -> None:
    peer = replace(builder, name="peer", cache=None, caches=())

    times = measure_round([peer], [EMPTY, STRICT, COLD], tmp_path)

    assert times[EMPTY] == {}
    assert times[STRICT] == times[COLD]
    assert len(seen(peer)) == 1


def test_a_builder_that_builds_something_else_is_not_measured(builder: Builder) -> None:
    with pytest.raises(NotMeasured, match="did not build what is there"):
        replace(builder, product=lambda: "older").seconds()


TIMES = {row: {OURS: [1.0], BEFORE: [2.0], SAM_UV: [4.0]} for row in (STRICT, COLD, CHANGED, UNCHANGED)} | {
    EMPTY: {OURS: [5.0]}
}


def test_the_table_has_the_columns_and_rows_that_were_measured() -> None:
    text = builder_tables(TIMES, "v1 (abc)")

    assert "|  | sawhorse build | before | sam build, python-uv |" in text
    assert "| nothing at all, downloads included | 5.00 s (5.00-5.00) | - | - |" in text
    assert "| the same, without our prepared wheels | before / ours | 2.00 |  |  |" in text
    assert "| the same, without our prepared wheels | sam build, python-uv / ours | 4.0 | >= 1 | pass |" in text
    assert "`before` is v1 (abc), which" in text
    assert "chalice" not in text


def test_a_row_alone_makes_a_table_as_well() -> None:
    text = builder_tables({STRICT: {OURS: [3.0], SAM_UV: [1.5]}})

    assert "| the same, without our prepared wheels | 3.00 s (3.00-3.00) | 1.50 s (1.50-1.50) |" in text
    assert "| the same, without our prepared wheels | sam build, python-uv / ours | 0.5 | >= 1 | fail |" in text
    assert "before" not in text


def test_a_member_of_a_zip_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Member(tmp_path / "absent.zip", "routes.py")()

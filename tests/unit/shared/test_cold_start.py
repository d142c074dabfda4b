"""A start collects no garbage, and whoever runs the code finds the collector as it was."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.cold_start import cold_start


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()
    gc.unfreeze()


def test_nothing_is_collected_while_the_block_runs_and_what_it_made_never_is() -> None:
    gc.enable()
    frozen = gc.get_freeze_count()
    with cold_start():
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(made)


def test_a_start_that_fails_leaves_the_collector_as_it_was() -> None:
    gc.enable()
    with pytest.raises(ZeroDivisionError), cold_start():
        _ = 1 / 0
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with cold_start():
        pass
    assert not gc.isenabled()


def test_a_start_without_collections_is_one() -> None:
    program = (
        "import gc\n"
        "from shared.cold_start import cold_start\n"
        "def collections(): return sum(generation['collections'] for generation in gc.get_stats())\n"
        "with cold_start():\n"
        "    before = collections()\n"
        "    import fastapi\n"
        "    print(collections() - before)\n"
    )
    where = str(Path(inspect.getfile(cold_start)).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, cwd=where
    )
    assert done.stdout == "0\n"

"""What a part of the benchmarks measured is kept, whatever becomes of the parts after it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.errors import SawhorseError
from tests.benchmarks.results import Measured, Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path, "Machine: fast.", {"machine": "fast"}, tmp_path / "own.json", io.StringIO())


def raising(error: BaseException) -> Callable[[], Measured]:
    def part() -> Measured:
        raise error

    return part


def good(text: str) -> Callable[[], Measured]:
    return lambda: Measured({"seconds": 1.5}, f"{text} took 1.5 s.\n")


ERRORS = [
    (SawhorseError("No peer is there; install one."), "No peer is there; install one."),
    (FileExistsError(17, "File exists", "/x/emulators"), "/x/emulators: File exists."),
    (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero (an error of the benchmarks"),
]


@pytest.mark.parametrize("failure", ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_part_that_fails_is_told_and_the_others_are_measured(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str], failure: tuple[Exception, str], place: int
) -> None:
    error, sentence = failure
    parts = [("builders", good("Building")), ("starts", good("Starting"))]
    parts.insert(place, ("sizes", raising(error)))

    assert results.measure(dict(parts)) == 1

    written = (tmp_path / "results.md").read_text()
    for text in (written, results.out.getvalue()):  # type: ignore[attr-defined] # the fixture's is in memory
        assert text.startswith("Machine: fast.\n\n## Builders\n\nBuilding took 1.5 s.\n")
        assert "## Starts\n\nStarting took 1.5 s." in text
    assert f"Not measured: sizes. {sentence}" in written
    figures = json.loads((tmp_path / "results.json").read_text())
    assert figures == json.loads((tmp_path / "own.json").read_text())
    assert {name: figures[name] for name in ("machine", "builders", "starts")} == {
        "machine": "fast",
        "builders": {"seconds": 1.5},
        "starts": {"seconds": 1.5},
    }
    assert list(figures["failures"]) == ["sizes"]
    said = capsys.readouterr().err
    assert f"The part sizes failed: {sentence}" in said
    assert ("Traceback" in said) == isinstance(error, ZeroDivisionError)


def test_an_interrupt_keeps_what_was_measured_and_says_where_it_is(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {"builders": good("Building"), "sizes": raising(KeyboardInterrupt()), "starts": good("Starting")}

    assert results.measure(parts) == 130

    assert json.loads((tmp_path / "results.json").read_text())["builders"] == {"seconds": 1.5}
    assert "## Starts" not in (tmp_path / "results.md").read_text()
    assert capsys.readouterr().err == f"Stopped while measuring sizes. {tmp_path}/results.md has builders.\n"


def test_each_part_is_written_before_the_next_one_begins(results: Results, tmp_path: Path) -> None:
    def look() -> Measured:
        assert "## Builders" in (tmp_path / "results.md").read_text()
        assert json.loads((tmp_path / "results.json").read_text())["builders"] == {"seconds": 1.5}
        return good("Looking")()

    assert results.measure({"builders": good("Building"), "sizes": look}) == 0
    assert results.failures == {}

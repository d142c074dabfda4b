"""A linter is chosen by its name, as a whole or a part, and an unknown one is refused with those that there are."""

from __future__ import annotations

import pytest

from sawhorse.errors import UnknownName
from sawhorse.project import Project
from sawhorse.terraform.sync import WRITTEN
from sawhorse.toolchain import linters
from sawhorse.toolchain.linters import Linter, selected

KNOWN = ["checkov", "import-linter", "mypy", "ruff check", "ruff format", "terraform fmt", "zizmor"]


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ([], KNOWN),
        (["ruff"], ["ruff check", "ruff format"]),
        (["ruff check"], ["ruff check"]),
        (["ruff", "format"], ["ruff format"]),
        (["zizmor", "ruff", "mypy"], ["mypy", "ruff check", "ruff format", "zizmor"]),
        (["ruff", "ruff check", "ruff"], ["ruff check", "ruff format"]),
        (["terraform"], ["terraform fmt"]),
        (["mypy", "terraform", "fmt"], ["mypy", "terraform fmt"]),
    ],
)
def test_a_name_stands_for_a_linter_or_for_all_its_parts(names: list[str], meant: list[str]) -> None:
    assert selected(names, KNOWN) == meant


@pytest.mark.parametrize(
    ("names", "unknown"), [(["pylint"], "pylint"), (["ruff", "sort"], "sort"), (["format"], "format"), ([""], "")]
)
def test_an_unknown_name_is_refused_with_all_that_there_are(names: list[str], unknown: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        selected(names, KNOWN)

    assert str(refusal.value) == (
        f"There is no linter {unknown}; choose from checkov, import-linter, mypy, ruff, ruff check, ruff format, "
        "terraform, terraform fmt, zizmor."
    )


def test_the_command_runs_what_is_named_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"ruff format": "two files differ", "mypy": "wrong"}

    def linter(name: str) -> Linter:
        return Linter(name, lambda: said.get(name, ""))

    monkeypatch.setattr(linters, "linters", lambda _project: [linter(name) for name in KNOWN])

    assert linters.main(["ruff", "zizmor"]) == 1
    lines = [line.partition(" (")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["ruff check: ok", "ruff format: FAILED", "two files differ", "zizmor: ok"]


def test_the_command_says_which_linters_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert linters.main(["pylint"]) == 2
    assert (
        "There is no linter pylint; choose from aws-limits, checkov, import-linter, module-arguments, module-tables, "
        in capsys.readouterr().err
    )


def test_names_beside_fix_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        linters.main(["--fix", "ruff"])

    assert end.value.code == 2
    assert "--fix formats everything; name no linters with it" in capsys.readouterr().err


def test_a_root_that_sync_did_not_write_is_a_complaint(tiny: Project) -> None:
    [linter] = [one for one in linters.linters(tiny) if one.name == "sawhorse sync"]
    assert linter.run() == ""
    path = tiny.root("dev/tiny").path / WRITTEN
    path.write_text(path.read_text() + "# edited\n")

    complaints = linter.run()

    assert "\n-# edited\n" in complaints
    assert complaints.endswith('run "sawhorse sync dev/tiny".')

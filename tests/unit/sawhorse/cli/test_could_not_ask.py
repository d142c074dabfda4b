"""Commands that compare or tell end with 1 where they could not ask, and with 2 for what was asked wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sawhorse.cli import drift as drift_cli
from sawhorse.cli import main as cli
from sawhorse.cli import releases as releases_cli
from sawhorse.cli import state as state_cli
from sawhorse.cli import verify as verify_cli
from sawhorse.errors import (
    BadConfiguration,
    BuildFailed,
    CommandFailed,
    CouldNotAsk,
    Interrupted,
    LocalAWSError,
    MissingTool,
    NotApplied,
    SawhorseError,
    UnknownName,
    Unreadable,
    Untrusted,
    WrongAccount,
    asking,
    report_error,
)
from sawhorse.project import Project

COULD_NOT: tuple[Exception, ...] = (
    WrongAccount("There are no AWS credentials for dev."),
    LocalAWSError("The local AWS is not running."),
    Unreadable("The record is damaged."),
    MissingTool("There is no Terraform."),
    BuildFailed("The commit cannot be built."),
    Untrusted("Somebody else may have written the state."),
    SawhorseError("An apply was cut off."),
    CouldNotAsk("Lambda handed out something else."),
    CommandFailed("terraform plan failed."),
    PermissionError(13, "Permission denied", "terraform.tfstate"),
)
MISTAKES: tuple[Exception, ...] = (
    UnknownName("There is no root dev/x."),
    BadConfiguration("environment.yaml does not fit."),
    NotApplied("dev/shop is not applied."),
)
COMMANDS = {
    "verify": (verify_cli, ["verify", "dev/shop"]),
    "releases": (releases_cli, ["releases", "dev/shop"]),
    "releases of two": (releases_cli, ["releases", "dev/shop", "1", "2"]),
    "drift": (drift_cli, ["drift", "dev/shop"]),
    "plan --exit-code": (cli, ["plan", "dev/shop", "--exit-code"]),
    "state show": (state_cli, ["state", "show", "dev/shop"]),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("error", [*COULD_NOT, *MISTAKES, Interrupted("stopped.")], ids=lambda one: type(one).__name__)
def test_the_exit_code_says_whose_fault_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise error

    module, words = COMMANDS[command]
    monkeypatch.setattr(module, "open_workspace", fail)
    monkeypatch.setattr(Project, "find", lambda: Project(tmp_path))
    monkeypatch.setattr(Project, "roots_named", lambda self, name: [self.root(name)])
    monkeypatch.setattr(Project, "root", lambda self, name: type("Root", (), {"name": name, "project": self})())

    ended = CliRunner().invoke(cli.app, words).exception

    assert isinstance(ended, (SawhorseError, OSError)), ended
    expected = 130 if isinstance(error, Interrupted) else 2 if error in MISTAKES else 1
    assert report_error(ended) == expected
    assert str(ended).startswith(str(error)) or isinstance(error, OSError)


def test_a_reader_that_went_away_is_none_of_it() -> None:
    with pytest.raises(BrokenPipeError), asking():
        raise BrokenPipeError

"""An option that is typed is taken or refused: none is left out without a word because it is empty or alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from sawhorse.cli import main as cli
from sawhorse.cli.releases import rollout_wanted
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.operate.releases.canary import Canary, Rollout


def parameters() -> Iterator[tuple[list[str], Any]]:
    """Walk every option and argument that takes a value, each with the words of its command."""

    def walk(command: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
        children = getattr(command, "commands", {})
        for name, child in children.items():
            yield from walk(child, [*words, name])
        if not children:
            yield from ((words, one) for one in command.params if not getattr(one, "is_flag", False))

    return walk(typer.main.get_command(cli.app), [])


# The app reads its own command line.
OF_THE_APP = (["run"], "command")
PARAMETERS = [
    pytest.param(words, one, id=" ".join([*words, str(one.name)]))
    for words, one in parameters()
    if one.default != "" and (words, one.name) != OF_THE_APP
]


@pytest.mark.parametrize(("words", "parameter"), PARAMETERS)
def test_an_empty_text_is_refused(words: list[str], parameter: Any) -> None:
    option = [parameter.opts[0]] if parameter.param_type_name == "option" else []
    before = [] if option else [""] * typed_before(words, parameter)

    result = CliRunner().invoke(cli.app, [*words, *before, *option, ""])

    assert result.exit_code == 2, result.output
    assert "It is empty" in " ".join(result.output.split())


def test_an_empty_text_is_handed_on_to_the_command_of_an_app() -> None:
    result = CliRunner().invoke(cli.app, ["run", "dev/nowhere", "deploy", "--image", ""])

    assert "It is empty" not in " ".join(result.output.split())
    assert isinstance(result.exception, UnknownName)


def typed_before(words: list[str], parameter: Any) -> int:
    """Count the arguments that stand before one."""
    arguments = [one.name for found, one in parameters() if found == words and one.param_type_name == "argument"]
    return arguments.index(parameter.name)


def test_all_options_of_releases_are_among_them() -> None:
    names = {param.id for param in PARAMETERS}

    assert {"verify commit", "release canary", "deploy packages", "plan out", "plan var", "freeze why"} <= names
    assert not [name for name in names if name == "rollback why"]


@pytest.mark.parametrize(
    "words",
    [
        ["rollback", "dev/shop", "--steps", "0"],
        ["rollback", "dev/shop", "--steps", "-1"],
        ["rollback", "dev/shop", "--to", "1", "--steps", "1"],
        ["releases", "dev/shop", "1", "2", "--prune", "99"],
        ["releases", "dev/shop", "1"],
    ],
)
def test_what_does_not_go_together_or_counts_nothing_is_refused(words: list[str]) -> None:
    result = CliRunner().invoke(cli.app, words)

    assert isinstance(result.exception, BadConfiguration) or (
        result.exit_code == 2 and "or equal to 1" in " ".join(result.output.split())
    ), result


@pytest.mark.parametrize(
    ("share", "lasting", "refused"),
    [("", None, "--canary"), (None, "5m", "--for 5m"), (None, "garbage", "--for garbage"), ("10%", "garbage", "--for")],
)
def test_what_would_be_taken_and_not_done_is_refused(share: str | None, lasting: str | None, refused: str) -> None:
    with pytest.raises(BadConfiguration, match=refused):
        rollout_wanted(share, lasting, "0s")


def test_a_canary_lasts_ten_minutes_unless_it_is_said() -> None:
    assert rollout_wanted("10%", None, "0s") == Rollout(Canary(0.1, 600.0), 0.0)
    assert rollout_wanted("10%", "5m", "1m") == Rollout(Canary(0.1, 300.0), 60.0)
    assert rollout_wanted(None, None, "0s") == Rollout()

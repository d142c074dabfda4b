"""A package of an app is imported with the variables of an applied root, or with placeholders, and is not silent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sawhorse.inspect.import_variables import applied_variables
from sawhorse.operate.result_tables import steps_of
from sawhorse.project import Project
from tests.unit.sawhorse.packages import json_of
from tests.unit.sawhorse.support import assert_inspected, sawhorse

SETTINGS = """
import os

class SettingsError(ValueError):
    pass

def required(name):
    if not os.environ.get(name):
        raise SettingsError(f"{name} is not set. Set it in the function's environment.")

def choice(name, *choices):
    if os.environ.get(name, "") not in choices:
        raise SettingsError(f"{name} is {os.environ.get(name, '')!r}. Set it to one of {', '.join(choices)}.")
"""

Inspect = Callable[..., Any]


@pytest.fixture
def inspected(tiny: Project) -> Inspect:
    """Build the tiny app with this text at its module's top, and return what an inspection by its name tells."""

    def inspect(text: str, *options: str) -> Any:
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        toml = f'runtime = "python{python}"\n[functions.api]\nhandler = "tiny.main.handler"\n'
        (tiny.lambda_path / "tiny/package.toml").write_text(toml)
        (tiny.lambda_path / "tiny/main.py").write_text(f"{SETTINGS}\ndef handler(event, context): ...\n{text}\n")
        assert sawhorse(tiny, "build", "tiny").code == 0
        return json_of(sawhorse(tiny, "package", "inspect", "tiny", "--json", *options))

    return inspect


def state(path: Path, variables: dict[str, str], handler: str = "tiny.main.handler") -> None:
    attributes = {"handler": handler, "environment": [{"variables": variables}]}
    function = {
        "mode": "managed",
        "type": "aws_lambda_function",
        "name": "x",
        "instances": [{"attributes": attributes}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 4, "resources": [function]}))


@pytest.mark.parametrize(
    ("text", "placeholders"),
    [
        ("import json", []),
        ("os.environ['TABLE']", ["TABLE"]),
        ("required('TABLE'); required('STAGE'); os.environ['QUEUE_URL']", ["QUEUE_URL", "STAGE", "TABLE"]),
        ("required('MODE'); choice('MODE', 'gateway', 'local')", ["MODE"]),
        ("choice('USE_DYNAMODB', 'true', 'false')", ["USE_DYNAMODB"]),
    ],
)
def test_placeholders_stand_for_what_an_import_misses(inspected: Inspect, text: str, placeholders: list[str]) -> None:
    (start,) = inspected(text)["starts"]

    assert start["error"] is None
    assert start["placeholders"] == placeholders


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise KeyError('lower')", "KeyError: 'lower'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SettingsError('TABLE is not set.')", "SettingsError: TABLE is not set."),
        ("import os; os._exit(3)", "its process ended with code 3: "),
    ],
)
def test_what_no_variable_helps_is_told_as_it_is(inspected: Inspect, text: str, error: str) -> None:
    (start,) = inspected(text)["starts"]

    assert start["error"].startswith(error)


def test_what_the_user_gives_wins(inspected: Inspect) -> None:
    (start,) = inspected(
        "assert os.environ['TABLE'] == 'mine'; required('EMPTY')", "--env", "TABLE=mine", "--env", "EMPTY="
    )["starts"]

    assert start["error"].startswith("SettingsError: EMPTY is not set.")
    assert start["placeholders"] == []


def test_where_a_root_is_applied_its_variables_are_taken(inspected: Inspect, tiny: Project) -> None:
    root = tiny.root("dev/tiny").path
    state(root / "terraform.tfstate.d/local/terraform.tfstate", {"TABLE": "applied"})

    found = inspected("assert os.environ['TABLE'] == 'applied'; required('NEW')")

    assert found["starts"][0]["error"] is None
    assert found["starts"][0]["placeholders"] == ["NEW"]
    assert found["notes"][0] == "The handlers had the variables of dev/tiny on the local AWS, as it was last applied."


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"resources": [{}]}', '{"resources": 1}', "\x00"])
def test_a_state_that_cannot_be_read_is_none(tiny: Project, content: str) -> None:
    path = tiny.root("dev/tiny").path / "terraform.tfstate.d/local/terraform.tfstate"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert applied_variables(tiny, "tiny").where == ""

    state(tiny.root("dev/tiny").path / "terraform.tfstate", {"TABLE": "real"})
    found = applied_variables(tiny, "tiny")
    assert (found.where, found.by_handler) == ("dev/tiny", {"tiny.main.handler": {"TABLE": "real"}})


def test_a_new_user_inspects_an_app_without_an_error(project: Project) -> None:
    """As the README's line says."""
    assert_inspected(project, "sample")


def test_each_step_is_told_where_no_terminal_is_and_not_among_what_machines_read(
    inspected: Inspect, tiny: Project
) -> None:
    inspected("import json")

    ended = sawhorse(tiny, "package", "inspect", "tiny", "--json")

    assert json.loads(ended.out)["starts"]
    steps = ended.err.splitlines()
    assert steps[0] == "Unpacking tiny.zip ..."
    assert "Importing tiny.main.handler 3 times without ..." in steps


def test_in_a_terminal_a_status_shows_the_step() -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=80)

    with steps_of(console) as step:
        step("Importing [red]app[/red]")

    assert "Importing [red]app[/red] ..." in shown.getvalue()

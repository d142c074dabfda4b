"""A module's README plans what it promises and lists what the module has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.plans.examples import Example, read_examples
from sawhorse.plans.plan import Plan
from sawhorse.project import Project
from sawhorse.terraform.sync import WRITTEN
from sawhorse.toolchain.module_tables import BEGIN, END, WRITE, module_tables
from tests.projects import REPOSITORY

pytestmark = pytest.mark.whole_plans

MODULES = sorted(path.parent for path in (REPOSITORY / "modules").rglob("main.tf"))
EXAMPLES = read_examples(REPOSITORY)


def blocks(path: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Walk the blocks of one kind; terraform fmt keeps their layout."""
    yield from re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', path.read_text(), re.MULTILINE | re.DOTALL)


def description(body: str) -> str:
    found = re.search(r'^  description = "(.*)"$', body, re.MULTILINE)
    return found[1].replace('\\"', '"') if found else ""


def name_of(module: Path) -> str:
    return module.relative_to(REPOSITORY / "modules").as_posix()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_plans_what_its_last_line_promises(example: Example, examples_plan: Plan) -> None:
    wanted = f'{example.place}: end the example with a line such as "# plan: 1 aws_dynamodb_table":\n{example.text}'
    assert example.counts, wanted
    assert example.mismatches(examples_plan) == {}, f"{example.place}: promised and planned of each type"


def test_no_two_alarms_of_an_example_have_one_name(examples_plan: Plan) -> None:
    """CloudWatch writes the second over the first, and each apply finds the other's."""
    alarms = {
        address: examples_plan.resources[address]["alarm_name"]
        for address, kind in examples_plan.types.items()
        if kind == "aws_cloudwatch_metric_alarm"
    }
    assert alarms
    for example in EXAMPLES:
        names = [name for address, name in alarms.items() if address.startswith(f"module.{example.name}.")]
        assert sorted(names) == sorted(set(names)), example.place


def test_every_module_has_an_example() -> None:
    modules = {name_of(module) for module in MODULES if module.parent.name == "modules"}
    assert {example.module for example in EXAMPLES} == {*modules, "examples"}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_readme_opens_with_one_sentence(module: Path) -> None:
    heading, _, sentence, after, *_ = (module / "README.md").read_text().splitlines()
    assert heading == f"# {module.name}"
    assert re.fullmatch(r"[A-Z][^.]*\.", sentence.replace("(API Gateway v1)", "")), sentence
    assert after == ""


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_readme_lists_the_variables_and_outputs(module: Path) -> None:
    assert f"{BEGIN}\n{module_tables(module)}\n{END}\n" in (module / "README.md").read_text(), f"run {WRITE}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
@pytest.mark.parametrize(("file", "kind"), [("variables.tf", "variable"), ("outputs.tf", "output")])
def test_every_variable_and_output_is_described_in_one_sentence(module: Path, file: str, kind: str) -> None:
    assert_described(module / file, kind)


@pytest.mark.parametrize(("file", "kind"), [(WRITTEN, "variable"), ("outputs.tf", "output")])
def test_the_roots_describe_their_variables_and_outputs(terraform_code: Path, file: str, kind: str) -> None:
    paths = [root.path / file for root in Project(terraform_code).roots]
    assert paths
    for path in paths:
        assert_described(path, kind)


def assert_described(path: Path, kind: str) -> None:
    found = dict(blocks(path, kind))
    assert len(found) == len(re.findall(rf'^{kind} "', path.read_text(), re.MULTILINE))
    assert list(found) == sorted(found) or path.parent.parent.parent.name == "environments", (
        "in the order of the alphabet"
    )
    for name, body in found.items():
        assert re.fullmatch(r"[A-Z].*[^.]\.", description(body)), f"{path}: describe {name} in a sentence"

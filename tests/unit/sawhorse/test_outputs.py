"""Commands read of a root's outputs what the contract names, every root keeps it, and a missing one is named."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration, NotApplied
from sawhorse.operate.redrive import pairs_of
from sawhorse.outputs import CONTRACT, Output, declared_outputs, output_named, queue_pairs, tables_in
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from tests.projects import REPOSITORY, SAMPLE

ROOTS = [root for place in (REPOSITORY, SAMPLE) for root in Project(place).roots]
# What begins or ends so is read by commands, or would seem to be.
OF_THE_CONTRACT = ("dynamodb_", "sqs_", "lambda_")

MakeDeployment = Callable[..., Deployment]


@pytest.fixture
def deployment(tmp_path: Path) -> MakeDeployment:
    """A root whose outputs.tf declares these names, applied with these outputs."""

    def make(declared: tuple[str, ...] = (), **outputs: Any) -> Deployment:
        root = Root(Project(tmp_path), "dev", "tiny")
        root.path.mkdir(parents=True, exist_ok=True)
        text = "".join(f'output "{name}" {{\n  value = null\n}}\n' for name in declared)
        (root.path / "outputs.tf").write_text(text)
        environment = Environment(name="dev", account_id="1" * 12, region="us-east-1", production=False)
        return Deployment(root, environment, outputs, None)

    return make


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_a_root_declares_what_commands_need(root: Root) -> None:
    declared = declared_outputs(root)
    required = {output.name for output in CONTRACT if output.required}
    assert required - set(declared) == set()
    assert [name for name in declared if name.startswith(OF_THE_CONTRACT) and output_named(name) is None] == []
    assert {name for pair in queue_pairs(declared) for name in pair} - set(declared) == set()


def test_the_table_in_the_documentation_is_the_contract() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text()
    section = text.partition("\n## Root outputs\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows == [row_of(output) for output in CONTRACT]


def row_of(output: Output) -> str:
    readers = ", ".join(f"`{command}`" for command in output.read_by)
    return f"| `{output.name}` | string | {output.value} | {readers} | {'yes' if output.required else 'no'} |"


def test_the_engine_reads_no_output_that_the_contract_leaves_out() -> None:
    modules = sorted((REPOSITORY / "harness/sawhorse").rglob("*.py"))
    assert [literal for path in modules for literal in literal_outputs(ast.parse(path.read_text()))] == []
    assert literal_outputs(ast.parse('one.output("a")\nother.outputs["b"]\nother.outputs.get("c")')) == ["a", "b", "c"]


def literal_outputs(tree: ast.AST) -> list[str]:
    """Return the names by which a module reads outputs without the contract."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="output"), args=[ast.Constant(value=str(name))]):
                found.append(name)
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="outputs"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                found.append(name)
            case ast.Subscript(value=ast.Attribute(attr="outputs"), slice=ast.Constant(value=str(name))):
                found.append(name)
    return found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("log_group", "log_group"),
        ("lambda_role_arn", "lambda_role_arn"),
        ("worker_role_arn", "*_role_arn"),
        ("worker_log_group", "*_log_group"),
        ("dynamodb_users_table", "dynamodb_*_table"),
        ("dynamodb_jobs_by_day_table", "dynamodb_*_table"),
        ("sqs_queue_url", "sqs_queue_url"),
        ("sqs_mail_queue_url", "sqs_*_queue_url"),
        ("sqs_dead_letter_queue_url", "sqs_dead_letter_queue_url"),
        ("sqs_mail_dead_letter_queue_url", "sqs_*_dead_letter_queue_url"),
        ("dynamodb_table", None),
        ("dynamodb__table", None),
        ("my_dynamodb_users_table", None),
        ("_role_arn", None),
        ("dashboard", None),
    ],
)
def test_a_name_is_found_in_the_contract(name: str, found: str | None) -> None:
    known = output_named(name)
    assert (known.name if known else None) == found


@pytest.mark.parametrize("output", CONTRACT, ids=lambda output: output.name)
def test_an_output_that_is_not_declared_is_named_with_who_reads_it_and_what_to_add(
    deployment: MakeDeployment, output: Output
) -> None:
    name = output.name.replace("*", "some")
    with pytest.raises(BadConfiguration) as refused:
        deployment().output(name)
    sentence = str(refused.value)
    assert sentence.startswith(f"dev/tiny has no output {name}, which ")
    assert all(command in sentence for command in output.read_by)
    assert f'Add output "{name}" {{ value = ... }}, the {output.value}, to environments/dev/tiny/outputs.tf' in sentence


def test_an_output_of_the_apps_own_that_is_not_declared_is_told_as_well(deployment: MakeDeployment) -> None:
    with pytest.raises(BadConfiguration) as refused:
        deployment().output("parameters")
    assert str(refused.value) == (
        'dev/tiny has no output parameters, which lambda/tiny/ops reads. Add output "parameters" { value = ... } to '
        "environments/dev/tiny/outputs.tf and apply the root."
    )


def test_an_output_that_is_declared_and_not_there_is_turned_off_or_not_applied_yet(deployment: MakeDeployment) -> None:
    with pytest.raises(NotApplied) as refused:
        deployment(("api_endpoint",)).output("api_endpoint")
    assert str(refused.value) == (
        "dev/tiny has no output api_endpoint, which sawhorse demo, sawhorse seed and sawhorse smoke read: what it "
        "names is turned off in its main.tf, or comes with the next apply."
    )


def test_an_output_that_is_not_a_string_is_refused(deployment: MakeDeployment) -> None:
    with pytest.raises(BadConfiguration) as refused:
        deployment(("log_group",), log_group=["a", "b"]).output("log_group")
    assert str(refused.value) == (
        "The output log_group of dev/tiny is not a string; it must be the name of that function's log group. Correct "
        "it in environments/dev/tiny/outputs.tf and apply the root."
    )


def test_a_dead_letter_queue_without_its_queue_is_refused_by_redrive(deployment: MakeDeployment) -> None:
    with pytest.raises(
        BadConfiguration, match=r"^dev/tiny has no output sqs_mail_queue_url, which sawhorse redrive re"
    ):
        pairs_of(deployment(sqs_mail_dead_letter_queue_url="https://sqs.example.com/mail-dead-letters"))


def test_the_tables_are_those_of_the_outputs() -> None:
    outputs = {"dynamodb_users_table": "users", "dynamodb_table_of_none": "no", "dynamodb_jobs_by_day_table": "jobs"}
    assert tables_in(outputs) == ["users", "jobs"]

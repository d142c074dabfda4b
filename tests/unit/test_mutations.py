"""What of a module is changed, one place at a time, and what can tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.plans.cases import Refusal
from sawhorse.plans.promises import Promise
from tests.mutants import __main__ as command
from tests.mutants.cases import Cases, Trial, says
from tests.mutants.hunt import sampled
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.plans import case_of
from tests.mutants.survivors import Reason, read_reasons, unneeded

VARIABLES = """\
variable "logs" {
  description = "Days, 7 of them."
  type        = object({ days = optional(number, 7), key = optional(string) })
  default     = {}
  nullable    = false

  validation {
    condition     = 1 <= var.logs.days && can(regex("^[a-z]{1,8}$", var.name))
    error_message = "logs: from 1 on."
  }
}

variable "name" {
  type = string
}

variable "title" {
  type = string
}
"""
MAIN = """\
locals {
  # Not 5.
  titles = { for key in ["a", "b"] : key => var.title if key != "a" }
}

resource "aws_sqs_queue" "this" {
  for_each = local.titles

  name                       = "${var.name}-jobs"
  visibility_timeout_seconds = var.logs == null ? 30 : 60
  fifo_queue                 = false
}
"""


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    module = tmp_path / "sample"
    module.mkdir()
    (module / "variables.tf").write_text(VARIABLES)
    (module / "main.tf").write_text(MAIN)
    return mutants_of(tmp_path, "sample")


def test_every_place_is_changed_but_for_prose(mutants: list[Mutant]) -> None:
    shown = {"sample/main.tf > resource.aws_sqs_queue.this": "queue", "sample/variables.tf > variable.logs": "logs"}
    names = [mutant.name for mutant in mutants]
    for long, short in shown.items():
        names = [name.replace(long, short) for name in names]
    assert names == [
        'sample/main.tf > locals > titles: "a", -> nothing',
        'sample/main.tf > locals > titles: "b" -> nothing',
        "sample/main.tf > locals > titles: title -> name",
        'sample/main.tf > locals > titles: if key != "a" -> nothing',
        "sample/main.tf > locals > titles: != -> ==",
        "sample/main.tf > locals > titles: nothing -> -mutated",
        'queue: resource "aws_sqs_queue" "this" { for_each = local.titles... -> nothing',
        'queue > name: name = "${var.name}-jobs" -> nothing',
        "queue > name: name -> title",
        "queue > name: nothing -> -mutated",
        "queue > visibility_timeout_seconds: visibility_timeout_seconds = var.logs == null ? 30 : 60 -> nothing",
        "queue > visibility_timeout_seconds: var.logs == null -> true",
        "queue > visibility_timeout_seconds: var.logs == null -> false",
        "queue > visibility_timeout_seconds: 30 -> 31",
        "queue > visibility_timeout_seconds: 60 -> 61",
        "queue > fifo_queue: false -> true",
        "logs > type: , 7 -> nothing",
        "logs > type: 7 -> 8",
        "logs > nullable: false -> true",
        "logs > validation: validation { condition = 1 <= var.logs.days && can(regex(... -> nothing",
        "logs > validation > condition: 1 -> 2",
        "logs > validation > condition: 1 -> 0",
        "logs > validation > condition: && -> ||",
        "logs > validation > condition: ^ -> nothing",
        "logs > validation > condition: {1,8} -> {0,8}",
        "logs > validation > condition: {1,8} -> {1,9}",
        "logs > validation > condition: $ -> nothing",
    ]


def test_a_number_that_must_be_whole_is_rounded_one_way(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample/main.tf").write_text("locals {\n  whole = floor(3) == 3\n  some  = floor(7 / 2)\n}\n")
    names = [mutant.name for mutant in mutants_of(tmp_path, "sample") if "floor" in mutant.old]
    assert names == ["sample/main.tf > locals > some: floor -> ceil"]


def test_a_change_depends_on_the_variables_that_it_is_made_of(mutants: list[Mutant]) -> None:
    inputs = {mutant.name.partition(" > ")[2]: mutant.inputs for mutant in mutants}
    assert inputs["locals > titles: != -> =="] == {"title"}
    assert inputs["resource.aws_sqs_queue.this > visibility_timeout_seconds: 30 -> 31"] == {"logs", "title"}
    assert inputs["variable.logs > type: 7 -> 8"] == {"logs"}
    assert inputs["variable.logs > validation > condition: 1 -> 2"] == {"logs", "name"}


def test_a_check_is_tried_with_the_refusals_that_say_its_sentence_first(mutants: list[Mutant]) -> None:
    promises = tuple(
        Promise(name, "sample", given)
        for name, given in (("sample_promised", {}), ("named", {"name": "a"}), ("titled", {"title": "a"}))
    )
    refusals = tuple(
        Refusal(sentence, "sample", {"logs": {}}, sentence=sentence)
        for sentence in ("logs: from 1 on.", "something else")
    )
    cases = Cases(promises, (), refusals)
    check = next(mutant for mutant in mutants if mutant.name.endswith("1 -> 2"))
    named = [[case.name for case in stage] for stage in cases.stages(check)]
    assert named == [["logs: from 1 on."], ["sample_promised", "named"], []]
    assert says("${a}: it must be from 1 to 9 days", "must be from 1 to 9")
    assert not says("it must be from 1 to 9 days", "must be a name of its own")


def test_a_changed_default_is_tried_with_the_refusals_whose_check_depends_on_it(mutants: list[Mutant]) -> None:
    refusals = tuple(Refusal(name, "sample", {}) for name in ("of_logs", "of_title", "of_the_provider"))
    of_null = Refusal("of_null", "sample", {"logs": None})
    depends = {"of_logs": frozenset({"logs"}), "of_title": frozenset({"title"}), "of_null": frozenset({"title"})}
    cases = Cases((Promise("sample_promised", "sample", {}),), (), (*refusals, of_null), depends)
    tried = {
        mutant.path[-1]: [case.name for case in cases.stages(mutant)[2]] for mutant in mutants if mutant.is_a_default
    }
    assert tried == {"type": ["of_logs", "of_the_provider"], "nullable": ["of_null"]}


def test_a_case_refers_to_its_own_variable_under_the_name_of_its_trial(mutants: list[Mutant]) -> None:
    given = {"title": "${var.many == null ? var.many_more : var.many}"}
    case = case_of(Trial(3, mutants[0], Refusal("many", "sample", given)))
    assert (case.name, case.given["title"]) == ("m3_many", "${var.m3_many == null ? var.many_more : var.m3_many}")


def test_a_reason_is_of_what_it_names_and_no_more(mutants: list[Mutant], tmp_path: Path) -> None:
    file = tmp_path / "survivors.yaml"
    file.write_text(
        "- reason: Nobody sees it.\n  mutants:\n  - 'sample/main.tf > *: 30 -> *'\n  - sample/other.tf > *\n"
    )
    first, second = read_reasons(file)
    assert [mutant.new for mutant in mutants if first.fits(mutant)] == ["31"]
    assert unneeded([first, second], mutants) == [f"{second.place}: sample/other.tf > *"]
    assert not Reason("sample/main.tf", "", "").fits(mutants[0])
    file.write_text("- mutants: [a]\n")
    with pytest.raises(BadConfiguration, match=r"survivors.yaml:1: a reason and the mutants that it is of are needed"):
        read_reasons(file)


def test_a_sample_is_the_same_for_the_same_seed(mutants: list[Mutant]) -> None:
    assert sampled(mutants, 5, 1) == sampled(mutants, 5, 1) != sampled(mutants, 5, 2)
    assert sampled(mutants, None, 1) == sampled(mutants, 500, 1) == mutants


def test_a_module_that_is_not_there_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "queue", "--list"]) == 2
    assert (
        "There is no module queue that makes something; choose from deployer, dynamodb_table, "
        in capsys.readouterr().err
    )


def test_what_would_be_changed_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "sqs_queue", "--list", "--sample", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("sqs_queue/") for line in lines)

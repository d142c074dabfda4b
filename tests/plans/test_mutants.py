"""Changes to modules are noticed by a promise, a change or a refusal; `make mutants` tries all of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from sawhorse.hcl import read_hcl
from tests.mutants import __main__ as command
from tests.mutants.cases import cases_of
from tests.mutants.hunt import Found, all_mutants, hunt, modules_with_cases, sampled
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.places import Span
from tests.mutants.plans import Plans
from tests.mutants.survivors import read_reasons, unneeded
from tests.planning import Planning, all_changes, all_promises, all_refusals
from tests.projects import REPOSITORY

MODULES = REPOSITORY / "modules"
MAKING = modules_with_cases(MODULES)
# What the suite has time for; `make drill` and `make mutants` try all.
SAMPLE = 16
# Of all changes, in percent.
MOST_SURVIVORS = 5


def tried(mutants: Sequence[Mutant], planning: Planning, scratch: Path) -> Found:
    """Hunt with the plans of this session's Terraform and what was applied before."""
    cases = cases_of(all_promises(), all_changes(), all_refusals(), {one.module for one in mutants}, modules=MODULES)
    plans = Plans(planning.of_many(), planning.code, scratch, planning.state_before().result())
    # tftest prints again what Terraform has said of a mutant.
    logging.disable(logging.CRITICAL)
    try:
        return hunt(mutants, cases, plans, modules=MODULES, say=print)
    finally:
        logging.disable(logging.NOTSET)


def shown(mutants: Sequence[Mutant]) -> str:
    return "\n".join(f"modules/{mutant.module}/{mutant.file}:{mutant.line}: {mutant.name}" for mutant in mutants)


@pytest.mark.whole_plans
def test_a_sample_of_changes_to_the_modules_is_noticed(planning: Planning, tmp_path: Path) -> None:
    """With one that changes nothing, which nothing may notice."""
    first = (MODULES / "lambda_layer/main.tf").read_text().partition("\n")[0]
    harmless = Mutant("lambda_layer", "main.tf", 1, ("locals",), Span(0, len(first)), first, "# A layer.")
    found = tried([harmless, *sampled(all_mutants(MODULES, MAKING), SAMPLE, seed=1)], planning, tmp_path)
    assert harmless in found.survivors
    unexplained = [mutant for mutant in found.unexplained(read_reasons()) if mutant != harmless]
    assert not unexplained, f"assert in tests/plans/promises what these change:\n{shown(unexplained)}"


@pytest.mark.whole_plans
def test_a_plan_in_which_every_copy_is_refused_as_it_should_be_catches_nothing(
    planning: Planning, tmp_path: Path
) -> None:
    first = (MODULES / "lambda_layer/variables.tf").read_text().partition("\n")[0]
    check = ("variable.name", "validation")
    sentence = "name must be 1 to 64 letters, digits, underscores or hyphens."
    harmless = Mutant(
        "lambda_layer", "variables.tf", 1, check, Span(0, len(first)), first, f"{first} # A layer.", 1, sentence
    )
    assert tried([harmless], planning, tmp_path).survivors == [harmless]


@pytest.mark.whole_plans
@pytest.mark.usefixtures("terraform")
def test_the_command_plans_a_module_that_asks_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the local AWS: it has a stand-in of its own."""
    try:
        code = command.main(["--only", "dynamodb_table", "--sample", "1", "--json"])
    finally:
        logging.disable(logging.NOTSET)
    (tried,) = json.loads(capsys.readouterr().out)
    assert code == 0, tried


@pytest.mark.whole_plans
@pytest.mark.drill(short=0, most=1)
@pytest.mark.parametrize("module", MAKING)
def test_every_change_to_a_module_is_noticed_or_has_a_reason(module: str, planning: Planning, tmp_path: Path) -> None:
    found = tried(mutants_of(MODULES, module), planning, tmp_path)
    reasons = [reason for reason in read_reasons() if reason.pattern.startswith(f"{module}/")]
    unexplained = found.unexplained(reasons)
    assert not unexplained, f"assert in tests/plans/promises what these change:\n{shown(unexplained)}"
    assert unneeded(reasons, found.survivors) == []
    assert len(found.survivors) * 100 < len(found.tried) * MOST_SURVIVORS, shown(found.survivors)


def test_there_are_hundreds_of_changes_each_with_a_name_of_its_own() -> None:
    mutants = all_mutants(MODULES, MAKING)
    assert len(mutants) > 300
    assert len({mutant.name for mutant in mutants}) == len(mutants)


@pytest.mark.parametrize("module", MAKING)
def test_a_change_is_one_place_of_a_file_that_is_still_read(module: str) -> None:
    for mutant in sampled(mutants_of(MODULES, module), 40, seed=1):
        before, after = (MODULES / module / mutant.file).read_text(), mutant.text(MODULES)
        assert after != before, mutant.name
        assert before[: mutant.span.start] == after[: mutant.span.start]
        read_hcl(after, mutant.name)


def test_a_reason_fits_a_change_that_there_is() -> None:
    mutants = all_mutants(MODULES, MAKING)
    assert unneeded(read_reasons(), mutants) == []


def test_a_check_whose_sentence_is_put_together_of_values_is_tried_with_what_its_variable_is_refused_for() -> None:
    mutants = mutants_of(MODULES, "lambda_function")
    cases = cases_of(all_promises(), all_changes(), all_refusals(), {"lambda_function"}, modules=MODULES)

    [check] = [one for one in mutants if one.in_a_check and one.name.endswith("in values(var... -> nothing")]

    assert "the visibility_timeout_seconds of" in check.sentence
    tried_first = {case.name for case in cases.stages(check)[0]}
    assert {
        "lambda_function_queue_visible_too_early",
        "lambda_function_queue_visible_a_second_too_early",
    } <= tried_first

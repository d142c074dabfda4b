"""Every bad input is refused when planning, in a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plans.cases import Refusal, read_refusals

REFUSALS = read_refusals(Path(__file__).parent / "refusals.yaml")


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_a_bad_input_is_refused_in_one_sentence(refusal: Refusal, refused: dict[str, list[str]]) -> None:
    sentences = [" ".join(sentence.split()) for sentence in refused[refusal.name]]
    assert any(refusal.sentence in sentence for sentence in sentences), sentences


def test_every_error_belongs_to_a_refusal(refused: dict[str, list[str]]) -> None:
    assert set(refused) == {refusal.name for refusal in REFUSALS}

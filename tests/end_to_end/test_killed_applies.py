"""A first apply that was killed or told to end is finished by the same command, with its state here or in S3."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from sawhorse.toolchain.installed import Emulators
from tests.end_to_end.support import Sawhorse, brought_up
from tests.killing import Target, applied_clean, assert_finished_by_the_same_command, prepare
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end
ROOT = "dev/sample"


@pytest.fixture(scope="module")
def sawhorse(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A project of the sample app with a local AWS of its own."""
    with brought_up(sample_project(tmp_path_factory.mktemp("killed") / "project")) as command:
        prepare(command, ROOT)
        yield command


@pytest.fixture(scope="module")
def clean(sawhorse: Sawhorse) -> tuple[int, Mapping[str, list[str]]]:
    """How many things a clean apply makes, and what then stands."""
    return applied_clean(Target(sawhorse, ROOT, in_s3=False))


@pytest.mark.drill(short=2)
def test_the_same_command_finishes_a_first_apply_that_was_cut_off(
    sawhorse: Sawhorse, clean: tuple[int, Mapping[str, list[str]]], drill_round: int, moments: random.Random
) -> None:
    assert_finished_by_the_same_command(sawhorse, ROOT, drill_round, moments, clean)

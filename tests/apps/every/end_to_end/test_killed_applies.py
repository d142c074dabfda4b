"""A first apply of any app that was killed or told to end is finished by the same command."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from tests.apps.every.every_app import APPS
from tests.end_to_end.support import Sawhorse, brought_up
from tests.killing import Target, applied_clean, assert_finished_by_the_same_command, prepare
from tests.projects import copy_of_project

pytestmark = pytest.mark.end_to_end
Clean = tuple[int, Mapping[str, list[str]]]


@pytest.fixture(scope="module")
def sawhorse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A copy of the project with a local AWS of its own."""
    with brought_up(copy_of_project(tmp_path_factory.mktemp("killed") / "project")) as command:
        yield command


@pytest.fixture(scope="module")
def clean_applies(sawhorse: Sawhorse) -> dict[str, Clean]:
    """By root, what a clean apply makes; filled when it is first asked for."""
    return {}


@pytest.fixture(params=APPS)
def root(request: pytest.FixtureRequest, sawhorse: Sawhorse, clean_applies: dict[str, Clean]) -> str:
    """A root in dev, applied and destroyed once before."""
    root = f"dev/{request.param}"
    if root not in clean_applies:
        prepare(sawhorse, root)
        clean_applies[root] = applied_clean(Target(sawhorse, root, in_s3=False))
    return root


# Some of it is in the suite, with a smaller app: tests/end_to_end/test_killed_applies.py.
@pytest.mark.drill(short=0)
def test_the_same_command_finishes_a_first_apply_that_was_cut_off(
    sawhorse: Sawhorse, root: str, clean_applies: dict[str, Clean], drill_round: int, moments: random.Random
) -> None:
    assert_finished_by_the_same_command(sawhorse, root, drill_round, moments, clean_applies[root])

"""A composite alarm lets go of a part before that is deleted, as CloudWatch asks, and nothing is left to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sawhorse.toolchain.installed import Emulators
from tests.end_to_end.support import Sawhorse, apply, brought_up
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end
ROOT, NAME = "dev/sample", "sample-dev"


@pytest.fixture(scope="module")
def sawhorse(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """The sample, applied, with all its alarms."""
    with brought_up(sample_project(tmp_path_factory.mktemp("composite") / "project")) as command:
        apply(command, ROOT)
        yield command


def composites(sawhorse: Sawhorse) -> dict[str, Any]:
    found = sawhorse.client("cloudwatch", "dev").describe_alarms(AlarmNamePrefix=NAME, AlarmTypes=["CompositeAlarm"])
    return {alarm["AlarmName"]: alarm["AlarmRule"] for alarm in found["CompositeAlarms"]}


def names(sawhorse: Sawhorse) -> set[str]:
    pages = sawhorse.client("cloudwatch", "dev").get_paginator("describe_alarms").paginate()
    return {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def test_parts_that_go_and_come_back_are_taken_out_of_the_rule_first(sawhorse: Sawhorse) -> None:
    main = sawhorse.project.path / "modules/apps/sample/main.tf"
    before = main.read_text()
    whole, all_names = composites(sawhorse), names(sawhorse)
    assert set(whole) == {f"{NAME}-failing", f"{NAME}-throttled"}
    assert f'ALARM("{NAME}-server-errors")' in whole[f"{NAME}-failing"]

    edited(main, 'module "function" {\n', 'module "function" {\n  alarms = { errors = 1 }\n')
    sawhorse("apply", ROOT, "--local")

    assert f"{NAME}-server-errors" not in composites(sawhorse)[f"{NAME}-failing"]
    gone = {f"{NAME}-{name}" for name in ("duration", "memory", "server-errors", "throttles")}
    assert names(sawhorse) == all_names - gone
    assert "No changes." in sawhorse("plan", ROOT, "--local")

    main.write_text(before)
    sawhorse("apply", ROOT, "--local")
    assert (composites(sawhorse), names(sawhorse)) == (whole, all_names)
    assert "No changes." in sawhorse("plan", ROOT, "--local")


def test_a_destroy_takes_composites_before_their_parts(sawhorse: Sawhorse) -> None:
    sawhorse("destroy", ROOT, "--local", "--yes")
    assert (composites(sawhorse), names(sawhorse)) == ({}, set())
    apply(sawhorse, ROOT)
    assert len(composites(sawhorse)) == 2

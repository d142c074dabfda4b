"""What stands in the way is told by every command that looks, in words of ours alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sawhorse.cli import releases as releases_cli
from sawhorse.errors import Unreadable
from sawhorse.operate.drift import drift as drift_module
from sawhorse.operate.releases import gate, rollback
from sawhorse.operate.releases.freezing import freeze
from sawhorse.operate.releases.record import Kept, Moving, Process, Record
from sawhorse.printable import one_line
from sawhorse.project import Project
from sawhorse.terraform.state_store import RELEASES
from tests.unit.sawhorse.operate.releases.fakes import Cloud
from tests.unit.sawhorse.operate.releases.shops import lines_of


@pytest.fixture
def cloud(shop: Project) -> Cloud:
    """A gated root of a function, whose second release is live."""
    cloud = Cloud(project=shop)
    for _ in range(2):
        cloud.publish(basket="good")
        gate.release(cloud.released, say=cloud.say)
    return cloud


@settings(deadline=None, max_examples=30)
@example(why="a\nsawhorse: b\x1b[31m")
@given(why=st.text(min_size=1).filter(str.strip))
def test_a_reason_is_kept_and_told_on_one_line_that_steers_no_terminal(shop: Project, why: str) -> None:
    cloud = Cloud(project=shop)
    for _ in range(2):
        cloud.publish(basket="good")
        gate.release(cloud.released, say=cloud.say)

    freeze(cloud.released, why)
    rollback.rollback(cloud.released, say=cloud.say, why=why)

    record = cloud.record
    assert record.frozen
    assert record.pinned
    kept = {record.frozen.why, record.pinned.why, *(one.ended.why for one in record.releases if one.ended)}
    assert one_line(why) in kept
    assert all(text.isprintable() for text in kept)
    told = lines_of(cloud)
    assert sum(one_line(why) in line for line in told) == 2
    assert all(line.isprintable() for line in told)


def test_a_record_that_has_more_than_a_line_is_read_as_one_line() -> None:
    written = (
        Record(root="dev/shop")
        .model_dump_json()
        .replace('"frozen":null', '"frozen":{"why":"a\\nsawhorse: b\\u001b[31m","at":"","by":"x\\ny"}')
    )

    frozen = Record.model_validate_json(written).frozen

    assert frozen is not None
    assert (frozen.why, frozen.by) == ("a sawhorse: b\N{REPLACEMENT CHARACTER}[31m", "x y")


@pytest.fixture
def damaged(cloud: Cloud) -> Cloud:
    """A root whose record was cut short."""
    key = f"dev/shop.{RELEASES}"
    cloud.objects[key] = cloud.objects[key][:-40]
    return cloud


def test_a_record_that_cannot_be_read_is_said_at_the_end_and_changes_no_exit_code(damaged: Cloud) -> None:
    [line] = lines_of(damaged)

    assert line.startswith("Whether live of dev/shop is pinned is not known: s3://states/dev/shop.releases.json is")


def test_a_record_that_cannot_be_read_keeps_drift_from_nothing_else(
    damaged: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan(*_: object) -> Any:
        return iter(())

    monkeypatch.setattr(drift_module, "planned", plan)
    looked: list[str] = []

    def look(asked: Any) -> Any:
        looked.append(asked.root)
        return iter(())

    monkeypatch.setattr(drift_module, "LOOKS", {"topics": look, "queues": look})

    found = drift_module.drift_of(damaged.workspace)

    assert looked == ["dev/shop"] * 2
    assert found.code == 1
    [said] = found.not_asked
    assert said.startswith("what was uploaded, where live is, what is live: s3://states/dev/shop.releases.json is")


def test_what_is_not_a_record_is_unreadable(damaged: Cloud) -> None:
    with pytest.raises(Unreadable):
        Kept(damaged.workspace.state_store, "dev/shop").read()


def test_a_list_of_releases_tells_what_stands_and_who_decided_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(releases_cli, "opened", lambda *_, **__: cloud.released)
    freeze(cloud.released, "an audit")
    rollback.rollback(cloud.released, say=cloud.say, why="it was slow")
    capsys.readouterr()

    releases_cli.releases("dev/shop")
    shown = capsys.readouterr().out
    releases_cli.releases("dev/shop", as_json=True)
    told = json.loads(capsys.readouterr().out)["told"]

    who = cloud.released.by
    assert f"dev/shop is frozen since {cloud.record.frozen.at} by {who}: an audit." in shown  # type: ignore[union-attr]
    assert f"pinned to release 1 since {cloud.record.pinned.at} by {who} (it was slow)" in shown  # type: ignore[union-attr]
    assert shown.splitlines()[-2:] == told


@pytest.mark.parametrize("over", [True, False])
def test_a_list_of_releases_tells_of_a_command_that_runs_or_was_cut_off(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, over: bool
) -> None:
    monkeypatch.setattr(releases_cli, "opened", lambda *_, **__: cloud.released)
    process = Process.this().model_copy(update={"thread": 1, **({"started": 1.0} if over else {})})
    moving = Moving(command="release", release=2, before={}, pins={}, at="noon", by="ada", process=process)
    cloud.change_record(lambda record: record.but(moving=moving))

    releases_cli.releases("dev/shop")

    said = "The release of release 2 that ada began at noon was cut off." if over else "ada runs release of dev/shop"
    assert said in capsys.readouterr().out

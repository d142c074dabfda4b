"""What stands in the way is told by every command that looks, in words of ours alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sawhorse.operate.releases import gate, rollback
from sawhorse.operate.releases.record import Record
from sawhorse.operate.releases.rollback import freeze
from sawhorse.printable import one_line
from sawhorse.project import Project
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

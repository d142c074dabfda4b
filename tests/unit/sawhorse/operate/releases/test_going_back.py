"""Where a rollback goes: to what was live before and nobody took back, and never to what was never live."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project
from tests.unit.sawhorse.operate.releases.fakes import Cloud
from tests.unit.sawhorse.operate.releases.shops import Command, apply, attempted, back, release


@settings(deadline=None, max_examples=80)
@given(moves=st.lists(st.sampled_from(("new", "bad", "back", 1, 2, 3, 4)), max_size=8))
def test_a_rollback_goes_to_what_was_live_before_and_was_not_taken_back(moves: list[str | int], shop: Project) -> None:
    """The model: releases become live in their order; one that was gone back from is no place to be until it is again.

    One that a check refused never is, and going forward again takes nothing back.
    """
    cloud = Cloud(project=shop)
    cloud.publish(accounts="good")
    release(cloud)
    were_live, taken_back, number, pinned = [1], set[int](), 1, False
    for move in moves:
        if isinstance(move, str) and move in {"new", "bad"}:
            number += 1
            apply(cloud, accounts="good" if move == "new" else "broken")
            attempted(cloud, Command("release"))
            if move == "new":
                were_live, pinned = [*were_live, number], False
            continue
        live = were_live[-1]
        older = [one for one in (sorted(were_live) if pinned else were_live) if one not in taken_back]
        earlier = [one for one in older if one < live] if pinned else [one for one in older if one != live]
        goal = move if isinstance(move, int) else earlier[-1] if earlier else None
        if goal not in were_live:
            with pytest.raises(BadConfiguration, match=r"Nothing was changed\."):
                back(cloud, goal)
        else:
            assert back(cloud, goal if isinstance(move, int) else None).id == goal
            taken_back = (taken_back | ({live} if live > goal else set())) - {goal}
            were_live, pinned = [*were_live, goal], True
        assert cloud.record.live == were_live[-1]


@pytest.mark.parametrize("how", ["refused", "put back", "published"])
def test_what_was_never_live_is_no_place_to_go_back_to(cloud: Cloud, how: str) -> None:
    apply(cloud, accounts={"refused": "broken", "put back": "broken once live", "published": "good"}[how])
    if how != "published":
        attempted(cloud, Command("release"))
    before = cloud.record

    with pytest.raises(BadConfiguration) as refused:
        back(cloud, to=3)

    assert "Release 3 of dev/shop was never live" in str(refused.value)
    assert how == "published" or f"(it was {how}: " in str(refused.value)
    assert "What was live: release 1, 2." in str(refused.value)
    assert '"sawhorse release dev/shop" checks it and makes it live.' in str(refused.value)
    assert (cloud.live, cloud.record) == ({"accounts": "2", "basket": "2"}, before)

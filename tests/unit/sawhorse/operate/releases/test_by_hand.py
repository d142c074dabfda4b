"""Who moved `live` is told by where it is: a hand by what neither a release nor an apply of ours leaves."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.operate.releases import gate, rollback
from sawhorse.operate.releases.lambdas import Function, Standing, by_hand
from sawhorse.operate.releases.moving import NotReleased
from sawhorse.operate.releases.record import Code, Decision, Record, Release
from sawhorse.project import Project
from tests.unit.sawhorse.operate.releases.fakes import LATEST
from tests.unit.sawhorse.operate.releases.shops import Command, History, attempted, copied, histories, lines_of

NAMED = re.compile(r'"sawhorse (release|rollback) dev/shop(?: --to (\d+))?"')
VERSIONS = ("1", "2", "3", "4")


def code(version: str) -> Code:
    return Code(version=version, content_sha256=None, code_sha256="")


def record_of(live: str | None, *, pinned: bool) -> Record:
    if live is None:
        return Record(root="dev/shop")
    release = Release(id=1, functions={"basket": code(live)}, commit=None, dirty=False, at="", by="")
    pin = Decision(release=1, why="", at="", by="") if pinned else None
    return Record(root="dev/shop", releases=(release,), live=1, history=(1,), pinned=pin)


def may_be_ours(  # noqa: PLR0913 # every part of what is known
    published: str, aliased: str, version: str, pin: str | None, recorded: str | None, *, pinned: bool
) -> bool:
    """Say whether some release, rollback, apply, or apply that was cut off leaves it so; written anew on purpose."""
    if pin is None:
        return False
    if pin == LATEST:
        if pinned:
            return False
        applied = version == published
        # Published, and live not yet moved: it is where the newest of a release and an apply has left it.
        cut_off_apply = int(version) == max(int(aliased), int(recorded or 0))
        return applied or cut_off_apply
    if version != pin:
        return False
    return version == recorded if recorded else version in {aliased, published}


@settings(deadline=None, max_examples=400)
@given(
    published=st.sampled_from(VERSIONS),
    aliased=st.sampled_from(VERSIONS),
    version=st.sampled_from(VERSIONS),
    pin=st.sampled_from((*VERSIONS, LATEST, None)),
    recorded=st.sampled_from((*VERSIONS, None)),
    pinned=st.booleans(),
)
def test_a_hand_is_named_where_nothing_of_ours_leads(  # noqa: PLR0913, PLR0917 # every part of what is known
    published: str,
    aliased: str,
    version: str,
    pin: str | None,
    recorded: str | None,
    pinned: bool,  # noqa: FBT001
) -> None:
    pinned = pinned and recorded is not None
    function = Function("basket", code(published), aliased)

    line = by_hand(function, Standing("basket", version, pin), record_of(recorded, pinned=pinned))

    assert (line is None) == may_be_ours(published, aliased, version, pin, recorded, pinned=pinned), line
    if line:
        goal = published if pin in {LATEST, None} else pin
        assert line.startswith(f"basket is at version {version}")
        # What an apply would do is what it would do.
        assert (f"an apply would move it to {goal}" in line) == (goal != version and pin is not None), line
        assert ("an apply would leave it there" in line) == (goal == version and pin not in {None, LATEST}), line


def test_weights_that_no_release_left_are_named() -> None:
    function = Function("basket", code("2"), "1")

    line = by_hand(function, Standing("basket", "1", "1", weights={"2": 0.1}), record_of("1", pinned=False))

    assert (
        line == "basket is at version 1, with 10% of its calls at 2, which no release left so; an apply would leave it"
    )


def test_a_function_without_live_is_no_hands_doing_that_an_apply_must_not_mend() -> None:
    assert (
        by_hand(Function("basket", code("2"), "1"), Standing("basket", None, "1"), record_of("1", pinned=False)) is None
    )


@settings(deadline=None, max_examples=60)
@given(history=histories())
def test_no_command_of_ours_is_taken_for_a_hand(history: History, shop: Project) -> None:
    cloud = history.cloud(shop)

    assert cloud.next_apply_moves() == {}
    assert not [line for line in lines_of(cloud) if "by hand" in line]


@settings(deadline=None, max_examples=60)
@given(history=histories(), data=st.data())
def test_an_apply_is_refused_after_a_hand_and_names_it(history: History, shop: Project, data: st.DataObject) -> None:
    cloud = history.cloud(shop)
    name = data.draw(st.sampled_from(sorted(cloud.functions)))
    function = cloud.functions[name]
    function.published += 1
    function.versions[cloud.newest(name)] = "good"
    # Moved, with the parameter as it was, to what no apply has published.
    before = cloud.live
    cloud.by_hand(name, version=cloud.newest(name))

    error = attempted(cloud, Command("apply", ((name, "good"),)))

    assert f"{name} is at version {cloud.newest(name)}" in str(error)
    assert "Nothing was applied" in str(error)
    assert cloud.live == {**before, name: cloud.newest(name)}
    assert any("by hand" in line and name in line for line in lines_of(cloud))
    # What is said to decide does: it is not refused for want of anything.
    named = NAMED.findall(str(error))
    assert ("release", "") in named
    live = cloud.record.release(cloud.record.live or 0)
    assert (live is not None and name in live.versions) == (live is not None and ("rollback", str(live.id)) in named)
    for command, to in named:
        tried = copied(cloud)
        try:
            if command == "release":
                gate.release(tried.released, say=tried.say)
            else:
                rollback.rollback(tried.released, say=tried.say, to=int(to) if to else None)
        except NotReleased as failed:
            # The release was checked and found wanting.
            assert command == "release"
            assert "it raised" in str(failed)  # noqa: PT017 # of a broken version alone
        else:
            assert not [line for line in lines_of(tried) if "by hand" in line]

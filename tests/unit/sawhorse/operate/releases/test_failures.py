"""Whatever fails: functions of one root never disagree without being told, and the next command mends it."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import CommandFailed, SawhorseError
from sawhorse.operate.releases import gate, publishing, rollback
from sawhorse.operate.releases.record import Process
from sawhorse.project import Project
from tests.unit.sawhorse.operate.releases.fakes import FOR_EVER, LATEST, Cloud, Fault, Killed, Quality, Way
from tests.unit.sawhorse.operate.releases.shops import (
    FAULTS,
    NAMES,
    Command,
    History,
    attempted,
    commands_of,
    copied,
    histories,
    lines_of,
    of_both,
    told_of,
)

MOVING = st.builds(
    Command,
    st.sampled_from(("apply", "release", "rollback")),
    commands_of(NAMES[:2]).map(lambda command: command.publishes),
    st.booleans(),
)
RELEASE, ROLLBACK = Command("release"), Command("rollback")


def published(cloud: Cloud) -> dict[str, str]:
    return {name: cloud.newest(name) for name in cloud.functions}


def is_whole(cloud: Cloud, before: dict[str, str], command: Command) -> bool:
    """Say whether all functions are where they were, or where the command was to bring them."""
    live = cloud.live
    # A function that came meanwhile is live with the apply that made it, and one that is in no release stays.
    goals = [before, published(cloud)]
    if command.name == "rollback":
        goals += [{**before, **release.versions} for release in cloud.record.releases]
    return any(of_both(live, goal) for goal in goals)


def agrees(cloud: Cloud) -> bool:
    """Say whether the record has as live what Lambda has."""
    record = cloud.record
    release = record.release(record.live) if record.live else None
    return release is None or of_both(release.versions, cloud.live)


def check_what_is_said(cloud: Cloud, before: dict[str, str], command: Command, error: BaseException | None) -> None:
    """What a command says is live, is; and functions that are of two releases are told of, or found later."""
    text = str(error) if isinstance(error, SawhorseError) else ""
    # Such an error is told as it is, without what is live: nothing may have been moved.
    assert not isinstance(error, OSError) or isinstance(error, BotoCoreError) or cloud.live == before, (
        cloud.live,
        before,
        error,
    )
    told = told_of(text)
    assert told in ({}, cloud.live), text
    if not is_whole(cloud, before, command) and not isinstance(error, Killed):
        assert told or "is not known" in text, (cloud.live, before, error)
        assert "sawhorse release" in text or "sawhorse rollback" in text, text


def check_what_is_left(cloud: Cloud, error: BaseException | None, *, agreed: bool) -> None:
    """Either nothing is left to do, or the next command finds it."""
    cloud.is_over()
    record = cloud.record
    if record.moving:
        assert error or "still says that this runs is not known" in cloud.said[-1]
        lines = lines_of(cloud)
        assert "was cut off" in lines[0], lines
        assert "sawhorse rollback dev/shop" in lines[0]
        return
    assert not cloud.weighted
    assert cloud.next_apply_moves() == {}
    assert agrees(cloud) or not agreed or "could not be written" in str(error)


def check_a_release(cloud: Cloud, before: dict[str, str], *, agreed: bool) -> None:
    """The next release brings everything to its goal, or leaves everything where it was before."""
    goal = published(cloud)
    error = attempted(cloud, RELEASE)
    assert of_both(cloud.live, goal if error is None else before), (cloud.live, error)
    assert told_of(str(error)) in ({}, cloud.live)
    assert cloud.record.moving is None
    assert not cloud.weighted
    assert cloud.next_apply_moves() == {}
    assert agrees(cloud) or not agreed
    assert lines_of(cloud) == [] or error


def check_a_rollback(cloud: Cloud, before: dict[str, str]) -> None:
    """The next rollback goes back to what was live before, and finishes a rollback that was cut off."""
    moving = cloud.record.moving
    error = attempted(cloud, ROLLBACK)
    assert error is None or "nothing to go back to" in str(error)
    assert cloud.next_apply_moves() == {} or error
    if moving and error is None:
        if moving.command == "rollback":
            goal = cloud.record.release(moving.release or 0)
            assert goal
            assert of_both(goal.versions, cloud.live)
        else:
            assert of_both(before, cloud.live)
        assert agrees(cloud)
        assert cloud.record.moving is None
        assert "is pinned to release" in lines_of(cloud)[0]


def check_all(cloud: Cloud, command: Command, fault: Fault) -> None:
    before, agreed = cloud.live, agrees(cloud)
    error = attempted(cloud, command, fault)
    check_what_is_said(cloud, before, command, error)
    check_what_is_left(cloud, error, agreed=agreed)
    moving = cloud.record.moving
    # What has come to its end is what is gone back to.
    back = before if moving else cloud.live
    if moving and moving.command == "rollback":
        goal = cloud.record.release(moving.release or 0)
        back = {**before, **goal.versions} if goal else before
    check_a_release(copied(cloud), back, agreed=agreed)
    check_a_rollback(copied(cloud), before)


# A function that came since is put back as well, which no release of the record says.
CAME_SINCE = History(
    (("accounts", "good"),),
    (RELEASE, Command("apply", (("basket", "good"), ("accounts", "broken once live")), careful=True)),
    gated=False,
)
DUE = History((("accounts", "good"), ("basket", "good")), (RELEASE, Command("apply", (("accounts", "good"),)), RELEASE))
BREAKS: tuple[tuple[str, Quality], ...] = (("accounts", "broken once live"), ("basket", "good"))
PUBLISHED = History(DUE.first, (*DUE.commands, Command("apply", BREAKS)))
DIRECT = History(DUE.first, (RELEASE,), gated=False)


@pytest.mark.parametrize(
    ("way", "times"),
    [
        *(("unreachable", 1), ("unreachable", 8), ("expired", FOR_EVER), ("full", FOR_EVER), ("interrupted", 2)),
        ("killed", 1),
    ],
)
@pytest.mark.parametrize(
    ("history", "command"),
    [
        (PUBLISHED, RELEASE),
        (PUBLISHED, ROLLBACK),
        (DIRECT, Command("apply", BREAKS)),
        (CAME_SINCE, Command("apply", (("accounts", "good"), ("basket", "broken once live")))),
    ],
)
def test_a_command_that_fails_at_any_call_is_told_and_mended(
    history: History, command: Command, way: Way, times: int, shop: Project
) -> None:
    due = history.cloud(shop)
    attempted(whole := copied(due), command)
    for nth in range(1, whole.calls + 1):
        check_all(copied(due), command, Fault(nth, way, times))


@settings(deadline=None)
@given(history=histories(), command=MOVING, fault=FAULTS)
def test_whatever_fails_is_told_and_mended(history: History, command: Command, fault: Fault, shop: Project) -> None:
    check_all(history.cloud(shop), command, fault)


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("published_before", [True, False])
def test_an_apply_that_fails_leaves_live_and_the_next_apply_where_they_were(
    shop: Project, *, gated: bool, published_before: bool
) -> None:
    cloud = Cloud(gated=gated, project=shop)
    cloud.publish(accounts="good", basket="good")

    def fail() -> bool:
        if published_before:
            cloud.publish_alone(basket="good")
        raise CommandFailed("Terraform ended with an error.")

    with pytest.raises(CommandFailed, match="Terraform ended with an error"):
        publishing.apply_and_release(cloud.workspace, fail, say=cloud.say)
    assert cloud.live == {"accounts": "1", "basket": "1"}
    assert cloud.next_apply_moves() == {}
    assert cloud.record.moving is None
    assert attempted(cloud, RELEASE) is None
    assert cloud.live == published(cloud)
    assert set(cloud.parameters.values()) == (set(cloud.live.values()) if gated else {LATEST})


def test_what_was_cut_off_on_another_machine_is_taken_over_when_somebody_says_so(shop: Project) -> None:
    cloud = Cloud(project=shop)
    cloud.publish(accounts="good", basket="good")
    attempted(cloud, Command("apply", (("accounts", "good"), ("basket", "good"))))
    tried = cloud
    # After the first of two functions was moved.
    for nth in range(1, 90):
        tried = copied(cloud)
        attempted(tried, RELEASE, Fault(nth, "killed"))
        if tried.live == {"accounts": "2", "basket": "1"}:
            break
    tried.is_over()
    elsewhere = Process.this().model_copy(update={"host": "runner-7"})
    tried.change_record(
        lambda record: (
            record.but(moving=record.moving.model_copy(update={"process": elsewhere})) if record.moving else record
        )
    )

    with pytest.raises(SawhorseError, match=r"on runner-7\). Nothing was changed\. .*--take-over"):
        gate.release(tried.released, say=tried.say)
    rollback.rollback(tried.released, say=tried.say, take_over=True)
    assert tried.live == {"accounts": "1", "basket": "1"}
    assert any("was cut off. This takes it up." in line for line in tried.said)

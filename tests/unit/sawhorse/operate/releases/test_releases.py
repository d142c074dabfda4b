"""Releases, ways back and pruning by what they leave: versions, parameters, record and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, CommandFailed, SawhorseError
from sawhorse.operate.releases import checking, gate, listing, publishing
from sawhorse.operate.releases.canary import Canary, Rollout, canary_of, seconds_of
from sawhorse.operate.releases.moving import NotReleased
from sawhorse.operate.releases.record import Code
from sawhorse.operate.releases.sentences import in_the_way, told_window
from sawhorse.project import Project
from tests.unit.sawhorse.operate.releases.fakes import CLOCK, LATEST, Cloud
from tests.unit.sawhorse.operate.releases.shops import (
    Command,
    History,
    apply,
    attempted,
    back,
    histories,
    lines_of,
    release,
)

CANARY = Rollout(Canary(0.1, 60.0))


@settings(deadline=None, max_examples=60)
@given(history=histories())
def test_after_a_direct_release_every_parameter_says_latest_and_else_a_number(history: History, shop: Project) -> None:
    cloud = history.cloud(shop)

    error = attempted(cloud, Command("release"))

    assert cloud.next_apply_moves() == {}
    if error is None:
        wanted = {cloud.newest(name) if cloud.gated else LATEST for name in cloud.functions}
        assert set(cloud.parameters.values()) <= wanted


@pytest.mark.parametrize("gated", [True, False])
def test_code_of_an_apply_that_failed_halfway_is_ours_though_something_else_is_built_by_now(
    cloud: Cloud,
    gated: bool,  # noqa: FBT001 # a parameter
) -> None:
    cloud.gated = gated
    cloud.built_as_well = frozenset({"first attempt"})

    def upload_and_fail() -> bool:
        cloud.functions["basket"].uploaded = "first attempt"
        raise CommandFailed("terraform apply failed: it may not publish a version.")

    with pytest.raises(CommandFailed):
        publishing.apply_and_release(cloud.workspace, upload_and_fail, say=cloud.say)
    assert "first attempt" in cloud.record.uploading

    cloud.built_as_well = frozenset()

    def upload_anew() -> bool:
        cloud.functions["basket"].uploaded = None
        cloud.publish(accounts="good", basket="good")
        return True

    publishing.apply_and_release(cloud.workspace, upload_anew, say=cloud.say)

    assert cloud.newest("basket") == "3"
    assert cloud.record.uploading == ()


@pytest.mark.parametrize("gated", [True, False])
def test_code_that_somebody_uploaded_is_not_published(cloud: Cloud, gated: bool) -> None:  # noqa: FBT001 # a parameter
    cloud.gated = gated
    cloud.functions["basket"].uploaded = "another"

    error = apply(cloud, accounts="good", basket="good")

    assert isinstance(error, SawhorseError)
    assert "basket has other code than the last apply uploaded" in str(error).replace("Basket", "basket")
    assert "apply dev/shop --restore-code" in str(error)
    assert cloud.live == {"accounts": "2", "basket": "2"}
    assert cloud.newest("basket") == "2"


@pytest.mark.parametrize("gated", [True, False])
def test_code_that_somebody_uploads_during_an_apply_is_not_made_live(cloud: Cloud, gated: bool) -> None:  # noqa: FBT001 # a parameter
    cloud.gated = gated

    def publish() -> bool:
        cloud.functions["basket"].uploaded = "another"
        cloud.publish(accounts="good", basket="good")
        return True

    with pytest.raises(
        NotReleased, match=r"version 3 of basket \(CodeSha256 another\) was published with code that is"
    ):
        publishing.apply_and_release(cloud.workspace, publish, say=cloud.say)

    assert cloud.live == {"accounts": "2", "basket": "2"}
    assert cloud.next_apply_moves() == {}


@settings(deadline=None, max_examples=60)
@given(history=histories(), data=st.data())
def test_a_rollback_goes_to_what_was_asked_for_or_changes_nothing(
    history: History, shop: Project, data: st.DataObject
) -> None:
    cloud = history.cloud(shop)
    before, record = cloud.live, cloud.record
    to, steps = data.draw(
        st.sampled_from(((None, None), (None, 1), (None, 2), (None, 3), *((to, None) for to in (1, 2, 3, 4, 9))))
    )

    named = record.release(to) if to else None
    impossible = named is None or not named.live_since if to else len(record.before_live()) < (steps or 1)
    if impossible:
        with pytest.raises(BadConfiguration, match=r"Nothing was changed\."):
            back(cloud, to, steps)
        assert cloud.live == before
        assert cloud.record == record
        return
    done = back(cloud, to, steps)
    assert all(cloud.live[name] == version for name, version in done.versions.items())
    assert cloud.next_apply_moves() == {}
    after = cloud.record
    assert (after.live, after.pinned and after.pinned.release) == (done.id, done.id)
    if to is None:
        assert done.live_since
        assert not (record.release(done.id) or done).was_taken_back
    assert not [line for line in lines_of(cloud) if "by hand" in line]


def test_a_rollback_by_steps_passes_what_was_never_live_refused_put_back_or_rolled_back(cloud: Cloud) -> None:
    apply(cloud, accounts="broken")
    with pytest.raises(NotReleased, match=r"Release 3 of dev/shop was refused"):
        release(cloud)
    apply(cloud, accounts="broken once live")
    with pytest.raises(NotReleased, match=r"Release 4 of dev/shop was put back"):
        release(cloud)
    apply(cloud, accounts="good")
    release(cloud)
    apply(cloud, accounts="good")
    release(cloud)
    assert back(cloud).id == 5
    apply(cloud, accounts="good")
    release(cloud)
    assert cloud.record.history == (1, 2, 5, 6, 5, 7)

    assert back(cloud, steps=2).id == 2
    assert back(cloud).id == 1
    with pytest.raises(BadConfiguration, match="there is nothing to go back to"):
        back(cloud)
    for steps in (0, -1):
        with pytest.raises(BadConfiguration):
            back(cloud, steps=steps)


def test_a_release_whose_version_is_gone_cannot_be_live_again(cloud: Cloud) -> None:
    del cloud.functions["accounts"].versions["1"]

    with pytest.raises(BadConfiguration, match=r"version 1 of accounts is not there any more. Nothing was changed"):
        back(cloud)
    assert cloud.live == {"accounts": "2", "basket": "2"}


def test_functions_that_came_and_left_between_releases(cloud: Cloud) -> None:
    assert apply(cloud, catalog="good") is None
    assert cloud.record.live == 3
    assert back(cloud, to=1).id == 1
    assert cloud.live == {"accounts": "1", "basket": "1", "catalog": "1"}
    assert "catalog is not in that release, and stays as it was." in cloud.said[-1]
    for name in ("accounts", "basket"):
        cloud.leave(name)
    with pytest.raises(BadConfiguration, match="has no function that there is now"):
        back(cloud, to=1)
    release(cloud)
    assert cloud.record.live == 4


def test_a_first_deploy_that_fails_is_live_and_says_that_nothing_is_before_it(shop: Project) -> None:
    cloud = Cloud(project=shop)
    assert apply(cloud, accounts="broken") is None
    assert "is the first one, and live with its apply" in cloud.said[-1]

    with pytest.raises(NotReleased) as raised:
        release(cloud)

    assert str(raised.value) == (
        'Release 1 of dev/shop is live, and did not pass: "accounts responds" failed (it raised). Live now: accounts '
        "at version 1 (release 1). There is nothing to go back to: fix it and apply again."
    )
    assert cloud.record.live == 1


def test_what_was_live_before_there_was_a_record_can_be_gone_back_to(shop: Project) -> None:
    cloud = Cloud(project=shop)
    cloud.publish(accounts="good")
    cloud.publish(accounts="good")
    release(cloud)
    assert cloud.live == {"accounts": "2"}

    # A description tells of a content, and whoever uploads code by hand leaves that there: nobody knows it.
    assert back(cloud).functions["accounts"] == Code(version="1", content_sha256=None, code_sha256="code-accounts-1")
    assert cloud.live == {"accounts": "1"}


def test_a_version_beside_the_commands_is_listed_by_the_hash_of_its_code(cloud: Cloud) -> None:
    function = cloud.functions["basket"]
    function.published += 1
    function.versions["3"], function.foreign["3"] = "good", "another"

    found = listing.listed(cloud.released)

    assert [(one.version, one.code_sha256) for one in found.unrecorded] == [("3", "another")]
    assert "content-basket" not in json.dumps(found.as_json()["unrecorded"])


def test_an_app_without_checks_is_released_and_that_nothing_was_checked_is_said(cloud: Cloud, tmp_path: Path) -> None:
    cloud.project = Project(tmp_path)
    apply(cloud, accounts="broken")
    release(cloud)
    assert "is live" in cloud.said[-1]
    assert "Nothing of it was checked" in cloud.said[-1]
    assert cloud.record.releases[-1].smoke is None
    back(cloud)
    assert cloud.said[-1].startswith("Nothing of it was checked")


def test_a_release_that_runs_here_can_be_interrupted_and_who_is_in_its_way_is_told_how(cloud: Cloud) -> None:
    released = cloud.released
    for command, number, stops in (("release", 2, True), ("apply", 2, True), ("apply", None, False)):
        moving = released.moving(command, number, released.standings(), cloud.record)
        assert (f'"kill {moving.process.pid}" interrupts it' in in_the_way(released, moving)) == stops
    assert "kill" not in in_the_way(released, released.moving("rollback", 1, released.standings(), cloud.record))


def test_where_live_was_moved_by_hand_a_rollback_to_nothing_names_what_decides(shop: Project) -> None:
    cloud = Cloud(project=shop)
    cloud.publish(accounts="good")
    release(cloud)
    cloud.functions["accounts"].versions["2"] = "good"
    cloud.by_hand("accounts", version="2")

    with pytest.raises(BadConfiguration, match=r"It was moved by hand: decide with .*rollback dev/shop --to 1"):
        back(cloud)
    assert back(cloud, to=1).id == 1


def test_a_root_without_functions_has_nothing_to_release_or_to_go_back_to(shop: Project) -> None:
    cloud = Cloud(project=shop)
    cloud.write_state()

    assert release(cloud) == gate.Outcome(None, moved=False)
    assert lines_of(cloud) == []
    assert apply(cloud) is None
    with pytest.raises(BadConfiguration, match=r"No function of it has the alias live"):
        back(cloud)


def test_a_function_whose_live_was_deleted_is_named_and_only_an_apply_mends_it(cloud: Cloud) -> None:
    cloud.functions["accounts"].alias = None
    for command in (release, back):
        with pytest.raises(SawhorseError, match="accounts has no alias live any more") as raised:
            command(cloud)
        assert '"sawhorse apply dev/shop"' in str(raised.value)
    assert "accounts has no alias live any more" in lines_of(cloud)[0]
    assert apply(cloud) is None
    assert cloud.live == {"accounts": "2", "basket": "2"}


def test_an_image_is_released_without_a_hash_of_its_content(shop: Project) -> None:
    cloud = Cloud(project=shop, images=True)
    cloud.publish(accounts="good")
    apply(cloud, accounts="good")
    release(cloud)

    assert [one.functions["accounts"].content_sha256 for one in cloud.record.releases] == [None, None]


@settings(deadline=None, max_examples=60)
@given(history=histories(), keep=st.integers(1, 3), data=st.data())
def test_pruning_keeps_what_somebody_may_want(history: History, keep: int, shop: Project, data: st.DataObject) -> None:
    cloud = history.cloud(shop)
    for name in data.draw(st.lists(st.sampled_from(sorted(cloud.functions)), unique=True)):
        function = cloud.functions[name]
        others = sorted(set(function.versions) - {str(function.alias)})
        if others:
            function.weights = {data.draw(st.sampled_from(others)): 0.1}
        for _ in range(data.draw(st.integers(0, 2))):
            # By hand, and newer than what an apply knows.
            function.published += 1
            function.versions[cloud.newest(name)] = "good"
    record, published = cloud.record, cloud.released.published
    before = {name: list(function.versions) for name, function in cloud.functions.items()}

    deleted = listing.prune(cloud.released, keep)

    for name, function in cloud.functions.items():
        good = {one.versions.get(name) for one in record.releases if one.is_good}
        live = {one.versions.get(name) for one in record.releases if one.id == record.live}
        pins = {cloud.parameters[f"/{name}/live"]}
        newest = set(before[name][-keep:])
        spared = {function.alias, *function.weights, *good, *live, *pins, *newest, published[name]}
        assert set(before[name]) & spared == set(function.versions)
        assert {version for of, version in deleted if of == name} == set(before[name]) - set(function.versions)
    for one in cloud.record.releases:
        pruned = bool(set(one.versions.items()) & set(deleted))
        assert (one.ended is not None and one.ended.how == "pruned") == pruned


def test_nothing_is_pruned_while_a_command_moves_live(cloud: Cloud) -> None:
    released = cloud.released
    moving = released.moving("release", 2, released.standings(), cloud.record)
    cloud.change_record(lambda record: record.but(moving=moving))
    with pytest.raises(SawhorseError, match=r"runs release of dev/shop since .* No version is deleted meanwhile"):
        listing.prune(released, 1)
    cloud.is_over()
    with pytest.raises(SawhorseError, match=r"was cut off. No version is deleted before that is decided"):
        listing.prune(released, 1)
    with pytest.raises(BadConfiguration):
        listing.prune(released, 0)


@pytest.mark.parametrize("speaks", ["errors", "alarm", "alarm before", "errors before", "nothing"])
def test_a_canary_is_judged_by_its_own_errors_and_new_alarms(cloud: Cloud, speaks: str) -> None:
    cloud.alarms = {"late": "ALARM" if speaks == "alarm before" else "OK"}
    apply(cloud, basket="good")
    cloud.write_state()
    if speaks == "errors before":
        cloud.errors["basket", "3"] = 4.0
    seen: list[dict[str, float]] = []

    def later(at: float) -> None:
        seen.append(dict(cloud.functions["basket"].weights))
        if at > start + 30 and speaks == "errors":
            cloud.errors["basket", "3"] = 2.0
        if at > start + 30 and speaks == "alarm":
            cloud.alarms["late"] = "ALARM"

    start = CLOCK.at
    CLOCK.hooks.append(later)
    try:
        if speaks in {"errors", "alarm"}:
            with pytest.raises(NotReleased, match="the alarm late" if speaks == "alarm" else "ended 2 calls") as raised:
                release(cloud, CANARY)
            assert "was put back" in str(raised.value)
            assert CLOCK.at < start + 45
        else:
            release(cloud, CANARY)
            assert CLOCK.at > start + 60
    finally:
        CLOCK.hooks.clear()

    assert seen[0] == {"3": 0.1}
    assert not cloud.weighted
    assert cloud.live["basket"] == ("2" if speaks in {"errors", "alarm"} else "3")


def test_an_alarm_that_goes_off_while_a_release_is_watched_puts_it_back(cloud: Cloud) -> None:
    cloud.alarms = {"late": "OK"}
    apply(cloud, basket="good")
    CLOCK.hooks.append(lambda _: cloud.alarms.update(late="ALARM"))
    try:
        with pytest.raises(NotReleased, match=r"was put back: the alarm late went off. It was live, .* for \d+\.\d s"):
            release(cloud, Rollout(watch=30.0))
    finally:
        CLOCK.hooks.clear()
    assert cloud.live == {"accounts": "2", "basket": "2"}


@pytest.mark.parametrize("number", [0, 1, 100, 101, 250])
def test_all_alarms_of_a_root_are_asked_for_and_no_others(cloud: Cloud, number: int) -> None:
    cloud.alarms = {f"alarm-{index}": "ALARM" if index % 50 == 0 else "OK" for index in range(number)}
    cloud.write_state()
    cloud.alarms["anothers"] = "ALARM"

    assert checking.red_alarms(cloud.released) == {f"alarm-{index}" for index in range(0, number, 50)}


def test_of_two_functions_the_window_is_told_and_of_one_that_moved_none(cloud: Cloud) -> None:
    apply(cloud, basket="good")
    assert release(cloud).window == 0
    assert "two releases" not in cloud.said[-1]
    apply(cloud, accounts="good", basket="good")
    assert 0 < release(cloud).window < 1
    target = cloud.record.releases[-1]
    assert told_window(0.0123, target) == " Its 2 functions were of two releases for 12 ms."
    assert told_window(2.34, target) == " Its 2 functions were of two releases for 2.3 s."


@pytest.mark.parametrize(("share", "part"), [("10%", 0.1), ("0.5%", 0.005), ("99%", 0.99)])
def test_a_part_of_the_calls_is_read(share: str, part: float) -> None:
    assert canary_of(share, "10m") == Canary(pytest.approx(part), 600.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", ["10", "0%", "100%", "nan%", "inf%", "-1%", "%", "ten%"])
def test_what_is_no_part_of_the_calls_is_refused(share: str) -> None:
    with pytest.raises(BadConfiguration, match="--canary"):
        canary_of(share, "10m")


@pytest.mark.parametrize("text", ["", "10", "m", "1.5h", "-1s", "10d", "²s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match="--for"):
        seconds_of(text, "--for")


def test_a_root_that_was_destroyed_and_made_again_goes_back_to_nothing_of_before(cloud: Cloud) -> None:
    cloud.change_record(lambda record: record.destroyed())
    cloud.functions.clear()
    cloud.parameters.clear()
    cloud.publish(accounts="good", basket="good")
    release(cloud)

    assert cloud.record.history == (3,)
    with pytest.raises(BadConfiguration, match="there is nothing to go back to"):
        back(cloud)
    with pytest.raises(BadConfiguration, match="cannot be live again: the root was destroyed"):
        back(cloud, to=1)

"""Two writers of one record never lose an entry, and two commands never move one root at once."""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.operate.releases import record
from sawhorse.operate.releases.record import Decision, Kept, Process, Record, Release
from sawhorse.project import Project
from sawhorse.terraform.state_store import RELEASES, FileStore, WrittenMeanwhile
from tests.unit.sawhorse.operate.releases.fakes import Cloud
from tests.unit.sawhorse.operate.releases.shops import Command, attempted, copied, told_of

ENTRIES = 12


def enter(directory: Path, writer: int) -> None:
    """Add releases to a record, one after the other."""
    kept = Kept(FileStore(directory), "dev/shop")
    for index in range(ENTRIES):
        kept.change(lambda record, by=f"{writer}-{index}": record.having(next_release(record, by)))  # type: ignore[misc]


def next_release(record: Record, by: str) -> Release:
    number = record.last.id + 1 if record.last else 1
    return Release(id=number, functions={}, commit=None, dirty=False, at="2026-01-31T09:15:02Z", by=by)


def assert_all_are_there(directory: Path, writers: int) -> None:
    record = Kept(FileStore(directory), "dev/shop").read()
    assert sorted(one.by for one in record.releases) == sorted(
        f"{writer}-{index}" for writer in range(writers) for index in range(ENTRIES)
    )
    assert [one.id for one in record.releases] == list(range(1, writers * ENTRIES + 1))


@pytest.fixture
def _time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever comes second wait, as writers of a real file do."""
    monkeypatch.setattr(record, "time", time)


@pytest.mark.usefixtures("_time_passes")
def test_threads_that_write_one_file_lose_no_entry(tmp_path: Path) -> None:
    threads = [threading.Thread(target=enter, args=(tmp_path, writer)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert_all_are_there(tmp_path, 3)


@pytest.mark.usefixtures("_time_passes")
def test_processes_that_write_one_file_lose_no_entry(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=enter, args=(tmp_path, writer)) for writer in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    assert_all_are_there(tmp_path, 2)


def test_a_file_that_was_written_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    first = store.write(RELEASES, b"first", based_on=None)
    with pytest.raises(WrittenMeanwhile):
        store.write(RELEASES, b"another first", based_on=None)
    store.write(RELEASES, b"second", based_on=first)
    with pytest.raises(WrittenMeanwhile):
        store.write(RELEASES, b"another second", based_on=first)
    store.file(RELEASES).unlink()
    with pytest.raises(WrittenMeanwhile):
        store.write(RELEASES, b"third", based_on=first)

    assert store.read(RELEASES) is None


def test_a_record_is_written_by_nobody_while_others_write_all_the_time(tmp_path: Path) -> None:
    kept, other = Kept(FileStore(tmp_path), "dev/shop"), Kept(FileStore(tmp_path), "dev/shop")

    def slow(record: Record) -> Record:
        other.change(lambda found: found.having(next_release(found, "other")))
        return record.but(frozen=Decision(why="", at="", by=""))

    with pytest.raises(SawhorseError, match="run it again"):
        kept.change(slow)
    assert kept.read().frozen is None


@dataclass
class Interleaved:
    """Two commands, of which the second ran when the first one was about to call AWS for the n-th time."""

    cloud: Cloud
    error: BaseException | None = None
    error_of_other: BaseException | None = None
    calls_of_other: tuple[str, ...] = ()
    met: bool = False

    def run(self, name: str, other: str, nth: int) -> None:
        cloud = self.cloud

        def interleave(operation: str) -> None:
            # Python 3.11 lets no other thread ask who asks meanwhile.
            if cloud.calls + 1 < nth or operation == "sts:get_caller_identity":
                return
            cloud.before_call, self.met = None, True
            calls, logged = cloud.calls, len(cloud.log)
            # What is this thread's own is taken for an earlier step of the same command.
            thread = threading.Thread(target=run_other)
            thread.start()
            thread.join(10)
            self.calls_of_other = tuple(cloud.log[logged:])
            cloud.calls = calls

        def run_other() -> None:
            self.error_of_other = attempted(cloud, Command(other, (("basket", "good"),)))

        cloud.before_call = interleave
        self.error = attempted(cloud, Command(name, (("accounts", "good"),)))


@pytest.fixture
def due(shop: Project) -> Cloud:
    """A root with an earlier release and one that is due."""
    cloud = Cloud(project=shop)
    cloud.publish(basket="good", accounts="good")
    for command in (Command("release"), Command("apply", (("basket", "good"),)), Command("release")):
        attempted(cloud, command)
    attempted(cloud, Command("apply", (("accounts", "good"), ("basket", "good"))))
    return cloud


@pytest.mark.parametrize("name", ["release", "rollback", "apply", "saved plan"])
@pytest.mark.parametrize("other", ["release", "rollback", "apply", "saved plan"])
def test_of_two_commands_at_once_one_is_refused(name: str, other: str, due: Cloud) -> None:
    """Wherever the other one comes in: it runs whole, or it is refused with who and since when, and moves nothing."""
    nth = 0
    refusals = meanwhile = 0
    while True:
        nth += 1
        both = Interleaved(copied(due))
        both.run(name, other, nth)
        if not both.met:
            break
        for error in (both.error, both.error_of_other):
            assert error is None or isinstance(error, SawhorseError)
            assert told_of(str(error)) in ({}, both.cloud.live)
            assert error is None or any(why in str(error) for why in ("runs", "just now", "nothing to go back to"))
        if f"runs {'apply' if name == 'saved plan' else name} of dev/shop since" in str(both.error_of_other):
            refusals += 1
            assert f"process {Process.this().pid} on" in str(both.error_of_other)
            assert not {"lambda:update_alias", "ssm:put_parameter"} & {*both.calls_of_other}
        # The other one has ended since this one looked at the record, and so at what is live.
        meanwhile += "just now" in str(both.error)
        record = both.cloud.record
        assert record.moving is None
        live = record.release(record.live or 0)
        assert live
        assert live.versions == both.cloud.live
        assert both.cloud.next_apply_moves() == {}
    assert refusals > 5
    assert meanwhile


def test_a_process_is_over_when_its_number_is_anothers_and_not_when_the_clock_was_set() -> None:
    this = Process.this()
    assert not this.is_over
    assert not this.model_copy(update={"started": this.started + 1}).is_over
    assert this.model_copy(update={"started": this.started - 3600}).is_over
    free = next(pid for pid in range(2**15 - 2, 1, -1) if not psutil.pid_exists(pid))
    assert this.model_copy(update={"pid": free}).is_over
    assert not this.model_copy(update={"pid": free, "host": "another-machine"}).is_over


@pytest.mark.parametrize("pid", [-5, 0, 2**31, 2**70, -(10**30)])
def test_a_number_that_no_process_has_is_a_damaged_record(tmp_path: Path, pid: int) -> None:
    process = Process.this().model_dump() | {"pid": pid}
    moving = {"command": "release", "release": 1, "before": {}, "pins": {}, "at": "", "by": "", "process": process}
    assert_refused(tmp_path, json.dumps({"root": "dev/shop", "moving": moving}).encode(), "is damaged")


@given(content=st.binary(max_size=60) | st.sampled_from((b"[]", b"null", b'{"format": "2"}', b'{"format": true}')))
def test_what_is_no_record_is_damaged_and_the_way_back_is_told(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    said = assert_refused(tmp_path_factory.mktemp("damaged"), content, "is damaged")
    for step in (
        "put a good copy of terraform.tfstate.releases.json back",
        "move it away",
        "put-parameter",
        "update-alias",
    ):
        assert step in said


@given(written=st.integers(2, 10**6), more=st.dictionaries(st.text(max_size=5), st.integers()))
def test_a_record_of_a_newer_format_is_left_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, written: int, more: dict[str, int]
) -> None:
    content = json.dumps({**more, "root": "dev/shop", "format": written}).encode()
    said = assert_refused(tmp_path_factory.mktemp("newer"), content, f"written by a newer Sawhorse (format {written};")
    assert "leave it there" in said
    assert "move it away" not in said


def test_earlier_versions_of_a_record_in_a_bucket_are_found_by_what_is_said(shop: Project) -> None:
    cloud = Cloud(project=shop)
    cloud.objects[f"dev/shop.{RELEASES}"] = b"{"
    with pytest.raises(SawhorseError, match=r"list-object-versions --bucket states --prefix dev/shop\.releases\.json"):
        _ = cloud.record


def assert_refused(directory: Path, content: bytes, why: str) -> str:
    """See that a record is refused and stays, and return what is said of it."""
    store = FileStore(directory)
    store.write(RELEASES, content, based_on=None)
    with pytest.raises(BadConfiguration) as refused:
        Kept(store, "dev/shop").read()
    assert why in str(refused.value)
    stored = store.read(RELEASES)
    assert stored
    assert stored.content == content
    return str(refused.value)

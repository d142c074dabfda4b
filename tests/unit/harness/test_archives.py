"""The bytes of a package depend on its members alone."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from harness.package.archive import Member, write_archive

names = st.text(st.sampled_from("abcdefghij_/."), min_size=1, max_size=12)
members = st.builds(Member, st.binary(max_size=200), executable=st.booleans())


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


@given(st.dictionaries(names, members, max_size=8), st.randoms(use_true_random=False))
def test_any_order_of_insertion_gives_the_same_bytes(given_members: dict[str, Member], random: object) -> None:
    shuffled = list(given_members.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis types it as object

    assert write_archive(dict(shuffled)) == write_archive(given_members)


@given(st.dictionaries(names, members, max_size=8))
def test_every_member_comes_out_as_it_went_in(given_members: dict[str, Member]) -> None:
    with opened(write_archive(given_members)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == {
            name: member.content for name, member in given_members.items()
        }


def test_members_are_sorted_dated_1980_and_made_by_unix() -> None:
    with opened(write_archive({"b": Member(b"2"), "a/z": Member(b"1"), "B": Member(b"3")})) as archive:
        infos = archive.infolist()

    assert [info.filename for info in infos] == ["B", "a/z", "b"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.create_system for info in infos} == {3}


def test_a_member_is_readable_by_all_and_executable_only_when_it_was() -> None:
    with opened(write_archive({"run": Member(b"", executable=True), "read": Member(b"")})) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}

    assert modes == {"run": 0o100755, "read": 0o100644}


@given(st.dictionaries(names, members, min_size=1, max_size=6), st.data())
def test_other_content_differs_in_that_member_alone(given_members: dict[str, Member], data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from(sorted(given_members)))
    other = {**given_members, changed: Member(given_members[changed].content + b"!")}

    with opened(write_archive(given_members)) as before, opened(write_archive(other)) as after:
        differing = [name for name in before.namelist() if before.read(name) != after.read(name)]
        assert before.namelist() == after.namelist()
    assert differing == [changed]


def test_no_members_make_an_empty_zip() -> None:
    with opened(write_archive({})) as archive:
        assert archive.namelist() == []

"""The bytes of a package depend on its members alone."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.zip_writer import Member, content_sha256, pack, write_archive, zip_of

names = st.text(st.sampled_from("abcdefghij_/.ü"), min_size=1, max_size=12)
contents = st.one_of(st.binary(max_size=200), st.binary(max_size=4).map(lambda part: part * 500))
files = st.dictionaries(names, st.tuples(contents, st.booleans()), max_size=8)


def members_of(given_files: dict[str, tuple[bytes, bool]]) -> list[Member]:
    return [pack(name, content, executable=executable) for name, (content, executable) in given_files.items()]


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


@given(files, st.randoms(use_true_random=False))
def test_any_order_of_members_gives_the_same_bytes(given_files: dict[str, tuple[bytes, bool]], random: object) -> None:
    shuffled = members_of(given_files)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis types it as object

    assert write_archive(shuffled) == write_archive(members_of(given_files))
    assert content_sha256(shuffled) == content_sha256(members_of(given_files))


@given(files)
def test_every_member_comes_out_as_it_went_in(given_files: dict[str, tuple[bytes, bool]]) -> None:
    with opened(write_archive(members_of(given_files))[0]) as archive:
        assert archive.testzip() is None
        found = {
            info.filename: (archive.read(info), bool(info.external_attr >> 16 & 0o100)) for info in archive.infolist()
        }
    assert found == given_files


@given(files)
def test_the_compressed_data_of_members_is_where_it_is_said_to_begin(
    given_files: dict[str, tuple[bytes, bool]],
) -> None:
    members = sorted(members_of(given_files), key=lambda member: member.name)

    content, begins = write_archive(members)

    for member, begin in zip(members, begins, strict=True):
        assert content[begin : begin + len(member.data)] == member.data


def test_members_are_sorted_dated_1980_and_made_by_unix() -> None:
    with opened(zip_of({"b": b"2", "a/z": b"1", "B": b"3"})) as archive:
        infos = archive.infolist()

    assert [info.filename for info in infos] == ["B", "a/z", "b"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.create_system for info in infos} == {3}


def test_a_member_is_readable_by_all_and_executable_only_when_it_was() -> None:
    with opened(write_archive([pack("run", b"", executable=True), pack("read", b"")])[0]) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}

    assert modes == {"run": 0o100755, "read": 0o100644}


def test_members_lie_below_a_prefix() -> None:
    with opened(write_archive([pack("a.py", b"1")], "python/")[0]) as archive:
        assert archive.namelist() == ["python/a.py"]


def test_what_does_not_become_smaller_is_stored() -> None:
    with opened(zip_of({"short": b"a", "long": b"a" * 1000})) as archive:
        kinds = {info.filename: info.compress_type for info in archive.infolist()}

    assert kinds == {"short": zipfile.ZIP_STORED, "long": zipfile.ZIP_DEFLATED}


def test_no_members_make_an_empty_zip() -> None:
    with opened(zip_of({})) as archive:
        assert archive.namelist() == []


@given(files.filter(bool), st.data())
def test_other_content_another_mode_or_another_name_is_another_content_hash(
    given_files: dict[str, tuple[bytes, bool]], data: st.DataObject
) -> None:
    changed = data.draw(st.sampled_from(sorted(given_files)))
    content, executable = given_files[changed]
    rest = {name: file for name, file in given_files.items() if name != changed}
    others = [
        {**given_files, changed: (content + b"!", executable)},
        {**given_files, changed: (content, not executable)},
        {**rest, f"{changed}-": (content, executable)},
        rest,
    ]

    hashes = {content_sha256(members_of(other)) for other in others}

    assert content_sha256(members_of(given_files)) not in hashes


def test_the_content_hash_does_not_know_how_it_was_compressed() -> None:
    packed = pack("a.py", b"a" * 1000)
    stored = Member(
        "a.py", b"a" * 1000, executable=False, method=0, crc=packed.crc, size=packed.size, sha256=packed.sha256
    )

    assert write_archive([stored])[0] != write_archive([packed])[0]
    assert content_sha256([stored]) == content_sha256([packed])


def test_bytecode_that_was_compiled_of_a_source_counts_as_what_it_was_made_from() -> None:
    """Two patch releases of one Python may compile the same source to other bytes."""
    one, other = (pack("a.pyc", b"magic and hash16" + body, from_source=True) for body in (b"body", b"another body"))
    anew = pack("a.pyc", b"magic and hash17" + b"body", from_source=True)

    assert content_sha256([one]) == content_sha256([other]) != content_sha256([anew])


@given(st.binary(min_size=16, max_size=40), st.binary(max_size=40))
def test_any_other_bytecode_counts_whole(one: bytes, other: bytes) -> None:
    made, first, second = pack("a.pyc", one, from_source=True), pack("a.pyc", one), pack("a.pyc", other)

    # Not even a header alone counts as what has that header and was compiled of a source.
    assert content_sha256([made]) != content_sha256([first])
    assert content_sha256([pack("a.pyc", one[:16])]) != content_sha256([made])
    assert (content_sha256([first]) == content_sha256([second])) is (one == other)

"""Packages that anybody may have made: what could do harm is refused with a sentence before anything is unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.lambda_limits import UNZIPPED_LIMIT
from sawhorse.build.zip_reader import opened
from sawhorse.errors import SawhorseError
from sawhorse.inspect.diff import compare
from sawhorse.inspect.report import inspect
from sawhorse.project import Project
from tests.unit.sawhorse.packages import SOURCE, Pack, compiled, metadata, write_zip
from tests.unit.sawhorse.support import assert_refused, sawhorse

LATE = 0.7


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return lambda members, name="one.zip", **fields: write_zip(tmp_path / name, members, **fields)


@pytest.mark.parametrize("name", ["../out.py", "/etc/out", "a/../../out", "a//b", "a\\..\\out", "./a", "a\x1b[2J.py"])
def test_a_member_that_could_leave_its_directory_is_refused(pack: Pack, name: str) -> None:
    with pytest.raises(SawhorseError, match="nothing was unpacked"), opened(pack({name: SOURCE})):
        pass


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_compressed_otherwise_is_refused(pack: Pack, method: int) -> None:
    with (
        pytest.raises(SawhorseError, match="neither stored nor deflated"),
        opened(pack({"a": b""}, compress_type=method)),
    ):
        pass


def test_a_member_that_is_a_link_is_refused(pack: Pack) -> None:
    path = pack({"a": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)

    with pytest.raises(SawhorseError, match="is a link"), opened(path):
        pass


def test_a_file_that_would_have_to_be_a_directory_is_refused(pack: Pack) -> None:
    with pytest.raises(SawhorseError, match="is a file and holds"), opened(pack({"a": SOURCE, "a/b.py": SOURCE})):
        pass


def test_a_member_whose_name_is_not_utf_8_is_a_sentence(pack: Pack, tiny: Project) -> None:
    path = pack({"\u00e9.py": SOURCE})
    path.write_bytes(path.read_bytes().replace("\u00e9".encode(), b"\xff\xfe"))

    assert_refused(sawhorse(tiny, "package", "inspect", str(path)), "is no whole zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.py", SOURCE)
        archive.writestr("a.py", b"")

    with pytest.raises(SawhorseError, match="is there twice"), opened(tmp_path / "one.zip"):
        pass


def test_a_zip_that_would_unpack_to_more_than_lambda_takes_is_refused(pack: Pack, tiny: Project) -> None:
    chunk = bytes(UNZIPPED_LIMIT // 4 + 1)
    path = pack({f"{name}/zeros": chunk for name in "abcd"})

    ended = sawhorse(tiny, "package", "inspect", str(path))

    assert_refused(ended, "262,144,004 bytes unzipped", "the largest at its top are a (65,536,001)")


def test_a_size_that_is_a_lie_is_found_out(pack: Pack) -> None:
    path = pack({"a.py": bytes(10**6)})
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 10**6), struct.pack("<I", 10)))

    with opened(path) as package, pytest.raises(SawhorseError, match=r"a\.py cannot be unpacked"):
        package.read("a.py")


@pytest.mark.parametrize("kept", [0, 10, 60, -1])
def test_a_truncated_zip_is_a_sentence(pack: Pack, tiny: Project, kept: int) -> None:
    path = pack({"a.py": SOURCE, "b.py": SOURCE})
    path.write_bytes(path.read_bytes()[:kept])

    assert_refused(sawhorse(tiny, "package", "inspect", str(path)), "is no whole zip")


def test_damaged_content_is_a_sentence(pack: Pack, tiny: Project) -> None:
    path = pack({"__pycache__/a.cpython-311.pyc": bytes(range(200))})
    content = bytearray(path.read_bytes())
    content[80] ^= 0xFF
    path.write_bytes(bytes(content))

    assert_refused(sawhorse(tiny, "package", "inspect", str(path)), "cannot be unpacked")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.zip"], "no file nowhere.zip"),
        (["lambda"], "lambda is not a file"),
        (["pyproject.toml"], "is no whole zip"),
        (["tiny"], 'run "sawhorse build tiny"'),
        (["good.zip", "nowhere.zip"], "no file nowhere.zip"),
        (["good.zip", "--handler", "absent.handler"], "no module for the handler absent.handler"),
        (["good.zip", "--handler", "a.handler", "--env", "=x"], "NAME=VALUE"),
    ],
)
def test_a_mistake_is_a_sentence(tiny: Project, arguments: list[str], words: str) -> None:
    write_zip(tiny.path / "good.zip", {"a.py": SOURCE})

    assert_refused(sawhorse(tiny, "package", "inspect", *arguments), words)


@settings(max_examples=150, deadline=None)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4), kept=st.floats(0.3, 1))
def test_whatever_the_bytes_are_it_is_inspected_or_refused(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[float, int]], kept: float
) -> None:
    path = write_zip(
        tmp_path_factory.mktemp("damaged") / "one.zip",
        {
            "a/b.py": SOURCE,
            "a/__pycache__/b.cpython-311.pyc": compiled(SOURCE),
            "dep-1.dist-info/METADATA": metadata("dep"),
            "dep-1.dist-info/RECORD": b'a/b.py,"x\n',
        },
        compress_type=zipfile.ZIP_STORED,
    )
    content = bytearray(path.read_bytes())
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    # Either the end is missing, or something in the middle.
    cut = int(kept * len(content))
    path.write_bytes(bytes(content) if kept > LATE else bytes(content[: cut // 2] + content[cut:]))

    with suppress(SawhorseError), opened(path) as package:
        assert inspect(package, {}, ["a"]) is not None
        assert compare(package, package) == compare(package, package)
        package.extract(path.parent / "out")
    path.unlink()

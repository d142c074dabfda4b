"""A wheel that is damaged, or that no installer would take, is one sentence; dist and cache stay as they were."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.wheel_cache import Cache
from sawhorse.build.wheel_reader import content_of, read_wheel
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.build.made_wheels import held, make_wheel
from tests.unit.sawhorse.packages import metadata
from tests.unit.sawhorse.support import assert_refused, sawhorse, sha256, tree, write_lock

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")
NAME = "alpha-1.0-py3-none-any.whl"
INFORMATION = "alpha-1.0.dist-info"
MODULE = b"alpha/__init__.py"
Make = Callable[[Path], Path]


def of(files: Iterable[tuple[str, bytes]], **choices: object) -> Make:
    return lambda path: make_wheel(path, "alpha", list(files), **choices)  # type: ignore[arg-type]


def good(path: Path) -> Path:
    return make_wheel(path, "alpha", {MODULE.decode(): b"VALUE = 1\n" * 50})


def changed(change: Callable[[bytearray], bytes | bytearray]) -> Make:
    """A good wheel whose bytes are changed."""

    def make(path: Path) -> Path:
        wheel = good(path)
        wheel.write_bytes(change(bytearray(wheel.read_bytes())))
        return wheel

    return make


def member(name: str, content: bytes = b"", *, kind: int = stat.S_IFREG) -> Make:
    """A good wheel with one more member, of any kind."""

    def make(path: Path) -> Path:
        wheel = good(path)
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o644) << 16
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr(info, content)
        return wheel

    return make


def without(name: str) -> Make:
    """A good wheel that lacks a file of its dist-info, or all of it."""

    def make(path: Path) -> Path:
        wheel = good(path / "whole")
        less = path / wheel.name
        with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(less, "w") as archive:
            for info in whole.infolist():
                if not info.filename.startswith(name):
                    archive.writestr(info, whole.read(info))
        return less

    return make


def renamed(name: str) -> Make:
    return lambda path: good(path).rename(path / name)


def with_metadata(content: bytes) -> Make:
    def make(path: Path) -> Path:
        wheel = without(f"{INFORMATION}/METADATA")(path)
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr(f"{INFORMATION}/METADATA", content)
        return wheel

    return make


def damage_a_member(content: bytearray) -> bytearray:
    content[content.index(MODULE) + len(MODULE) + 3] ^= 0xFF
    return content


def encrypt(content: bytearray) -> bytearray:
    content[content.index(b"PK\1\2") + 8] |= 1
    return content


def name_that_is_not_utf8(content: bytearray) -> bytes:
    """Both places say that the name is UTF-8, and it is not."""
    content[content.index(b"PK\1\2") + 9] |= 8
    content[7] |= 8
    return bytes(content).replace(MODULE, b"alpha/\xff\xfe\xfd\xfc____.py")


def another_local_name(content: bytearray) -> bytes:
    return bytes(content).replace(MODULE, MODULE.upper(), 1)


def larger_than_it_says(content: bytearray) -> bytearray:
    """Of a thousand times the size that the directory announces, no more is unpacked than that."""
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = struct.pack("<I", 3)
    return content


REFUSED: dict[str, tuple[Make, str]] = {
    "not a zip": (changed(lambda _: b"<html>not found</html>"), "is not a whole zip"),
    "empty": (changed(lambda _: b""), "is not a whole zip"),
    "truncated at its end": (changed(lambda content: content[:-30]), "is not a whole zip"),
    "truncated at its begin": (changed(lambda content: content[30:]), "does not lie in the zip"),
    "damaged member": (changed(damage_a_member), "has alpha/__init__.py, which cannot be unpacked"),
    "another size than it says": (changed(larger_than_it_says), "another length or checksum than the wheel says"),
    "encrypted": (changed(encrypt), "which is encrypted"),
    "name not UTF-8": (changed(name_that_is_not_utf8), "is not a whole zip"),
    "two names of one member": (changed(another_local_name), "has another name where its content lies"),
    "no member where it should be": (
        changed(lambda content: b"XX" + content[2:]),
        "does not begin where the zip says",
    ),
    "zip slip": (member("../evil.py"), "does not stay in the directory"),
    "zip slip inside": (member("alpha/../../evil.py"), "does not stay in the directory"),
    "zip slip through .data": (member("alpha-1.0.data/data/../../evil.py"), "does not stay in the directory"),
    "absolute": (member("/etc/evil"), "does not stay in the directory"),
    "backslash": (member("alpha\\evil.py"), "does not stay in the directory"),
    "empty part": (member("alpha//evil.py"), "does not stay in the directory"),
    "control character": (member("alpha/a\nb.py"), "characters that cannot be shown"),
    "name of 300 bytes": (member(f"alpha/{'x' * 300}.py"), "which has a name that is too long"),
    "path of 6,000 bytes": (member(f"{'/'.join(['x' * 200] * 30)}.py"), "which has a path of 6,032 bytes"),
    "link": (member("alpha/link", b"/etc/passwd", kind=stat.S_IFLNK), "is a link and not a file"),
    "pipe": (member("alpha/pipe", kind=stat.S_IFIFO), "is a device or a pipe and not a file"),
    "device": (member("alpha/device", kind=stat.S_IFBLK), "is a device or a pipe and not a file"),
    "file and directory": (of([("alpha", b""), ("alpha/__init__.py", b"")]), "has the file alpha, and alpha/__init__"),
    "file and directory by .data": (
        of([("alpha-1.0.data/data/alpha", b""), ("alpha/__init__.py", b"")]),
        "has the file alpha, and alpha/__init__",
    ),
    "file and directory beside tests": (
        of([("alpha", b""), ("alpha/a.py", b""), ("beta/tests/test_a.py", b""), ("beta/__init__.py", b"")]),
        "has the file alpha, and alpha/a.py below it",
    ),
    "two contents of one name": (
        of([("alpha.py", b"1"), ("alpha-1.0.data/purelib/alpha.py", b"2")]),
        "two different files that are installed as alpha.py",
    ),
    "unknown scheme": (of([("alpha-1.0.data/lib/alpha.py", b"")]), "no installer knows where that would go"),
    "file in no scheme": (of([("alpha-1.0.data/alpha.py", b"")]), "no installer knows where that would go"),
    "bzip2": (of([("alpha.py", b"1" * 100)], compression=zipfile.ZIP_BZIP2), "neither stored nor deflated"),
    "lzma": (of([("alpha.py", b"1" * 100)], compression=zipfile.ZIP_LZMA), "neither stored nor deflated"),
    "no dist-info": (without(INFORMATION), "needs one .dist-info directory, of alpha, and has none"),
    "no METADATA": (without(f"{INFORMATION}/METADATA"), f"has no {INFORMATION}/METADATA"),
    "no WHEEL": (without(f"{INFORMATION}/WHEEL"), f"has no {INFORMATION}/WHEEL"),
    "two dist-infos": (
        of([("beta-1.0.dist-info/METADATA", metadata("beta")), ("beta-1.0.dist-info/WHEEL", b"")]),
        "has alpha-1.0.dist-info, beta-1.0.dist-info",
    ),
    "two of its own": (of([("Alpha-2.0.dist-info/METADATA", metadata("alpha", "2.0"))]), "has Alpha-2.0.dist-info, al"),
    "another name": (renamed("beta-1.0-py3-none-any.whl"), "needs one .dist-info directory, of beta, and has alpha-1"),
    "another version": (renamed("alpha-2.0-py3-none-any.whl"), "says in its METADATA that it is alpha 1.0"),
    "METADATA of another name": (with_metadata(metadata("../beta")), "says in its METADATA that it is ../beta 1.0"),
    "METADATA of another version": (
        with_metadata(metadata("alpha", "9.0")),
        "says in its METADATA that it is alpha 9.0",
    ),
    "METADATA without a version": (with_metadata(b"Name: alpha\n"), "a METADATA without a name or a version"),
}


def lock(project: Project, *wheels: Path) -> None:
    lines = [f"./{wheel.relative_to(project.path)} --hash=sha256:{sha256(wheel)}\n" for wheel in wheels]
    write_lock(project, "".join(lines))


def kept(cache: Cache) -> set[str]:
    """What a cache has besides archives, which are kept as they were fetched, and interpreters."""
    there = {path.relative_to(cache.path).parts[0] for path in cache.path.rglob("*") if path.is_file()}
    return there - {"archives", "interpreters", ".lock"}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_wheel_is_one_sentence_and_leaves_everything_as_it_was(tiny: Project, cache: Cache, what: str) -> None:
    make, words = REFUSED[what]
    build(tiny, "tiny")
    kept_before, before = kept(cache), tree(tiny.path / "dist")
    wheels = tree(cache.path / "wheels")
    wheel = make(tiny.path / "vendor")
    lock(tiny, wheel)

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    said = str(refusal.value)
    assert words in said
    assert said.startswith(f"lambda/tiny/requirements.txt, line 1: The wheel {wheel.name} ")
    assert said.endswith("so nothing was taken of it; use another version of it.")
    assert "\n" not in said
    assert tree(tiny.path / "dist") == before
    assert kept(cache) == kept_before
    assert tree(cache.path / "wheels") == wheels


def test_a_bad_wheel_beside_good_ones_ends_the_command_with_code_2(tiny: Project, cache: Cache) -> None:
    beta = make_wheel(tiny.path / "vendor", "beta", {"beta.py": b""})
    lock(tiny, beta, REFUSED["zip slip"][0](tiny.path / "vendor"))

    assert_refused(sawhorse(tiny, "build", "tiny"), "does not stay in the directory", "use another version of it.")
    assert not (tiny.path / "dist/tiny.zip").exists()


def test_what_is_unusual_and_right_is_installed(tiny: Project, cache: Cache) -> None:
    vendor = tiny.path / "vendor"
    plain = {"alpha/__init__.py": b"VALUE = 1\n", "alpha/data/\u00e9\u4e2d.txt": b"", "a:b.txt": b"0"}
    lock(tiny, make_wheel(vendor, "alpha", plain))
    usual = held(build(tiny, "tiny").path)
    assert plain.items() <= {name: content for name, (content, _) in usual.items()}.items()

    def packed(path: Path) -> object:
        lock(tiny, path)
        return held(build(tiny, "tiny").path)

    before = make_wheel(vendor / "prefixed", "alpha", plain)
    before.write_bytes(b"#!/bin/sh\n" + before.read_bytes())
    assert packed(before) == usual

    large = vendor / "zip64" / NAME
    large.parent.mkdir()
    with zipfile.ZipFile(make_wheel(vendor, "alpha", plain)) as given, zipfile.ZipFile(large, "w") as archive:
        for info in given.infolist():
            with archive.open(zipfile.ZipInfo(info.filename), "w", force_zip64=True) as file:
                file.write(given.read(info))
    assert packed(large) == usual

    twice = make_wheel(vendor / "twice", "alpha", [*plain.items(), *plain.items()][:4])
    assert packed(twice) == usual

    spelt = {f"Alpha-1.0.data/purelib/{name}": content for name, content in plain.items()}
    assert packed(make_wheel(vendor / "data", "alpha", spelt)) == usual


def test_more_files_than_a_zip_lists_are_a_sentence(tiny: Project, cache: Cache) -> None:
    lock(tiny, make_wheel(tiny.path / "vendor", "alpha", {f"alpha/{number}.txt": b"" for number in range(70_000)}))

    with pytest.raises(BuildFailed, match=r"would have 70,008 files .* lists 65,535 files"):
        build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny.zip").exists()


def test_a_file_of_one_wheel_that_is_a_directory_of_another_names_both(tiny: Project, cache: Cache) -> None:
    """Also where tests are pruned, for which both are laid out in one directory."""
    one = make_wheel(
        tiny.path / "vendor", "alpha", {"meet": b"", "alpha/__init__.py": b"", "alpha/tests/test_a.py": b""}
    )
    other = make_wheel(tiny.path / "vendor", "beta", {"meet/__init__.py": b""})
    lock(tiny, one, other)

    with pytest.raises(BuildFailed, match=r"alpha brings the file meet, and beta brings meet/.* below it; keep one"):
        build(tiny, "tiny")


def test_no_more_is_unpacked_than_a_wheel_announces() -> None:
    """A gigabyte of zeros in one megabyte would end the process where memory is short."""
    from sawhorse.build.wheel_reader import File  # noqa: PLC0415 # of this test alone

    bomb = zlib.compress(b"\0" * 10_000_000, wbits=-zlib.MAX_WBITS)
    file = File("bomb", script=False, executable=False, method=8, crc=0, size=10, data=bomb)

    with pytest.raises(BuildFailed, match="another length or checksum"):
        content_of(file, NAME)


@pytest.fixture(scope="module")
def good_wheel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return good(tmp_path_factory.mktemp("good")).read_bytes()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4), cut=st.floats(0, 1)
)
@example(changes=[], cut=1.0)
def test_any_damage_is_a_sentence_or_the_same_files(
    good_wheel: bytes, changes: list[tuple[float, int]], cut: float
) -> None:
    content = bytearray(good_wheel[: int(len(good_wheel) * cut)])
    for place, value in changes:
        if content:
            content[int(place * len(content))] = value
    right = {file.name: content_of(file, NAME) for file in read_wheel(good_wheel, NAME).files}

    try:
        wheel = read_wheel(bytes(content), NAME)
        found = {file.name: content_of(file, NAME) for file in wheel.files}
    except BuildFailed as refusal:
        assert str(refusal).startswith(f"The wheel {NAME} ")  # noqa: PT017 # or it is read, as below
        return
    # Names, dates and modes have no checksum in a zip; contents have one.
    assert set(found.values()) <= set(right.values())

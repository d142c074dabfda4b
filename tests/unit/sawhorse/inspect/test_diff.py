"""Why two packages differ: sentences about members, contents, and what of a zip may differ for the same content."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.zip_reader import opened
from sawhorse.inspect.diff import compare
from sawhorse.project import Project
from tests.unit.sawhorse.packages import SOURCE, Pack, json_of, metadata, write_zip
from tests.unit.sawhorse.support import sawhorse


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return lambda members, name="one.zip", **fields: write_zip(tmp_path / name, members, **fields)


def differences(one: Path, two: Path) -> dict[str, Any]:
    with opened(one) as first, opened(two) as second:
        found = compare(first, second)
    silent = {"path", "other", "equal"}
    return {name: value for name, value in vars(found).items() if value and name not in silent}


def test_equal_packages_end_with_exit_code_0(pack: Pack, tiny: Project) -> None:
    one, two = pack({"a.py": SOURCE}), pack({"a.py": SOURCE}, "two.zip")

    ended = sawhorse(tiny, "package", "inspect", str(one), str(two))

    assert ended.code == 0
    assert ended.out == f"{one} and {two} are the same bytes.\n"


def test_a_changed_source_is_shown_with_its_lines(pack: Pack, tiny: Project) -> None:
    one = pack({"a.py": SOURCE, "b.py": b"", "dep-1.dist-info/METADATA": metadata("dep", "1")})
    two = pack({"a.py": b"VALUE = 2\n", "c.py": b"", "dep-1.dist-info/METADATA": metadata("dep", "2")}, "two.zip")

    ended = sawhorse(tiny, "package", "inspect", str(one), str(two))
    found = json_of(sawhorse(tiny, "package", "inspect", str(one), str(two), "--json"))

    assert ended.code == 1
    assert "-VALUE = 1\n+VALUE = 2\n" in ended.out
    assert "dep: 1 and 2" in ended.out
    assert found["comparison"]["only_in_path"] == ["b.py"]
    assert found["comparison"]["only_in_other"] == ["c.py"]


def test_a_long_difference_is_cut(pack: Pack) -> None:
    one = pack({"a.txt": b"one\n" * 50, "b.bin": b"\0"})
    two = pack({"a.txt": b"two\n" * 50, "b.bin": b"\0\0"}, "two.zip")

    text, binary = differences(one, two)["changed"]

    assert (len(text.lines), text.more) == (20, 83)
    assert (binary.lines, binary.sizes) == ([], (1, 2))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"compress_type": zipfile.ZIP_STORED}, {"compression": ["a.py"]}),
        ({"external_attr": 0o100755 << 16}, {"modes": {"a.py": ("0644", "0755")}}),
        ({"date_time": (2026, 11, 21, 1, 2, 4)}, {"dates": {"a.py": ("1980-01-01 00:00:00", "2026-11-21 01:02:04")}}),
        ({"comment": b"by another tool"}, {"elsewhere": True}),
    ],
)
def test_the_same_content_in_other_bytes_is_explained(
    pack: Pack, fields: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    assert differences(pack({"a.py": SOURCE * 20}), pack({"a.py": SOURCE * 20}, "two.zip", **fields)) == expected


def test_another_order_is_told(pack: Pack) -> None:
    one, two = pack({"a.py": SOURCE, "b.py": SOURCE}), pack({"b.py": SOURCE, "a.py": SOURCE}, "two.zip")

    assert differences(one, two) == {"other_order": True}

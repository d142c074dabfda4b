"""A document that people write is read with the line of every value, or refused in a sentence with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.plans.documents import parse_document, read_document, write_document

REFUSED = {
    "a: b: c": ":1: that is not valid YAML (mapping values are not allowed here); fix that line.",
    "a: 1\nb: 2\na: 3": ":3: a stands twice in one mapping; remove one of the two.",
    '1: a\n"1": b': ":2: 1 stands twice in one mapping; remove one of the two.",
    "a:\n  <<: {b: 1, b: 2}": ":2: b stands twice in one mapping; remove one of the two.",
    "a: 1\n[a]: 2": ":2: a key must be a text; write one.",
    "a: 1\n? {a: b}\n: 2": ":2: a key must be a text; write one.",
    "a: &a\n- *a": ":1: that anchor holds itself; write out what it should hold.",
    "a: 1\nb: *c": ":2: that is not valid YAML (found undefined alias 'c'); fix that line.",
    "a: 1\nb:\n  <<: 5": ":3: that is not valid YAML",
    "a: !!binary aGk=": ":1: a plan has nothing that tag:yaml.org,2002:binary could say; remove that tag.",
    "a: !!set {b}": ":1: a plan has nothing that tag:yaml.org,2002:set could say; remove that tag.",
    "a: !python/object:os.system x": ":1: a plan has nothing that !python/object:os.system could say",
    "a: !!int x": ":1: x is not a number; put it in quotes if it is a text.",
    "a: !!bool x": ":1: x is not a boolean; put it in quotes if it is a text.",
    "a:\n  b: " + "9" * 5000: ":2: " + "9" * 40 + " is not a number; put it in quotes if it is a text.",
    "a: 1\nb: \x00": ":2: YAML has no character '\\x00'; remove it.",
    'a: 1\nb: "\\UFFFFFFFF"': ":2: that is not valid YAML",
    "a: 1\n--- {}": ":2: that is not valid YAML (expected a single document in the stream but found another document)",
    "a: " + "[" * 2000: " nests deeper than anything in a plan; take levels out.",
    "a: &a [1, 1, 1, 1]\n"
    + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ): ":5: with its anchors written out, this holds more than 100,000 values; take some out.",
}


@pytest.mark.parametrize("content", REFUSED, ids=lambda content: content[:30])
def test_what_cannot_be_read_is_refused_with_its_line(content: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        parse_document(content, "a.yaml")
    assert str(caught.value).startswith(f"a.yaml{REFUSED[content]}")


def test_every_value_has_the_line_of_its_name() -> None:
    document = parse_document("# a\na:\n  - b\n  -\n    c: 1\nd: &d\n  e: 2\nf: *d\n", "a.yaml").value
    assert [document[name].line for name in "adf"] == [2, 6, 8]
    assert [item.line for item in document["a"].value] == [3, 5]
    assert document["a"].value[1].value["c"].place == "a.yaml:5"
    assert document["f"].value["e"].line == 7, "where it is written"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"a: \xff", "is not UTF-8; save it with that encoding."), (None, "cannot be read (No such file or directory)")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadConfiguration) as caught:
        read_document(path)
    assert str(caught.value).startswith(f"{path} {sentence}")


def test_a_directory_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="cannot be read"):
        read_document(tmp_path)


def test_a_value_that_stands_twice_is_written_twice() -> None:
    shared = {"b": [1]}
    assert write_document({"a": shared, "c": shared}) == "a:\n  b:\n  - 1\nc:\n  b:\n  - 1\n"

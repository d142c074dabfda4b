"""Arguments, blocks and references are found with their lines, whatever strings and comments hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.hcl import Argument, Block, Reference, read_hcl, references, text_of, without_comments, without_literals

HARD = r"""# resource "aws_a" "comment" {
/* also
   no = "argument" */
locals {
  quoted = "a } \" ${ join("}", ["{", "${var.x}"]) } # no comment" // one
  dollar = "$${not.a_template} %%{ nor this }"
  text   = <<-EOT
    looks = "like an argument" {
    # and stays
  EOT
  spread = (
    var.one # why
    ? { a = 1 }
    : { b = 2 }
  )
}

resource "aws_sqs_queue" "this" { name = "short" }

resource aws_sns_topic "bare" {
  for_each = { for key, value in var.all : key => value }

  dynamic "block" {
    for_each = []
    content {
      inner = block.value
      deeper {}
    }
  }
}
"""


def arguments(block: Block) -> list[tuple[str, int]]:
    return [(one.name, one.line) for one in block.arguments]


def test_blocks_and_arguments_are_found_with_their_lines() -> None:
    values, queue, topic = read_hcl(HARD, "hard.tf").blocks

    assert (values.type, values.labels, values.line) == ("locals", (), 4)
    assert arguments(values) == [("quoted", 5), ("dollar", 6), ("text", 7), ("spread", 11)]
    assert (queue.labels, queue.line) == (("aws_sqs_queue", "this"), 18)
    assert queue.arguments == (Argument("name", 18, '"short"'),)
    assert topic.labels == ("aws_sns_topic", "bare")
    [dynamic] = topic.blocks
    assert (dynamic.labels, dynamic.line, arguments(dynamic)) == (("block",), 23, [("for_each", 24)])
    [content] = dynamic.blocks
    assert (arguments(content), [one.type for one in content.blocks]) == ([("inner", 26)], ["deeper"])


def test_an_expression_is_kept_as_it_is_written_without_comments() -> None:
    values = read_hcl(HARD, "hard.tf").blocks[0]
    quoted, _, text, spread = (one.expression for one in values.arguments)

    assert quoted == r'"a } \" ${ join("}", ["{", "${var.x}"]) } # no comment"'
    assert text.endswith("# and stays\n  EOT")
    assert "why" not in spread
    assert spread.split() == ["(", "var.one", "?", "{", "a", "=", "1", "}", ":", "{", "b", "=", "2", "}", ")"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("aws_a_b.this.arn", [("aws_a_b", "this", "arn")]),
        ("aws_a_b.this[0].arn", [("aws_a_b", "this", "arn")]),
        ('aws_a_b.this["a]"].arn', [("aws_a_b", "this", "arn")]),
        ("aws_a_b.this[keys(var.x)[0]].arn", [("aws_a_b", "this", "arn")]),
        ("one(aws_a_b.this[*].arn)", [("aws_a_b", "this", "arn")]),
        ('"${data.aws_region.current.name}:x"', [("data.aws_region", "current", "name")]),
        ("[aws_a_b.one.id, aws_a_b.two.list.inner]", [("aws_a_b", "one", "id"), ("aws_a_b", "two", "list")]),
        ("values(aws_a_b.this)", []),
        ("module.aws_a_b.this.arn", []),
        ("var.x # aws_a_b.this.arn", []),
        ('"aws_a_b.this.arn is text, and so is $${aws_a_b.this.arn}"', []),
        ('"a ${ upper("aws_a_b.this.arn ${aws_a_b.that.id}") }"', [("aws_a_b", "that", "id")]),
        ('"a ${ 1 /* } " aws_a_b.this.arn */ + aws_a_b.that.id }"', [("aws_a_b", "that", "id")]),
    ],
)
def test_what_is_read_of_a_resource_is_found(expression: str, found: list[tuple[str, str, str]]) -> None:
    text = f"locals {{\n\n  x = {expression}\n}}\n"

    assert list(references(text, "main.tf")) == [Reference(*one, line=3) for one in found]


def test_a_heredoc_is_text_but_for_what_it_works_out() -> None:
    text = "x = <<-EOT\n  aws_a_b.this.arn\n  ${aws_a_b.that.id}\n  EOT\n"
    assert list(references(text, "main.tf")) == [Reference("aws_a_b", "that", "id", 3)]


def test_a_byte_order_mark_is_none_of_the_text_and_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "main.tf"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert text_of(path, "main.tf") == "a = 1\n"
    path.write_bytes("# caf\u00e9\n".encode("latin-1"))
    with pytest.raises(BadConfiguration, match="is not UTF-8 at byte 5; save it as UTF-8"):
        text_of(path, "main.tf")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('a = "open\n', 'main.tf:1: " is not closed'),
        ("a = 1\nb = [1,\n", "main.tf:2: [ is not closed"),
        ("a {\n", "main.tf:1: a is not closed"),
        ("a = <<X\nb\n", "main.tf:1: <<X is not closed"),
        ("a = 1\n}\n", "main.tf:2: } stands where an argument or a block is expected"),
        ("a\n", "main.tf:1: the end of the line stands where"),
        ("a = 1\n? = 2\n", "main.tf:2: ? = 2 stands where"),
        ("a b = 2\n", "main.tf:1: = 2 stands where"),
    ],
)
def test_what_is_not_hcl_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        read_hcl(text, "main.tf")

    assert str(refusal.value).startswith(sentence)
    assert "run terraform fmt" in str(refusal.value)


PIECES = (
    '"',
    "\\",
    "${",
    "%{",
    "$${",
    "%%{",
    "}",
    "{",
    "#",
    "//",
    "/*",
    "*/",
    "/",
    "<",
    "<<E\n",
    "\nE\n",
    "\n",
    "[",
    "]",
    "a",
    "= 1",
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example('a = "x" # < / "')
@example("a = <<E\n# ${1 /* } */ }\nE\n")
def test_whatever_is_left_out_every_place_and_line_stays(text: str) -> None:
    for leave_out in (without_comments, without_literals):
        try:
            plain = leave_out(text, "main.tf")
        except BadConfiguration:
            continue
        assert len(plain) == len(text)
        assert [place for place, letter in enumerate(plain) if letter == "\n"] == [
            place for place, letter in enumerate(text) if letter == "\n"
        ]
        # What is left is what was there.
        assert all(letter in {" ", text[place]} for place, letter in enumerate(plain))

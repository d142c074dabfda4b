"""What modules use and a recorded release of the provider lacks, wants or warns of is refused by file and line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project
from sawhorse.toolchain import provider_check
from sawhorse.toolchain.provider_check import (
    Deprecation,
    check,
    deprecated_in,
    lint,
    main,
    read_deprecations,
    table,
    used_by_modules,
)
from sawhorse.toolchain.provider_record import REFRESH, Record, Schema, read_records
from tests.projects import REPOSITORY

BOARD = Schema(required=frozenset({"width"}), optional=frozenset({"colour"}))
SHELF = Schema(
    required=frozenset({"name"}),
    optional=frozenset({"tags", "depth"}),
    computed=frozenset({"arn"}),
    required_blocks=frozenset({"board"}),
    blocks={"board": BOARD, "door": Schema()},
)
WALL = Schema(computed=frozenset({"height"}))
FIVE = Record("5.9.0", "asked", {"aws_shelf": SHELF, "data.aws_wall": WALL})
SIX = Record("6.10.0", "bindings", {"aws_shelf": SHELF, "data.aws_wall": WALL})
MODULE = """\
data "aws_wall" "this" {}

resource "aws_shelf" "this" {
  for_each   = var.shelves
  depends_on = [aws_shelf.other]

  name  = each.key
  depth = data.aws_wall.this.height

  dynamic "board" {
    for_each = each.value
    content {
      width = board.value
    }
  }

  lifecycle {
    ignore_changes = [tags, board]
  }
}

output "arn" {
  value = aws_shelf.this["a"].arn
}
"""


STAYS = "replace it, or say in provider_schemas/deprecations.yaml why it stays."


def project_with(directory: Path, text: str) -> Project:
    (directory / "modules/shelf").mkdir(parents=True)
    (directory / "modules/shelf/main.tf").write_text(text)
    return Project(directory)


def complaints(
    directory: Path, text: str, *records: Record, rows: Mapping[str, Deprecation] | None = None
) -> list[str]:
    return check(used_by_modules(project_with(directory, text)), records or (FIVE, SIX), rows or {})


def test_what_both_releases_have_is_not_complained_about(tmp_path: Path) -> None:
    assert complaints(tmp_path, MODULE) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (
            'resource "aws_shelf" "this"',
            'resource "aws_rack" "this"',
            (
                f'3: aws_rack is not in the record of AWS provider 6.10.0; run "{REFRESH}", which records it or says '
                "that there is none."
            ),
        ),
        (
            "  depth =",
            "  deep =",
            "8: aws_shelf of AWS provider 6.10.0 has no argument deep; use what both releases have.",
        ),
        (
            "  depth =",
            "  arn =",
            "8: aws_shelf of AWS provider 6.10.0 only gives arn; use what both releases have.",
        ),
        (
            "  depth =",
            "  board =",
            "8: aws_shelf of AWS provider 6.10.0 has no argument board; use what both releases have.",
        ),
        (
            'dynamic "board"',
            'dynamic "plank"',
            "10: aws_shelf of AWS provider 6.10.0 has no block plank; use what both releases have.",
        ),
        (
            'dynamic "board"',
            'dynamic "door"',
            "3: AWS provider 6.10.0 requires board of aws_shelf; set it.",
        ),
        (
            "      width = board.value",
            '      colour = "red"',
            "10: AWS provider 6.10.0 requires width of aws_shelf.board; set it.",
        ),
        (
            "      width = board.value",
            "      width = board.value\n      nails = 2",
            "14: aws_shelf.board of AWS provider 6.10.0 has no argument nails; use what both releases have.",
        ),
        (
            "  name  = each.key\n",
            "",
            "3: AWS provider 6.10.0 requires name of aws_shelf; set it.",
        ),
        (
            "[tags, board]",
            "[labels]",
            "18: aws_shelf of AWS provider 6.10.0 has no argument or block labels; use what both releases have.",
        ),
        (
            '["a"].arn',
            '["a"].url',
            "23: aws_shelf of AWS provider 6.10.0 has no attribute url; use what both releases have.",
        ),
        (
            "this.height",
            "this.width",
            "8: data.aws_wall of AWS provider 6.10.0 has no attribute width; use what both releases have.",
        ),
    ],
)
def test_what_a_release_lacks_or_wants_is_refused_with_its_place(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    assert MODULE.count(before) == 1

    found = complaints(tmp_path, MODULE.replace(before, after))

    assert f"modules/shelf/main.tf:{complaint}" in found
    assert f"modules/shelf/main.tf:{complaint.replace('6.10.0', '5.9.0')}" in found


def test_what_another_provider_makes_is_none_of_this(tmp_path: Path) -> None:
    assert complaints(tmp_path, f'{MODULE}\nresource "random_id" "this" {{\n  byte_length = 4\n}}\n') == []


def test_each_release_is_asked_alone(tmp_path: Path) -> None:
    without = Schema(**{**SHELF.__dict__, "optional": frozenset({"tags"})})
    older = Record("5.9.0", "asked", {"aws_shelf": without, "data.aws_wall": WALL})

    assert complaints(tmp_path, MODULE, older, SIX) == [
        "modules/shelf/main.tf:8: aws_shelf of AWS provider 5.9.0 has no argument depth; use what both releases have."
    ]


def test_what_a_release_warns_of_needs_a_reason(tmp_path: Path) -> None:
    rows = {"aws_shelf.board.width": Deprecation("6.2.0", "https://example.com/1")}

    assert complaints(tmp_path / "without", MODULE, rows=rows) == [
        f"modules/shelf/main.tf:13: aws_shelf.board.width is deprecated (since 6.2.0, https://example.com/1); {STAYS}"
    ]
    reason = {"aws_shelf.board.width": Deprecation("6.2.0", "https://example.com/1", "there is no other")}
    assert complaints(tmp_path / "with", MODULE, rows=reason) == []


def test_what_is_read_and_what_a_record_flags_itself_needs_a_reason_too(tmp_path: Path) -> None:
    flagged = Record(
        "5.9.0", "", {**FIVE.types, "data.aws_wall": Schema(**{**WALL.__dict__, "deprecated": {"height"}})}
    )

    assert complaints(tmp_path, MODULE, flagged, SIX) == [
        f"modules/shelf/main.tf:8: data.aws_wall.height is deprecated (in the record); {STAYS}"
    ]


def test_a_newer_release_warns_of_what_an_older_one_did_and_not_the_other_way() -> None:
    flagged = Record("5.9.0", "", {"aws_shelf": Schema(**{**SHELF.__dict__, "deprecated": frozenset({"tags"})})})
    rows = {"aws_shelf.depth": Deprecation("6.9.0", ""), "aws_shelf.name": Deprecation("6.11.0", "")}

    assert deprecated_in(flagged, [flagged, SIX], rows) == {"aws_shelf.tags"}
    assert deprecated_in(SIX, [flagged, SIX], rows) == {"aws_shelf.tags", "aws_shelf.depth"}


def test_a_reason_and_a_record_for_what_no_module_uses_are_refused(tmp_path: Path) -> None:
    rows = {"aws_shelf.tags": Deprecation("6.0.0", "", "nothing else is there")}
    more = Record("6.10.0", "bindings", {**SIX.types, "aws_rack": Schema()})

    assert complaints(tmp_path, MODULE, FIVE, more, rows=rows) == [
        "provider_schemas/deprecations.yaml says why aws_shelf.tags stays, and no module uses it; remove that.",
        f'The record of AWS provider 6.10.0 has aws_rack, which no module uses; run "{REFRESH}".',
    ]


def test_a_file_that_is_not_hcl_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"^modules/shelf/main\.tf:22: output is not closed"):
        used_by_modules(project_with(tmp_path, MODULE.removesuffix("}\n")))


def test_too_few_records_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(provider_check, "read_records", lambda: [SIX])

    assert lint(project_with(tmp_path, MODULE)) == (
        f'There are 1 records of the AWS provider, not one of 5 and one of 6; run "{REFRESH}".'
    )


def test_the_modules_of_this_project_are_what_both_releases_have() -> None:
    assert lint(Project(REPOSITORY)) == ""


def test_the_table_counts_by_release(tmp_path: Path) -> None:
    rows = {"aws_shelf.board.width": Deprecation("6.2.0", "https://example.com/1", "there is no other")}
    older, newer = table(used_by_modules(project_with(tmp_path, MODULE)), (FIVE, SIX), rows)

    assert (older.provider, newer.provider) == ("5.9.0", "6.10.0")
    assert (newer.resources, newer.data_sources, newer.arguments, newer.blocks, newer.attributes) == (1, 1, 3, 1, 2)
    assert (older.absent, newer.absent) == (0, 0)
    assert (older.deprecated, newer.deprecated) == ({}, {"aws_shelf.board.width": ["modules/shelf/main.tf:13"]})


def test_the_command_prints_the_table_of_this_project(capsys: pytest.CaptureFixture[str]) -> None:
    executed, checked = read_records()
    used = used_by_modules(Project(REPOSITORY))

    assert main(["--json", "-v"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [row["provider"] for row in data["releases"]] == [executed.provider, checked.provider]
    assert data["complaints"] == []
    assert len(data["uses"]) == len(used.uses)
    assert {row["resources"] + row["data_sources"] for row in data["releases"]} == {len(checked.types)}
    stay = {address for address, row in read_deprecations().items() if row.stays}
    assert [set(row["deprecated"]) for row in data["releases"]] == [set(), stay]

    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "provider  resources  data sources  arguments  blocks  attributes read  absent  deprecated\n"
    )
    assert all(f"{checked.provider} warns of {address} since 6." in shown for address in stay)


def test_the_command_ends_with_1_when_there_are_complaints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(provider_check, "read_deprecations", dict)
    flagged = [
        Record(r.provider, r.source, {n: s for n, s in r.types.items() if n != "aws_sqs_queue"}) for r in read_records()
    ]
    monkeypatch.setattr(provider_check, "read_records", lambda: flagged)

    assert main([]) == 1
    assert "aws_sqs_queue is not in the record of AWS provider 6." in capsys.readouterr().out

"""An argument of a module that nothing says anything about is refused, and so is what is said and not so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project
from sawhorse.toolchain import limits_check, service_models
from sawhorse.toolchain.limits_check import (
    FROM_MODELS,
    FROM_PAGES,
    FROM_US,
    FROM_WORDS,
    REFRESH,
    UNCHECKED,
    Resource,
    arguments_of,
    check,
    handlings,
    lint,
    main,
    read_all_limits,
    read_limits,
    read_models,
    read_record,
    table,
    write_record,
)
from sawhorse.toolchain.provider_check import used_by_modules
from tests.projects import REPOSITORY

MODULE = """\
resource "aws_shelf" "this" {
  name  = var.name
  board = "oak"

  door {
    width = 1
  }
}
"""
KNOWN = """\
aws_shelf:
  call: shop.MakeShelf
  arguments:
    name:
      member: Name
      model: {plan: [shelf_long_name]}
      limits:
      - {limit: no slash, source: "https://example.com/shelf", provider: [shelf_name_with_a_slash]}
    board: {reason: always oak}
    door.width: {reason: always 1}
"""
MODELS = {"aws_shelf.name": {"length": "1 to 9"}}


def limits_of(text: str, directory: Path) -> dict[str, Resource]:
    path = directory / "limits.yaml"
    path.write_text(text)
    return read_limits(path)


def complaints(
    directory: Path,
    known: str = KNOWN,
    models: Mapping[str, Mapping[str, str]] | None = None,
    record: Mapping[str, Mapping[str, str]] | None = None,
    module: str = MODULE,
) -> list[str]:
    (directory / "modules/shelf").mkdir(parents=True)
    (directory / "modules/shelf/main.tf").write_text(module)
    said = MODELS if models is None else models
    found = used_by_modules(Project(directory))
    return check(found, limits_of(known, directory), said, said if record is None else record)


def test_what_is_known_is_not_complained_about(tmp_path: Path) -> None:
    assert complaints(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (
            "    board: {reason: always oak}\n",
            "",
            "aws_shelf.board has neither a limit nor a reason in aws_limits/limits.yaml; add what AWS says of it.",
        ),
        (
            "    board:",
            "    paint: {reason: none}\n    board:",
            "aws_limits/limits.yaml: no module sets aws_shelf.paint; remove it.",
        ),
        (
            "reason: always oak",
            "member: Board",
            "aws_shelf.board: neither the models nor limits.yaml limit it; write why as its reason.",
        ),
        (
            "      member: Name\n",
            "      member: Name\n      reason: short\n",
            "aws_shelf.name has limits and a reason why there are none; leave one of them out.",
        ),
        (
            "reason: always oak",
            "member: Board, model: {plan: [shelf_wide]}",
            "aws_shelf.board: the models say nothing of Board; remove model.",
        ),
        (
            "model: {plan: [shelf_long_name]}",
            "model: {length: {plan: [shelf_long_name]}, pattern: {plan: [shelf_odd_name]}}",
            "aws_shelf.name: the models say no pattern; remove it.",
        ),
        (
            "      model: {plan: [shelf_long_name]}\n",
            "",
            "aws_shelf.name: nothing says where what is beyond its length: 1 to 9 is refused.",
        ),
        (
            "model: {plan: [shelf_long_name]}",
            "model: {pattern: {plan: [shelf_long_name]}}",
            "aws_shelf.name: nothing says where what is beyond its length: 1 to 9 is refused.",
        ),
        (
            "provider: [shelf_name_with_a_slash]",
            "provider: []",
            "aws_shelf.name: nothing says where what is beyond its no slash is refused.",
        ),
        (
            "shelf_name_with_a_slash",
            "rack_name_with_a_slash",
            "aws_shelf.name: no refusal of shelf goes beyond its no slash; add one, or say why it is safe.",
        ),
        (
            "provider: [shelf_name_with_a_slash]",
            "plan: [rack_slash], safe: {rack: never one}",
            "aws_shelf.name: no refusal of shelf goes beyond its no slash; add one, or say why it is safe.",
        ),
    ],
)
def test_what_is_missing_or_not_so_is_refused(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert KNOWN.count(before) == 1
    assert complaint in complaints(tmp_path, KNOWN.replace(before, after))


@pytest.mark.parametrize(
    "held",
    ["plan: [rack_slash], safe: {shelf: never one}", "local: a contract", "listed: A slash", "safe: {'*': none}"],
)
def test_there_are_other_ways_than_a_refusal_of_the_module(tmp_path: Path, held: str) -> None:
    assert complaints(tmp_path, KNOWN.replace("provider: [shelf_name_with_a_slash]", held)) == []


def test_a_second_module_needs_a_refusal_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "modules/rack").mkdir(parents=True)
    (tmp_path / "modules/rack/main.tf").write_text('resource "aws_shelf" "this" {\n  name = var.name\n}\n')

    assert complaints(tmp_path) == [
        f"aws_shelf.name: no refusal of rack goes beyond its {one}; add one, or say why it is safe."
        for one in ("length: 1 to 9", "no slash")
    ]


def test_what_the_models_say_anew_is_refused_until_it_is_recorded(tmp_path: Path) -> None:
    before = {"aws_shelf.name": {"length": "1 to 8"}}
    version = service_models.VERSION

    [complaint] = complaints(tmp_path / "other", record=before)
    assert complaint == (
        f"aws_shelf.name: botocore {version} says length: 1 to 9, and the record length: 1 to 8; "
        f'hold the modules to it, and run "{REFRESH}".'
    )
    assert complaints(tmp_path / "none", models=MODELS, record={})[0].startswith(
        f"aws_shelf.name: botocore {version} says length: 1 to 9, and the record nothing;"
    )


def test_words_that_the_models_do_not_say_are_refused(tmp_path: Path) -> None:
    source = 'source: "https://example.com/shelf"'
    quoted = "says: {sqs.CreateQueue QueueName: A queue name can have up to 80 characters.}"

    assert complaints(tmp_path / "quoted", KNOWN.replace(source, quoted)) == []
    [complaint] = complaints(tmp_path / "changed", KNOWN.replace(source, quoted.replace("80", "90")))
    assert complaint == (
        f'aws_shelf.name: botocore {service_models.VERSION} does not say "A queue name can have up to 90 characters." '
        "of sqs.CreateQueue QueueName; read what it says now, and hold the modules to it."
    )


def test_what_only_data_sources_take_is_none_of_this(tmp_path: Path) -> None:
    assert complaints(tmp_path, module=f'{MODULE}\ndata "aws_wall" "this" {{\n  name = "north"\n}}\n') == []


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "reason: always oak",
            "raeson: always oak",
            r"limits\.yaml: aws_shelf\.arguments\.board\.raeson: Extra inputs",
        ),
        ("source:", "sauce:", r"arguments\.name\.limits\.0\.sauce: Extra inputs"),
        (
            ', source: "https://example.com/shelf"',
            "",
            r"limits\.0: .*nobody says it; name a source, or what the models say",
        ),
        ("{reason: always oak}", "{reason: always: oak}", r"^limits\.yaml is not valid YAML: "),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        limits_of(KNOWN.replace(before, after), tmp_path)


def test_the_table_says_of_each_limit_who_says_it_and_what_holds_it(tmp_path: Path) -> None:
    named, spelled = table(limits_of(KNOWN, tmp_path), MODELS)

    assert (named.constraint, named.held, named.by) == (
        *("length: 1 to 9", "refused by the module's plan"),
        ("shelf_long_name",),
    )
    assert named.source == f"botocore {service_models.VERSION}, shop.MakeShelf Name"
    assert (spelled.constraint, spelled.source) == ("no slash", "https://example.com/shelf")
    assert (spelled.held, spelled.by) == ("refused by the provider's plan", ("shelf_name_with_a_slash",))


@pytest.mark.parametrize(
    ("said", "origin", "told_by"),
    [
        ("source: https://example.com", FROM_PAGES, "https://example.com"),
        ("source: docs/shelves.md", FROM_US, "docs/shelves.md"),
        ("source: https://example.com, unchecked: true", UNCHECKED, "https://example.com"),
        (
            "source: https://example.com, says: {shop.MakeShelf Name: no slash}",
            *(FROM_WORDS, f'botocore {service_models.VERSION}, shop.MakeShelf Name: "no slash"; https://example.com'),
        ),
    ],
)
def test_the_table_tells_what_a_model_says_from_pages_and_from_what_nobody_could_read(
    tmp_path: Path, said: str, origin: str, told_by: str
) -> None:
    known = KNOWN.replace('source: "https://example.com/shelf"', said)

    from_models, spelled = table(limits_of(known, tmp_path), MODELS)

    assert from_models.origin == FROM_MODELS
    assert (spelled.origin, spelled.source) == (origin, told_by)


def test_every_argument_of_every_module_has_a_limit_or_a_reason() -> None:
    assert lint(Project(REPOSITORY)) == ""


def test_the_record_is_what_a_refresh_writes(tmp_path: Path) -> None:
    write_record(read_models(read_limits()), tmp_path / "models.yaml")

    assert read_record(tmp_path / "models.yaml") == read_record()
    assert yaml.safe_load((tmp_path / "models.yaml").read_text())["aws_lambda_function.description"] == {
        "length": "0 to 256"
    }


def test_the_command_counts_and_names_every_argument(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = set(arguments_of(used_by_modules(Project(REPOSITORY))))

    assert main(["--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    limited = {f"{row['resource']}.{row['argument']}" for row in data["limits"]}
    assert data["complaints"] == []
    assert arguments <= limited | set(data["reasons"])
    assert not limited & set(data["reasons"])

    assert main(["-v"]) == 0
    shown = capsys.readouterr().out
    assert (
        f"{len(arguments)} arguments; {len(arguments) - len(data['reasons'])} have {len(data['limits'])} limits"
        in shown
    )
    assert all(f"\n{address}: {reason}\n" in f"{shown}\n" for address, reason in data["reasons"].items())
    assert all(address in shown for address in limited)
    unchecked = sum(row["origin"] == UNCHECKED for row in data["limits"])
    assert f"{unchecked:5}  {UNCHECKED}\n" in shown
    assert shown.count(f"\n  {UNCHECKED}\n") == unchecked > 0


def test_the_command_ends_with_1_when_there_are_complaints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = {name: resource for name, resource in read_limits().items() if name != "aws_sns_topic"}
    monkeypatch.setattr(limits_check, "read_limits", lambda: limits)

    assert main([]) == 1
    assert "aws_sns_topic.name has neither a limit nor a reason in " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("aws_sns_topic.shelf: nobody says it\n", "knows no aws_sns_topic.shelf; remove it"),
        ("nothing\n", "is no mapping from addresses of arguments to reasons"),
        ("a: [\n", "is no mapping from addresses of arguments to reasons"),
    ],
)
def test_reasons_of_an_app_that_cannot_be_read_are_refused(tmp_path: Path, written: str, sentence: str) -> None:
    (tmp_path / "modules/apps/shop").mkdir(parents=True)
    (tmp_path / "modules/apps/shop/limits.yaml").write_text(written)

    with pytest.raises(BadConfiguration, match=sentence):
        read_all_limits(Project(tmp_path))


def test_an_app_says_why_its_own_resource_stays_within_every_limit_of_an_argument(tmp_path: Path) -> None:
    (tmp_path / "modules/apps/shop").mkdir(parents=True)
    (tmp_path / "modules/apps/shop/limits.yaml").write_text("aws_sns_topic.name: two words\n")

    plain, held = (
        limits["aws_sns_topic"].arguments["name"] for limits in (read_limits(), read_all_limits(Project(tmp_path)))
    )

    for before, after in zip(handlings(plain, {}), handlings(held, {}), strict=True):
        assert before[1]
        assert after[1]
        assert after[1].safe == {**before[1].safe, "shop": "two words"}
    assert list(handlings(held, {}))

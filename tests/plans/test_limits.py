"""Each limit of AWS is refused where the table says: a refusal is planned, a contract tested, or the docs tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sawhorse.hcl import read_hcl
from sawhorse.toolchain.limits_check import Handling, read_limits
from sawhorse.toolchain.service_models import words
from tests.planning import all_refusals
from tests.projects import REPOSITORY

HERE = re.compile(r"### What the local AWS cannot show\n(.*?)\n## ", re.DOTALL)


def held() -> Iterator[tuple[str, Handling]]:
    """Walk what holds each limit, by the argument's address."""
    for name, resource in read_limits().items():
        for argument, known in resource.arguments.items():
            ways = known.model.values() if isinstance(known.model, dict) else [known.model] if known.model else []
            yield from ((f"{name}.{argument}", way) for way in (*ways, *known.limits))


def test_what_is_refused_by_a_plan_has_a_refusal() -> None:
    names = {refusal.name for refusal in all_refusals()}
    named = {(address, case) for address, way in held() for case in way.cases}
    assert len(named) > len(names) / 2
    assert {pair for pair in named if pair[1] not in names} == set()


def test_what_is_refused_locally_has_a_contract() -> None:
    named = {way.local for _, way in held() if way.local}
    assert named
    for test in named:
        path, _, function = test.partition("::")
        assert f"\ndef {function}(" in (REPOSITORY / path).read_text(), test


def test_what_is_listed_stands_in_the_docs() -> None:
    listed = {way.listed for _, way in held() if way.listed}
    told = HERE.findall((REPOSITORY / "docs/architecture.md").read_text())
    assert listed
    assert told
    assert {words for words in listed if words not in told[0]} == set()


def test_each_source_is_an_address_or_a_page_of_ours() -> None:
    sources = {
        limit.source
        for resource in read_limits().values()
        for one in resource.arguments.values()
        for limit in one.limits
        if limit.source
    }
    assert {
        source for source in sources if not source.startswith("https://") and not (REPOSITORY / source).is_file()
    } == set()


def test_what_is_quoted_of_a_model_stands_in_it() -> None:
    quoted = {
        (of, said)
        for resource in read_limits().values()
        for one in resource.arguments.values()
        for limit in one.limits
        for of, said in limit.says.items()
    }
    assert quoted
    assert {(of, said) for of, said in quoted if said not in words(of)} == set()


@pytest.mark.parametrize("variable", ["alarm_topics", "tags"])
def test_what_several_modules_refuse_is_refused_alike(variable: str) -> None:
    """Terraform has no place for what variables of several modules have in common."""
    said = [
        [(argument.name, argument.expression) for inner in block.blocks for argument in inner.arguments]
        for path in sorted((REPOSITORY / "modules").glob("*/variables.tf"))
        # S3 takes fewer tags of an object.
        if path.parent.name != "lambda_packages"
        for block in read_hcl(path.read_text(), str(path)).blocks
        if list(block.labels) == [variable]
    ]
    first, *others = said
    assert first
    assert others
    assert [other for other in others if other != first] == []

"""A source names a pruned module in whatever form Python imports it, and names none in any other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.module_mentions import first_mention
from tests.unit.sawhorse.build.programs import parsed

PRUNED = {"ns3.tests.test_a", "ns3.tests.deep.test_b"}


def mention(source: str, package: str = "tiny") -> tuple[str, int] | None:
    return first_mention(parsed(source), package, PRUNED)


@pytest.mark.parametrize(
    "source",
    [
        "import ns3.tests.test_a",
        "import os; import ns3.tests.test_a",
        "import os, ns3.tests.test_a as t",
        "if 1: from ns3.tests import test_a",
        "try: import ns3.tests.test_a\nexcept ImportError: pass",
        "from ns3.tests import (  # all (of it)\n test_a)",
        "from ns3.tests import \\\n test_a",
        "from ns3.tests.test_a import *",
        "from ns3.tests.test_a import x as y",
        "def f():\n    class A:\n        async def g(self):\n            from ns3.tests import other, test_a",
        "lambda: __import__('ns3.tests.test_a')",
        "__import__('ns3.tests', fromlist=['test_a'])",
        "__import__('ns3.tests', globals(), locals(), ('other', 'test_a'), 0)",
        "import importlib; importlib.import_module('ns3.tests.test_a')",
        "import_module('.test_a', 'ns3.tests')",
        "import_module('.test_a', package='ns3.tests')",
        "import_module(name='.test_a', package='ns3.tests')",
        "import_module('..test_a', 'ns3.tests.deep')",
        "import_module('.tests.test_a', 'ns3')",
        "import_module('.test_a', ns3.tests.__name__)",
        "import_module('.test_a', ns3.tests.__package__)",
        "import_module('ns3.' + 'tests.' + 'test_a')",
        "import_module(f'ns3.tests.{\"test_a\"}')",
        "import_module('ns3.tests'\n'.test_a')",
        "x = 'ns3.tests.test_a'",
        "x = {'class': 'ns3.tests.test_a.Handler'}",
        "x = 'ns3.tests.test_a:x'",
        "x = 'ns3.tests.test_a:x.y [extra]'",
        "@patch('ns3.tests.test_a.f')\ndef f(): ...",
        "def f(x='ns3.tests.test_a'): ...",
        "match x:\n    case 'ns3.tests.test_a': ...",
        "pytest_plugins = ['ns3.tests.test_a']",
        "pkgutil.resolve_name('ns3.tests.test_a:x')",
        "runpy.run_module('ns3.tests.test_a')",
        "x: 'ns3.tests.test_a.T' = 1",
    ],
)
def test_a_module_is_named_in_every_form(source: str) -> None:
    found = mention(f"X = 1\n{source}\n")

    assert found is not None
    assert found[0] == "ns3.tests.test_a"
    assert found[1] >= 2


def test_a_relative_import_is_seen_from_its_own_package() -> None:
    assert mention("from .test_a import x", "ns3.tests") == ("ns3.tests.test_a", 1)
    assert mention("from ..test_a import x", "ns3.tests.deep") == ("ns3.tests.test_a", 1)
    assert mention("from . import test_a", "ns3.tests") == ("ns3.tests.test_a", 1)
    assert mention("from .test_a import x", "tiny") is None
    assert mention("from ....test_a import x", "ns3.tests") is None


@pytest.mark.parametrize(
    "source",
    [
        "import ns3.tests",
        "from ns3 import tests",
        "from ns3.tests import test_ab, other",
        "from ns3_tests import test_a",
        "import xns3.tests.test_a",
        "# import ns3.tests.test_a",
        "'''A text that says import ns3.tests.test_a and more.'''",
        "x = 'see ns3.tests.test_a'",
        "x = b'ns3.tests.test_a'",
        "x = 'ns3/tests/test_a.py'",
        "import_module('.test_a', 'other')",
        "import_module('.test_a', __package__)",
        "ns3 = tests = test_a = 1",
        "x = f'ns3.tests.{name}'",
        "x = " + " + ".join(["'ns3.tests.'"] * 2_000),
    ],
)
def test_what_names_another_thing_names_none(source: str) -> None:
    assert mention(source) is None


def test_the_first_of_several_is_named_with_its_line() -> None:
    source = "x = 1\nfrom ns3.tests.deep import test_b\nimport ns3.tests.test_a\n"

    assert mention(source) == ("ns3.tests.deep.test_b", 2)


AROUND = st.sampled_from([
    "{}", "if x:\n    {}", "try:\n    {}\nfinally:\n    pass", "def f():\n    {}", "class A:\n    {}", "x = 1; {}",
    "with x: {}", "while x: {}", "for x in y: {}", "async def f():\n    async with x:\n        {}", "{} # (a comment)",
    "match x:\n    case 1:\n        {}", "try: pass\nexcept* E: {}", "else_ = 1\nif 0: pass\nelse: {}",
])  # fmt: skip
IMPORTS = st.sampled_from(
    ["import {0}.{1}", "import os, {0}.{1} as z", "from {0} import {1}", "from {0} import (a,\n {1},)"]
)
PLACES = st.sampled_from([("ns3.tests", "test_a"), ("ns3.tests.deep", "test_b"), ("ns3.tests", "c"), ("os", "test_a")])


@settings(max_examples=200, deadline=None)
@given(AROUND, IMPORTS, PLACES)
def test_an_import_is_seen_wherever_it_stands(around: str, statement: str, place: tuple[str, str]) -> None:
    found = mention(around.format(statement.format(*place)))

    name = ".".join(place)
    assert (found[0] if found else None) == (name if name in PRUNED else None)

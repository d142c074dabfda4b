"""What is shipped is under licences that the project's list allows; what is unknown or was changed is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.sbom import Component, bill_of_materials
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.inspect.licences import Allowed, fault_of, licence_faults, permits, read_allowed
from sawhorse.project import Project

ALLOWED = Allowed(
    licences={"MIT": "Permissive.", "Apache-2.0": "Permissive.", "Apache-2.0 WITH LLVM-exception": "Permissive."},
    distributions={"odd": {"licence": "Odd Licence", "reason": "Read."}},
)
GOOD, BAD = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"], ["GPL-3.0-only", "MIT WITH LLVM-exception", "X"]


def component(*metadata: str, name: str = "thing") -> dict[str, Any]:
    """Return a component as a bill of a package names it, by the lines of its METADATA about licences."""
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *metadata, "", ""])
    found: dict[str, Any] = json.loads(bill_of_materials("app", [Component(name, "1.0", text)]))["components"][0]
    return found


expressions = st.recursive(
    st.sampled_from([*((name, True) for name in GOOD), *((name, False) for name in BAD)]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]} OR {two[1][0]})", two[0][1] or two[1][1])),
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]} AND {two[1][0]})", two[0][1] and two[1][1])),
    ),
    max_leaves=6,
)


@given(expressions)
def test_an_expression_is_met_when_its_logic_says_so(expression: tuple[str, bool]) -> None:
    text, met = expression
    assert permits(text, ALLOWED.licences) is met


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("GPL-3.0-only OR MIT AND Apache-2.0", True),
        ("MIT OR GPL-3.0-only AND X", True),
        ("GPL-3.0-only AND MIT OR X", False),
        *(
            (odd, False)
            for odd in ["", "MIT AND", "OR MIT", "MIT MIT", "(MIT", "MIT)", "MIT WITH", "()", "AND", "(" * 5000]
        ),
        ("mit", False),
    ],
)
def test_what_cannot_be_read_is_not_met(expression: str, met: bool) -> None:  # noqa: FBT001 # a column
    assert permits(expression, ALLOWED.licences) is met


@pytest.mark.parametrize(
    "lines",
    [
        ["License-Expression: MIT"],
        ["License-Expression: MIT OR GPL-3.0-only"],
        ["License: Apache License 2.0"],
        ["Classifier: License :: OSI Approved :: MIT License"],
    ],
)
def test_a_licence_on_the_list_may_be_shipped(lines: list[str]) -> None:
    assert fault_of(component(*lines), ALLOWED) is None


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "it names no licence"),
        (["License: UNKNOWN"], "it names no licence"),
        (["License-Expression: GPL-3.0-only"], "the list does not allow GPL-3.0-only"),
        (["License-Expression: MIT AND GPL-3.0-only"], "the list does not allow MIT AND GPL-3.0-only"),
        (["License: Proprietary"], "the list does not allow Proprietary"),
        (
            [
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
            ],
            "the list does not allow ",
        ),
    ],
)
def test_any_other_licence_is_refused(lines: list[str], why: str) -> None:
    assert str(fault_of(component(*lines), ALLOWED)).startswith(why)


def test_a_distribution_of_its_own_on_the_list_must_still_say_the_same() -> None:
    assert fault_of(component("License: Odd Licence", name="odd"), ALLOWED) is None
    changed = fault_of(component("License-Expression: MIT", name="odd"), ALLOWED)
    assert changed == "its licence is MIT, and the list says Odd Licence; read it again and correct the list"


def test_a_fault_names_the_apps_that_ship_it(tmp_path: Path) -> None:
    text = "Metadata-Version: 2.4\nName: thing\nVersion: 1.0\nLicense-Expression: GPL-3.0-only\n\n"
    for app in ("a", "b"):
        (tmp_path / f"{app}.cdx.json").write_text(bill_of_materials(app, [Component("thing", "1.0", text)]))
    faults, count = licence_faults(tmp_path, ["a", "b"], ALLOWED)
    assert (count, [fault.partition(": ")[0] for fault in faults]) == (1, ["thing 1.0 (a, b)"])


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"components": 1}', '{"components": [1]}'])
def test_no_bill_is_no_good_news(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "a.cdx.json").write_text(content)
    with pytest.raises(BuildFailed, match='run "make build"'):
        licence_faults(tmp_path, ["a"], ALLOWED)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[licences", "cannot be read"),
        ('[licences]\nMIT = ""', "licences.MIT has no reason"),
        ("[licences]\nMIT = true", "licences.MIT has no reason"),
        ("[advisories]\nPYSEC-1 = ' '", "advisories.PYSEC-1 has no reason"),
        ('[distributions]\nx = {licence = "MIT"}', "distributions.x must have the licence"),
        ("[distributions]\nx = 1", "distributions.x must have the licence"),
        ("[others]", "nothing reads others"),
        ("licences = 1", "nothing reads licences"),
    ],
)
def test_a_list_without_reasons_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "audit.toml").write_text(content)
    with pytest.raises(BadConfiguration, match=sentence):
        read_allowed(tmp_path / "audit.toml", "audit.toml")


def test_the_list_of_the_project_is_read(repository: Path) -> None:
    project = Project(repository)
    allowed = read_allowed(project.path / "harness/audit.toml", "harness/audit.toml")
    assert {"MIT", "Apache-2.0"} <= set(allowed.licences)
    assert not [name for name in allowed.licences if "GPL" in name]

"""An attribute that Terraform would drop without a word is found, wherever it is written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.project import Project
from sawhorse.toolchain.module_arguments import lint, types_of, unknown

MODULE = """\
variable "logs" {
  type = object({
    retention_in_days = optional(number, 7)
    key               = optional(object({ arn = string }))
  })
}

variable "routes" {
  type = map(object({
    scopes = optional(list(object({ name = string })), [])
  }))
}

variable "labels" {
  type = map(string)
}
"""


def complaints(place: Path, arguments: str) -> list[str]:
    """What is said of a module in another one, whose call has these arguments."""
    for name, text in {"thing": MODULE, "app": f'module "it" {{\n  source = "../thing"\n\n{arguments}\n}}\n'}.items():
        (place / f"modules/{name}").mkdir(parents=True)
        (place / f"modules/{name}/main.tf").write_text(text)
    types_of.cache_clear()
    return lint(Project(place)).splitlines()


def test_an_attribute_that_the_type_does_not_have_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    [complaint] = complaints(tmp_path, "  logs = { retention_days = 14 }")
    assert complaint == (
        "modules/app/main.tf:4: logs of the module it has no retention_days, which Terraform would drop without a "
        "word; it has key, retention_in_days."
    )


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("logs = { retention_in_days = 1 }", []),
        ("logs = {\n  key = {\n    arn = 1\n    id = 2\n  }\n}", ["id"]),
        ('logs = { "retention_in_days" = 1, "days" : 2 }', ["days"]),
        (
            'routes = { "GET /{id}" = { scope = [] }, b = { scopes = [{ name = "a" }, { title = "b" }] } }',
            ["scope", "title"],
        ),
        ('routes = {\n  # "GET /" = { scope = [] }\n  "GET /" = { scopes = [] } # , scope = 1\n}', []),
        ('labels = { anything = "{ goes = 1 }" }', []),
        ("logs = var.logs", []),
        ("logs = merge({ days = 1 }, var.logs)", []),
        ("routes = { for key in var.keys : key => { scope = [] } }", []),
        ("logs = { (var.name) = 1, retention_in_days = a == b ? 1 : 2 }", []),
        ('logs = { retention_in_days = length("${{ a = 1 }}"), days = 2 }', ["days"]),
    ],
)
def test_what_is_written_out_is_looked_at(tmp_path: Path, arguments: str, names: list[str]) -> None:
    found = complaints(tmp_path, f"  {arguments}")
    assert [complaint.partition(" has no ")[2].partition(",")[0] for complaint in found] == names


def test_the_example_of_a_readme_is_looked_at(tmp_path: Path) -> None:
    example = 'module "it" {\n  source = "../../../modules/thing"\n  logs   = { days = 1 }\n}\n'
    assert complaints(tmp_path, "") == []
    (tmp_path / "modules/thing/README.md").write_text(f"# thing\n\n```hcl\n{example}```\n")
    [complaint] = lint(Project(tmp_path)).splitlines()
    assert complaint.startswith("modules/thing/README.md:6: logs of the module it has no days, which")


@pytest.mark.parametrize("text", ['variable {\n}\nmodule {\n  source = "../thing"\n}\n', "\n"])
def test_what_terraform_itself_refuses_is_left_to_it(tmp_path: Path, text: str) -> None:
    complaints(tmp_path, "")
    (tmp_path / "modules/app/main.tf").write_text(text)
    assert lint(Project(tmp_path)) == ""


NAMES = st.sampled_from(["a", "b", "c_d", "retention_in_days"])
SHAPES: st.SearchStrategy[Any] = st.recursive(
    st.just("string"),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=1),
        st.tuples(inner),
    ),
    max_leaves=8,
)


def type_of(shape: Any) -> str:
    if isinstance(shape, dict):
        return f"object({{ {', '.join(f'{name} = optional({type_of(inner)})' for name, inner in shape.items())} }})"
    if isinstance(shape, list):
        return f"list({type_of(shape[0])})"
    return f"map({type_of(shape[0])})" if isinstance(shape, tuple) else "string"


def value_of(shape: Any, extra: list[int]) -> str:
    """Write a value of a shape out; the object whose turn it is gets an attribute too many."""
    if isinstance(shape, dict):
        extra[0] -= 1
        more = ["x_x = 1"] if extra[0] == 0 else []
        return f"{{\n{', '.join([*(f'{name} = {value_of(inner, extra)}' for name, inner in shape.items()), *more])}\n}}"
    if isinstance(shape, list):
        return f"[{value_of(shape[0], extra)}]"
    return f'{{ "GET /" = {value_of(shape[0], extra)} }}' if isinstance(shape, tuple) else '"a, {b = 1}"'


def objects_in(shape: Any) -> int:
    if isinstance(shape, dict):
        return 1 + sum(map(objects_in, shape.values()))
    return objects_in(shape[0]) if isinstance(shape, (list, tuple)) else 0


@given(SHAPES, st.data())
def test_whatever_the_type_one_attribute_too_many_is_found_and_nothing_else(shape: Any, data: st.DataObject) -> None:
    turn = data.draw(st.integers(0, objects_in(shape)))
    found = [name for name, _ in unknown(value_of(shape, [turn]), type_of(shape))]
    assert found == (["x_x"] if turn else [])

"""An example's promise is read whole, with its line, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.plans.examples import read_examples


def readme(repository: Path, *examples: str) -> None:
    path = repository / "modules/sample/README.md"
    path.parent.mkdir(parents=True)
    path.write_text("# sample\n\n" + "\n".join(f"```hcl\n{example}```\n" for example in examples))


def test_an_example_is_read_with_the_line_of_its_promise(tmp_path: Path) -> None:
    readme(tmp_path, "a = 1\n# plan: 1 aws_a, 20 aws_b\n", "b = 2\n# plan: 0 aws_c\n\n", "")
    first, second, empty = read_examples(tmp_path)
    assert (first.name, first.counts, second.counts) == ("sample_1", {"aws_a": 1, "aws_b": 20}, {"aws_c": 0})
    assert [Path(example.place).name for example in (first, second, empty)] == [
        "README.md:5",
        "README.md:10",
        "README.md:15",
    ]
    assert empty.counts == {}, "which the test of the examples refuses"


def test_an_example_of_several_modules_is_a_root_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "modules/examples/shop"
    root.mkdir(parents=True)
    (root / "main.tf").write_text("a = 1\n# plan: 2 aws_a\n")
    [example] = read_examples(tmp_path)
    assert (example.name, example.counts, Path(example.place).name) == ("examples_shop", {"aws_a": 2}, "main.tf:2")


@pytest.mark.parametrize(
    "promise",
    [
        "# plan:",
        "# plan: aws_a",
        "# plan: one aws_a",
        "# plan: 1 aws_a and 2 aws_b",
        "# plan: 1 aws_a, 2aws_b",
        "# plan: 1 aws_a, 2 aws_a",
        "# plan: -1 aws_a",
        "# plan: 1 aws_a.",
        "# plan: " + "9" * 5000 + " aws_a",
    ],
)
def test_a_promise_that_cannot_be_read_whole_is_refused(tmp_path: Path, promise: str) -> None:
    readme(tmp_path, f"a = 1\n{promise}\n")
    with pytest.raises(
        BadConfiguration, match=r"README.md:5: write each type once, such as # plan: 1 aws_dynamodb_table"
    ):
        read_examples(tmp_path)

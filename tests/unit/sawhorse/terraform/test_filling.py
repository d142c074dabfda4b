"""Terraform reads back what was written as HCL, and a template that does not fit is named."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.plans.plan import Tool
from sawhorse.terraform.filling import fill, hcl

# Everything that JSON and HCL write differently stands somewhere in here.
TRAPS = [
    "",
    "\b\f\\b\\\\f",
    "${x}",
    "$${x}",
    "$$${x}",
    "%{if}",
    "%%{",
    "\\${",
    '"',
    "\0\x7f\u2028\ufeff",
    "😀",
    "\r\n\t",
]


def as_terraform_reads(tool: Tool, directory: Path, written: list[str]) -> list[Any]:
    """Let Terraform read values from a tfvars file, all of them in one run without any provider."""
    directory.mkdir()
    lines = "".join(f"  value_{number} = {value}\n" for number, value in enumerate(written))
    (directory / "terraform.tfvars").write_text(f"values = {{\n{lines}}}\n")
    (directory / "main.tf").write_text('variable "values" { type = any }\noutput "values" { value = var.values }\n')
    for command in (["apply", "-auto-approve", "-input=false", "-no-color"], ["output", "-json", "values"]):
        result = subprocess.run(
            [str(tool.binary), *command],
            cwd=directory,
            env={**os.environ, **tool.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
    read = json.loads(result.stdout)
    return [read[f"value_{number}"] for number in range(len(written))]


def test_terraform_reads_back_what_was_written(terraform: Tool, tmp_path: Path) -> None:
    values: list[str | int | bool | None] = [*TRAPS, None, True, False, 0, -1, 10**12]

    @settings(max_examples=300, database=None)
    @given(st.text() | st.text(st.sampled_from('$%{}\\"bfu0\b\f\n')) | st.integers(-(2**53), 2**53))
    def collect(value: str | int) -> None:
        values.append(value)

    collect()
    read = as_terraform_reads(terraform, tmp_path / "root", [hcl(value) for value in values])

    # Terraform keeps every text in Unicode's composed form.
    expected = [unicodedata.normalize("NFC", value) if isinstance(value, str) else value for value in values]
    differing = [(wanted, got) for wanted, got in zip(expected, read, strict=True) if wanted != got]
    assert differing == []


def test_a_template_that_wants_what_nobody_gives_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.j2").write_text("a = {{ environment.colour | hcl }}\n")

    with pytest.raises(BadConfiguration) as refusal:
        fill("odd.j2", templates=tmp_path, environment={"name": "dev"})

    assert str(refusal.value).startswith("The template odd.j2 wants a value that nobody gives: ")
    assert "colour" in str(refusal.value)


def test_a_template_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.j2").write_text("{% if %}")

    with pytest.raises(BadConfiguration, match=r"^The template odd\.j2 cannot be read: "):
        fill("odd.j2", templates=tmp_path)
    with pytest.raises(BadConfiguration, match=r"^The template gone\.j2 cannot be read: "):
        fill("gone.j2", templates=tmp_path)

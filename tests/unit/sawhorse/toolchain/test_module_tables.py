"""A README lists what its module takes and gives, as terraform-docs writes it."""

from __future__ import annotations

from pathlib import Path

from sawhorse.project import Project
from sawhorse.toolchain.module_tables import BEGIN, END, lint, module_tables, write

VARIABLES = """\
variable "name" {
  description = "Name of the \\"thing\\", a | b."
  type        = string
}

variable "logs" {
  description = "How long."
  type = object({
    days = optional(number, 7)
    # What nobody reads.
    key = optional(object({
      arn = string
    }))
  })
  default = {}
}
"""
OUTPUTS = 'output "arn" {\n  description = "ARN of the thing."\n  value       = 1\n}\n'
TABLES = r"""## Inputs

| Name | Description | Type | Default | Required |
| --- | --- | --- | --- | :---: |
| <a name="input_logs"></a> [logs](#input\_logs) | How long. | <pre>object({<br/>  days = optional(number, 7)<br/>  key = optional(object({<br/>    arn = string<br/>  }))<br/>})</pre> | `{}` | no |
| <a name="input_name"></a> [name](#input\_name) | Name of the "thing", a \| b. | `string` | n/a | yes |

## Outputs

| Name | Description |
| --- | --- |
| <a name="output_arn"></a> [arn](#output\_arn) | ARN of the thing. |"""  # noqa: E501 # a row is a line


def project_with(place: Path, readme: str) -> Project:
    module = place / "modules/thing"
    module.mkdir(parents=True)
    (module / "variables.tf").write_text(VARIABLES)
    (module / "outputs.tf").write_text(OUTPUTS)
    (module / "README.md").write_text(readme)
    return Project(place)


def test_a_module_is_listed_by_name_type_and_default(tmp_path: Path) -> None:
    project_with(tmp_path, "")
    assert module_tables(tmp_path / "modules/thing") == TABLES


def test_what_stands_around_the_tables_stays(tmp_path: Path) -> None:
    readme = tmp_path / "modules/thing/README.md"
    project = project_with(tmp_path, f"# thing\n\n{BEGIN}\nold\n{END}\n\n## Traps\n")
    assert lint(project) == 'modules/thing/README.md does not list what its module has; run "make format".'
    assert write(project) == [readme]
    assert readme.read_text() == f"# thing\n\n{BEGIN}\n{TABLES}\n{END}\n\n## Traps\n"
    assert (lint(project), write(project)) == ("", [])


def test_a_description_of_several_lines_is_one_and_a_bar_ends_no_cell(tmp_path: Path) -> None:
    project_with(tmp_path, "")
    (tmp_path / "modules/thing/variables.tf").write_text(
        'variable "x" {\n  description = <<-EOT\n    One\n    and two.\n  EOT\n  type = string\n  default = "a|b"\n}\n'
    )
    assert r'| One and two. | `string` | `"a\|b"` | no |' in module_tables(tmp_path / "modules/thing")


def test_a_module_without_anything_says_so(tmp_path: Path) -> None:
    project_with(tmp_path, "")
    (tmp_path / "modules/thing/variables.tf").write_text("")
    (tmp_path / "modules/thing/outputs.tf").unlink()
    assert module_tables(tmp_path / "modules/thing") == "## Inputs\n\nNone.\n\n## Outputs\n\nNone."


def test_a_readme_that_asks_for_no_tables_is_left_alone(tmp_path: Path) -> None:
    project = project_with(tmp_path, "# thing\n")
    assert (lint(project), write(project)) == ("", [])

"""Write what a module takes and gives into its README, in the form of terraform-docs' "markdown table".

`make format` writes the tables between terraform-docs' own markers, and `make check` refuses a README with those
markers whose tables are not those of variables.tf and outputs.tf. Form:
https://terraform-docs.io/reference/markdown-table/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sawhorse.files import write_shared
from sawhorse.hcl import HEREDOC, Block, read_hcl, text_of
from sawhorse.project import Project

BEGIN, END = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"
TABLES = re.compile(rf"{BEGIN}\n.*?{END}", re.DOTALL)
WRITE = "make format"


def lint(project: Project) -> str:
    """Return the READMEs whose tables are not those of their module, a line each."""
    return "\n".join(
        f'{readme.relative_to(project.path)} does not list what its module has; run "{WRITE}".'
        for readme, text in readmes(project)
        if readme.read_text() != text
    )


def write(project: Project) -> list[Path]:
    """Write the tables of every module's README that has other ones, and return those."""
    changed = [(readme, text) for readme, text in readmes(project) if readme.read_text() != text]
    for readme, text in changed:
        write_shared(readme, text)
    return [readme for readme, _ in changed]


def readmes(project: Project) -> Iterator[tuple[Path, str]]:
    """Walk the modules' READMEs that have the markers, each with the text that it should have."""
    for variables in sorted((project.path / "modules").rglob("variables.tf")):
        readme = variables.parent / "README.md"
        text = readme.read_text() if readme.is_file() else ""
        if TABLES.search(text):
            before, after = text.partition(BEGIN)[0], text.rpartition(END)[2]
            yield readme, f"{before}{BEGIN}\n{module_tables(variables.parent)}\n{END}{after}"


def module_tables(module: Path) -> str:
    """Return the two tables of a module."""
    inputs = [row_of_variable(block) for block in blocks(module / "variables.tf", "variable")]
    outputs = [row_of_output(block) for block in blocks(module / "outputs.tf", "output")]
    return "\n".join(
        [
            "## Inputs\n",
            *table(["Name", "Description", "Type", "Default", "Required"], [*["---"] * 4, ":---:"], inputs),
            "\n## Outputs\n",
            *table(["Name", "Description"], ["---"] * 2, outputs),
        ]
    )


def table(heads: list[str], rules: list[str], rows: list[list[str]]) -> list[str]:
    return [row(heads), row(rules), *map(row, rows)] if rows else ["None."]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def blocks(path: Path, kind: str) -> list[Block]:
    if not path.is_file():
        return []
    found = [block for block in read_hcl(text_of(path, str(path)), str(path)).blocks if is_named(block, kind)]
    return sorted(found, key=lambda block: block.labels)


def is_named(block: Block, kind: str) -> bool:
    return block.type == kind and len(block.labels) == 1


def row_of_variable(block: Block) -> list[str]:
    said = {argument.name: argument.expression for argument in block.arguments}
    default = code(said["default"]) if "default" in said else "n/a"
    required = "no" if "default" in said else "yes"
    return [name_of(block, "input"), prose(said), code(said.get("type", "any")), default, required]


def row_of_output(block: Block) -> list[str]:
    return [name_of(block, "output"), prose({argument.name: argument.expression for argument in block.arguments})]


def name_of(block: Block, kind: str) -> str:
    [name] = block.labels
    shown = name.replace("_", r"\_")
    return f'<a name="{kind}_{name}"></a> [{shown}](#{kind}\\_{shown})'


def prose(said: dict[str, str]) -> str:
    text = said.get("description", '""')
    text = " ".join(text.split("\n")[1:-1]) if HEREDOC.match(text) else text[1:-1].replace('\\"', '"')
    return " ".join(text.split()).replace("$${", "${").replace("|", r"\|").replace("<", "&lt;")


def code(expression: str) -> str:
    """Show an expression: in one line as code, and in several as they stand, from the left."""
    lines = [line.rstrip() for line in expression.replace("|", r"\|").split("\n") if line.strip()]
    if len(lines) == 1:
        return f"`{lines[0]}`"
    depth = len(lines[-1]) - len(lines[-1].lstrip())
    return f"<pre>{'<br/>'.join([lines[0], *(line[depth:] for line in lines[1:])])}</pre>"

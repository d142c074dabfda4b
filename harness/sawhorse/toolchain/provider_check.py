"""Hold what modules use against the records of the AWS provider: the release that is executed, and a current 6.

`python -m sawhorse.toolchain.provider_check` prints what is used by release, with `--json` as data; `make check` asks
it for complaints. What is read of a resource through a local value or in a loop is not followed: `terraform validate`
looks at that, with the executed release alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from sawhorse.errors import SawhorseError, report_error
from sawhorse.hcl import Block, read_hcl, references, text_of
from sawhorse.project import Project
from sawhorse.toolchain.machine import say
from sawhorse.toolchain.provider_record import RECORDS, REFRESH, Record, Schema, read_records, refresh

# What Terraform itself reads in every resource (https://developer.hashicorp.com/terraform/language/meta-arguments).
META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "provider"})
META_BLOCKS = frozenset({"connection", "lifecycle", "provisioner"})
NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Deprecation:
    """An argument or attribute, by its address in the schema, that releases from `since` on warn about."""

    since: str
    source: str
    stays: str | None = None


@dataclass(frozen=True)
class Use:
    """One place in a module that needs something of the provider, such as `aws_sqs_queue.name`."""

    kind: str
    address: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Found:
    """What modules use, and what they leave out: each block's arguments and inner blocks."""

    uses: tuple[Use, ...]
    # For each resource and block, all that it sets.
    sets: tuple[tuple[Use, frozenset[str]], ...]

    @property
    def types(self) -> list[str]:
        return sorted({use.address for use in self.uses if use.kind in {"resource", "data source"}})


def used_by_modules(project: Project) -> Found:
    """Read every module's files. Raises BadConfiguration for one that is not HCL."""
    uses: list[Use] = []
    sets: list[tuple[Use, frozenset[str]]] = []
    paths = sorted((project.path / "modules").rglob("*.tf"))
    texts = {project.shown(path): text_of(path, project.shown(path)) for path in paths}
    for shown, text in texts.items():
        for block in read_hcl(text, shown).blocks:
            if block.type in {"resource", "data"} and "".join(block.labels[:1]).startswith("aws_"):
                kind, name = ("resource", block.labels[0]) if block.type == "resource" else data_source(block)
                use = Use(kind, name, shown, block.line)
                uses.append(use)
                add_body(block, use, uses, sets, top=True)
    known = {use.address for use in uses}
    for shown, text in texts.items():
        read = [found for found in references(text, shown) if found.type in known]
        uses += [Use("attribute", f"{found.type}.{found.attribute}", shown, found.line) for found in read]
    return Found(tuple(uses), tuple(sets))


def data_source(block: Block) -> tuple[str, str]:
    return "data source", f"data.{block.labels[0]}"


def add_body(
    block: Block, owner: Use, uses: list[Use], sets: list[tuple[Use, frozenset[str]]], *, top: bool = False
) -> None:
    """Add the arguments and blocks of a resource, a data source or a block within one."""
    arguments = [one for one in block.arguments if not (top and one.name in META_ARGUMENTS)]
    inner = [called(one) for one in block.blocks if not (top and one.type in META_BLOCKS)]
    sets.append((owner, frozenset([one.name for one in arguments] + [name for name, _, _ in inner])))
    uses += [Use("argument", f"{owner.address}.{one.name}", owner.file, one.line) for one in arguments]
    for name, line, body in inner:
        use = Use("block", f"{owner.address}.{name}", owner.file, line)
        uses.append(use)
        add_body(body, use, uses, sets)
    for one in block.blocks if top else ():
        ignored = [argument for argument in one.arguments if argument.name == "ignore_changes"]
        if one.type == "lifecycle" and ignored and ignored[0].expression != "all":
            names = NAME.findall(ignored[0].expression)
            uses += [Use("ignored", f"{owner.address}.{name}", owner.file, ignored[0].line) for name in names]


def called(block: Block) -> tuple[str, int, Block]:
    """Return what a block is called, and its body: a dynamic one's is its content."""
    if block.type != "dynamic":
        return block.type, block.line, block
    # One that lacks a part is `terraform validate`'s to refuse.
    content = (one for one in block.blocks if one.type == "content")
    return "".join(block.labels[:1]), block.line, next(content, Block("content", (), block.line, (), ()))


def read_deprecations(directory: Path = RECORDS) -> dict[str, Deprecation]:
    written = yaml.safe_load((directory / "deprecations.yaml").read_text())
    return {address: Deprecation(**row) for address, row in written.items()}


def deprecated_in(record: Record, records: Sequence[Record], rows: Mapping[str, Deprecation]) -> set[str]:
    """Return the addresses that a release warns about: its own flags, those of older ones, and the rows."""
    own = version_of(record.provider)
    flags = {address for one in records if version_of(one.provider) <= own for address in flagged(one.types)}
    return flags | {address for address, row in rows.items() if version_of(row.since) <= own}


def flagged(schemas: Mapping[str, Schema], above: str = "") -> Iterator[str]:
    for name, schema in schemas.items():
        yield from (f"{above}{name}.{one}" for one in schema.deprecated)
        yield from flagged(schema.blocks, f"{above}{name}.")


def version_of(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def schema_at(record: Record, address: str) -> Schema | None:
    """Find a resource, a data source or a block within one; None where it is not there."""
    parts = address.removeprefix("data.").split(".")
    kind = f"data.{parts[0]}" if address.startswith("data.") else parts[0]
    found = record.types.get(kind)
    for name in parts[1:]:
        found = found.blocks.get(name) if found else None
    return found


def complaints_of(record: Record, found: Found) -> Iterator[str]:
    """Say what a release does not have of what modules use, and what it requires and they leave out."""
    for use in found.uses:
        if use.kind in {"resource", "data source"}:
            if use.address not in record.types:
                yield (
                    f"{use.place}: {use.address} is not in the record of AWS provider {record.provider}; "
                    f'run "{REFRESH}", which records it or says that there is none.'
                )
            continue
        above, _, name = use.address.rpartition(".")
        schema = schema_at(record, above)
        # What holds it is complained about already.
        if schema and name not in possible(schema, use.kind):
            only_read = use.kind == "argument" and name in schema.computed
            why = f"only gives {name}" if only_read else f"has no {words(use.kind)} {name}"
            yield f"{use.place}: {above} of AWS provider {record.provider} {why}; use what both releases have."
    for use, names in found.sets:
        schema = schema_at(record, use.address)
        for name in sorted((schema.required | schema.required_blocks) - names) if schema else ():
            yield f"{use.place}: AWS provider {record.provider} requires {name} of {use.address}; set it."


def possible(schema: Schema, kind: str) -> frozenset[str]:
    if kind == "argument":
        return schema.required | schema.optional
    return frozenset(schema.blocks) if kind == "block" else schema.names


def words(kind: str) -> str:
    return "argument or block" if kind == "ignored" else kind


def check(found: Found, records: Sequence[Record], rows: Mapping[str, Deprecation]) -> list[str]:
    """Return every complaint about modules, records and rows."""
    complaints = [complaint for record in records for complaint in complaints_of(record, found)]
    old = {address for record in records for address in deprecated_in(record, records, rows)}
    for use in found.uses:
        row = rows.get(use.address)
        if use.address in old and use.kind != "ignored" and not (row and row.stays):
            since = f"since {row.since}, {row.source}" if row else "in the record"
            complaints.append(
                f"{use.place}: {use.address} is deprecated ({since}); replace it, or say in "
                "provider_schemas/deprecations.yaml why it stays."
            )
    used = {use.address for use in found.uses if use.kind != "ignored"}
    complaints += [
        f"provider_schemas/deprecations.yaml says why {address} stays, and no module uses it; remove that."
        for address, row in rows.items()
        if row.stays and address not in used
    ]
    for record in records:
        unused = sorted(set(record.types) - set(found.types))
        if unused:
            complaints.append(
                f"The record of AWS provider {record.provider} has {', '.join(unused)}, which no module uses; "
                f'run "{REFRESH}".'
            )
    return complaints


def lint(project: Project) -> str:
    """Return what `make check` says of the modules of a project, nothing when both releases have all that they use."""
    records = read_records()
    if len(records) < len(["executed", "checked"]):
        return f'There are {len(records)} records of the AWS provider, not one of 5 and one of 6; run "{REFRESH}".'
    return "\n".join(check(used_by_modules(project), records, read_deprecations()))


@dataclass(frozen=True)
class Row:
    """What modules use of one release, counted."""

    provider: str
    source: str
    resources: int
    data_sources: int
    # Names that are set, each once for each resource or block.
    arguments: int
    blocks: int
    # Attributes that are read by a resource's own address.
    attributes: int
    # All places together that these are used in.
    places: int
    absent: int
    deprecated: dict[str, list[str]]


def table(found: Found, records: Sequence[Record], rows: Mapping[str, Deprecation]) -> list[Row]:
    def count(kind: str) -> int:
        return len({use.address for use in found.uses if use.kind == kind})

    made = []
    for record in records:
        old = deprecated_in(record, records, rows)
        warned: dict[str, list[str]] = {}
        for use in found.uses:
            if use.address in old and use.kind != "ignored":
                warned.setdefault(use.address, []).append(use.place)
        made.append(
            Row(
                provider=record.provider,
                source=record.source,
                resources=count("resource"),
                data_sources=count("data source"),
                arguments=count("argument"),
                blocks=count("block"),
                attributes=count("attribute"),
                places=len(found.uses),
                absent=len(list(complaints_of(record, found))),
                deprecated=warned,
            )
        )
    return made


def show(found: Found, made: Sequence[Row], rows: Mapping[str, Deprecation], *, verbose: bool) -> str:
    heads = ["provider", "resources", "data sources", "arguments", "blocks", "attributes read", "absent", "deprecated"]
    cells = [
        [r.provider, r.resources, r.data_sources, r.arguments, r.blocks, r.attributes, r.absent, len(r.deprecated)]
        for r in made
    ]
    lines = ["  ".join(heads)]
    lines += ["  ".join(str(cell).rjust(len(head)) for cell, head in zip(row, heads, strict=True)) for row in cells]
    for row in made:
        for address, places in row.deprecated.items():
            deprecation = rows.get(address)
            since = f" since {deprecation.since}, {deprecation.source}" if deprecation else ""
            stays = f"; it stays: {deprecation.stays}" if deprecation and deprecation.stays else ""
            lines.append(f"{row.provider} warns of {address}{since}{stays}")
            lines += [f"  {place}" for place in places]
    if verbose:
        lines.append("")
        for kind in found.types:
            set_here = {use.address for use in found.uses if use.kind == "argument"}
            names = sorted(one.removeprefix(f"{kind}.") for one in set_here if one.startswith(f"{kind}."))
            lines.append(f"{kind}: {', '.join(names) or 'no arguments'}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sawhorse.toolchain.provider_check",
        description="Show what modules use of the AWS provider, by the releases that are recorded.",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="name every resource's arguments")
    parser.add_argument("--json", action="store_true", help="print it as data")
    parser.add_argument(
        "--refresh", action="store_true", help="record both releases anew; fetches 60 MB from the package index"
    )
    options = parser.parse_args(arguments)
    try:
        project = Project.find()
        found = used_by_modules(project)
        if options.refresh:
            for path in refresh(project, found.types):
                say(f"Wrote {project.shown(path)}.")
        records, rows = read_records(), read_deprecations()
        made = table(found, records, rows)
        complaints = check(found, records, rows)
    except SawhorseError as error:
        return report_error(error)
    if options.json:
        data: dict[str, Any] = {"releases": [asdict(row) for row in made], "complaints": complaints}
        if options.verbose:
            data["uses"] = [asdict(use) for use in found.uses]
        print(json.dumps(data, indent=2))
    else:
        print("\n".join([show(found, made, rows, verbose=options.verbose), *complaints]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

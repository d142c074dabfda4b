"""Plan roots, README examples and refusals in scratch copies, and compare a plan with what an inventory names."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tftest
import yaml

UNKNOWN = "(known after apply)"
# What a state has in place of what AWS would have decided.
MADE_UP = {"arn": "arn:aws:made:us-east-1:111111111111:up", "recovery_period_in_days": 0, "tags_all": {}}

# A sample package, so that a plan needs no build. Its hash is that of the empty file.
SAMPLE_PACKAGE = {
    "path": "../../../dist/sample.zip",
    "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "size": 0,
    "handler": "sample.main.handler",
    "runtime": "python3.13",
    "architecture": "x86_64",
}

PROVIDERS = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
"""

# What the example of a README may take for granted: the manifest, as every root has it.
EXAMPLE_VARIABLES = """\
variable "packages" {
  description = "What the build measured, by function."
  type = map(object({
    path         = string
    sha256       = string
    size         = number
    handler      = string
    runtime      = string
    architecture = string
  }))
}
"""


@dataclass(frozen=True)
class Tool:
    """Terraform's program and the variables that it runs with."""

    binary: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What Terraform means to do, as `terraform show -json` tells it."""

    raw: Mapping[str, Any]

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The values of every managed resource after the apply by address, with a mark where AWS decides."""
        return {
            change["address"]: known(change["change"]["after"], change["change"].get("after_unknown", {}))
            for change in self.raw.get("resource_changes", [])
            if change["mode"] == "managed" and change["change"]["after"] is not None
        }

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of every managed resource by address."""
        changes = self.raw.get("resource_changes", [])
        return {change["address"]: change["type"] for change in changes if change["mode"] == "managed"}

    @cached_property
    def actions(self) -> dict[str, list[str]]:
        """What is done to every managed resource by address: create, update, delete, or no-op."""
        changes = self.raw.get("resource_changes", [])
        return {change["address"]: change["change"]["actions"] for change in changes if change["mode"] == "managed"}

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs after the apply, with a mark where AWS decides."""
        changes = self.raw.get("output_changes", {})
        return {name: known(change.get("after"), change.get("after_unknown", {})) for name, change in changes.items()}

    def count(self, kind: str, *, within: str = "") -> int:
        """Count the resources of one type, in the whole plan or in one module."""
        return sum(1 for address, type_ in self.types.items() if type_ == kind and address.startswith(within))

    def module(self, *path: str) -> Mapping[str, Any]:
        """Return the configuration of a module by the names of the calls that lead to it."""
        module: Mapping[str, Any] = self.raw["configuration"]["root_module"]
        for name in path:
            module = module["module_calls"][name]["module"]
        return module


def known(value: Any, unknown: Any) -> Any:
    """Put a mark into `value` wherever `unknown` says that AWS decides."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        inside = value if isinstance(value, dict) else {}
        return {key: known(inside.get(key), unknown.get(key, False)) for key in inside.keys() | unknown.keys()}
    if isinstance(unknown, list) and isinstance(value, list):
        marks = [*unknown, *[False] * (len(value) - len(unknown))]
        return [known(item, mark) for item, mark in zip(value, marks, strict=False)]
    return value


# Scratch copies: tftest deletes the state, the lock and .terraform of the directory that it runs in.


def scratch_project(repository: Path, scratch: Path) -> None:
    """Copy the modules to `scratch` and put the sample package beside them."""
    if (scratch / "modules").is_dir():
        return
    shutil.copytree(repository / "modules", scratch / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    (scratch / "dist").mkdir()
    (scratch / "dist/sample.zip").touch()


def scratch_root(repository: Path, scratch: Path, name: str) -> Path:
    """Make an empty root of that name, with the provider locked as the project's own roots lock it."""
    scratch_project(repository, scratch)
    directory = scratch / "environments" / name
    directory.mkdir(parents=True)
    lock = next(iter(sorted((repository / "environments").glob("*/*/.terraform.lock.hcl"))))
    shutil.copy2(lock, directory)
    (directory / "terraform.tf").write_text(f'{PROVIDERS}\nprovider "aws" {{}}\n')
    return directory


def plan_root(
    tool: Tool, repository: Path, scratch: Path, root: str, *, variables: Mapping[str, Any] | None = None
) -> Plan:
    """Plan one of the project's roots, such as dev/triggers_api, with its environment's facts and a sample package."""
    scratch_project(repository, scratch)
    source = repository / "environments" / root
    facts = yaml.safe_load((source.parent / "environment.yaml").read_text())
    directory = scratch / "environments" / root
    directory.mkdir(parents=True)
    for path in [*source.glob("*.tf"), source / ".terraform.lock.hcl"]:
        shutil.copy2(path, directory)
    (directory / "backend.tf").unlink(missing_ok=True)
    functions = re.findall(r'var\.packages\["(\w+)"\]', app_text(repository, root))
    given = {
        "environment": {
            "name": source.parent.name,
            **{name: facts[name] for name in ("account_id", "region", "alarm_email", "tags") if facts.get(name)},
        },
        "packages": dict.fromkeys(functions, SAMPLE_PACKAGE),
        **(variables or {}),
    }
    return plan(tool, directory, given)


def app_text(repository: Path, root: str) -> str:
    return (repository / "modules/apps" / Path(root).name / "main.tf").read_text()


def plan(tool: Tool, directory: Path, variables: Mapping[str, Any] | None = None, *, refresh: bool = True) -> Plan:
    """Plan a scratch directory. Variables go in as JSON: tftest breaks booleans on the command line."""
    if variables is not None:
        (directory / "terraform.tfvars.json").write_text(json.dumps(variables, indent=2))
    runner = tftest.TerraformTest(str(directory), binary=str(tool.binary), env=dict(tool.environment))
    runner.setup(cleanup_on_exit=False)
    return Plan(runner.plan(output=True, refresh=refresh)._raw)  # noqa: SLF001 - it has no other way to the whole JSON


# Inventories: what a plan must hold, naming only what somebody promised.


def assert_plan(planned: Plan, inventory: Path, *, refresh: str) -> None:
    """Fail with what differs when the plan does not hold everything that the inventory names.

    An inventory has `values` by address, `counts` by type and `outputs`. Mappings are subsets, all else is equal, and
    where it holds a mapping or a list the plan may hold the JSON of one. `refresh` is the command that rewrites it.
    """
    expected = yaml.safe_load(inventory.read_text())
    found = inventory_of(planned, expected)
    differences = list(differing(expected, found))
    if differences:
        lines = "\n".join(differences)
        raise AssertionError(
            f"The plan is not what {inventory.name} says:\n{lines}\nWhen the plan is right, rewrite the file: {refresh}"
        )


def refresh_inventory(planned: Plan, inventory: Path) -> None:
    """Write what is planned into the inventory, for the things that it names and no others."""
    text = inventory.read_text()
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    found = inventory_of(planned, yaml.safe_load(text))
    inventory.write_text(comments + yaml.safe_dump(found, sort_keys=False, width=120, allow_unicode=True))


def inventory_of(planned: Plan, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the plan has of everything that `expected` names."""
    whole = {
        "values": planned.resources,
        "counts": {kind: planned.count(kind) for kind in expected.get("counts", {})},
        "outputs": planned.outputs,
    }
    return {part: narrowed(whole[part], expected[part]) for part in expected}


def narrowed(found: Any, expected: Any) -> Any:
    """Keep of `found` what `expected` names."""
    if isinstance(expected, (dict, list)) and isinstance(found, str) and found[:1] in "{[":
        found = json.loads(found)
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: narrowed(found[key], value) for key, value in expected.items() if key in found}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [narrowed(item, value) for item, value in zip(found, expected, strict=True)]
    return found


def differing(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Say where two narrowed values differ, a line each for what is named and what is planned."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in found:
                yield from differing(value, found[key], f"{path} > {key}" if path else str(key))
            else:
                yield f"  {path} > {key}\n    - {shown(value)}\n    + (not planned)"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (value, item) in enumerate(zip(expected, found, strict=True)):
            yield from differing(value, item, f"{path} > {number}")
    elif expected != found:
        yield f"  {path}\n    - {shown(expected)}\n    + {shown(found)}"


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


# README examples: every one of every module in one root, so that all of them cost one plan.


@dataclass(frozen=True)
class Example:
    """One worked example of a module's README, with the counts that its last line promises."""

    module: str
    number: int
    text: str
    counts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name of the example's own module in the scratch root."""
        return f"{self.module}_{self.number}"

    def mismatches(self, planned: Plan) -> dict[str, tuple[int, int]]:
        """Return what was promised and what is planned of every type where the two differ."""
        within = f"module.{self.name}."
        found = {kind: planned.count(kind, within=within) for kind in self.counts}
        return {kind: (number, found[kind]) for kind, number in self.counts.items() if found[kind] != number}


def read_examples(repository: Path) -> list[Example]:
    """Read the worked examples of every module's README, in order."""
    found = []
    for readme in sorted((repository / "modules").glob("*/README.md")):
        blocks = re.findall(r"^```hcl\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
        for number, text in enumerate(blocks, start=1):
            found.append(Example(readme.parent.name, number, text, promised(text)))
    return found


def promised(text: str) -> dict[str, int]:
    """Read the counts from an example's last line; none when that line promises nothing."""
    last = text.rstrip().splitlines()[-1]
    if not last.startswith("# plan: "):
        return {}
    return {kind: int(number) for number, kind in re.findall(r"(\d+) (\w+)", last.removeprefix("# plan: "))}


def plan_examples(tool: Tool, repository: Path, scratch: Path) -> Plan:
    """Plan every README example as a module of one scratch root."""
    directory = write_examples(repository, scratch)
    return plan(tool, directory, {"packages": {"api": SAMPLE_PACKAGE}})


def write_examples(repository: Path, scratch: Path) -> Path:
    """Write the scratch root of all README examples and return it."""
    directory = scratch_root(repository, scratch, "examples/all")
    calls = []
    for example in read_examples(repository):
        # As deep as a root, so that an example's source path is the one that a root would write.
        place = scratch / "environments/examples" / example.name
        place.mkdir()
        (place / "main.tf").write_text(example.text)
        (place / "terraform.tf").write_text(PROVIDERS)
        (place / "variables.tf").write_text(EXAMPLE_VARIABLES)
        calls.append(f'module "{example.name}" {{\n  source   = "../{example.name}"\n  packages = var.packages\n}}\n')
    (directory / "main.tf").write_text("\n".join([*calls, EXAMPLE_VARIABLES]))
    return directory


# Changes and refusals: many module calls in one scratch root, so that all of them cost one plan.


@dataclass(frozen=True)
class Case:
    """A module call: what it was given when it was last applied, none if it never was, and what it is given now."""

    name: str
    module: str
    given: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    # What somebody else changed since, by the type of the resource.
    moved: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal(Case):
    """A call that is refused when planning, and the sentence that says why and what to do."""

    sentence: str = ""


@dataclass(frozen=True)
class Change(Case):
    """A call that changes what was applied before, and what is done to its resources of the watched types."""

    watched: tuple[str, ...] = ()
    actions: Mapping[str, list[str]] = field(default_factory=dict)

    def found(self, planned: Plan) -> dict[str, list[str]]:
        """Return what the plan does to the watched resources, without those that stay as they are."""
        within = f"module.{self.name}."
        return {
            address.removeprefix(within): actions
            for address, actions in planned.actions.items()
            if address.startswith(within) and planned.types[address] in self.watched and actions != ["no-op"]
        }


def read_changes(path: Path) -> list[Change]:
    """Read changes from YAML: by module a base of good arguments, and by name what was, what is, and what is done."""
    watched = {module: tuple(group["watched"]) for module, group in yaml.safe_load(path.read_text()).items()}
    return [
        Change(**case_of(*entry), watched=watched[entry[0]], actions=entry[3]["actions"])
        for entry in entries(path, "changes")
    ]


def read_refusals(path: Path) -> list[Refusal]:
    """Read refusals from YAML: by module a base of good arguments, by name what is wrong and the sentence it gets."""
    return [Refusal(**case_of(*entry), sentence=entry[3]["sentence"]) for entry in entries(path, "refusals")]


def entries(path: Path, kind: str) -> Iterator[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]]:
    for module, group in yaml.safe_load(path.read_text()).items():
        for name, entry in group[kind].items():
            yield module, group["base"], name, entry


def case_of(module: str, base: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{Path(module).name}_{name}",
        "module": module,
        "given": {**base, **entry["given"]},
        "before": {**base, **entry["before"]} if "before" in entry else None,
        "moved": entry.get("moved", {}),
    }


def write_calls(directory: Path, calls: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    """Write a module call for each case, with what tells their diagnostics apart: modules under a name of its own.

    Arguments come from variables: Terraform refuses literals before it plans, and then never gets to refusing the rest.
    """
    values = {}
    for name, (module, given) in calls.items():
        # A diagnostic names a file and no address, so that the path has to say which case it belongs to. Terraform
        # follows links to directories, hence links to the files.
        shutil.copytree(directory.parents[2] / "modules", directory.parent / name, copy_function=os.link)
        values[name] = {key: value for key, value in given.items() if "${" not in json.dumps(value)}
        arguments = {**given, **{key: f"${{var.{name}.{key}}}" for key in values[name]}}
        content = {
            "variable": {name: {"type": "any"}},
            "module": {name: {"source": f"../{name}/{module}", **arguments}},
        }
        (directory / f"{name}.tf.json").write_text(json.dumps(content, indent=2))
    (directory / "terraform.tfvars.json").write_text(json.dumps(values, indent=2))


def state_before(tool: Tool, repository: Path, scratch: Path, cases: Iterable[Case]) -> dict[str, Any]:
    """Return the state that applying what the cases were given before would leave, without applying anything."""
    directory = scratch_root(repository, scratch, "before/all")
    applied = {case.name: case for case in cases if case.before is not None}
    write_calls(directory, {name: (case.module, case.before or {}) for name, case in applied.items()})
    state = state_of(plan(tool, directory))
    for resource in state["resources"]:
        moved = applied[resource["module"].split(".")[1]].moved.get(resource["type"], {})
        for instance in resource["instances"]:
            instance["attributes"].update(moved)
    return state


def state_of(planned: Plan) -> dict[str, Any]:
    """Turn a plan into the state that its apply would leave; what AWS would decide is a made-up word or nothing."""
    resources = []
    for module in modules_of(planned.raw["planned_values"]["root_module"]):
        for resource in module.get("resources", []):
            attributes = filled(planned.resources[resource["address"]])
            resources.append(
                {
                    "module": module["address"],
                    "mode": "managed",
                    "type": resource["type"],
                    "name": resource["name"],
                    "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                    "instances": [
                        {
                            **({"index_key": resource["index"]} if "index" in resource else {}),
                            "schema_version": resource["schema_version"],
                            "attributes": attributes,
                        }
                    ],
                }
            )
    merged: dict[tuple[str, str, str], dict[str, Any]] = {}
    for resource in resources:
        key = (resource["module"], resource["type"], resource["name"])
        if key in merged:
            merged[key]["instances"] += resource["instances"]
        else:
            merged[key] = resource
    return {
        "version": 4,
        "terraform_version": planned.raw["terraform_version"],
        "serial": 1,
        "lineage": "scratch",
        "resources": list(merged.values()),
    }


def modules_of(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Walk a module of a plan's values and all that it holds."""
    if "address" in module:
        yield module
    for child in module.get("child_modules", []):
        yield from modules_of(child)


def filled(value: Any, name: str = "") -> Any:
    """Make up what only AWS knows: an ARN wherever one may stand, so that references agree, else nothing."""
    if value == UNKNOWN:
        return MADE_UP.get(name, MADE_UP["arn"] if name.endswith(("id", "arn")) else None)
    if isinstance(value, dict):
        return {key: filled(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, name) for item in value]
    return value


def plan_changes(tool: Tool, repository: Path, scratch: Path, cases: Iterable[Case], state: Mapping[str, Any]) -> Plan:
    """Plan what the cases are given now against the state that they had before."""
    directory = scratch_root(repository, scratch, "changes/all")
    cases = list(cases)
    write_calls(directory, {case.name: (case.module, case.given) for case in cases})
    write_state(directory, state, cases)
    return plan(tool, directory, refresh=False)


def write_state(directory: Path, state: Mapping[str, Any], cases: Iterable[Case]) -> None:
    """Write of the state what belongs to the cases."""
    names = {case.name for case in cases}
    resources = [resource for resource in state["resources"] if resource["module"].split(".")[1] in names]
    (directory / "terraform.tfstate").write_text(json.dumps({**state, "resources": resources}))


def plan_refusals(
    tool: Tool, repository: Path, scratch: Path, refusals: Iterable[Refusal], state: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Plan every refusal against the state that it had before, and return the sentences that each one got."""
    directory = scratch_root(repository, scratch, "refusals/all")
    refusals = list(refusals)
    write_calls(directory, {refusal.name: (refusal.module, refusal.given) for refusal in refusals})
    write_state(directory, state, refusals)
    runner = tftest.TerraformTest(str(directory), binary=str(tool.binary), env=dict(tool.environment))
    runner.setup(cleanup_on_exit=False)
    try:
        output = runner.execute_command("plan", "-json", "-input=false", "-refresh=false").out
    except tftest.TerraformTestError as error:
        output = error.args[0]
    sentences: dict[str, list[str]] = {refusal.name: [] for refusal in refusals}
    for diagnostic in diagnostics(output):
        text = diagnostic.get("detail") or diagnostic["summary"]
        sentences.setdefault(refused(diagnostic), []).append(text)
    return sentences


def diagnostics(output: str) -> Iterator[dict[str, Any]]:
    """Read the errors from what `terraform plan -json` printed."""
    for line in output.splitlines():
        start = line.find('{"@level":"error"')
        if start >= 0:
            message = json.loads(line[start : line.rindex("}") + 1])
            if "diagnostic" in message:
                yield message["diagnostic"]


def refused(diagnostic: Mapping[str, Any]) -> str:
    """Return the name of the case that a diagnostic belongs to: its call's file, or the path that its modules have."""
    filename = str(diagnostic.get("range", {}).get("filename", ""))
    if filename.endswith(".tf.json"):
        return filename.removesuffix(".tf.json")
    place = re.search(r"\.\./(\w+)/", f"{filename} {diagnostic.get('detail', '')}")
    return place[1] if place else ""

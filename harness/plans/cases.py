"""Plan many module calls in one scratch root: changes to what was applied before, and bad input that is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tftest
import yaml

from harness.plans.plan import UNKNOWN, Plan, Tool, initialized, plan
from harness.plans.scratch import scratch_root

# What a state has in place of what AWS would have decided.
MADE_UP = {"arn": "arn:aws:made:us-east-1:111111111111:up", "recovery_period_in_days": 0, "tags_all": {}}


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
    runner = initialized(tool, directory)
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

"""Plan many module calls in one scratch root: changes to what was applied before, and bad input that is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import tftest

from sawhorse.errors import BadConfiguration
from sawhorse.plans.documents import Written, read_document
from sawhorse.plans.inventory import shown
from sawhorse.plans.plan import DONE, Plan, Tool, Unknown, initialized, plan
from sawhorse.plans.scratch import scratch_root

# What a state has in place of what AWS would have decided.
PLACEHOLDERS = {
    "arn": "arn:aws:placeholder:us-east-1:111111111111:any",
    "recovery_period_in_days": 0,
    # A function's, which is an ARN.
    "role": "arn:aws:placeholder:us-east-1:111111111111:any",
    "tags_all": {},
    "version": "1",
}
# By type, where a module looks at its form.
PLACEHOLDERS_OF = {"aws_lambda_layer_version": {"arn": "arn:aws:lambda:us-east-1:111111111111:layer:placeholder:1"}}

# Terraform's memory grows faster than the number of modules in a plan: to 12 GB with 900 refusals.
REFUSALS_AT_ONCE = 150
# A case is a module call in HCL and a directory.
NAME = re.compile(r"[a-z][a-z0-9_]*")
MODULE = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
SOURCE = re.compile(r'^  source += "(\.[^"]*)"', re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A module call: what it was given when it was last applied, none if it never was, and what it is given now."""

    name: str
    module: str
    given: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    # What somebody else changed since, by the type of the resource.
    drift: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # The file and the line where it is written.
    place: str = ""


@dataclass(frozen=True)
class Refusal(Case):
    """A call that is refused when planning, and the sentence that says why and what to do."""

    sentence: str = ""

    def differences(self, sentences: Iterable[str]) -> str:
        """Say what was refused with other sentences or not at all; nothing where one has what it should."""
        got = [" ".join(sentence.split()) for sentence in sentences]
        if any(self.sentence in sentence for sentence in got):
            return ""
        return "\n    + ".join([f"{self.place}: {self.name}\n    - {self.sentence}", *(got or ["(not refused)"])])


@dataclass(frozen=True)
class Change(Case):
    """A call that changes what was applied before, and what is done to its resources of the watched types."""

    watched: tuple[str, ...] = ()
    actions: Mapping[str, list[str]] = field(default_factory=dict)
    # Where each of the actions is written.
    places: Mapping[str, str] = field(default_factory=dict)

    def found(self, planned: Plan) -> dict[str, list[str]]:
        """Return what the plan does to the watched resources, without those that stay as they are."""
        within = f"module.{self.name}."
        return {
            address.removeprefix(within): actions
            for address, actions in planned.actions.items()
            if address.startswith(within) and planned.types[address] in self.watched and actions != ["no-op"]
        }

    def differences(self, planned: Plan) -> list[str]:
        """Say where the plan does something else than it should, with what is written and what is planned."""
        found = self.found(planned)
        return [
            f"{self.places.get(address, self.place)}: {self.name} > {address}\n"
            f"    - {self.actions.get(address, '(nothing)')}\n    + {found.get(address, '(nothing)')}"
            for address in {**self.actions, **found}
            if self.actions.get(address) != found.get(address)
        ]


def read_changes(path: Path) -> list[Change]:
    """Read changes from YAML: by module a base of good arguments, and by name what was, what is, and what is done.

    A change may name the types that are watched in place of those of its module.
    """
    changes = []
    for group, case, entry in entries(path, "changes", ("watched",), ("actions",), also=("watched",)):
        watched = watched_in(entry.get("watched", group["watched"]))
        actions = entry["actions"].mapping(
            "actions must be a mapping from addresses to actions; {} says that nothing is done"
        )
        places = {address: done.place for address, done in actions.items()}
        done = {address: done_of(address, found, watched) for address, found in actions.items()}
        changes.append(Change(**case, watched=watched, actions=done, places=places))
    return changes


def watched_in(written: Written) -> tuple[str, ...]:
    """Return the types of resources that are looked at."""
    watched = tuple(
        kind.text("watched must name types of resources")
        for kind in written.items("watched must be a list of types of resources")
    )
    if not watched:
        raise BadConfiguration(f"{written.place}: watched must name a type, or no change could be noticed.")
    return watched


def done_of(address: str, found: Written, watched: Iterable[str]) -> list[str]:
    """Return the actions of one address, of a type that is watched."""
    actions = found.plain()
    if actions not in [list(way) for way in DONE]:
        ways = ", ".join(f"[{', '.join(way)}]" for way in DONE)
        raise BadConfiguration(f"{found.place}: Terraform does no {shown(actions)} to {address}; choose from {ways}.")
    if not any(re.search(rf"(^|\.){re.escape(kind)}\.", address) for kind in watched):
        raise BadConfiguration(f"{found.place}: nobody watches the type of {address}; add it to watched.")
    return list(actions)


def read_refusals(path: Path) -> list[Refusal]:
    """Read refusals from YAML: by module a base of good arguments, by name what is wrong and the sentence it gets."""
    return [
        Refusal(**case, sentence=" ".join(entry["sentence"].text("sentence must be a text, and not empty").split()))
        for _, case, entry in entries(path, "refusals", (), ("sentence",))
    ]


def read_bases(path: Path) -> dict[str, Any]:
    """Return by module the good arguments that its cases start from."""
    return {
        module: group.mapping("a module must be a mapping")["base"].plain() for module, group in groups(path).items()
    }


def groups(path: Path) -> dict[str, Written]:
    """Return what a file of cases has of each module."""
    document = read_document(path)
    found = document.mapping("there must be modules with their cases")
    if not found:
        raise BadConfiguration(f"{document.place}: there must be modules with their cases.")
    return found


def entries(
    path: Path, kind: str, of_group: tuple[str, ...], of_entry: tuple[str, ...], *, also: tuple[str, ...] = ()
) -> Iterator[tuple[Mapping[str, Written], dict[str, Any], Mapping[str, Written]]]:
    """Walk the cases of a file: what their module has in common, what every case has, and what is written of it."""
    places: dict[str, str] = {}
    for module, group in groups(path).items():
        shared = complete(group, ("base", kind, *of_group), f"the cases of {module}")
        if not MODULE.fullmatch(module):
            raise BadConfiguration(f"{group.place}: {module} is not a path in modules; write one such as apps/sample.")
        base = arguments(shared["base"], "base")
        named = shared[kind].mapping(f"{kind} must be a mapping from names to cases")
        if not named:
            raise BadConfiguration(f"{shared[kind].place}: {kind} must hold a case, or {module} is not tested at all.")
        for name, written in named.items():
            case = case_of(module, base, name, written, of_entry, also=also)
            if case["name"] in places:
                raise BadConfiguration(
                    f"{written.place}: {case['name']} is the name of the case at {places[case['name']]}; rename one."
                )
            places[case["name"]] = written.place
            yield shared, case, written.value


def case_of(  # noqa: PLR0913 # what a case is read from
    module: str,
    base: Mapping[str, Any],
    name: str,
    written: Written,
    of_entry: tuple[str, ...],
    *,
    also: tuple[str, ...],
) -> dict[str, Any]:
    """Return what every case has."""
    if not NAME.fullmatch(name):
        raise BadConfiguration(f"{written.place}: {name} is not a name; write small letters, digits and underscores.")
    entry = complete(written, ("given", *of_entry), name, also=("before", "drift", *also))
    before = {**base, **arguments(entry["before"], "before")} if "before" in entry else None
    drift = arguments(entry["drift"], "drift") if "drift" in entry else {}
    if drift and before is None:
        raise BadConfiguration(f"{entry['drift'].place}: what never was cannot have drifted; add before.")
    for kind in drift:
        entry["drift"].value[kind].mapping(f"drift must have a mapping of attributes for {kind}")
    return {
        "name": f"{Path(module).name}_{name}",
        "module": module,
        "given": {**base, **arguments(entry["given"], "given")},
        "before": before,
        "drift": drift,
        "place": written.place,
    }


def arguments(written: Written, what: str) -> dict[str, Any]:
    written.mapping(f"{what} must be a mapping from names to values")
    plain: dict[str, Any] = written.plain()
    return plain


def complete(written: Written, keys: tuple[str, ...], what: str, *, also: tuple[str, ...] = ()) -> dict[str, Written]:
    """Return a mapping that has all of some keys, and none that nothing reads."""
    found = written.mapping(f"{what} must be a mapping")
    written.only((*keys, *also), what)
    missing = next((key for key in keys if key not in found), None)
    if missing:
        raise BadConfiguration(f"{written.place}: {missing} is missing in {what}; add it.")
    return found


def write_calls(directory: Path, calls: Iterable[tuple[Case, Mapping[str, Any]]]) -> None:
    """Write a module call for each case, with what tells their diagnostics apart: modules under a name of its own.

    Arguments come from variables: Terraform refuses literals before it plans, and then never gets to refusing the rest.
    """
    values = {}
    modules = directory.parents[2] / "modules"
    for case, given in calls:
        name = case.name
        if not (modules / case.module).is_dir():
            raise BadConfiguration(f"{case.place}: there is no modules/{case.module}; write the path of one that is.")
        # A diagnostic names a file and no address, so that the path has to say which case it belongs to. Terraform
        # follows links to directories, hence links to the files.
        for module in modules_called(modules, case.module):
            shutil.copytree(modules / module, directory.parent / name / module, copy_function=os.link)
        values[name] = {key: value for key, value in given.items() if "${" not in json.dumps(value)}
        arguments = {**given, **{key: f"${{var.{name}.{key}}}" for key in values[name]}}
        content = {
            "variable": {name: {"type": "any"}},
            "module": {name: {"source": f"../{name}/{case.module}", **arguments}},
        }
        (directory / f"{name}.tf.json").write_text(json.dumps(content, indent=2))
    (directory / "terraform.tfvars.json").write_text(json.dumps(values, indent=2))


@cache
def modules_called(modules: Path, module: str) -> list[str]:
    """Return a module and all that it calls, directly or through another, by their paths in `modules`."""
    found, ahead = [module], [module]
    while ahead:
        place = modules / ahead.pop()
        for file in sorted(place.glob("*.tf")):
            for source in SOURCE.findall(file.read_text()):
                called = (place / source).resolve().relative_to(modules.resolve()).as_posix()
                if called not in found:
                    found.append(called)
                    ahead.append(called)
    return found


def write_outputs(directory: Path, cases: Iterable[Case]) -> None:
    """Let the root hand out what the modules of some calls do, each under the name of its case.

    A plan does not print what is sensitive, and `terraform show -json` has it all the same.
    """
    outputs = {case.name: {"value": f"${{module.{case.name}}}", "sensitive": True} for case in cases}
    (directory / "outputs.tf.json").write_text(json.dumps({"output": outputs} if outputs else {}, indent=2))


def state_before(tool: Tool, repository: Path, scratch: Path, cases: Iterable[Case]) -> dict[str, Any]:
    """Return the state that applying what the cases were given before would leave, without applying anything."""
    directory = scratch_root(repository, scratch, "before/all")
    applied = {case.name: case for case in cases if case.before is not None}
    write_calls(directory, [(case, case.before or {}) for case in applied.values()])
    state = state_of(plan(tool, directory))
    for case in applied.values():
        apply_drift(case, state["resources"])
    # Cases that share a drift may each have a part of it; what none of a module has cannot drift.
    made = {(applied[case_in(resource)].module, resource["type"]) for resource in state["resources"]}
    for case in applied.values():
        unmade = next((kind for kind in case.drift if (case.module, kind) not in made), None)
        if unmade:
            raise BadConfiguration(
                f"{case.place}: drift names {unmade}, of which {case.module} had none in any case; correct it."
            )
    return state


def apply_drift(case: Case, resources: Iterable[Mapping[str, Any]]) -> None:
    """Put into a case's part of a state what somebody else changed."""
    for resource in resources:
        if case_in(resource) != case.name:
            continue
        drift = case.drift.get(resource["type"], {})
        for instance in resource["instances"]:
            unknown = next((name for name in drift if name not in instance["attributes"]), None)
            if unknown is not None:
                kind = resource["type"]
                raise BadConfiguration(f"{case.place}: drift names {unknown}, which {kind} does not have; correct it.")
            instance["attributes"].update(drift)


def case_in(resource: Mapping[str, Any]) -> str:
    """Return the name of the case that a resource of a state belongs to."""
    name: str = resource["module"].split(".")[1]
    return name


def state_of(planned: Plan) -> dict[str, Any]:
    """Turn a plan into the state that its apply would leave; what AWS would decide is a placeholder or nothing."""
    resources = []
    for module in modules_of(planned.raw["planned_values"]["root_module"]):
        for resource in module.get("resources", []):
            if resource["mode"] != "managed":
                continue  # what is only read is read again
            planned_values = planned.resources[resource["address"]]
            made_up = PLACEHOLDERS_OF.get(resource["type"], {})
            attributes = {
                **filled(planned_values),
                **{name: value for name, value in made_up.items() if isinstance(planned_values[name], Unknown)},
            }
            resources.append(
                {
                    "module": module["address"],
                    "mode": "managed",
                    "type": resource["type"],
                    "name": resource["name"],
                    "provider": f'provider["{resource["provider_name"]}"]',
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
    if isinstance(value, Unknown):
        return PLACEHOLDERS.get(name, PLACEHOLDERS["arn"] if name.endswith(("id", "arn")) else None)
    if isinstance(value, dict):
        return {key: filled(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, name) for item in value]
    return value


def plan_changes(  # noqa: PLR0913 # what all of them are planned with
    tool: Tool,
    repository: Path,
    scratch: Path,
    cases: Iterable[Case],
    state: Mapping[str, Any],
    *,
    telling: Iterable[Case] = (),
) -> Plan:
    """Plan what the cases are given now against the state that they had before, with those that tell their outputs."""
    directory = scratch_root(repository, scratch, "changes/all")
    cases, telling = list(cases), list(telling)
    write_calls(directory, [(case, case.given) for case in (*cases, *telling)])
    write_outputs(directory, telling)
    write_state(directory, state, cases)
    return plan(tool, directory, refresh=False)


def write_state(directory: Path, state: Mapping[str, Any], cases: Iterable[Case]) -> None:
    """Write of the state what belongs to the cases."""
    names = {case.name for case in cases}
    resources = [resource for resource in state["resources"] if case_in(resource) in names]
    (directory / "terraform.tfstate").write_text(json.dumps({**state, "resources": resources}))


def plan_refusals(
    tool: Tool, repository: Path, scratch: Path, refusals: Iterable[Refusal], state: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Plan every refusal against the state that it had before, and return the sentences that each one got."""
    wanted = list(refusals)
    sentences: dict[str, list[str]] = {refusal.name: [] for refusal in wanted}
    for first in range(0, len(wanted), REFUSALS_AT_ONCE):
        directory = scratch_root(repository, scratch, f"refusals/from_{first}")
        output = planned_refusals(tool, directory, wanted[first : first + REFUSALS_AT_ONCE], state)
        for diagnostic in diagnostics(output):
            text = diagnostic.get("detail") or diagnostic["summary"]
            sentences.setdefault(refused(diagnostic), []).append(text)
    return sentences


def planned_refusals(tool: Tool, directory: Path, refusals: Sequence[Refusal], state: Mapping[str, Any]) -> str:
    """Return what Terraform prints of a plan of refusals in a root of their own, which is no success."""
    write_calls(directory, [(refusal, refusal.given) for refusal in refusals])
    write_state(directory, state, refusals)
    runner = initialized(tool, directory)
    try:
        return str(runner.execute_command("plan", "-json", "-input=false", "-refresh=false").out)
    except tftest.TerraformTestError as error:
        return str(error.args[0])


def diagnostics(output: str) -> Iterator[dict[str, Any]]:
    """Read the errors from what `terraform plan -json` printed."""
    for line in output.splitlines():
        start = line.find('{"@level":"error"')
        if start >= 0:
            message, _ = json.JSONDecoder().raw_decode(line, start)
            if "diagnostic" in message:
                yield message["diagnostic"]


def refused(diagnostic: Mapping[str, Any]) -> str:
    """Return the name of the case that a diagnostic belongs to: its call's file, or the path that its modules have."""
    filename = str(diagnostic.get("range", {}).get("filename", ""))
    if filename.endswith(".tf.json"):
        return filename.removesuffix(".tf.json")
    place = re.search(r"\.\./(\w+)/", f"{filename} {diagnostic.get('detail', '')}")
    return place[1] if place else ""

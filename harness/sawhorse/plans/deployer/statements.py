"""Make the statements of a deployer's policy out of a plan: ARNs of the planned values, a * where AWS decides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.plans.deployer.table import KINDS, Rule, Table
from sawhorse.plans.plan import UNKNOWN, Plan

# {name}, {block.name}, {name:filter} or {name:what stands for null}.
FIELD = re.compile(r"\{([a-z_0-9.]+)(?::([^}]*))?\}")
FILTERS: Mapping[str, Callable[[str], str]] = {
    # Everything before the last part of a key.
    "directory": lambda key: key.rpartition("/")[0],
    # Of a name or an ARN of a function.
    "function": lambda name: name.split(":")[6] if name.startswith("arn:") else name,
    "last": lambda arn: arn.rpartition(":")[2],
    # An ARN of a parameter has one slash before its name, whether the name begins with one or not.
    "path": lambda name: f"/{name.lstrip('/')}",
}


@dataclass(frozen=True)
class Place:
    """Where a root is deployed: what ARNs are made of besides the planned values.

    `state_key` is the key of the state without its ending; `boundary` the ARN of the boundary of the root's roles.
    """

    partition: str
    region: str
    account: str
    environment: str
    app: str
    state_bucket: str
    state_key: str
    boundary: str

    @property
    def values(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True, order=True)
class Statement:
    """What is allowed: actions on resources, under a condition as JSON (empty for none)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: str = ""

    def as_policy(self) -> dict[str, Any]:
        """Return the statement as it stands in a policy."""
        return {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **({"Condition": json.loads(self.condition)} if self.condition else {}),
        }


@dataclass(frozen=True)
class Policy:
    """The statements of a deployer: all that it may do, and of that what only reads."""

    all: tuple[Statement, ...]
    read: tuple[Statement, ...]
    wildcards: Mapping[str, str] = field(default_factory=dict)

    @property
    def actions(self) -> list[str]:
        return sorted({action for statement in self.all for action in statement.actions})


def policy_of(plan: Plan, place: Place, table: Table, operations: Mapping[str, Sequence[Rule]] | None = None) -> Policy:
    """Return what a root's deployer may do; `operations` is what the app's own seed and smoke checks call, by kind.

    Raises BadConfiguration for a kind of resource that the table does not know, and for a name that only AWS knows.
    """
    refuse_unknown(plan, table)
    found = list(granted(plan, place, table, operations or {}))
    reading = [(key, read) for key, read, _ in found if read]
    everything = [(key, read | write) for key, read, write in found]
    reasons = {
        resource: table.wildcards[reason]
        for (resource, _, reason), *_ in sorted(found, key=lambda one: one[0])
        if reason is not None
    }
    return Policy(tuple(merged(everything)), tuple(merged(reading)), reasons)


def refuse_unknown(plan: Plan, table: Table) -> None:
    unknown = sorted({*plan.types.values(), *kinds_before(plan)} - table.kinds.keys())
    read = sorted({f"data {kind}" for kind in kinds_read(plan.raw) if kind not in table.data})
    if unknown or read:
        raise BadConfiguration(
            f"No deployer is known for {', '.join([*unknown, *read])}: nobody said which actions it takes to make one. "
            f"Add it to {KINDS.name} of the engine ({KINDS.parent.name} below plans), under kinds or data."
        )


def kinds_before(plan: Plan) -> set[str]:
    return {change["type"] for change in plan.raw.get("resource_changes", []) if change["mode"] == "managed"}


def kinds_read(raw: Mapping[str, Any]) -> set[str]:
    """Return the kinds of data sources that a plan's configuration reads, however deep in modules."""

    def walk(module: Mapping[str, Any]) -> Iterator[str]:
        for resource in module.get("resources", []):
            if resource["mode"] == "data":
                yield resource["type"]
        for call in module.get("module_calls", {}).values():
            yield from walk(call.get("module", {}))

    return set(walk(raw.get("configuration", {}).get("root_module", {})))


def read_by(raw: Mapping[str, Any]) -> set[str]:
    """Return the kinds of data sources that a plan has read or leaves to the apply; a count of none reads nothing."""

    def walk(module: Mapping[str, Any]) -> Iterator[str]:
        for resource in module.get("resources", []):
            if resource["mode"] == "data":
                yield resource["type"]
        for child in module.get("child_modules", []):
            yield from walk(child)

    later = {change["type"] for change in raw.get("resource_changes", []) if change["mode"] == "data"}
    return later | set(walk(raw.get("prior_state", {}).get("values", {}).get("root_module", {})))


Key = tuple[str, str, str | None]


def granted(
    plan: Plan, place: Place, table: Table, operations: Mapping[str, Sequence[Rule]]
) -> Iterator[tuple[Key, set[str], set[str]]]:
    """Walk resource, condition and reason with the actions that read and that write."""
    known: dict[str, Any] = {**place.values, **lists_of(plan, place), "outputs": plan.outputs}
    own = {values["name"] for kind, _, values in resources_of(plan) if kind == "aws_iam_role"}
    for kind, address, values in resources_of(plan):
        about = {
            "attached": attached_of(values, known["policies"]),
            "own_role": values.get("role") in own,
            "another_role": values.get("role") not in own,
            "services": services_of(values),
        }
        for rule in (*table.kinds[kind], *operations.get(kind, ())):
            yield from of_rule(rule, {**values, **known, **about}, address)
    for kind in sorted(read_by(plan.raw)):
        for rule in table.data[kind]:
            yield from of_rule(rule, known, f"data.{kind}")
    for rule in table.state:
        yield from of_rule(rule, known, "the state")


def resources_of(plan: Plan) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Walk kind, address and values of what is there after the apply, and of what it deletes or replaces."""
    for change in plan.changes:
        before, after = change["change"].get("before"), plan.resources.get(change["address"])
        for values in (before, after):
            if values is not None:
                yield change["type"], change["address"], values


def lists_of(plan: Plan, place: Place) -> dict[str, list[str]]:
    """Return the ARNs of the root's functions, with their versions and aliases, and of its managed policies."""
    start = f"arn:{place.partition}"
    functions, policies = set(), set()
    for kind, _, values in resources_of(plan):
        if kind == "aws_lambda_function":
            functions.add(f"{start}:lambda:{place.region}:{place.account}:function:{values['function_name']}")
        if kind == "aws_iam_policy":
            policies.add(f"{start}:iam::{place.account}:policy{values.get('path') or '/'}{values['name']}")
        if kind == "aws_iam_role_policy_attachment" and values.get("policy_arn") not in (None, UNKNOWN):
            policies.add(values["policy_arn"])
    return {
        "functions": sorted({*functions, *(f"{arn}:*" for arn in functions)}),
        "policies": sorted(policies),
    }


def attached_of(values: Mapping[str, Any], policies: Sequence[str]) -> list[str]:
    """Return the managed policies that a role is to have; those that are still to be made may be any of the root's."""
    arns = values.get("policy_arns")
    found = arns if isinstance(arns, list) else [arns]
    known = {arn for arn in found if arn not in (None, UNKNOWN)}
    return sorted(known | set(policies if UNKNOWN in found else ()))


def services_of(values: Mapping[str, Any]) -> list[str]:
    """Return the services that may take a role, by its trust."""
    trust = values.get("assume_role_policy")
    if not isinstance(trust, str) or trust is UNKNOWN:
        return []
    found = [statement.get("Principal", {}) for statement in json.loads(trust)["Statement"]]
    services = [one.get("Service", []) for one in found if isinstance(one, dict)]
    return sorted({name for one in services for name in ([one] if isinstance(one, str) else one)})


def of_rule(rule: Rule, values: Mapping[str, Any], address: str) -> Iterator[tuple[Key, set[str], set[str]]]:
    value = argument(values, rule.when) if rule.when else True
    if not value or (value is UNKNOWN and f"{{{rule.when}}}" in rule.resource):
        # Left out, or what AWS fills in for what was left out.
        return
    where = {name: filled(pattern, values, address, wildcard=rule.wildcard) for name, pattern in rule.where.items()}
    if not all(fits(str(argument(values, name)), pattern) for name, pattern in where.items()):
        return
    condition = {
        operator: {key: filled_list(text, values, address) for key, text in keys.items()}
        for operator, keys in rule.condition.items()
    }
    if any(not value for keys in condition.values() for value in keys.values()):
        # Nothing can meet it: a role that no service takes is passed to none.
        return
    for template in rule.resource:
        arn = filled(template, values, address, wildcard=rule.wildcard)
        if any(letter in arn for letter in "*?") and rule.wildcard is None:
            raise BadConfiguration(
                f"{address}: its ARN would be {arn}, and nobody said why it may have a wildcard; give it a name "
                f"without one, or its rule in {KINDS.name} a reason."
            )
        reason = rule.wildcard if "*" in arn else None
        key = (arn, json.dumps(condition, sort_keys=True) if condition else "", reason)
        yield key, set(rule.read), set(rule.write)


def fits(value: str, pattern: str) -> bool:
    """Whether a value fits a pattern of a rule, or with an exclamation mark before that one, does not."""
    return not fits(value, pattern[1:]) if pattern.startswith("!") else fnmatchcase(value, pattern)


def argument(values: Mapping[str, Any], path: str) -> Any:
    """Return an argument by its name, inside of blocks by theirs; None where it is not set."""
    found: Any = values
    for name in path.split("."):
        while isinstance(found, list):
            found = found[0] if found else None
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def filled(template: str, values: Mapping[str, Any], address: str, *, wildcard: str | None = None) -> str:
    """Fill planned values into a template of an ARN. Raises BadConfiguration for what only AWS knows."""

    def fill(match: re.Match[str]) -> str:
        name, how = match[1], match[2]
        value = argument(values, name)
        if value is UNKNOWN and wildcard is not None:
            return "*"
        if value is None and how is not None and how not in FILTERS:
            return how
        if not isinstance(value, str) or value is UNKNOWN:
            raise BadConfiguration(
                f"{address}: its {name} is known only after the apply, so nobody can be given a right to it alone; "
                "build it from names."
            )
        return FILTERS[how](value) if how in FILTERS else value

    return FIELD.sub(fill, template)


def filled_list(text: str, values: Mapping[str, Any], address: str) -> Any:
    """Fill a value of a condition, which may be a list as a whole."""
    match = FIELD.fullmatch(text)
    whole = argument(values, match[1]) if match else None
    return sorted(whole) if isinstance(whole, list) else filled(text, values, address)


def merged(found: Collection[tuple[Key, set[str]]]) -> list[Statement]:
    """Return as few statements as there are different ones: resources with the same actions stand together."""
    by_resource: dict[tuple[str, str], set[str]] = {}
    for (resource, condition, _), actions in found:
        by_resource.setdefault((condition, resource), set()).update(actions)
    without_covered(by_resource)
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (condition, resource), actions in sorted(by_resource.items()):
        if actions:
            grouped.setdefault((condition, tuple(sorted(actions))), []).append(resource)
    return sorted(
        Statement(actions, tuple(resources), condition) for (condition, actions), resources in grouped.items()
    )


def without_covered(by_resource: dict[tuple[str, str], set[str]]) -> None:
    """Take away what a wildcard allows already, under the same condition."""
    wide = [(condition, resource) for condition, resource in by_resource if "*" in resource]
    for condition, resource in list(by_resource):
        for other_condition, pattern in wide:
            if pattern != resource and other_condition == condition and fnmatchcase(resource, literal(pattern)):
                by_resource[condition, resource] -= by_resource[other_condition, pattern]


def literal(pattern: str) -> str:
    """Return a pattern of IAM's for fnmatch, to which a bracket is one as well."""
    return pattern.replace("[", "[[]")

"""What a plan would do, as data without a value: addresses, actions, names of arguments, and actions of policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sawhorse.errors import CouldNotAsk

Action = Literal["destroy", "replace", "forget", "create", "update", "import"]
# The actions of `terraform show -json` (https://developer.hashicorp.com/terraform/internals/json-format#change-representation).
ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("create", "forget"): "replace",
    ("create",): "create",
    ("update",): "update",
}
NOTHING = {("no-op",), ("read",)}
LOSSES = ("destroy", "replace", "forget")
# Whom something is open to: roles and users, and the policies that things have themselves.
IAM = re.compile(r"aws_iam_\w+|aws_\w+_(resource_policy|bucket_policy|queue_policy|topic_policy|key_policy|permission)")
POLICIES = ("policy", "assume_role_policy")


class PlannedChange(BaseModel):
    """What would be done to one resource.

    `arguments` names what would differ, `forced_by` what of it cannot be changed in place; `allowed` and `taken_away`
    have the statements of its policies, as `Allow dynamodb:GetItem`, that come and go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str
    type: str
    action: Action
    arguments: tuple[str, ...] = ()
    forced_by: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    taken_away: tuple[str, ...] = ()

    @property
    def is_loss(self) -> bool:
        """Whether something that stands would not stand any more, or another one in its place."""
        return self.action in LOSSES

    @property
    def is_iam(self) -> bool:
        return IAM.fullmatch(self.type) is not None


def planned_changes(resource_changes: Sequence[Mapping[str, Any]]) -> list[PlannedChange]:
    """Read `resource_changes` of a plan as JSON. Raises CouldNotAsk for an action that is not known here."""
    found = [one for raw in resource_changes if (one := planned_change(raw))]
    return sorted(found, key=lambda one: (LOSSES.index(one.action) if one.is_loss else len(LOSSES), one.address))


def planned_change(raw: Mapping[str, Any]) -> PlannedChange | None:
    """Read one of them; None where nothing would be done."""
    change, actions = raw["change"], tuple(raw["change"]["actions"])
    if actions in NOTHING:
        action: Action | None = "import" if change.get("importing") else None
    elif actions in ACTIONS:
        action = ACTIONS[actions]
    else:
        raise CouldNotAsk(
            f"The plan would do {', '.join(actions)} to {raw['address']}, which this Sawhorse cannot tell."
        )
    if action is None:
        return None
    allowed, taken_away = policies_of(change)
    return PlannedChange(
        address=raw["address"],
        type=raw["type"],
        action=action,
        arguments=differing(change) if action in ("update", "replace") else (),
        forced_by=tuple(dict.fromkeys(str(path[0]) for path in change.get("replace_paths", ()) if path)),
        allowed=allowed,
        taken_away=taken_away,
    )


def differing(change: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the arguments that would have another value, or one that only AWS knows, where there was one."""
    before, after = change["before"] or {}, change["after"] or {}
    unknown = change.get("after_unknown") or {}
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return tuple(sorted(names | {name for name, value in unknown.items() if value is True and name in before}))


def policies_of(change: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what policies would allow or deny besides, and what they would not any more; nothing of sensitive ones."""
    hidden = [change.get("before_sensitive") or {}, change.get("after_sensitive") or {}]
    names = [name for name in POLICIES if not any(side is True or side.get(name) for side in hidden)]
    before = {line for name in names for line in statements((change["before"] or {}).get(name))}
    after = {line for name in names for line in statements((change["after"] or {}).get(name))}
    return tuple(sorted(after - before)), tuple(sorted(before - after))


def statements(policy: Any) -> Iterator[str]:
    """Walk the effects and actions of a policy's text; nothing of what is none."""
    try:
        said = json.loads(policy)["Statement"]
    except (KeyError, TypeError, ValueError):
        return
    for statement in said if isinstance(said, list) else [said]:
        if isinstance(statement, dict):
            for key in ("Action", "NotAction"):
                actions = statement.get(key, [])
                inverted = "all but " if key == "NotAction" else ""
                for action in [actions] if isinstance(actions, str) else actions:
                    yield f"{statement.get('Effect', 'Allow')} {inverted}{action}"

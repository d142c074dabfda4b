"""What a plan would do, as data without a value: addresses, actions, names of arguments, and actions of policies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
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
# Whom something is open to: roles and users, the policies that things have themselves, and what grants something.
IAM = re.compile(
    r"aws_iam_\w+|aws_\w+_(policy|policies|permission|permissions|grant|grants|policy_attachment|acl)"
    r"|aws_lambda_function_url|aws_lakeformation_\w+|aws_ram_\w+|aws_ssoadmin_\w+|aws_s3_bucket_public_access_block"
)
# Of these names, what says how long something is kept, how it scales or is kept up, and not for whom it is.
NOT_IAM = re.compile(
    r"aws_(appautoscaling|autoscaling|autoscalingplans)_policy|aws_\w+_(lifecycle|scaling|retention|backup|cache|"
    r"origin_request|response_headers|ssl_negotiation|stickiness)_policy|aws_dlm_\w+|aws_network_acl"
)
# Arguments that have a policy as JSON.
POLICIES = (
    "policy",
    "assume_role_policy",
    "access_policies",
    "access_policy",
    "inline_policy",
    "key_policy",
    "policy_document",
    "resource_policy",
)


class PlannedChange(BaseModel):
    """What would be done to one resource.

    `arguments` names what would differ, `forced_by` what of it cannot be changed in place; `allowed` and `taken_away`
    have the statements of its policies that come and go, whole and as in `sentence_of`, without a value of a condition.
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
        return IAM.fullmatch(self.type) is not None and NOT_IAM.fullmatch(self.type) is None


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
    """Return what policies would allow or deny besides, and what they would not any more; nothing of sensitive ones.

    Statements are compared whole. What is open to everybody comes first, then what another account may, then the rest.
    """
    hidden = [change.get("before_sensitive") or {}, change.get("after_sensitive") or {}]
    names = [name for name in POLICIES if not any(side is True or side.get(name) for side in hidden)]
    before, after = (
        {text: one for name in names for one in statements((change[side] or {}).get(name)) for text in [canonical(one)]}
        for side in ("before", "after")
    )
    return told(after, before), told(before, after)


def statements(policy: Any) -> list[dict[str, Any]]:
    """Return the statements of a policy's text; none of what is no policy."""
    try:
        said = json.loads(policy)["Statement"]
    except (KeyError, TypeError, ValueError):
        return []
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, dict)]


def canonical(statement: Any) -> str:
    """Write a statement so that those are the same text that allow the same: lists in order, one word as a list."""
    return json.dumps(ordered({key: value for key, value in statement.items() if key != "Sid"}), sort_keys=True)


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: ordered(one) for key, one in value.items()}
    words = value if isinstance(value, list) else [value]
    return sorted({json.dumps(one, sort_keys=True) for one in words})


def told(these: Mapping[str, dict[str, Any]], those: Mapping[str, dict[str, Any]]) -> tuple[str, ...]:
    """Write the statements that only the first ones have, the widest first."""
    found = [one for text, one in these.items() if text not in those]
    return tuple(dict.fromkeys(sentence_of(one) for one in sorted(found, key=lambda one: (width(one), canonical(one)))))


def width(statement: Mapping[str, Any]) -> int:
    """Say how wide a statement is: 0 for everybody or everything, 1 for principals that are no service, 2 otherwise."""
    if statement.get("Effect", "Allow") != "Allow":
        return 3
    principals = [word for _, word in pairs(statement.get("Principal", {}))]
    wide = "*" in principals or "NotPrincipal" in statement or "NotAction" in statement or "NotResource" in statement
    if wide or "*" in words_of(statement.get("Action", [])) or "*" in words_of(statement.get("Resource", [])):
        return 0
    return 1 if any(kind != "Service" for kind, _ in pairs(statement.get("Principal", {}))) else 2


def sentence_of(statement: Mapping[str, Any]) -> str:
    """Write a statement in one line, as `Allow sts:AssumeRole to AWS * on ARN if StringEquals aws:PrincipalOrgID`."""
    parts = [str(statement.get("Effect", "Allow"))]
    for key, before in (
        ("Action", ""),
        ("NotAction", "all but "),
        ("Principal", "to "),
        ("NotPrincipal", "to all but "),
    ):
        if key in statement:
            shown = [f"{kind} {word}".strip() for kind, word in pairs(statement[key])]
            parts.append(f"{before}{', '.join(sorted(shown))}")
    for key, before in (("Resource", "on "), ("NotResource", "on all but ")):
        if key in statement:
            parts.append(f"{before}{', '.join(sorted(words_of(statement[key])))}")
    condition = statement.get("Condition")
    if isinstance(condition, dict) and condition:
        asked = sorted(f"{operator} {key}" for operator, keys in condition.items() for key in keys)
        parts.append(f"if {', '.join(asked)}")
    return " ".join(parts)


def pairs(value: Any) -> list[tuple[str, str]]:
    """Return the words of a part of a statement, each with its kind where it has one, as principals do."""
    if isinstance(value, dict):
        return [(str(kind), word) for kind, words in value.items() for word in words_of(words)]
    return [("", word) for word in words_of(value)]


def words_of(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]

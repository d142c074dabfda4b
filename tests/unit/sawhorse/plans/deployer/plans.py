"""Plans as Terraform tells them, of the resources that a test names."""

from __future__ import annotations

from typing import Any

from sawhorse.plans.deployer.statements import Place
from sawhorse.plans.plan import Plan

PLACE = Place(
    partition="aws",
    region="eu-west-1",
    account="111111111111",
    environment="dev",
    app="shop",
    state_bucket="states",
    state_key="dev/shop",
    boundary="arn:aws:iam::111111111111:policy/deployers/shop-boundary-dev",
)


def plan_of(
    *resources: tuple[str, dict[str, Any]],
    deleted: tuple[tuple[str, dict[str, Any]], ...] = (),
    read: tuple[str, ...] = (),
) -> Plan:
    """Return a plan that makes resources (kind and values, None for what only AWS knows), and deletes others."""
    changes = [
        change(kind, number, ["create"], after={name: value for name, value in values.items() if value is not None})
        for number, (kind, values) in enumerate(resources)
    ]
    for one, (_, values) in zip(changes, resources, strict=True):
        one["change"]["after_unknown"] = {name: True for name, value in values.items() if value is None}
    changes += [change(kind, number, ["delete"], before=values) for number, (kind, values) in enumerate(deleted)]
    data = [{"mode": "data", "type": kind} for kind in read]
    return Plan({"resource_changes": changes, "configuration": {"root_module": {"resources": data}}})


def change(kind: str, number: int, actions: list[str], **values: Any) -> dict[str, Any]:
    address = f"{kind}.{actions[0]}{number}"
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "change": {"actions": actions, "before": None, "after": None, **values},
    }

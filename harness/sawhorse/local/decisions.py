"""Record what MiniStack decides about calls of roles, so that a policy can be compared with what is asked for.

Imported by the emulators, so it needs the standard library alone. Recorded is while the file is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RECORD = "decisions.jsonl"


def record_decisions(evaluator: Any, places: Any, record: Path) -> None:
    """Write a line for each decision about a role's call: its session, the action, the resource, and whether it may.

    `evaluator` and `places` are MiniStack's `core.iam_evaluator` and `core.responses`.
    """
    enforce = evaluator.enforce

    def enforce_and_record(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **rest)
        who = principal_of(evaluator, access_key_id, places.get_account_id()) if record.is_file() else None
        if who:
            line = {"who": who, "action": iam_action, "resource": resource_arn, "allowed": denied is None}
            with record.open("a") as file:
                file.write(json.dumps(line) + "\n")
        return denied

    evaluator.enforce = enforce_and_record


def principal_of(evaluator: Any, access_key_id: str, account_id: str) -> str | None:
    """Return whose session a call is of; None for an account's own key, which nobody asks."""
    principal = evaluator.resolve_principal(access_key_id or "", account_id)
    policies = getattr(principal, "policies", None)
    return None if policies is None else str(principal.arn)


def decisions(record: Path) -> list[dict[str, Any]]:
    """Read what was recorded."""
    return [json.loads(line) for line in record.read_text().splitlines()]

"""Ask what plans do not see, of a state that a test makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sawhorse.operate.drift.finding import Asked, Finding, Look
from sawhorse.operate.releases.record import Record
from sawhorse.terraform.state import Snapshot
from sawhorse.terraform.state_store import State
from tests.unit.sawhorse.support import PLACE

EVERYBODY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
GRANTS = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})

Resources = Mapping[str, list[dict[str, Any]]]


def asked_of(client: Callable[[str], Any], known: Resources, record: Record | None = None) -> Asked:
    """Ask with a state that has these resources by their types."""
    resources_of_state = tuple(
        {"address": f"{kind}.this[{index}]", "type": kind, "values": values, "status": None}
        for kind, several in known.items()
        for index, values in enumerate(several)
    )
    state = State(Snapshot("lineage", 1, resources_of_state), {})
    return Asked("dev/sample", local=True, state=state, record=record or Record(root="dev/sample"), client=client)


def found(look: Look, asked: Asked) -> list[Finding]:
    return list(look(asked))


def only(look: Look, asked: Asked) -> Finding:
    """Expect one finding, which belongs to a resource and says what to do."""
    [finding] = look(asked)
    assert finding.address.endswith(".this[0]")
    assert finding.fix
    return finding


def known_function(function: str, **more: list[dict[str, Any]]) -> Resources:
    values = {"function_name": function, "arn": f"arn:aws:lambda:{PLACE}:function:{function}", "version": "1"}
    alias = {"function_name": function, "name": "live", "function_version": "1"}
    pin = {"name": f"/{function}/live"}
    return {"aws_lambda_function": [values], "aws_lambda_alias": [alias], "aws_ssm_parameter": [pin], **more}

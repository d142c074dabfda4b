"""What the local AWS asks IAM about a call, told by how it refuses one that may do nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from tests.contracts.support import Account
from tests.contracts.test_emulated_roles import assumed, role_trusting

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

REFUSED = re.compile(r"is not authorized to perform: (?P<action>\S+) on resource: \"?(?P<resource>[^\"\s]+)\"?")


class Asked(NamedTuple):
    """What a refusal names; a text without either stays as it is in `action`."""

    action: str
    resource: str


def asked(client: Any, operation: str, given: Mapping[str, Any]) -> Asked:
    """Make a call that is to be refused, and return what IAM was asked; AssertionError when it went through."""
    try:
        client._make_api_call(operation, dict(given))
    except ClientError as error:
        text = f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
    else:
        raise AssertionError(f"{operation} was not refused")
    found = REFUSED.search(text)
    return Asked(found["action"], found["resource"]) if found else Asked(text, "")


def is_refused(client: Any, operation: str, given: Mapping[str, Any]) -> bool:
    """Say whether IAM refuses a call; whatever else becomes of it is another matter."""
    try:
        client._make_api_call(operation, dict(given))
    except ClientError as error:
        return "is not authorized to perform" in error.response["Error"].get("Message", "")
    return False


def may(account: Account, *statements: Mapping[str, Any]) -> dict[str, str]:
    """Make a role that may do this and no more, and return its credentials."""
    name, arn = role_trusting(account, {"AWS": f"arn:aws:iam::{account.account_id}:root"})
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})
    account.client("iam").put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document)
    return assumed(account, arn)


def given_to(operation: OperationModel, arns: Sequence[str], also: Sequence[str] = ()) -> dict[str, Any]:
    """Make up a request: what an operation requires, and those members of `also` that it takes.

    Texts are `probe`, where the member is an ARN the first of `arns`.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    wanted = [name for name in shape.members if name in {*shape.required_members, *also}]
    return {name: made_up(shape.members[name], name, arns) for name in wanted}


def made_up(shape: Shape, name: str, arns: Sequence[str]) -> Any:
    if shape.type_name == "structure":
        required = shape.required_members or list(shape.members)[:1]
        return {member: made_up(shape.members[member], member, arns) for member in required}
    if shape.type_name == "list":
        return [made_up(shape.member, name, arns)] * max(1, int(shape.metadata.get("min", 1)))
    if shape.type_name == "map":
        return {text_of(shape.key, "", arns): made_up(shape.value, "", arns)}
    simple: dict[str, Callable[[], Any]] = {
        "boolean": lambda: True,
        "timestamp": lambda: 1,
        "blob": lambda: b"{}",
        "string": lambda: text_of(shape, name, arns),
    }
    return simple.get(shape.type_name, lambda: max(1, int(shape.metadata.get("min", 1))))()


def text_of(shape: Shape, name: str, arns: Sequence[str]) -> str:
    if shape.metadata.get("enum"):
        return "Parameter" if "Parameter" in shape.metadata["enum"] else str(shape.metadata["enum"][0])
    if re.search("arns?$|arnlist$", name.lower()) or name in {"Resource", "SerialNumber"}:
        return next(iter(arns), f"arn:aws:iam::{'1' * 12}:role/probe")
    return "probe" + "x" * max(0, int(shape.metadata.get("min", 0)) - 5)


def operations_of(account: Account, service: str) -> Iterator[OperationModel]:
    model = account.client(service).meta.service_model
    return (model.operation_model(name) for name in model.operation_names)

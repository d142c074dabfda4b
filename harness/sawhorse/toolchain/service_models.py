"""Read from botocore's models of AWS's services what a member of a call may be, and what they say in words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore
import botocore.session

from sawhorse.errors import BadConfiguration

VERSION: str = botocore.__version__
STEP = re.compile(r"([^.\[{]+)((?:\[\]|\{\})*)")
# API Gateway's second API says the length of a text in the name of its shape alone.
NAMED_LENGTH = re.compile(r"WithLengthBetween(\d+)And(\d+)(K?)$")
NUMBERS = frozenset({"integer", "long", "float", "double"})
TAG = re.compile(r"<[^>]+>")


def constraints(call: str, member: str) -> dict[str, str]:
    """Return what the models say of a member such as `Code.S3Key` or `Tags[].Key`, by what of it is meant.

    A call is a service and an operation, such as `lambda.CreateFunction`. Raises BadConfiguration where there is no
    such call or member.
    """
    return dict(parts_of(shape_of(call, member)))


def words(of: str) -> str:
    """Return what the models say in words of a call, or of a member of it or of its response.

    It is named as `lambda.CreateFunction` or `lambda.CreateFunction Timeout`. Of a member the text begins with its type
    and ends with what `constraints` returns. Raises BadConfiguration where there is no such call or member.
    """
    call, _, member = of.partition(" ")
    if not member:
        return plain(operation_of(call).documentation)
    shape = shape_of(call, member, response=True)
    said = "; ".join(f"{part}: {text}" for part, text in parts_of(shape))
    return f"{shape.type_name}: {plain(shape.documentation)} {said}"


def plain(documentation: str) -> str:
    """Return a text of the models without its tags."""
    return " ".join(html.unescape(TAG.sub(" ", documentation)).split())


def shape_of(call: str, member: str, *, response: bool = False) -> Any:
    operation = operation_of(call)
    for whole in [operation.input_shape, operation.output_shape] if response else [operation.input_shape]:
        shape = whole
        for name, inner in STEP.findall(member):
            shape = getattr(shape, "members", {}).get(name)
            for step in re.findall(r"\[\]|\{\}", inner):
                shape = getattr(shape, "member" if step == "[]" else "value", None)
        if shape is not None:
            return shape
    raise BadConfiguration(f"botocore {VERSION} knows no {member} in {call}; correct the member.")


def operation_of(call: str) -> Any:
    service, _, operation = call.partition(".")
    model = model_of(service)
    if model is None:
        raise BadConfiguration(f"botocore {VERSION} knows no service {service}; correct {call}.")
    if operation not in model.operation_names:
        raise BadConfiguration(f"botocore {VERSION} knows no {call}; name an operation of {service}.")
    return model.operation_model(operation)


@cache
def model_of(service: str) -> Any:
    """Return the model of a service, which takes a while to read; None for one that botocore does not know."""
    loader = botocore.session.get_session()
    return loader.get_service_model(service) if service in loader.get_available_services() else None


def parts_of(shape: Any, of: str = "") -> Iterator[tuple[str, str]]:
    """Walk what a shape says of itself, and of its items or of its keys and values."""
    said = shape.metadata
    if "enum" in said:
        yield f"{of}values", "one of " + ", ".join(said["enum"])
    if "pattern" in said:
        yield f"{of}pattern", f"matches {said['pattern']}"
    bounds = bounds_of(shape)
    if shape.type_name in NUMBERS and bounds:
        yield f"{of}range", bounds
    # What may be empty and as long as one likes is not limited.
    elif bounds and bounds != "at least 0":
        yield f"{of}{'items' if shape.type_name in {'list', 'map'} else 'length'}", bounds
    if shape.type_name == "list":
        yield from parts_of(shape.member, f"{of}item ")
    elif shape.type_name == "map":
        yield from parts_of(shape.key, f"{of}key ")
        yield from parts_of(shape.value, f"{of}value ")


def bounds_of(shape: Any) -> str:
    said: Mapping[str, Any] = shape.metadata
    named = NAMED_LENGTH.search(shape.name) if shape.type_name == "string" else None
    least, most = said.get("min"), said.get("max")
    if named:
        least, most = int(named[1]), int(named[2]) * (1024 if named[3] else 1)
    if most is None:
        return "" if least is None else f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"

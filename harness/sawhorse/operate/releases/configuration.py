"""Compare the configuration of a version with what the last apply gave the function; no value of a variable is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# What Terraform calls an argument, and Lambda's field for it.
PLAIN = {
    "memory_size": "MemorySize",
    "timeout": "Timeout",
    "handler": "Handler",
    "runtime": "Runtime",
    "role": "Role",
    "architectures": "Architectures",
}


def differing_configuration(
    applied: Mapping[str, Any], live: Mapping[str, Any], code: Mapping[str, Any]
) -> Iterator[str]:
    """Walk what of a version is not as it was applied, each in a sentence."""
    for argument, field in PLAIN.items():
        wanted, found = applied.get(argument) or None, live.get(field) or None
        if wanted != found:
            yield f"{argument} is {said(found)}, and was applied as {said(wanted)}"
    layers = [layer["Arn"] for layer in live.get("Layers") or ()]
    wanted_layers = list(applied.get("layers") or ())
    if layers != wanted_layers:
        yield f"layers are {said(', '.join(layers))}, and were applied as {said(', '.join(wanted_layers))}"
    yield from differing_variables(variables_of(applied), (live.get("Environment") or {}).get("Variables") or {})
    image = applied.get("image_uri") or None
    if image and code.get("ImageUri") not in {image, None}:
        yield f"image_uri is {code['ImageUri']}, and was applied as {image}"


def differing_variables(applied: Mapping[str, str], live: Mapping[str, str]) -> Iterator[str]:
    """Name the variables that differ, and never what they hold."""
    for name in sorted({*applied, *live}):
        if name not in applied:
            yield f"environment has {name}, which was not applied"
        elif name not in live:
            yield f"environment lacks {name}, which was applied"
        elif applied[name] != live[name]:
            yield f"environment has another value of {name} than was applied"


def variables_of(applied: Mapping[str, Any]) -> Mapping[str, str]:
    blocks = applied.get("environment") or [{}]
    variables: Mapping[str, str] = blocks[0].get("variables") or {}
    return variables


def said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in {None, ""} else str(value)

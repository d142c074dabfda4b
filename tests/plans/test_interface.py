"""Variables of modules are called what the provider calls them, and all that takes tags takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sawhorse.hcl import Block, read_hcl
from sawhorse.toolchain.provider_record import read_records
from tests.projects import REPOSITORY

MODULES = sorted(path.parent for path in (REPOSITORY / "modules").glob("*/main.tf"))
HANDED_OVER = re.compile(r"(?:var|[a-z_]+\.value)\.(?:[\w.]+\.)?(\w+)(?:\[\*\])?")
# An argument, the variable that it takes as it is, and why they have two names.
OTHERWISE = {
    ("threshold", "throttles"): "an alarm has one threshold, and a module many alarms",
    ("alarm_actions", "alarm_topics"): "one variable for what is told of an alarm and of its end",
    ("ok_actions", "alarm_topics"): "one variable for what is told of an alarm and of its end",
    ("enabled", "point_in_time_recovery_enabled"): "the block's name is in the variable's",
    ("size", "ephemeral_storage_size"): "the block's name is in the variable's",
    ("throttling_burst_limit", "burst_limit"): "the object is called throttling",
    ("throttling_rate_limit", "rate_limit"): "the object is called throttling",
    ("integration_uri", "invoke_arn"): "as lambda_function calls its output",
    ("uri", "invoke_arn"): "as lambda_function calls its output",
    ("destination_arn", "arn"): "the object is what the logs go to",
    ("destination", "arn"): "the object is where a call goes",
    ("function_name", "name"): "of the function, its role and its log group",
    ("layer_name", "name"): "every module has a name",
    ("dashboard_name", "name"): "of the dashboard, and of the topic",
    ("policy", "boundary"): "one of the module's policies is the boundary",
    ("endpoint", "email"): "what the protocol email takes",
    ("source_code_hash", "content_sha256"): "of the content, as the manifest calls it",
    ("event_source_arn", "arn"): "the object is the queue",
    ("insecure_value", "initial"): "written once, and never set back",
    ("insecure_value", "value"): "a plain parameter has no other value",
    ("message_retention_seconds", "dead_letter_message_retention_seconds"): "of the second queue",
}


def handed_over(block: Block) -> Iterator[tuple[str, str]]:
    """Walk the arguments that take a variable, or a part of one, as it is: its name and the variable's last."""
    # Where a local value stands for each, its names are the module's own.
    ours = any(argument.name == "for_each" and argument.expression.startswith("var.") for argument in block.arguments)
    for argument in block.arguments:
        taken = HANDED_OVER.fullmatch(argument.expression)
        if taken and argument.name != "for_each" and (ours or not argument.expression.startswith("each.")):
            yield argument.name, taken[1]
    for inner in block.blocks:
        if inner.type != "lifecycle":
            yield from handed_over(inner)


def resources() -> list[Block]:
    return [
        block
        for module in MODULES
        for path in sorted(module.glob("*.tf"))
        for block in read_hcl(path.read_text(), str(path)).blocks
        if block.type == "resource"
    ]


def test_a_variable_is_called_what_the_provider_calls_it() -> None:
    pairs = {pair for block in resources() for pair in handed_over(block)}
    same = {argument for argument, variable in pairs if argument == variable}
    assert {"memory_size", "timeout", "visibility_timeout_seconds", "hash_key", "retention_in_days", "tags"} <= same
    assert {pair for pair in pairs if pair[0] != pair[1]} == set(OTHERWISE)


def test_whatever_takes_tags_takes_those_of_the_module() -> None:
    [executed, _] = read_records()
    taking = {kind for kind, schema in executed.types.items() if "tags" in schema.optional}
    found = {
        (*block.labels, argument.expression)
        for block in resources()
        if block.labels[0] in taking
        for argument in block.arguments
        if argument.name == "tags"
    }
    assert len(found) > len(taking)
    assert found == {(*block.labels, "var.tags") for block in resources() if block.labels[0] in taking}

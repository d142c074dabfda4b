"""Look at what others gave a function: who may call it, what calls it, where its alias points."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sawhorse.operate.drift.finding import Asked, Finding, number, unless_gone
from sawhorse.operate.releases.applied import AppliedFunction, applied_functions, name_of


def foreign_of_functions(asked: Asked) -> Iterator[Finding]:
    """Walk what a plan does not see of each function."""
    client = asked.client("lambda")
    for function in applied_functions(asked.state):
        with unless_gone():
            pages = client.get_paginator("list_aliases").paginate(FunctionName=function.name)
            aliases = {alias["Name"]: alias for page in pages for alias in page["Aliases"]}
            yield from foreign_aliases(asked, function, aliases)
            yield from foreign_permissions(asked, function, aliases)
            yield from foreign_urls(asked, function)
            yield from foreign_mappings(asked, function)
            yield from foreign_async(asked, function)
            yield from foreign_workers(asked, function)


def qualified(asked: Asked, kind: str, function: AppliedFunction) -> list[Mapping[str, Any]]:
    """Return the resources of a type that belong to a function."""
    return [values for _, values in asked.known(kind) if name_of(values["function_name"]) == function.name]


def foreign_aliases(asked: Asked, function: AppliedFunction, aliases: Mapping[str, Any]) -> Iterator[Finding]:
    """Walk aliases that no apply made."""
    known = {values["name"] for values in qualified(asked, "aws_lambda_alias", function)}
    for name, alias in aliases.items():
        if name not in known:
            sentence = f"{function.name} has an alias {name} of version {alias['FunctionVersion']}, which no apply made"
            fix = f"take it away: aws lambda delete-alias --function-name {function.name} --name {name}"
            yield Finding("alias", function.address, sentence, fix)


def foreign_permissions(asked: Asked, function: AppliedFunction, aliases: Mapping[str, Any]) -> Iterator[Finding]:
    """Walk the statements of the policies of a function, its aliases and its versions that no apply added."""
    client = asked.client("lambda")
    known = {
        (values["qualifier"] or "", values["statement_id"])
        for values in qualified(asked, "aws_lambda_permission", function)
    }
    versions = {function.version, *(alias["FunctionVersion"] for alias in aliases.values())}
    for qualifier in ["", *aliases, *sorted(versions)]:
        options = {"Qualifier": qualifier} if qualifier else {}
        with unless_gone():
            policy = json.loads(client.get_policy(FunctionName=function.name, **options)["Policy"])
            arn = f"{function.values['arn']}{qualifier and ':'}{qualifier}"
            for statement in policy["Statement"]:
                # That of the function may be told with those of its aliases.
                if (qualifier, statement["Sid"]) in known or statement["Resource"] != arn:
                    continue
                of = f"{function.name}{qualifier and ':'}{qualifier}"
                who = json.dumps(statement["Principal"])
                sentence = f"{who} may {statement['Action']} {of} by {statement['Sid']}, which no apply added"
                words = f"--function-name {function.name}{qualifier and f' --qualifier {qualifier}'}"
                fix = f"take it away: aws lambda remove-permission {words} --statement-id {statement['Sid']}"
                yield Finding("permission", function.address, sentence, fix)


def foreign_urls(asked: Asked, function: AppliedFunction) -> Iterator[Finding]:
    """Walk the function URLs that no apply made."""
    known = {values["qualifier"] or "" for values in qualified(asked, "aws_lambda_function_url", function)}
    pages = asked.client("lambda").get_paginator("list_function_url_configs").paginate(FunctionName=function.name)
    for url in (url for page in pages for url in page["FunctionUrlConfigs"]):
        qualifier = qualifier_of(url["FunctionArn"])
        if qualifier not in known:
            words = f"--function-name {function.name}{qualifier and f' --qualifier {qualifier}'}"
            sentence = (
                f"{function.name} has a function URL ({url['AuthType']}) which no apply made: {url['FunctionUrl']}"
            )
            fix = f"take it away: aws lambda delete-function-url-config {words}"
            yield Finding("url", function.address, sentence, fix)


def foreign_mappings(asked: Asked, function: AppliedFunction) -> Iterator[Finding]:
    """Walk the event sources of a function that no apply made."""
    known = {values["uuid"] for _, values in asked.known("aws_lambda_event_source_mapping")}
    pages = asked.client("lambda").get_paginator("list_event_source_mappings").paginate(FunctionName=function.name)
    for mapping in (mapping for page in pages for mapping in page["EventSourceMappings"]):
        if mapping["UUID"] not in known:
            source = mapping.get("EventSourceArn", "an event source")
            sentence = f"{function.name} gets the events of {source} ({mapping['State']}), which no apply asked for"
            fix = f"take it away: aws lambda delete-event-source-mapping --uuid {mapping['UUID']}"
            yield Finding("event source", function.address, sentence, fix)


def foreign_async(asked: Asked, function: AppliedFunction) -> Iterator[Finding]:
    """Walk where results and failures of asynchronous calls go that no apply said."""
    known = {
        values["qualifier"] or "" for values in qualified(asked, "aws_lambda_function_event_invoke_config", function)
    }
    client = asked.client("lambda")
    pages = client.get_paginator("list_function_event_invoke_configs").paginate(FunctionName=function.name)
    for config in (config for page in pages for config in page["FunctionEventInvokeConfigs"]):
        qualifier = qualifier_of(config["FunctionArn"])
        if qualifier not in known:
            of = f"{function.name}{qualifier and ':'}{qualifier}"
            sentence = f"{of} has settings of asynchronous calls which no apply made"
            words = f"--function-name {function.name}{qualifier and f' --qualifier {qualifier}'}"
            fix = f"take them away: aws lambda delete-function-event-invoke-config {words}"
            yield Finding("asynchronous calls", function.address, sentence, fix)


def foreign_workers(asked: Asked, function: AppliedFunction) -> Iterator[Finding]:
    """Walk the provisioned concurrency that no apply asked for, which is paid by the hour."""
    known = {values["qualifier"] for values in qualified(asked, "aws_lambda_provisioned_concurrency_config", function)}
    client = asked.client("lambda")
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=function.name)
    for config in (config for page in pages for config in page["ProvisionedConcurrencyConfigs"]):
        qualifier = qualifier_of(config["FunctionArn"])
        if qualifier not in known:
            kept = number(config["RequestedProvisionedConcurrentExecutions"], "worker")
            sentence = f"{function.name}:{qualifier} keeps {kept} warm, which no apply asked for"
            words = f"--function-name {function.name} --qualifier {qualifier}"
            fix = f"end that: aws lambda delete-provisioned-concurrency-config {words}"
            yield Finding("provisioned concurrency", function.address, sentence, fix)


def qualifier_of(arn: str) -> str:
    """Return the version or the alias of a function's ARN, empty for the function itself."""
    parts = arn.split(":")
    found = parts[7] if len(parts) > 7 else ""  # noqa: PLR2004 # arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME
    return "" if found == "$LATEST" else found

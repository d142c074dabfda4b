"""Let the emulator refuse what AWS refuses and no plan can know: it depends on what is there already.

Imported by the emulator's own process, so it needs the standard library alone. Each refusal has a contract in
`tests/contracts`, which says when an upgrade of MiniStack makes it needless.
"""

from typing import Any


def refuse_as_aws_does(functions: Any, tables: Any) -> None:
    """Change the emulator's modules; there is no other place between a call and what it does."""
    refuse_aliases_of_no_version(functions)
    refuse_another_attribute_of_time_to_live(tables)


def refuse_aliases_of_no_version(service: Any) -> None:
    """Refuse an alias of a version that is not published; MiniStack 1.5.33 makes one, and it responds."""
    create, update = service._create_alias, service._update_alias

    def refusal(function: str, asked: dict[str, Any]) -> Any:
        found = service._functions.get(function)
        weights = (asked.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        wanted = [*weights, *([asked["FunctionVersion"]] if "FunctionVersion" in asked else [])]
        missing = (
            [version for version in wanted if version != "$LATEST" and version not in found["versions"]]
            if found
            else []
        )
        if not missing:
            return None
        place = f"{service._func_arn(function)}:{missing[0]}"
        return service.error_response_json("ResourceNotFoundException", f"Function not found: {place}", 404)

    def create_alias(function: str, asked: dict[str, Any]) -> Any:
        return refusal(function, asked) or create(function, asked)

    def update_alias(function: str, alias: str, asked: dict[str, Any]) -> Any:
        return refusal(function, asked) or update(function, alias, asked)

    service._create_alias = create_alias
    service._update_alias = update_alias


def refuse_another_attribute_of_time_to_live(service: Any) -> None:
    """Refuse to change the attribute while one is in use: https://github.com/aws/aws-cdk/issues/13106.

    MiniStack 1.5.33 takes the new one at once.
    """
    update = service._update_ttl

    def update_ttl(asked: dict[str, Any]) -> Any:
        setting = service._ttl_settings.get(service._normalize_table_name(asked.get("TableName"))) or {}
        wanted, current = asked.get("TimeToLiveSpecification", {}), setting.get("AttributeName")
        if setting.get("TimeToLiveStatus") == "ENABLED" and wanted.get("AttributeName") != current:
            sentence = f"TimeToLive is active on a different AttributeName: current AttributeName is {current}"
            return service.error_response_json("ValidationException", sentence, 400)
        return update(asked)

    service._update_ttl = update_ttl

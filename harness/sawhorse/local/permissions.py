"""Let the emulator ask IAM for what AWS asks about a call, as `permission_calls` says.

Imported by the emulator's own process, so it needs the standard library alone. Contracts in
`tests/contracts/test_emulated_permissions.py` and `test_emulated_grants.py` say when an upgrade of MiniStack makes it
needless.
"""

from contextvars import ContextVar
from typing import Any

from sawhorse.local import permission_rules as rules
from sawhorse.local.permission_calls import (
    Call,
    Check,
    Route,
    asked_with,
    asked_with_an_object,
    given_by,
    route_of,
    routes_of,
    tags_of_the_whole,
)

# MiniStack's services that have their operations in paths, and botocore's models of them.
REST = {"lambda": ("lambda",), "apigateway": ("apigateway", "apigatewayv2"), "scheduler": ("scheduler",)}

# The call that is being judged, what is still to be asked for it, and what was refused of it.
_CALL: ContextVar[Call | None] = ContextVar("call", default=None)
_LEFT: ContextVar[tuple[Check, ...]] = ContextVar("left", default=())
_REFUSED: ContextVar[Check | None] = ContextVar("refused", default=None)


def ask_as_aws_does(actions: Any, evaluator: Any, places: Any, s3: Any) -> None:
    """Change the emulator's modules; there is no other place between a call and its judgement.

    `actions` and `evaluator` are MiniStack's `core.iam_actions` and `core.iam_evaluator`, `places` is its
    `core.responses`, which knows the account and the region of a call, and `s3` its service of that name.
    """
    find_the_action(actions, places, s3)
    ask_all_of_it(evaluator)
    say_what_was_refused(actions)


def find_the_action(actions: Any, places: Any, s3: Any) -> None:
    """Ask each call's own action. MiniStack 1.5.33 takes UpdateAlias for ListAliases, and asks nothing for others."""
    extract_action, extract_resource, tags = (
        actions.extract_iam_action,
        actions.extract_resource_arn,
        actions.request_tag_context,
    )
    routes: dict[str, list[Route]] = {}

    def rest_operation(service: str, method: str, path: str, query: Any) -> tuple[str, dict[str, str]]:
        if service not in routes:
            models = [actions._load_botocore_model(name) for name in REST.get(service, ())]
            routes[service] = [route for model in models for route in routes_of(model)]
        return route_of(routes[service], method, path, query)

    def iam_action(service: str, *request: Any) -> str | None:
        method, path, headers, body, query = request
        _CALL.set(None)
        _LEFT.set(())
        asked: str | None = extract_action(service, *request)
        operation, labels = rest_operation(service, method, path, query)
        operation = operation or (asked or "").rpartition(":")[2]
        if service == "s3":
            resource = str(extract_resource(service, *request, "", ""))
            _LEFT.set(tuple(asked_with_an_object(asked or "", resource, headers, s3._buckets)))
        if not operation or service not in {*rules.NAMES, *rules.PASSED_TO}:
            return asked
        call = Call(service, operation, given_by(query, body, labels), places.get_region(), places.get_account_id())
        _CALL.set(call)
        own = call.checks if service in rules.NAMES else [Check(asked or "", "*", {}), *asked_with(call, "*")]
        _LEFT.set(tuple(own[1:]))
        return own[0].action or None

    def resource_arn(service: str, *rest: Any) -> str:
        call = _CALL.get()
        if call is None or call.service != service or service not in rules.NAMES:
            return str(extract_resource(service, *rest))
        return call.checks[0].resource

    def request_tag_context(service: str, asked: str, body: bytes, query: Any) -> dict[str, Any]:
        call = _CALL.get()
        if call is None or call.service != service:
            return dict(tags(service, asked, body, query))
        return {**tags(service, f"{service}:{call.operation}", body, query), **call.context}

    actions.extract_iam_action = iam_action
    actions.extract_resource_arn = resource_arn
    actions.request_tag_context = request_tag_context


def ask_all_of_it(evaluator: Any) -> None:
    """Ask what goes with a call once its own action is granted; MiniStack 1.5.33 asks nothing besides."""
    enforce = evaluator.enforce

    def enforce_all(key: str, action: str, service: str, region: str, **named: Any) -> Any:
        left = _LEFT.get()
        _LEFT.set(())
        asked = Check(action, named.get("resource_arn", "*"), {})
        own = {**tags_of_the_whole(asked.resource), **(named.get("service_context") or {})}
        denied = enforce(key, action, service, region, **{**named, "service_context": own})
        for check in () if denied else left:
            asked = check
            context = {**own, **check.context}
            denied = enforce(key, check.action, service, region, resource_arn=check.resource, service_context=context)
            if denied:
                break
        _REFUSED.set(asked if denied else None)
        return denied

    evaluator.enforce = enforce_all


def say_what_was_refused(actions: Any) -> None:
    """Name in a refusal the action and the resource that were refused, as AWS does and MiniStack 1.5.33 seldom."""
    respond = actions.access_denied_response

    def access_denied(service: str, action: str, principal: str, request_id: str, **named: Any) -> Any:
        refused = _REFUSED.get()
        if refused and not named.get("error_code") and not named.get("message"):
            explicit = bool(named.get("explicit_deny"))
            if not (explicit and named.get("resource_policy_arn")):
                spelled = {"sqs": refused.action.lower(), "sns": refused.action.replace("sns:", "SNS:", 1)}
                resource = f'"{refused.resource}"' if refused.action.startswith("s3:") else refused.resource
                named["message"] = refused.message or actions.identity_denial_message(
                    spelled.get(service, refused.action), principal, resource, explicit
                )
            action, named["resource_arn"] = refused.action, refused.resource
        return respond(service, action, principal, request_id, **named)

    actions.access_denied_response = access_denied

"""Let the emulator's API Gateway and function URLs do as AWS's do: with failures, slashes, bytes and binary types.

Imported by the emulator's own process, so it needs the standard library alone. Each addition has a contract in
`tests/contracts/test_emulated_responses.py`, which says when an upgrade of MiniStack makes it needless.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

# A status, headers and a body, or what the emulator makes a gateway response of.
Response = Any
JSON = {"Content-Type": "application/json"}
BAD_GATEWAY = 502
SERVER_ERROR = 500

# Whether the function that was called for this request failed, and whether the request's path ends with a slash.
_FAILED: ContextVar[bool] = ContextVar("failed", default=False)
_ENDS_WITH_SLASH: ContextVar[bool] = ContextVar("ends_with_slash", default=False)


def do_as_aws_does(server: Any, rest: Any, http: Any, functions: Any) -> None:
    """Change the emulator's modules; there is no other place between a request and its response."""
    respond_to_failures(rest, http, functions)
    keep_the_slash_at_the_end(server)
    take_json_where_no_type_is_named(rest)
    change_binary_types_one_by_one(rest)


def respond_to_failures(rest: Any, http: Any, functions: Any) -> None:
    """Keep the text of a function's error from callers; MiniStack 1.5.33 sends it to them, with status 502.

    AWS's REST APIs respond with the gateway response DEFAULT_5XX and 502
    (https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html), HTTP APIs with 500
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html), and function
    URLs with 502 and plain text (https://github.com/awsdocs/aws-lambda-developer-guide/issues/430).
    """
    shape = functions.lambda_execute_result_to_api_proxy_response
    render = rest._gateway_error_response

    def noticing(result: dict[str, Any]) -> Any:
        _FAILED.set(bool(result.get("error")))
        return shape(result)

    class FunctionFailed(rest._GatewayError):  # type: ignore[misc] # a class of the emulator
        """What the emulator makes a gateway response of."""

    def rendered(error: Any, request: Any) -> Response:
        status, headers, body = render(error, request)
        # What DEFAULT_5XX says of no status of its own is that of the error.
        own = isinstance(error, FunctionFailed) and status == SERVER_ERROR
        return BAD_GATEWAY if own else status, headers, body

    def by_rest_api(_response: Response) -> Response:
        return FunctionFailed("DEFAULT_5XX", "Internal server error")

    def by_http_api(_response: Response) -> Response:
        return SERVER_ERROR, dict(JSON), b'{"message":"Internal Server Error"}'

    def by_function_url(response: Response) -> Response:
        headers = {name: value for name, value in response[1].items() if name.lower() != "content-type"}
        return BAD_GATEWAY, {**headers, "Content-Type": "text/plain"}, b"Internal Server Error"

    functions.lambda_execute_result_to_api_proxy_response = noticing
    rest._gateway_error_response = rendered
    _replace(rest, "_invoke_lambda_proxy_v1", by_rest_api)
    _replace(http, "_invoke_lambda_proxy", by_http_api)
    _replace(functions, "handle_function_url_request", by_function_url)


def _replace(module: Any, name: str, failed: Callable[[Response], Response]) -> None:
    """Let a module's function respond otherwise when the function that it calls failed."""
    invoke: Callable[..., Awaitable[Response]] = getattr(module, name)

    async def invoke_or_fail(*of: Any, **options: Any) -> Response:
        _FAILED.set(False)
        response = await invoke(*of, **options)
        return failed(response) if _FAILED.get() else response

    setattr(module, name, invoke_or_fail)


def keep_the_slash_at_the_end(server: Any) -> None:
    """Leave a slash at the end of a path of one part, as AWS does: `/CODE/` is not `/CODE`.

    MiniStack 1.5.33 takes the first part for a stage, and loses the slash behind it when it is none
    (https://github.com/floci-io/floci/issues/2136 tells what AWS does).
    """
    handle, resolve = server._handle_execute_api_request, server._resolve_stage_and_path

    async def handle_request(host: str, path: str, *of: Any, **options: Any) -> Response:
        _ENDS_WITH_SLASH.set(path.endswith("/"))
        return await handle(host, path, *of, **options)

    def resolved(api_id: str, tentative: str, path: str) -> tuple[str, str]:
        stage, whole = resolve(api_id, tentative, path)
        return stage, whole if whole.endswith("/") or not _ENDS_WITH_SLASH.get() else f"{whole}/"

    server._handle_execute_api_request = handle_request
    server._resolve_stage_and_path = resolved


def take_json_where_no_type_is_named(rest: Any) -> None:
    """Take a body without a Content-Type for JSON, as REST APIs do, and so for bytes where `*/*` is a binary type.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    """
    matches = rest._media_type_matches
    rest._media_type_matches = lambda given, types: matches(given or "application/json", types)


def change_binary_types_one_by_one(rest: Any) -> None:
    """Let UpdateRestApi add and remove a binary type; MiniStack 1.5.33 writes a mapping over their list.

    https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
    """
    apply = rest._apply_patch

    def applied(changed: Any, operations: list[dict[str, Any]]) -> Any:
        others = []
        for operation in operations:
            of, _, kind = operation.get("path", "").removeprefix("/").partition("/")
            if of != "binaryMediaTypes" or not kind:
                others.append(operation)
                continue
            kind = kind.replace("~1", "/").replace("~0", "~")
            kept = [one for one in changed.get("binaryMediaTypes") or [] if one != kind]
            changed["binaryMediaTypes"] = kept if operation.get("op") == "remove" else [*kept, kind]
        return apply(changed, others)

    rest._apply_patch = applied

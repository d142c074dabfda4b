"""Let the emulator's Lambda hand out a version's own code, try an upload without doing it, and publish what was meant.

Imported by the emulator's own process, so it needs the standard library alone. Each addition has a contract in
`tests/contracts/test_emulated_versions.py`, which says when an upgrade of MiniStack makes it needless.
"""

import base64
import hashlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

# A status, headers and a body.
Response = tuple[int, dict[str, str], bytes]
NOT_FOUND: Response = (404, {"Content-Type": "text/plain"}, b"Function not found")
BAD_REQUEST = 400

# The version that is asked for, empty for $LATEST.
_VERSION: ContextVar[str] = ContextVar("version", default="")


def do_as_lambda_does(functions: Any) -> None:
    """Change the emulator's module of Lambda; there is no other place between a call and what it does."""
    hand_out_the_code_of_a_version(functions)
    try_an_upload_without_doing_it(functions)
    publish_only_what_was_meant(functions)


def hand_out_the_code_of_a_version(functions: Any) -> None:
    """Let GetFunction's download be the code of the version that was asked for, by number or by an alias.

    MiniStack 1.5.33 hands out the newest code whatever was asked for.
    """
    get, address_of, serve = functions._get_function, functions._presigned_code_url, functions.serve_function_code

    def get_function(name: str, qualifier: str | None = None) -> Response:
        _, configuration = functions._get_func_record_for_qualifier(name, qualifier)
        version = (configuration or {}).get("Version", "")
        token = _VERSION.set(version if version.isdigit() else "")
        try:
            found: Response = get(name, qualifier)
            return found
        finally:
            _VERSION.reset(token)

    def address(name: str) -> str:
        before, query = str(address_of(name)).split("?", 1)
        return f"{before}:{_VERSION.get()}?{query}" if _VERSION.get() else f"{before}?{query}"

    def serve_code(name: str, account_id: str | None = None, region: str | None = None) -> Response:
        name, _, version = name.partition(":")
        if not version:
            latest: Response = serve(name, account_id, region)
            return latest
        function = functions._functions.get_scoped(account_id, region, name) or {}
        published = function.get("versions", {}).get(version)
        if published is None:
            return NOT_FOUND
        return 200, {"Content-Type": "application/zip"}, published.get("code_zip") or b""

    functions._get_function = get_function
    functions._presigned_code_url = address
    functions.serve_function_code = serve_code


def try_an_upload_without_doing_it(functions: Any) -> None:
    """Let UpdateFunctionCode with DryRun check what is uploaded, respond with its hash, and change nothing.

    MiniStack 1.5.33 deploys it. https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    update: Callable[[str, dict[str, Any]], Response] = functions._update_code

    def update_code(name: str, data: dict[str, Any]) -> Response:
        if not data.get("DryRun") or name not in functions._functions:
            return update(name, data)
        configuration = functions._functions[name]["config"]
        code = uploaded(functions, data)
        refused: Response | None = functions._check_revision(configuration, data)
        refused = refused or functions._reject_unreadable_zip(code)
        refused = refused or functions._validate_total_unzipped_size(code, configuration.get("Layers"))
        if refused is not None:
            return refused
        would = {} if code is None else {"CodeSize": len(code), "CodeSha256": hash_of(code)}
        response: Response = functions.json_response({**configuration, **would})
        return response

    functions._update_code = update_code


def uploaded(functions: Any, data: dict[str, Any]) -> bytes | None:
    if "ZipFile" in data:
        return base64.b64decode(data["ZipFile"])
    if "S3Bucket" not in data or "S3Key" not in data:
        return None
    code: bytes | None = functions._fetch_code_from_s3(
        data["S3Bucket"], data["S3Key"], version_id=data.get("S3ObjectVersion")
    )
    return code


def hash_of(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def publish_only_what_was_meant(functions: Any) -> None:
    """Let PublishVersion refuse where $LATEST is not the code, or the revision, that the caller names.

    MiniStack 1.5.33 publishes whatever is there. https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    publish: Callable[[str, dict[str, Any]], Response] = functions._publish_version

    def publish_version(name: str, data: dict[str, Any]) -> Response:
        if name not in functions._functions:
            return publish(name, data)
        configuration = functions._functions[name]["config"]
        refused: Response | None = functions._check_revision(configuration, data)
        if refused is not None:
            return refused
        meant, current = data.get("CodeSha256"), configuration.get("CodeSha256", "")
        if meant and meant != current:
            response: Response = functions.error_response_json(
                "InvalidParameterValueException",
                f"CodeSHA256 ({meant}) is different from current CodeSHA256 in $LATEST ({current}). "
                "Please try again with the CodeSHA256 in $LATEST.",
                BAD_REQUEST,
            )
            return response
        return publish(name, data)

    functions._publish_version = publish_version

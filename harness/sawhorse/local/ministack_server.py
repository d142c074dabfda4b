"""Start MiniStack behind a guard, with its own libraries out of the functions' sight, and what it lacks of AWS added.

Run as `ministack_server.py LIBRARIES SECRETS SOCKET FUNCTIONS ISSUER`. Functions run under the interpreter that runs
this, so its site-packages hold only what Lambda has. MiniStack lies in the directory LIBRARIES, which this process
imports from and its children do not know. SECRETS is the file of this start, SOCKET the number of the socket to listen
on, FUNCTIONS the directory that functions take for their home and their temporary files, and ISSUER the directory of
the public documents of the issuer of tokens.
"""

import asyncio
import contextlib
import os
import re
import resource
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sawhorse.local.guard import Guard, Secrets

# As ASGI calls them.
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

NO_CONTENT = 204
BAD_REQUEST = 400
# An SDK tries again within seconds; no client of the local AWS makes as many calls meanwhile.
CALLS_KEPT = 256
KEEP_ALIVE_SECONDS = 75


def main() -> None:
    libraries, secrets_file, number, functions, issuer = sys.argv[1:]
    # This file's directory is no place to import from.
    sys.path[:1] = [libraries]
    with importing_the_harness():
        from sawhorse.local import guard as guarding  # it can be imported only now
        from sawhorse.local.api_gateway import do_as_aws_does
        from sawhorse.local.api_tags import judge_apis_by_their_tags
        from sawhorse.local.decisions import RECORD, record_decisions
        from sawhorse.local.described import describe_as_aws_does
        from sawhorse.local.function_versions import do_as_lambda_does
        from sawhorse.local.permissions import ask_as_aws_does
        from sawhorse.local.refusals import refuse_as_aws_does
        from sawhorse.local.web_identities import check_web_identities
    held = guarding.Secrets.of(Path(secrets_file))
    # MiniStack looks there for the secret of accounts; set here, it is in no list of processes.
    os.environ["AWS_SECRET_ACCESS_KEY"] = held.secret_access_key
    from ministack import app as server
    from ministack.core import iam_actions, iam_evaluator, lambda_runtime, responses
    from ministack.services import apigateway, apigateway_v1, dynamodb, iam, lambda_svc, s3, sts, tagging

    find_apis_of_every_account(apigateway_v1, "_rest_apis")
    find_apis_of_every_account(apigateway, "_apis")
    refuse_code_that_is_not_in_its_bucket(lambda_svc)
    forget_the_settings_of_one_route(apigateway)
    give_functions_secrets_that_nobody_guesses(held, lambda_runtime, lambda_svc)
    let_functions_inherit_nothing(Path(functions), lambda_runtime, lambda_svc)
    make_sessions_that_moto_knows(held, sts)
    judge_apis_by_their_tags(tagging, apigateway_v1, apigateway)
    record_decisions(iam_evaluator, responses, Path(functions).with_name(RECORD))
    let_unsigned_calls_reach_apis_alone(guarding, server, sts)
    do_as_aws_does(server, apigateway_v1, apigateway, lambda_svc)
    do_as_lambda_does(lambda_svc)
    refuse_as_aws_does(lambda_svc, dynamodb)
    describe_as_aws_does(dynamodb, apigateway_v1, lambda_svc)
    ask_as_aws_does(iam_actions, iam_evaluator, responses, s3)
    check_web_identities(sts, iam, apigateway, Path(issuer))
    listener = socket.socket(fileno=int(number))
    guard = guarding.Guard(
        "ministack",
        listener.getsockname()[1],
        held,
        secret_of=secrets_of(held),
        apis=api_addresses(server),
        web_identities=True,
    )
    sign_downloads(guard, lambda_svc)
    serve(guarding.guarded(repeat_responses_to_retries(server.app), guard), listener)


@contextlib.contextmanager
def importing_the_harness() -> Iterator[None]:
    """Let this process import the harness's own modules for a moment; functions never do."""
    project = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, project)
    try:
        yield
    finally:
        sys.path.remove(project)


def serve(app: Application, listener: socket.socket) -> None:
    """Serve on a socket that listens already, until the process is told to end."""
    from hypercorn.asyncio import serve as serve_forever  # one of MiniStack's libraries
    from hypercorn.config import Config

    with contextlib.suppress(ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    asyncio.run(serve_forever(app, config))


def api_addresses(server: Any) -> Callable[[str], bool]:
    """Return what says of a path whether it is an API's or a function URL's own, as MiniStack itself reads it."""

    def is_api(path: str) -> bool:
        return bool(server._parse_execute_api_url("", path) or server._parse_lambda_url("", path))

    return is_api


def let_unsigned_calls_reach_apis_alone(guarding: Any, server: Any, tokens: Any) -> None:
    """Refuse what came unsigned to an API's address once MiniStack takes it for a call of a service.

    MiniStack does so with paths that name no API or function that there is, and would let that call act as the
    account's root. A call that a token proves, as the guard has seen, goes to STS (`tokens`) whatever else it says. A
    presigned URL of S3 is signed for S3 and reaches nothing else, whatever its body or its headers say.
    """
    dispatch, detect = server._dispatch_service_request, server.detect_service

    async def dispatch_signed(*call: Any) -> Any:
        method, path, headers, body, *_ = call
        if guarding.UNSIGNED_CALL.get() and (method, path) == ("POST", "/"):
            form = {"content-type": guarding.FORM, "host": headers.get("host", "")}
            return await tokens.handle_request(method, path, form, body, {})
        if guarding.UNSIGNED_CALL.get():
            return 404, {"Content-Type": "application/json"}, b'{"message":"Not Found"}'
        return await dispatch(*call)

    def detect_signed(*call: Any) -> Any:
        served = guarding.SERVED.get()
        return "s3" if served and served.claim.presigned and served.claim.service == "s3" else detect(*call)

    server._dispatch_service_request = dispatch_signed
    server.detect_service = detect_signed


def secrets_of(held: "Secrets") -> Callable[[str, str], str | None]:
    """Return what gives the secret of an access key: of an account's root, or of what MiniStack issued."""
    from ministack.core import iam_evaluator, responses

    def secret_of(access_key: str, token: str) -> str | None:
        if re.fullmatch("[0-9]{12}", access_key, re.ASCII):
            return None if token else held.secret_access_key
        if iam_evaluator.is_root_access_key(access_key):
            return None
        with contextlib.suppress(iam_evaluator.AmbiguousAccessKeyError):
            account = responses._account_from_sts_session(access_key)
            account = account or iam_evaluator.find_iam_access_key_account(access_key)
            found = iam_evaluator.resolve_credential(access_key, account, token) if account else None
            return getattr(found, "secret_access_key", None)
        return None

    return secret_of


def give_functions_secrets_that_nobody_guesses(held: "Secrets", runtime: Any, service: Any) -> None:
    """Make a function's temporary credentials from this start's secret.

    MiniStack 1.5.33 makes them from the names of the function and its role, which anybody can know.
    """

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        from ministack.services import sts

        account, _region = runtime._account_region_from_function_config(config)
        role = config.get("Role", "")
        names = (config.get("FunctionArn", ""), role)
        access_key = f"ASIA{held.derived('access key', *names)[:16].upper()}"
        secret, token = held.derived("secret access key", *names), held.derived("session token", *names)
        session = f"{role.rsplit('/', 1)[-1]}/{config.get('FunctionName', 'function')[:64]}"
        sts.register_session(
            access_key,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{session}",
                "UserId": session.replace("/", ":"),
                "SecretAccessKey": secret,
                "SessionToken": token,
            },
        )
        return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    runtime.execution_credentials = execution_credentials
    service.execution_credentials = execution_credentials


def make_sessions_that_moto_knows(held: "Secrets", service: Any) -> None:
    """Make the secret and the token of a role's session from its key, so that the guard before moto can check them."""
    made = service._gen_session_access_key
    last: list[str] = [""]

    def access_key() -> str:
        last[0] = made()
        return last[0]

    service._gen_session_access_key = access_key
    # Each is asked for right after the key, with nothing in between.
    service._gen_secret = lambda: held.session_secret(last[0])
    service._gen_session_token = lambda: held.session_token(last[0])


class Inherited(Mapping[str, str]):
    """The environment of this process as functions inherit it: what is listed is theirs, the rest is only looked up."""

    def __init__(self, functions: Path) -> None:
        self.theirs = {"HOME": str(functions), "TMPDIR": str(functions), "LANG": "C.UTF-8", "PATH": os.defpath}

    def __getitem__(self, name: str) -> str:
        return self.theirs[name] if name in self.theirs else os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.theirs)

    def __len__(self) -> int:
        return len(self.theirs)


class OperatingSystem(ModuleType):
    """The module `os`, with another environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__("os")
        self.environ = environ

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def let_functions_inherit_nothing(functions: Path, *modules: Any) -> None:
    """Give functions an environment and a home of their own, with nothing of the user's or of the emulator's."""
    for module in modules:
        module.os = OperatingSystem(Inherited(functions))


def sign_downloads(guard: "Guard", service: Any) -> None:
    """Sign the addresses of a function's or a layer's code, as AWS does, since the guard lets no others in."""
    for name in ("_presigned_code_url", "_layer_content_url"):
        setattr(service, name, signing(guard, getattr(service, name)))


def signing(guard: "Guard", address_of: Callable[..., str]) -> Callable[..., str]:
    def signed(*of: Any) -> str:
        url = address_of(*of)
        return guard.with_ticket(url, unquote(urlsplit(url).path))

    return signed


def repeat_responses_to_retries(app: Application) -> Application:
    """Repeat the response of a call that succeeded to the second attempt at it.

    On loopback a response can come before the AWS provider has noted that its request is sent. It then closes the
    connection unread and tries again, and what it just made would be a conflict. SDKs name the call in both attempts.
    """
    responses: dict[str, list[Message]] = {}

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        call, attempt = headers.get(b"amz-sdk-invocation-id"), headers.get(b"amz-sdk-request", "")
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or not call:
            await app(scope, receive, send)
            return
        if call in responses and not attempt.startswith("attempt=1;"):
            for message in responses[call]:
                await send(message)
            return
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if ended and sent[0]["status"] < BAD_REQUEST:
                responses[call] = sent
                if len(responses) > CALLS_KEPT:
                    del responses[next(iter(responses))]
            await send(message)

        await app(scope, receive, keep)

    return respond


def find_apis_of_every_account(service: Any, store: str) -> None:
    """Let an unsigned call reach an API by its id alone, as in AWS, where the id is the host name.

    MiniStack 1.5.33 looks for it only in the account of the caller's key, and a browser has none.
    """

    def find_api_scope(api_id: str) -> tuple[str, str] | None:
        for (account_id, region, stored_api_id), _ in getattr(service, store).all_items():
            if stored_api_id == api_id:
                return account_id, region
        return None

    service.find_api_scope = find_api_scope


def forget_the_settings_of_one_route(service: Any) -> None:
    """Let DeleteRouteSettings delete the settings of one route of a stage, as in AWS.

    MiniStack 1.5.33 takes it for DeleteStage, and the whole stage is gone.
    """
    handle = service.handle_request

    async def handle_request(method: str, path: str, *rest: Any) -> Any:
        place, found, route_key = path.partition("/routesettings/")
        stage = await handle("GET", place, *rest) if method == "DELETE" and found else None
        if stage is None or stage[0] >= BAD_REQUEST:
            return stage or await handle(method, path, *rest)
        *_, api_id, _, name = unquote(place).strip("/").split("/")
        service._stages[api_id][name]["routeSettings"].pop(unquote(route_key), None)  # nothing else does it
        return NO_CONTENT, {}, b""

    service.handle_request = handle_request


def refuse_code_that_is_not_in_its_bucket(service: Any) -> None:
    """Let Lambda refuse a function or a layer whose zip is not in its bucket, as in AWS.

    MiniStack 1.5.33 makes one without any code. It refuses what cannot be unzipped, and nothing at all cannot.
    """
    fetch = service._fetch_code_from_s3  # there is no other place between S3 and Lambda

    def fetch_or_nothing(bucket: str, key: str, version_id: str | None = None) -> bytes:
        return fetch(bucket, key, version_id=version_id) or b""

    service._fetch_code_from_s3 = fetch_or_nothing


if __name__ == "__main__":
    main()

"""Start MiniStack with its own libraries out of the functions' sight, and with what it lacks of AWS added.

Functions run under the interpreter that runs this, so its site-packages hold only what Lambda has. MiniStack lies in a
directory of its own, given as the first argument, which this process imports from and its children do not know.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# As ASGI calls them.
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BAD_REQUEST = 400
# An SDK tries again within seconds; no client of the local AWS makes as many calls meanwhile.
CALLS_KEPT = 256


def main() -> None:
    libraries = sys.argv.pop(1)
    # This file's directory is no place to import from.
    sys.path[:1] = [libraries]
    from ministack import app as server  # noqa: PLC0415 # it can be imported only now
    from ministack.services import apigateway, apigateway_v1, lambda_svc  # noqa: PLC0415

    find_apis_of_every_account(apigateway_v1, "_rest_apis")
    find_apis_of_every_account(apigateway, "_apis")
    refuse_code_that_is_not_in_its_bucket(lambda_svc)
    server.app = answer_retries_as_before(server.app)
    server.main()


def answer_retries_as_before(app: Application) -> Application:
    """Answer the second attempt at a call that succeeded as the first attempt was answered.

    On loopback an answer can come before the AWS provider has noted that its request is sent. It then closes the
    connection unread and tries again, and what it just made would be a conflict. SDKs name the call in both attempts.
    """
    answers: dict[str, list[Message]] = {}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        call, attempt = headers.get(b"amz-sdk-invocation-id"), headers.get(b"amz-sdk-request", "")
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or not call:
            await app(scope, receive, send)
            return
        if call in answers and not attempt.startswith("attempt=1;"):
            for message in answers[call]:
                await send(message)
            return
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if ended and sent[0]["status"] < BAD_REQUEST:
                answers[call] = sent
                if len(answers) > CALLS_KEPT:
                    del answers[next(iter(answers))]
            await send(message)

        await app(scope, receive, keep)

    return answer


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


def refuse_code_that_is_not_in_its_bucket(service: Any) -> None:
    """Let Lambda refuse a function or a layer whose zip is not in its bucket, as in AWS.

    MiniStack 1.5.33 makes one without any code. It refuses what cannot be unzipped, and nothing at all cannot.
    """
    fetch = service._fetch_code_from_s3  # noqa: SLF001 # there is no other place between S3 and Lambda

    def fetch_or_nothing(bucket: str, key: str, version_id: str | None = None) -> bytes:
        return fetch(bucket, key, version_id=version_id) or b""

    service._fetch_code_from_s3 = fetch_or_nothing  # noqa: SLF001


if __name__ == "__main__":
    main()

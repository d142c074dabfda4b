"""Start MiniStack with its own libraries out of the functions' sight, and with APIs of every account reachable.

Functions run under the interpreter that runs this, so its site-packages hold only what Lambda has. MiniStack lies in a
directory of its own, given as the first argument, which this process imports from and its children do not know.
"""

import sys
from typing import Any

# Longer than any client of the local AWS waits between two calls.
KEEP_ALIVE_SECONDS = 3600


def main() -> None:
    libraries = sys.argv.pop(1)
    # This file's directory is no place to import from.
    sys.path[:1] = [libraries]
    from hypercorn.config import Config  # noqa: PLC0415 # it can be imported only now
    from ministack.app import main as serve  # noqa: PLC0415
    from ministack.services import apigateway, apigateway_v1, lambda_svc  # noqa: PLC0415

    find_apis_of_every_account(apigateway_v1, "_rest_apis")
    find_apis_of_every_account(apigateway, "_apis")
    # At 5 seconds, its default, connections end while Terraform waits for something.
    Config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    answer_a_repeated_permission(lambda_svc)
    serve()


def answer_a_repeated_permission(service: Any) -> None:
    """Answer a permission that is the same as the one that stands as the first time.

    Now and then the answer is lost on its way, and the AWS provider tries again for five minutes against a conflict.
    """
    add = service._add_permission  # noqa: SLF001 # there is no other way in

    def add_permission(name: str, wanted: dict[str, Any], *rest: Any, **named: Any) -> Any:
        function = service._functions.get(name)  # noqa: SLF001
        standing = function["policy"]["Statement"] if function else []
        same = [one for one in standing if one.get("Sid") == wanted.get("StatementId")]
        if not same:
            return add(name, wanted, *rest, **named)
        standing.remove(same[0])
        answer = add(name, wanted, *rest, **named)
        if standing and standing[-1] == same[0]:
            return answer
        # Another permission of the same name is a conflict, here as in AWS.
        if standing and standing[-1].get("Sid") == same[0].get("Sid"):
            standing.pop()
        standing.append(same[0])
        return add(name, wanted, *rest, **named)

    service._add_permission = add_permission  # noqa: SLF001


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


if __name__ == "__main__":
    main()

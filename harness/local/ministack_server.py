"""Start MiniStack with its own libraries out of the functions' sight, and with APIs of every account reachable.

Functions run under the interpreter that runs this, so its site-packages hold only what Lambda has. MiniStack lies in a
directory of its own, given as the first argument, which this process imports from and its children do not know.
"""

import sys
from typing import Any


def main() -> None:
    libraries = sys.argv.pop(1)
    # This file's directory is no place to import from.
    sys.path[:1] = [libraries]
    from ministack.app import main as serve  # noqa: PLC0415 # it can be imported only now
    from ministack.services import apigateway, apigateway_v1, lambda_svc  # noqa: PLC0415

    find_apis_of_every_account(apigateway_v1, "_rest_apis")
    find_apis_of_every_account(apigateway, "_apis")
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
        before = list(standing)
        standing.remove(same[0])
        answer = add(name, wanted, *rest, **named)
        if standing[-1:] == same:
            return answer
        # Another permission of the same name is a conflict, here as in AWS.
        standing[:] = before
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

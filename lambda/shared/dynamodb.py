"""Call DynamoDB: one client, a debug line for every call, and throttling told apart from failure."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, cast

from aws_lambda_powertools import Logger
from botocore import __version__ as botocore_version
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session, get_session

from shared.api_errors import ApiError, Throttled

# Three attempts of at most four seconds each leave room for two calls within API Gateway's 29 seconds.
CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    # Left to itself botocore puts the header together anew for each call, a twentieth of the call's work.
    user_agent=f"Botocore/{botocore_version}",
)

THROTTLING_ERRORS = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
THROTTLING_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
ITEM_FULL = "What is stored there has no room for this: an item has at most 400 KB. Nothing was changed."

# How many entries of an index a page reads at once after its first look, which only falls short where some do not fit.
READ_AT_ONCE = 100

Item = dict[str, dict[str, Any]]


class Client(Protocol):
    """The operations that applications use."""

    def batch_get_item(self, **request: Any) -> dict[str, Any]: ...
    def delete_item(self, **request: Any) -> dict[str, Any]: ...
    def get_item(self, **request: Any) -> dict[str, Any]: ...
    def put_item(self, **request: Any) -> dict[str, Any]: ...
    def query(self, **request: Any) -> dict[str, Any]: ...
    def scan(self, **request: Any) -> dict[str, Any]: ...
    def transact_write_items(self, **request: Any) -> dict[str, Any]: ...
    def update_item(self, **request: Any) -> dict[str, Any]: ...


class ConditionFailed(Exception):
    """An item is not as the write's condition asks; `item` is what it was, when the write asked for ALL_OLD."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__()
        self.item = item


class ItemTooLarge(ApiError):
    """An item has no room for what a write would add: nothing was written. Where nobody says it better, it is 409."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.CONFLICT, "item_full", ITEM_FULL)


class TransactionCanceled(Exception):
    """A transaction was not done; `reasons` has one code for each of its writes, `None` for those without fault."""

    def __init__(self, reasons: tuple[str | None, ...]) -> None:
        super().__init__(f"DynamoDB canceled the transaction: {', '.join(reason or 'None' for reason in reasons)}.")
        self.reasons = reasons


def make_client(
    *,
    endpoint: str | None = None,
    region: str | None = None,
    connections: int = 10,
    session: Session | None = None,
) -> Client:
    """Make a client with the environment's credentials, and its region and endpoint unless others are given.

    `connections` is how many calls can be under way at once. Clients of one `session` read botocore's files once.
    """
    config = CLIENT_CONFIG.merge(Config(max_pool_connections=connections))
    session = session or get_session()
    return cast("Client", session.create_client("dynamodb", config=config, endpoint_url=endpoint, region_name=region))


class DynamoDB:
    """Make calls with the client that is given, and log each at debug: never its keys or values."""

    def __init__(self, *, client: Client, logger: Logger) -> None:
        self._client = client
        self._logger = logger

    def batch_get_item(self, table: str, **request: Any) -> dict[str, Any]:
        """Read up to a hundred items of a table by their keys; what DynamoDB left over is in UnprocessedKeys."""
        return self._call("batch_get_item", table, {"RequestItems": {table: request}})

    def delete_item(self, table: str, **request: Any) -> dict[str, Any]:
        """Delete an item."""
        return self._call("delete_item", table, {"TableName": table, **request})

    def get_item(self, table: str, **request: Any) -> dict[str, Any]:
        """Read an item."""
        return self._call("get_item", table, {"TableName": table, **request})

    def put_item(self, table: str, **request: Any) -> dict[str, Any]:
        """Write an item."""
        return self._call("put_item", table, {"TableName": table, **request})

    def query(self, table: str, **request: Any) -> dict[str, Any]:
        """Read the items of one partition."""
        return self._call("query", table, {"TableName": table, **request})

    def scan(self, table: str, **request: Any) -> dict[str, Any]:
        """Read a table from one end to the other."""
        return self._call("scan", table, {"TableName": table, **request})

    def transact_write(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Do all the writes or none; each is a Put, Update, Delete or ConditionCheck that names its table.

        botocore adds a ClientRequestToken, so its own retries never write twice.
        """
        tables = sorted({write["TableName"] for item in items for write in item.values()})
        return self._call("transact_write_items", ", ".join(tables), {"TransactItems": items})

    def update_item(self, table: str, **request: Any) -> dict[str, Any]:
        """Change an item."""
        return self._call("update_item", table, {"TableName": table, **request})

    def _call(self, operation: str, table: str, request: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        outcome = "ok"
        try:
            response: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            outcome = error_code(error)
            raise _translate(error) from error
        except Exception as error:
            outcome = type(error).__name__
            raise
        else:
            return response
        finally:
            duration = round((time.perf_counter() - started) * 1000, 3)
            line = {"operation": operation, "table": table, "outcome": outcome, "duration_ms": duration}
            self._logger.debug("dynamodb", extra=line)


def every_item(read: Callable[..., dict[str, Any]]) -> Iterator[Item]:
    """Read a query or a scan to its end; `read` takes ExclusiveStartKey."""
    response = read()
    yield from response["Items"]
    while "LastEvaluatedKey" in response:
        response = read(ExclusiveStartKey=response["LastEvaluatedKey"])
        yield from response["Items"]


def items_in_steps(
    read: Callable[..., dict[str, Any]], *, size: int, later: int = READ_AT_ONCE, start: Item | None = None
) -> Iterator[Item]:
    """Read a query as far as somebody looks: `size` items at first, and at least `later` at a time from then on.

    `start` is the key behind which it begins; `read` takes Limit and ExclusiveStartKey.
    """
    while True:
        response = read(Limit=size, **({"ExclusiveStartKey": start} if start else {}))
        yield from response["Items"]
        start = response.get("LastEvaluatedKey")
        if not start:
            return
        size = max(size, later)


def error_code(error: ClientError) -> str:
    """Read the code of a service's error."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def _translate(error: ClientError) -> Exception:
    code = error_code(error)
    if code in THROTTLING_ERRORS:
        return Throttled()
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_response(error).get("Item"))
    if code == "ValidationException" and _is_of_size(_response(error).get("Error", {})):
        return ItemTooLarge()
    if code == "TransactionCanceledException":
        return _canceled(_response(error).get("CancellationReasons", []))
    unknown: Exception = error
    return unknown


def _canceled(found: Sequence[Mapping[str, Any]]) -> Exception:
    codes = [reason.get("Code") for reason in found]
    reasons = tuple(None if reason == "None" else reason for reason in codes)
    if THROTTLING_REASONS.intersection(reasons):
        return Throttled()
    full = any(reason.get("Code") == "ValidationError" and _is_of_size(reason) for reason in found)
    # A condition that failed as well is what its caller can say more about.
    return ItemTooLarge() if full and CONDITION_FAILED not in reasons else TransactionCanceled(reasons)


def _is_of_size(error: Mapping[str, Any]) -> bool:
    """Tell whether DynamoDB refuses an item for its size: "Item size ..." or "Item size to update ..."."""
    return "tem size" in str(error.get("Message"))


def _response(error: ClientError) -> Mapping[str, Any]:
    response: Mapping[str, Any] = error.response
    return response

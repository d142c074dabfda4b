"""Read jobs as their table has them, and leave out, with one line in the log, those that are no jobs of ours."""

from collections import OrderedDict
from decimal import Decimal
from typing import Any, TypeVar, get_args

from aws_lambda_powertools import Logger
from pydantic import ValidationError
from pydantic_core import from_json

from hybrid_ci_cd.listing import is_timestamp
from hybrid_ci_cd.models import MAX_ATTEMPT, Job, JobEntry, JobStatus, json_text
from hybrid_ci_cd.statuses import public_status, stored_status
from shared.dynamodb import Item
from shared.ids import is_id

# How many are remembered as logged, so that a list that is read every second does not fill the log.
REMEMBERED = 1000
OPTIONAL_TEXTS = ("agent_id", "claimed_at", "finished_at")

Shape = TypeVar("Shape", bound=JobEntry)


class StoredJobs:
    """Read items of the table and entries of its index: what a job shows, whatever else they have.

    Other programs write the table, too. What they wrote is not changed, and must not take other jobs along.
    """

    def __init__(self, *, table: str, logger: Logger) -> None:
        self._table = table
        self._logger = logger
        self._logged: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def job(self, item: Item) -> Job | None:
        """Read an item; None when it does not fit."""
        values, unfit = _entry_values(item)
        user_id = _text(item, "user_id")
        if user_id is None or item["status"] != {"S": stored_status(values["status"], user_id)}:
            unfit.add("user_id")
        values["payload"] = _json_object(_text(item, "payload"))
        values["result"] = _json_object(_text(item, "result"))
        if values["payload"] is None:
            unfit.add("payload")
        if values["result"] is None and not _is_absent(item, "result"):
            unfit.add("result")
        return self._made(Job, values, unfit, item)

    def entry(self, item: Item) -> JobEntry | None:
        """Read an entry of the index, which has neither payload nor result; None when it does not fit."""
        values, unfit = _entry_values(item)
        return self._made(JobEntry, values, unfit, item)

    def leave_out(self, job_id: str, members: set[str]) -> None:
        """Log once that an item does not fit: its key and names of attributes, never their values."""
        line = (job_id, *sorted(members))
        if line in self._logged:
            return
        self._logged[line] = None
        if len(self._logged) > REMEMBERED:
            self._logged.popitem(last=False)
        extra = {"table": self._table, "item_id": job_id, "members": sorted(members)}
        self._logger.warning("An item does not fit and is left out.", extra=extra)

    def _made(self, shape: type[Shape], values: dict[str, Any], unfit: set[str], item: Item) -> Shape | None:
        if not unfit:
            try:
                return shape(**values)
            except ValidationError as error:
                unfit = {str(fault["loc"][0]) for fault in error.errors(include_input=False, include_url=False)}
        self.leave_out(item["job_id"]["S"], unfit)
        return None


def _entry_values(item: Item) -> tuple[dict[str, Any], set[str]]:
    """Read what an entry shows, and name the attributes that do not fit."""
    values: dict[str, Any] = {name: _text(item, name) for name in ("job_id", "name", "created_at", *OPTIONAL_TEXTS)}
    values["status"] = public_status(_text(item, "status") or "")
    values["attempt"] = _attempt(item)
    fits = {
        "job_id": values["job_id"] is not None and is_id(values["job_id"]),
        "name": values["name"] is not None,
        "status": values["status"] in get_args(JobStatus),
        "attempt": values["attempt"] is not None,
        "created_at": values["created_at"] is not None and is_timestamp(values["created_at"]),
        **{name: values[name] is not None or _is_absent(item, name) for name in OPTIONAL_TEXTS},
    }
    if values["status"] == "running":
        # Who finishes it, or leaves it behind, would else be nobody.
        fits["agent_id"] = values["agent_id"] is not None
    return values, {name for name, fit in fits.items() if not fit}


def _is_absent(item: Item, name: str) -> bool:
    return name not in item or "NULL" in item[name]


def _text(item: Item, name: str) -> str | None:
    return item.get(name, {}).get("S")


def _attempt(item: Item) -> int | None:
    """Read how often a job was claimed; None unless that is a number that `finish` can name."""
    digits = item.get("attempt", {}).get("N")
    number = Decimal(digits) if digits is not None else Decimal("NaN")
    if not (number.is_finite() and 0 <= number <= MAX_ATTEMPT and number == int(number)):
        return None
    return int(number)


def _json_object(text: str | None) -> dict[str, Any] | None:
    """Read a JSON object that the service could have written; None for anything else.

    pydantic's reader is the one that takes bodies: what it refuses, such as deep nesting, no response could hold.
    """
    if text is None:
        return None
    try:
        value = from_json(text, allow_inf_nan=False)
        # It reads 1e400 as infinity, which JSON cannot hold.
        json_text(value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

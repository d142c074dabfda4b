"""Say what an API key may do and until when, as its item in the keys table has it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, get_args

from shared.dynamodb import Item
from shared.times import Clock

Scope = Literal["write", "read", "delete"]
# In the order in which an event goes through them: a producer writes, a consumer reads and acknowledges.
SCOPES: tuple[Scope, ...] = get_args(Scope)


def attributes(scopes: Iterable[Scope], expires_at: datetime | None) -> Item:
    """Write what a key may do, at least one thing, and when it ends: never with None."""
    ends = {} if expires_at is None else {"expires_at": {"N": str(int(expires_at.timestamp()))}}
    return {"scopes": {"SS": sorted(set(scopes))}, **ends}


def scopes_of(item: Item) -> frozenset[Scope]:
    """Read what a key may do: everything if it is older than scopes are, nothing if it is not a set of them."""
    if "scopes" not in item:
        return frozenset(SCOPES)
    told = item["scopes"].get("SS", [])
    return frozenset(scope for scope in SCOPES if scope in told)


def has_ended(item: Item, clock: Clock) -> bool:
    """Tell whether a key's time is over: never without the attribute, and always when that is not a time."""
    if "expires_at" not in item:
        return False
    try:
        ends = float(item["expires_at"]["N"])
    except (KeyError, TypeError, ValueError):
        return True
    # Not the other way round: nothing is before a time that is not a number.
    return not clock().timestamp() < ends


def listed(scopes: Iterable[Scope]) -> str:
    """Name scopes in a sentence."""
    found = [scope for scope in SCOPES if scope in set(scopes)]
    return " and ".join(", ".join(found).rsplit(", ", 1)) if found else "none"

"""Compute an item's size as DynamoDB does, to refuse an event that would not fit before DynamoDB has to.

The rules are on https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html: a
string attribute takes the UTF-8 bytes of its name and the UTF-8 bytes of its value. All of an event's attributes are
strings. The limit is on https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: 400 KB,
where 1 KB is 1,024 bytes.
"""

from collections.abc import Mapping

MAX_ITEM_BYTES = 400 * 1024


def item_size(attributes: Mapping[str, str]) -> int:
    """Add up the bytes of an item that has only strings."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in attributes.items())

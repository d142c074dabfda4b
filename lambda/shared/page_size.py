"""Say how much of a list one response of a function can carry."""

import json

# Lambda refuses a response over 6 MB (6,291,456 bytes), in which the page is a JSON string inside of JSON; the rest is
# for headers and the cursor.
MAX_PAGE_BYTES = 6_000_000


class PageSize:
    """Count the entries of a page and their bytes, as Lambda may send them in the worst case: escaped, all in ASCII."""

    def __init__(self, limit: int, *, max_bytes: int = MAX_PAGE_BYTES) -> None:
        self._entries_left = limit
        self._bytes_left = max_bytes
        self._is_empty = True

    def takes(self, entry: str) -> bool:
        """Add an entry, by its JSON, unless it belongs to the next page; the first one always has its place."""
        self._bytes_left -= len(json.dumps(entry)) + 1
        if not self._is_empty and (self._entries_left == 0 or self._bytes_left < 0):
            return False
        self._is_empty = False
        self._entries_left -= 1
        return True

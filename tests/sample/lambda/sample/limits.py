"""How much a caller may have at once."""

DEFAULT_LIMIT = 50

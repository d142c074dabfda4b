"""Keep each user's jobs and agents of one status in a partition of its own of an index."""


def stored_status(status: str, user_id: str) -> str:
    """Write a status for the index: `queued#user123`. A status has no `#`, so a user id may have any."""
    return f"{status}#{user_id}"


def public_status(stored: str) -> str:
    """Read the status that callers know."""
    return stored.partition("#")[0]

"""Make short codes that nobody guesses."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
# 62^10 codes: with a million links somebody who tries a thousand codes a second meets one after ten days.
LENGTH = 10


def new_short_code() -> str:
    """Make a code; whether it is free is for the database to tell."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))

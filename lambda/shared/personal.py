"""Keep e-mail addresses out of what users are shown of one another, and out of the log.

Tokens name people by their address where nothing else is known of them, and some identity providers make ids of
addresses; items of before hold both. What is stored stays as it is: these say what of it others may see.
"""

import hashlib
import html
import re
import unicodedata
from urllib.parse import unquote

from shared.visible_text import visible

# With a space beside its @ as well, where a domain follows.
_ADDRESS = re.compile(r"\S@\S|\S\s*@\s*\S+\.\S")
# How Auth0 names a program that has a token of its own: nobody's address
# (https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow).
_PROGRAM = re.compile(r"[A-Za-z0-9_-]{1,64}@clients")
_DIGITS = 32
# A percent sign or an ampersand that was encoded again and again, for an encoding of another kind may follow.
_PERCENT = re.compile(r"%(?:25)+")
_AMPERSAND = re.compile(r"&(?:amp;)+")
_ROUNDS = 8
_PIECE = 256


def holds_address(text: str) -> bool:
    """Tell whether an e-mail address stands in a text, also in wide letters or as part of an URL or of HTML.

    What was encoded more often than anybody's software does is taken for one.
    """
    for _ in range(_ROUNDS):
        plain = _decoded(text)
        if plain == text:
            return _ADDRESS.search(plain) is not None and _PROGRAM.fullmatch(plain) is None
        text = plain
    return True


def _decoded(text: str) -> str:
    """Return a text with one encoding fewer, and without what nobody sees."""
    once = unquote(_PERCENT.sub("%", text))
    text = html.unescape(_AMPERSAND.sub("&", once))
    # Piece by piece, since marks alone take the square of their number; letters and signs are the same in each.
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return visible("".join(unicodedata.normalize("NFKC", piece) for piece in pieces))


def public_id(user_id: str) -> str:
    """Return the id by which others may know a user: the id itself, or where an address stands in it, a hash of it.

    Whoever knows the address can work the hash out, and so find this user's texts; nobody can read it from the hash.
    """
    if not holds_address(user_id):
        return user_id
    return f"user|{hashlib.sha256(user_id.encode('utf-8', errors='surrogatepass')).hexdigest()[:_DIGITS]}"


def public_name(name: str, *, user_id: str) -> str:
    """Return the name by which others may know a user: never an address, and never nothing that can be seen."""
    shown = visible(name).strip()
    return shown if shown and not holds_address(shown) else public_id(user_id)

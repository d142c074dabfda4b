"""Tell who calls and what they may do, from the claims of a token that the HTTP API's authorizer has checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shared.api_errors import ApiError, unauthorized
from shared.asgi import Scope
from shared.claims import checked_claims
from shared.personal import holds_address
from shared.visible_text import visible
from turbotech_portal.settings import Settings

# Auth0's ids have far fewer. A list of readers is made of them, so they must not grow without end.
MAX_SUBJECT_BYTES = 255
MAX_CLAIM_LENGTH = 200
# RFC 5321, 4.5.3.1.3
MAX_EMAIL_LENGTH = 254
# OAuth's own claim, how some issuers call it, and what Auth0 puts a user's permissions into.
SCOPE_CLAIMS = ("scope", "scp", "permissions")
# API Gateway makes a text of a claim that is a list: [change:metrics write:updates].
_BETWEEN_SCOPES = re.compile(r'[\s\[\],"]+')


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever sends a request: the token's subject, and the name and address when the token carries them.

    `scopes` are what the token lets its bearer do; None is everything.
    """

    user_id: str
    name: str | None = None
    email: str | None = None
    scopes: frozenset[str] | None = frozenset()

    def require(self, scope: str | None) -> None:
        """Refuse a caller whose token has not this scope; None is what every token may."""
        if scope is None or self.scopes is None or scope in self.scopes:
            return
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"Your token has not the permission {scope}. Ask for it where users are managed, and log in again.",
            # RFC 6750, 3.1
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )


DEVELOPMENT_USER = Caller(user_id="local|developer", name="Developer", email="developer@example.com", scopes=None)


class Authenticator:
    """Name the caller of a request, or refuse it with 401."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def authenticate(self, scope: Scope) -> Caller:
        """Read the checked claims; a token that nobody has checked counts for nothing."""
        if self._settings.auth_mode == "local":
            return DEVELOPMENT_USER
        claims = checked_claims(scope)
        if claims is None:
            raise unauthorized(
                "No token was checked for this request. Call the API's own address with Authorization: Bearer TOKEN."
            )
        return _caller(claims)


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject = claims.get("sub")
    # Halves of surrogate pairs are not printable either: DynamoDB takes text that UTF-8 can hold.
    if not (isinstance(subject, str) and subject.isprintable() and 0 < len(subject.encode()) <= MAX_SUBJECT_BYTES):
        raise unauthorized(
            f"The token names nobody: its sub has to be 1 to {MAX_SUBJECT_BYTES} printable bytes. Log in again."
        )
    return Caller(
        user_id=subject,
        name=_name(claims.get("name")),
        email=_email(claims.get("email")),
        scopes=frozenset(scope for name in SCOPE_CLAIMS for scope in _scopes(claims.get(name))),
    )


def _name(claim: object) -> str | None:
    text = _text(claim)
    # Looked at before it is cut, or what is left would not show what it was.
    return None if text is None or holds_address(text) else text[:MAX_CLAIM_LENGTH]


def _email(claim: object) -> str | None:
    text = _text(claim)
    return text if text is not None and len(text) <= MAX_EMAIL_LENGTH else None


def _text(claim: object) -> str | None:
    text = claim.strip() if isinstance(claim, str) else ""
    return text if text and visible(text) == text else None


def _scopes(claim: object) -> list[str]:
    if isinstance(claim, str):
        return [scope for scope in _BETWEEN_SCOPES.split(claim) if scope]
    return [scope for scope in claim if isinstance(scope, str)] if isinstance(claim, list | tuple) else []

"""Tell who calls, from the claims of a token that the HTTP API's authorizer has checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.api_errors import unauthorized
from shared.asgi import Scope
from shared.claims import checked_claims
from turbotech_portal.settings import Settings

# Auth0's ids have far fewer. A list of readers is made of them, so they must not grow without end.
MAX_SUBJECT_BYTES = 255
MAX_CLAIM_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever sends a request: the token's subject, and the name and address when the token carries them."""

    user_id: str
    name: str | None = None
    email: str | None = None


DEVELOPMENT_USER = Caller(user_id="local|developer", name="Developer", email="developer@example.com")


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
    return Caller(user_id=subject, name=_text(claims.get("name")), email=_text(claims.get("email")))


def _text(claim: object) -> str | None:
    text = claim.strip()[:MAX_CLAIM_LENGTH] if isinstance(claim, str) and claim.isprintable() else ""
    return text or None

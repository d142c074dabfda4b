"""Find out whose API key a request carries, and whether it may do what is asked."""

import hmac
from dataclasses import dataclass, field
from http import HTTPStatus

from shared.api_errors import ApiError, unauthorized
from shared.api_keys import hash_key
from shared.dynamodb import DynamoDB
from shared.times import Clock
from triggers_api.scopes import SCOPES, Scope, has_ended, listed, scopes_of
from triggers_api.settings import Settings

# Anyone can read this key here, so settings.py refuses it in production.
DEVELOPMENT_KEY = "local-development-key"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request: `name` may be logged, `key_hash` never."""

    name: str
    key_hash: str = field(repr=False)
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Refuse with 403 what the key may not do."""
        if scope not in self.scopes:
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                f"This API key may not do that: it has the scopes {listed(self.scopes)}, and this needs {scope}. "
                "Use another key.",
            )


class Authenticator:
    """Check keys where the settings say: in DynamoDB, or against the development key.

    Nothing is remembered between requests, so a key that is removed stops at once.
    """

    def __init__(self, *, settings: Settings, dynamodb: DynamoDB, clock: Clock) -> None:
        self._settings = settings
        self._dynamodb = dynamodb
        self._clock = clock

    def authenticate(self, key: str | None) -> Caller:
        """Name the caller, or refuse the request with 401."""
        if not key:
            raise unauthorized("There is no API key. Send it in the X-API-Key header.", scheme="ApiKey")
        key_hash = hash_key(key)
        caller = self._local(key_hash) if self._settings.auth_mode == "local" else self._stored(key_hash)
        if caller is None:
            raise unauthorized(
                "The API key is not known. Check the X-API-Key header, or ask for a new key.", scheme="ApiKey"
            )
        return caller

    def _local(self, key_hash: str) -> Caller | None:
        if not hmac.compare_digest(key_hash, hash_key(DEVELOPMENT_KEY)):
            return None
        return Caller(name="development key", key_hash=key_hash, scopes=frozenset(SCOPES))

    def _stored(self, key_hash: str) -> Caller | None:
        response = self._dynamodb.get_item(
            self._settings.keys_table,
            Key={"api_key": {"S": key_hash}},
            ConsistentRead=True,
            ProjectionExpression="#key_id, #label, #scopes, #expires_at",
            ExpressionAttributeNames={
                "#key_id": "key_id",
                "#label": "label",
                "#scopes": "scopes",
                "#expires_at": "expires_at",
            },
        )
        item = response.get("Item")
        if item is None:
            return None
        if has_ended(item, self._clock):
            raise unauthorized("The API key has expired. Ask for a new key.", scheme="ApiKey")
        names = [item[name]["S"] for name in ("label", "key_id") if "S" in item.get(name, {})]
        return Caller(name=" ".join(names) or "unnamed", key_hash=key_hash, scopes=scopes_of(item))

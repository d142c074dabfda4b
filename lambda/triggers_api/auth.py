"""Find out whose API key a request carries."""

import hmac
from dataclasses import dataclass, field

from shared.api_errors import unauthorized
from shared.api_keys import hash_key
from shared.dynamodb import DynamoDB
from triggers_api.settings import Settings

# Anyone can read this key here, so settings.py refuses it in production.
DEVELOPMENT_KEY = "local-development-key"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request: `name` may be logged, `key_hash` never."""

    name: str
    key_hash: str = field(repr=False)


class Authenticator:
    """Check keys where the settings say: in DynamoDB, or against the development key.

    Nothing is remembered between requests, so a key that is removed stops at once.
    """

    def __init__(self, *, settings: Settings, dynamodb: DynamoDB) -> None:
        self._settings = settings
        self._dynamodb = dynamodb

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
        return Caller(name="development key", key_hash=key_hash)

    def _stored(self, key_hash: str) -> Caller | None:
        answer = self._dynamodb.get_item(
            self._settings.keys_table,
            Key={"api_key": {"S": key_hash}},
            ConsistentRead=True,
            ProjectionExpression="#key_id, #label",
            ExpressionAttributeNames={"#key_id": "key_id", "#label": "label"},
        )
        if "Item" not in answer:
            return None
        names = [answer["Item"][name]["S"] for name in ("label", "key_id") if "S" in answer["Item"].get(name, {})]
        return Caller(name=" ".join(names) or "unnamed", key_hash=key_hash)

"""Describe triggers_api in its OpenAPI document: what it is for, its own errors and headers."""

from shared.dynamodb import ITEM_FULL
from shared.openapi import COMMON, CONVENTIONS, Catalogue

TITLE = "triggers_api"
DESCRIPTION = f"""An inbox of events: external systems push events to it, and automation clients poll it.

{CONVENTIONS}"""

ERRORS: Catalogue = {
    **COMMON,
    401: ("unauthorized", "There is no API key. Send it in the X-API-Key header."),
    403: (
        "forbidden",
        "This API key may not do that: it has the scopes write, and this needs read. Use another key.",
    ),
    404: ("not_found", "There is no event with this id. It may have been deleted."),
    409: ("idempotency_conflict", "This Idempotency-Key was used with another body. Use a new key for a new event."),
    413: (
        "event_too_large",
        "The event takes 409700 bytes and may take 409600. Put large data elsewhere and send a link to it.",
    ),
    422: ("invalid_request", "The event does not fit: source: field required."),
}
ACKNOWLEDGE_ERRORS: Catalogue = {**ERRORS, 409: ("item_full", ITEM_FULL)}
REPLAYED_HEADER = {
    "Idempotent-Replayed": {
        "description": "`true` when this is the response to an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

IDEMPOTENCY_KEY_DESCRIPTION = (
    "Send the same key when you send an event again: within 24 hours you get the first response, and no second event. "
    "1 to 255 printable ASCII characters without spaces."
)

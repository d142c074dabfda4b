"""Describe fileshare in its OpenAPI document: what it is for, and its own errors."""

from fileshare.checks import MAX_BODY_BYTES
from shared.body_limit import too_large_sentence
from shared.openapi import COMMON, CONVENTIONS, Catalogue

TITLE = "fileshare"
DESCRIPTION = f"""File sharing with short links and a premium trial of thirty days.

{CONVENTIONS}"""

ERRORS: Catalogue = {
    **COMMON,
    401: ("unauthorized", "There is no token. Send the one that you got when you signed up as Authorization: Bearer."),
    403: ("forbidden", "This belongs to another user."),
    404: ("not_found", "There is no link with this code. It may have been deleted."),
    410: ("link_expired", "This link has expired."),
    413: ("request_too_large", too_large_sentence(MAX_BODY_BYTES)),
}
CONFLICTS: dict[str, tuple[str, str]] = {
    "email": ("email_taken", "There is a user with this address already. Use the token that came with it."),
    "trial": (
        "trial_not_available",
        "The trial is for users of the free tier who never had one. See GET /api/trial for where it stands.",
    ),
    "full": (
        "item_full",
        "What is stored about you has no room for a trial. Ask whoever runs this service to make room.",
    ),
}
NO_TRIAL = "Your trial cannot be read: other code has written it. Ask whoever runs this service to correct it."
LOCATION_HEADER = {"Location": {"description": "Where the link goes.", "schema": {"type": "string"}}}

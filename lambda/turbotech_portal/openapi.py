"""Describe turbotech_portal in its OpenAPI document: what it is for, and its own errors."""

from shared.dynamodb import ITEM_FULL
from shared.openapi import COMMON, CONVENTIONS, Catalogue
from turbotech_portal.updates import MAX_READERS

TITLE = "turbotech_portal"
DESCRIPTION = f"""A customer's project portal: deliverables, metrics, and updates with the list of those who read them.

{CONVENTIONS} Only a request that never reaches this service gets another response: without a valid token
API Gateway says `{{"message":"Unauthorized"}}`."""

ERRORS: Catalogue = {
    **COMMON,
    401: ("unauthorized", "No token was checked for this request."),
    403: ("forbidden", "Your token has not the permission change:deliverables."),
    404: ("not_found", "There is no deliverable with this id."),
    409: ("too_many_readers", f"{MAX_READERS} users have marked this update as read, which is the most that are kept."),
    422: ("invalid_request", "The change does not fit: status: input should be 'COMPLETED'."),
}
CHANGE_ERRORS: Catalogue = {**ERRORS, 409: ("item_full", ITEM_FULL)}
TOKEN_DESCRIPTION = "A token of the project's Auth0 tenant, made for this API."  # noqa: S105 - words about tokens

"""Describe stock_track_record in its OpenAPI document: what it is for, and its own errors."""

from shared.openapi import COMMON, CONVENTIONS, Catalogue

TITLE = "stock_track_record"
DESCRIPTION = f"""Track records of channels that pick stocks: what they recommended, and how it went.

{CONVENTIONS}"""

ERRORS: Catalogue = {
    **COMMON,
    403: ("forbidden", "This token may not do that: it needs the scope records:write."),
    404: ("not_found", "There is no channel with this id."),
    409: ("pick_exists", "The channel has a pick of ACME on 2026-01-05 already. None was added: leave it out."),
    422: ("invalid_request", "The channel does not fit: name: field required."),
    503: ("queue_unavailable", "The queue did not take the job. Ask again in a moment."),
}
LOCATION_HEADER = {"Location": {"description": "Where to read the job.", "schema": {"type": "string"}}}

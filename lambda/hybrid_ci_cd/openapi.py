"""Describe hybrid_ci_cd in its OpenAPI document: what it is for, and its own errors."""

from shared.api_errors import unreadable
from shared.openapi import COMMON, CONVENTIONS, Catalogue

TITLE = "hybrid_ci_cd"
DESCRIPTION = f"""The backend of a CI/CD product: sessions of its users, jobs to run, and the agents that run them,
in the cloud and on customers' machines. A user's sessions, jobs and agents are nobody else's: what belongs to another
user is 404.

{CONVENTIONS}"""

ERRORS: Catalogue = {
    **COMMON,
    401: ("unauthorized", "There is no session, or it has ended. Log in, and send its id as Bearer."),
    403: ("forbidden", "An agent sends its own heartbeats only."),
    409: ("job_taken", "Another agent has this job. Claim another one."),
}
FINISHING_ERRORS: Catalogue = {
    **ERRORS,
    409: ("claim_lost", "This attempt is not this agent's: it was not claimed, or the job was given to another one."),
}
LOST_ERRORS: Catalogue = {
    **ERRORS,
    409: ("agent_lost", "This agent counts as lost. Send a heartbeat, then claim."),
}
UNREADABLE_ERRORS: Catalogue = {**ERRORS, 409: ("unreadable", unreadable("agent").message)}

UNKNOWN_AGENT = "There is no agent of yours with this id."
UNKNOWN_JOB = "There is no job of yours with this id."
UNKNOWN_SESSION = "There is no live session of yours with this handle."

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

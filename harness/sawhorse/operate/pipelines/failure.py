"""Say at the end of a job that failed which step failed and why, where nothing else has said it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CREDENTIALS = "credentials"


def sentence_of(steps: Mapping[str, Mapping[str, Any]], *, root: str, repository: str, reason: str) -> str:
    """Say what failed, from the context `steps` of a job whose steps have ids.

    Steps whose id begins with "credentials" take roles of AWS; the others are commands, and `reason` is what the one
    that failed said, where it said anything.
    """
    failed = [name for name, step in steps.items() if step.get("outcome") == "failure"]
    cancelled = [name for name, step in steps.items() if step.get("outcome") == "cancelled"]
    of = f" of {root}" if root else ""
    taken = [name for name in failed if name.startswith(CREDENTIALS)]
    if taken:
        return (
            f"The step {taken[0]}{of} got no credentials of AWS for a run of {repository}. The role has to be there "
            "and to trust this repository and environment by its exact subject, and the environment has to be named "
            'in the job; docs/deploy.md has both, and "sawhorse pipeline roles" the names. This step changed nothing.'
        )
    if failed:
        why = f": {reason}" if reason else "; its last line says why."
        return f"The step {failed[0]}{of} failed{why} The steps after it did not run."
    if cancelled:
        return f"The step {cancelled[0]}{of} was cancelled; the steps after it did not run."
    return f"A step without an id{of} failed; the log says which."

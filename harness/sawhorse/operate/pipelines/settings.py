"""Say what the repository's settings lack of what a deployment counts on: who approves, and from which branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sawhorse.environment import read_environment
from sawhorse.operate.pipelines.github import GitHub, Reviewed
from sawhorse.project import Project

# Where the workflow that looks for drift takes its token: nobody is there at night to approve.
DRIFT = "drift"
# The one branch that is deployed.
MAIN = "main"


def lacking(github: GitHub, project: Project) -> Iterator[str]:
    """Walk, a sentence each, what environments of the repository lack; an environment without roots is left out."""
    for name in [*sorted({root.environment for root in project.roots}), DRIFT]:
        found = github.reviewed(name)
        if not found.there:
            yield (
                f"The repository has no environment {name} (Settings, Environments): GitHub makes it with the first "
                "deployment, open to every branch and without an approval."
            )
            continue
        if name == DRIFT:
            if found.reviewers:
                yield f"Somebody has to approve {name} every day: take the reviewers of that environment away."
        elif read_environment(project, name).production:
            yield from of_approval(name, found)
        if found.patterns != (MAIN,):
            yield (
                f"{deploying(found.patterns)} may deploy to {name}: restrict its deployment branches to main alone, "
                "as a selected branch (Settings, Environments)."
            )


def of_approval(name: str, found: Reviewed) -> Iterator[str]:
    """Walk what the approval of a production lacks."""
    if not found.reviewers:
        yield (
            f"Nobody has to approve a deployment to {name}, which is production: give the environment required "
            "reviewers (Settings, Environments)."
        )
    elif not found.others:
        yield (
            f"Whoever starts a deployment to {name}, which is production, may approve it: turn on Prevent self-review "
            "(Settings, Environments)."
        )


def deploying(patterns: Sequence[str] | None) -> str:
    """Say who may deploy, as the beginning of a sentence."""
    if patterns is None:
        return "Every branch, or every protected one,"
    return ", ".join(patterns) or "No branch"

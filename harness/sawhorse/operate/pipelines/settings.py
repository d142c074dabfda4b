"""Say what the repository's settings lack of what a deployment counts on: who approves, and from which branches."""

from __future__ import annotations

from collections.abc import Iterator

from sawhorse.environment import read_environment
from sawhorse.operate.pipelines.github import GitHub
from sawhorse.project import Project

# Where the workflow that looks for drift takes its token: nobody is there at night to approve.
DRIFT = "drift"


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
        elif read_environment(project, name).production and not found.reviewers:
            yield (
                f"Nobody has to approve a deployment to {name}, which is production: give the environment required "
                "reviewers (Settings, Environments)."
            )
        if not found.branches:
            yield (
                f"Every branch may deploy to {name}: restrict its deployment branches to main (Settings, Environments)."
            )

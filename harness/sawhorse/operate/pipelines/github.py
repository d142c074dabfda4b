"""Ask GitHub's API, and write comments and issues, with the token of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from sawhorse.errors import BadConfiguration, CouldNotAsk
from sawhorse.operate.pipelines.this_run import ThisRun

PER_PAGE = 100
# Whom the token of a run speaks for: what others wrote is never changed, whatever it says
# (https://docs.github.com/en/actions/concepts/security/github_token).
BOT = "github-actions[bot]"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# How a commit stands to another one
# (https://docs.github.com/en/rest/commits/commits#compare-two-commits).
Standing = Literal["ahead", "behind", "identical", "diverged"]


@dataclass(frozen=True)
class Reviewed:
    """What guards an environment of the repository.

    `patterns` are those of the branches and tags that may deploy to it, tags as `tag NAME`; None where a rule has no
    pattern: every branch, or all that some other rule protects. `others` says whether who starts a deployment may not
    approve it.
    """

    there: bool
    reviewers: int = 0
    others: bool = False
    patterns: tuple[str, ...] | None = None


class GitHub:
    """The API for one repository. Raises CouldNotAsk for all that it does not respond to with success."""

    def __init__(self, url: str, repository: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise BadConfiguration(f"GITHUB_API_URL is {url}: a token is sent over https alone.")
        self.repository = repository
        self.http = httpx.Client(
            base_url=f"{url.rstrip('/')}/repos/{quote(repository)}/",
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=30.0,
        )

    @classmethod
    def of(cls, run: ThisRun) -> GitHub:
        """Return the API as a run may ask it. Raises BadConfiguration where the step has no token."""
        token = os.environ.get("GITHUB_TOKEN")
        if not token:
            raise BadConfiguration("GITHUB_TOKEN is not set; give the step env: GITHUB_TOKEN: ${{ github.token }}.")
        return cls(os.environ.get("GITHUB_API_URL", "https://api.github.com"), run.repository, token)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request and return the JSON of its response; None for 404 to a GET."""
        try:
            response = self.http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise CouldNotAsk(f"GitHub did not respond to {method} {path} ({error}). Run it again.") from error
        if response.status_code == httpx.codes.NOT_FOUND and method == "GET":
            return None
        if not response.is_success:
            raise CouldNotAsk(f"GitHub refused {method} {path} of {self.repository}: {told(response)}")
        return response.json() if response.content else None

    def pages(self, path: str) -> Iterator[Any]:
        """Walk all items of a list."""
        number, joint = 1, "&" if "?" in path else "?"
        while True:
            found = self.ask("GET", f"{path}{joint}per_page={PER_PAGE}&page={number}")
            yield from found or ()
            if len(found or ()) < PER_PAGE:
                return
            number += 1

    def compare(self, base: str, head: str) -> Standing | None:
        """Say how a commit stands to another one; None where GitHub does not know one of them."""
        found = self.ask("GET", f"compare/{quote(base, safe='')}...{quote(head, safe='')}?per_page=1")
        status: Standing | None = found["status"] if found else None
        return status

    def own_comment(self, issue: int, marker: str) -> Any:
        """Return the comment of ours that has a marker; None where there is none."""
        comments = self.pages(f"issues/{issue}/comments")
        return next((one for one in comments if is_own(one) and marker in (one["body"] or "")), None)

    def own_issues(self, marker: str) -> list[Any]:
        """Return the open issues of ours that have a marker, the oldest first."""
        issues = self.pages(f"issues?state=open&creator={quote(BOT)}&sort=created&direction=asc")
        return [one for one in issues if is_own(one) and "pull_request" not in one and marker in (one["body"] or "")]

    def reviewed(self, environment: str) -> Reviewed:
        """Say who has to approve a deployment to an environment, and whether from every branch."""
        found = self.ask("GET", f"environments/{quote(environment, safe='')}")
        if found is None:
            return Reviewed(there=False)
        rules = [rule for rule in found.get("protection_rules", ()) if rule.get("type") == "required_reviewers"]
        return Reviewed(
            there=True,
            reviewers=sum(len(rule.get("reviewers", ())) for rule in rules),
            others=any(rule.get("prevent_self_review") for rule in rules),
            patterns=self.patterns(environment, found.get("deployment_branch_policy") or {}),
        )

    def patterns(self, environment: str, policy: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return the patterns of what may deploy to an environment, sorted; None where its policy has none.

        https://docs.github.com/en/rest/deployments/branch-policies#list-deployment-branch-policies
        """
        if not policy.get("custom_branch_policies"):
            return None
        path = f"environments/{quote(environment, safe='')}/deployment-branch-policies?per_page={PER_PAGE}"
        found = (self.ask("GET", path) or {}).get("branch_policies", ())
        return tuple(sorted(f"{'tag ' if one.get('type') == 'tag' else ''}{one['name']}" for one in found))


def is_own(thing: Mapping[str, Any]) -> bool:
    """Say whether the token of a run wrote a comment or an issue."""
    return bool((thing.get("user") or {}).get("login") == BOT)


def told(response: httpx.Response) -> str:
    """Say what GitHub said, and what is to be done about it."""
    try:
        message = str(response.json().get("message", ""))
    except (AttributeError, ValueError):
        message = ""
    said = f"{response.status_code} {message or response.reason_phrase}".strip()
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return f"{said}. See that the job's permissions let its token do that, and that this is its repository."
    return f"{said}. Run it again."

"""Stand in for the part of GitHub's HTTP API that pipelines ask, on loopback, with tokens that may what a job may."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.http_servers import responding

MOST_BODY = 65_536
BOT = {"login": "github-actions[bot]", "type": "Bot"}
Response = tuple[int, Any]


@dataclass
class Repository:
    """What GitHub keeps of one repository.

    `environments` has the rules of each, `secrets` those of each environment, `tokens` what each of them may.
    """

    name: str
    git: Path
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    numbers: int = 100

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def comments_of(self, issue: int) -> list[dict[str, Any]]:
        return [one for one in self.comments.values() if one["issue"] == issue]


class Api:
    """Responds to requests by the routes below, each with the permission of a token that GitHub asks for it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.routes: list[tuple[str, str, tuple[str, str], Callable[..., Response]]] = [
            ("GET", r"pulls/(\d+)", ("pull-requests", "read"), self.pull),
            ("GET", r"compare/(.+)\.\.\.(.+)", ("contents", "read"), self.compare),
            ("GET", r"environments/([^/]+)", ("actions", "read"), self.environment),
            ("GET", r"environments/([^/]+)/deployment-branch-policies", ("actions", "read"), self.branch_policies),
            ("GET", r"issues/(\d+)/comments", ("issues", "read"), self.list_comments),
            ("POST", r"issues/(\d+)/comments", ("issues", "write"), self.add_comment),
            ("PATCH", r"issues/comments/(\d+)", ("issues", "write"), self.change_comment),
            ("GET", r"issues", ("issues", "read"), self.list_issues),
            ("POST", r"issues", ("issues", "write"), self.add_issue),
            ("PATCH", r"issues/(\d+)", ("issues", "write"), self.change_issue),
        ]

    def respond(self, method: str, address: str, token: str, body: Any) -> Response:
        parts = urlsplit(address)
        path = unquote(parts.path).removeprefix(f"/repos/{self.repository.name}/")
        if token not in self.repository.tokens:
            return 401, {"message": "Bad credentials"}
        for verb, pattern, (scope, least), route in self.routes:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                if not self.may(token, scope, least, path):
                    return 403, {"message": "Resource not accessible by integration"}
                if len((body or {}).get("body") or "") > MOST_BODY:
                    return 422, {"message": f"Body is too long (maximum is {MOST_BODY} characters)"}
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                return route(*found.groups(), query=query, body=body)
        return 404, {"message": "Not Found"}

    def may(self, token: str, scope: str, least: str, path: str) -> bool:
        """Say whether a token has a permission; that of pull requests serves for their comments."""
        given = self.repository.tokens[token]
        scopes = [scope, "pull-requests"] if "comments" in path else [scope]
        return any(given.get(one) in {least, "write"} for one in scopes)

    def pull(self, number: str, **_: Any) -> Response:
        found = self.repository.pulls.get(int(number))
        return (200, found) if found else (404, {"message": "Not Found"})

    def compare(self, base: str, head: str, **_: Any) -> Response:
        def git(*words: str) -> subprocess.CompletedProcess[str]:
            command = ["git", "-C", str(self.repository.git), *words]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        ids = [git("rev-parse", "--verify", f"{one}^{{commit}}") for one in (base, head)]
        if any(one.returncode for one in ids):
            return 404, {"message": "Not Found"}
        first, second = (one.stdout.strip() for one in ids)
        base_first = git("merge-base", "--is-ancestor", first, second).returncode == 0
        head_first = git("merge-base", "--is-ancestor", second, first).returncode == 0
        status = {(True, True): "identical", (True, False): "ahead", (False, True): "behind"}
        return 200, {"status": status.get((base_first, head_first), "diverged")}

    def environment(self, name: str, **_: Any) -> Response:
        found = self.repository.environments.get(name)
        if found is None:
            return 404, {"message": "Not Found"}
        return 200, {"name": name, **{key: value for key, value in found.items() if key != "branch_policies"}}

    def branch_policies(self, name: str, **_: Any) -> Response:
        found = self.repository.environments.get(name, {}).get("branch_policies", [])
        return 200, {"total_count": len(found), "branch_policies": found}

    def list_comments(self, issue: str, *, query: Mapping[str, str], **_: Any) -> Response:
        return 200, page(self.repository.comments_of(int(issue)), query)

    def add_comment(self, issue: str, *, body: Any, **_: Any) -> Response:
        number = self.repository.number()
        self.repository.comments[number] = {"id": number, "issue": int(issue), "user": BOT, "body": body["body"]}
        return 201, self.repository.comments[number]

    def change_comment(self, number: str, *, body: Any, **_: Any) -> Response:
        self.repository.comments[int(number)]["body"] = body["body"]
        return 200, self.repository.comments[int(number)]

    def list_issues(self, *, query: Mapping[str, str], **_: Any) -> Response:
        found = [
            one
            for one in self.repository.issues.values()
            if one["state"] == query.get("state", "open") and one["user"]["login"] == query.get("creator")
        ]
        return 200, page(found, query)

    def add_issue(self, *, body: Any, **_: Any) -> Response:
        number = self.repository.number()
        self.repository.issues[number] = {"number": number, "user": BOT, "state": "open", **body}
        return 201, self.repository.issues[number]

    def change_issue(self, number: str, *, body: Any, **_: Any) -> Response:
        self.repository.issues[int(number)] |= body
        return 200, self.repository.issues[int(number)]


def page(found: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    size, number = int(query.get("per_page", 30)), int(query.get("page", 1))
    return found[(number - 1) * size : number * size]


@contextmanager
def api_of(repository: Repository) -> Iterator[str]:
    """Serve a repository's API on a free port of loopback, and yield its address."""
    api = Api(repository)

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, content = api.respond(self.command, self.path, token, body)
            repository.asked.append((self.command, self.path, status))
            sent = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = respond  # noqa: N815 # as http.server calls them

        def log_message(self, *_: Any) -> None:
            """Say nothing: `asked` has it."""

    with responding(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"

"""The table "Who may do what" of an app's README: what it says of every route and of every kind of caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

LAMBDA = Path(__file__).parents[3] / "lambda"
HEADING = "## Who may do what"
# Everybody's, and in no OpenAPI document.
PAGES = {("GET", "/docs"), ("GET", "/openapi.json")}
# What a caller may do, and otherwise the status and the code of the refusal.
ALLOWED = "yes"
REFUSALS = {"401": "unauthorized", "403": "forbidden", "404": "not_found"}


@dataclass(frozen=True)
class Cell:
    """What the table says of one route and one kind of caller."""

    method: str
    path: str
    caller: str
    says: str

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} as {self.caller}: {self.says}"


def cells(app: str) -> list[Cell]:
    """Read the table of an app; one that is not there, or has another word than those above, is an error."""
    text = (LAMBDA / app / "README.md").read_text()
    _, found, rest = text.partition(f"{HEADING}\n")
    assert found, f"lambda/{app}/README.md has no {HEADING!r}"
    rows = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    header, _, *body = [[part.strip() for part in row.strip("|").split("|")] for row in rows]
    read = []
    for route, *said in body:
        assert len(said) == len(header) - 1, f"{route} says something of {len(said)} callers, not of {len(header) - 1}"
        method, path = re.fullmatch(r"`([A-Z]+) (/\S*)`", route).groups()  # type: ignore[union-attr] # an error as well
        read += [Cell(method, path, caller, word) for caller, word in zip(header[1:], said, strict=True)]
    assert read
    assert {cell.says for cell in read} <= {ALLOWED, *REFUSALS}
    return read


def refused(app: str) -> list[Cell]:
    """Return what the table says may not be done."""
    return [cell for cell in cells(app) if cell.says != ALLOWED]


def allowed(app: str) -> list[Cell]:
    """Return what the table says may be done."""
    return [cell for cell in cells(app) if cell.says == ALLOWED]


def routes_of(document: Any) -> set[tuple[str, str]]:
    """Return every route of an OpenAPI document, and the pages that show it."""
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item} | PAGES


def assert_refused(cell: Cell, response: httpx.Response) -> None:
    """Fail unless a call was refused as the table says, in the form of the app's errors or of API Gateway's own."""
    assert response.status_code == int(cell.says), (
        f"{cell.name}, and it was {response.status_code}: {response.text[:300]}"
    )
    body = response.json()
    # The authorizer of an HTTP API refuses by itself, in a word of its own.
    code = body["error"]["code"] if "error" in body else body["message"].lower()
    assert code == REFUSALS[cell.says], response.text


def assert_allowed(cell: Cell, response: httpx.Response) -> None:
    """Fail when a call was refused because of who sent it."""
    assert response.status_code not in {401, 403}, (
        f"{cell.name}, and it was {response.status_code}: {response.text[:300]}"
    )

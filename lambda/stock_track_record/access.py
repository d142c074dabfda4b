"""Refuse a token without the scope that a route needs, where the deployment names scopes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from shared.api_errors import ApiError, unauthorized
from shared.claims import checked_claims


def asking_for(scopes: Sequence[str]) -> list[Dependency]:
    """Make what lets a token through that has one of these scopes; where none are named, everybody comes through.

    API Gateway asks as well, and takes another spelling of a path for another route, so this is what decides.
    """

    async def check(request: Request) -> None:
        claims = checked_claims(request.scope)
        if claims is None:
            raise unauthorized("No token was checked for this request. Send one as Authorization: Bearer TOKEN.")
        if not scopes_of(claims).intersection(scopes):
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                f"This token may not do that: it needs the scope {' or '.join(scopes)}.",
            )

    return [Depends(check)] if scopes else []


def scopes_of(claims: Mapping[str, Any]) -> set[str]:
    """Read a token's scopes from the two claims that API Gateway looks at, which writes a list as [one two]."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        told = claims.get(name)
        words = told if isinstance(told, list) else str(told or "").strip("[]").split()
        found.update(word for word in words if isinstance(word, str))
    return found

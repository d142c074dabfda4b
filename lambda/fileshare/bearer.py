"""Make the dependency that asks for a token and tells whose it is."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fileshare.auth import Authenticator
from fileshare.stored import Caller
from shared.personal import public_id

Dependency = Callable[..., Awaitable[Caller]]


def user_of(authenticator: Authenticator) -> Dependency:
    """Make the dependency; the request's log line then names the user."""
    scheme = HTTPBearer(scheme_name="Token", description="The token that you got when you signed up.", auto_error=False)

    async def user(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(scheme)]
    ) -> Caller:
        found = await authenticator.authenticate(credentials.credentials if credentials else None)
        # Ids of users who came from elsewhere can be addresses.
        request.state.log_fields["user_id"] = public_id(found.user_id)
        return found

    return user

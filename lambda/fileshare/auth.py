"""Find out whose token a request carries."""

from http import HTTPStatus

from fileshare.database import Database
from fileshare.stored import Caller, Holder
from fileshare.tokens import opens, user_id_of
from shared.api_errors import ApiError, unauthorized


class Authenticator:
    """Check tokens against the hash that is stored with their user; nothing is remembered between requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def authenticate(self, token: str | None) -> Caller:
        """Name the user, or refuse the request with 401."""
        if not token:
            raise unauthorized(
                "There is no token. Send the one that you got when you signed up as Authorization: Bearer."
            )
        user_id = user_id_of(token)
        found = await self._database.user(user_id) if user_id else None
        holder = None if found is None else found.read(Holder)
        if found is None or holder is None or not opens(token, holder.token_hash):
            raise unauthorized("The token is not known. Check the Authorization header.")
        return Caller(user_id=holder.user_id, found=found)


def forbidden(message: str) -> ApiError:
    """Refuse what belongs to somebody else."""
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", message)

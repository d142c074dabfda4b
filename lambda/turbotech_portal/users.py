"""Keep what is known of users in DynamoDB, by the subject of their tokens."""

from collections.abc import Mapping
from typing import Any

from shared.items import from_item, to_item
from shared.times import Clock, timestamp
from shared.waiting import AsyncDynamoDB
from turbotech_portal.auth import Caller
from turbotech_portal.models import User, UserChanges
from turbotech_portal.tables import Table


class UserAdapter:
    """Read and change users; a user is entered from the token's claims when the portal first needs the name."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, clock: Clock) -> None:
        self.table = Table(name=table, subject="user", dynamodb=dynamodb)
        self._clock = clock

    async def get_all(self) -> list[User]:
        """Return every user by name."""
        found = [User.model_validate(item) for item in await self.table.everything()]
        return sorted(found, key=lambda user: (user.name.casefold(), user.id))

    async def get_by_id(self, user_id: str) -> User:
        """Return a user, or refuse with 404."""
        found = await self.table.find(user_id)
        if found is None:
            raise self.table.not_found()
        return User.model_validate(found)

    async def update(self, user_id: str, changes: Mapping[str, Any]) -> User:
        """Change a user who is there."""
        values = UserChanges.model_validate(dict(changes)).values()
        return User.model_validate(await self.table.change(user_id, values))

    async def of_caller(self, caller: Caller) -> User:
        """Return the caller as a user, entered now unless that was done before."""
        found = await self.table.find(caller.user_id)
        return User.model_validate(found if found is not None else await self._enter(caller))

    async def _enter(self, caller: Caller) -> dict[str, Any]:
        """Enter a caller. Of two requests at once both get what the first one wrote."""
        values = {
            "name": caller.name or caller.email or caller.user_id,
            "first_seen_at": timestamp(self._clock()),
            **({"email": caller.email} if caller.email else {}),
        }
        answer = await self.table.dynamodb.update_item(
            self.table.name,
            Key=to_item({"id": caller.user_id}),
            UpdateExpression=f"SET {', '.join(f'#{name} = if_not_exists(#{name}, :{name})' for name in values)}",
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
            ReturnValues="ALL_NEW",
        )
        return from_item(answer["Attributes"])

"""Keep what is known of users in DynamoDB, by the subject of their tokens."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from shared.async_dynamodb import AsyncDynamoDB
from shared.dynamodb import ConditionFailed, Item
from shared.items import to_item
from shared.personal import public_name
from shared.times import Clock, timestamp
from turbotech_portal.auth import Caller
from turbotech_portal.models import User, UserChanges
from turbotech_portal.stored import StoredUser
from turbotech_portal.tables import Table

NO_NAME = {"NULL": True}


class UserAdapter:
    """Read and change users; a user is entered from the token's claims when the portal first needs the name."""

    def __init__(self, *, table: str, dynamodb: AsyncDynamoDB, clock: Clock, logger: Logger) -> None:
        self.table = Table(name=table, subject="user", shape=StoredUser, shown=User, dynamodb=dynamodb, logger=logger)
        self._clock = clock

    async def get_all(self) -> list[User]:
        """Return every user by the name that others see."""
        return sorted(await self.table.everything(), key=_by_public_name)

    async def get_by_id(self, user_id: str) -> User:
        """Return a user, or refuse with 404."""
        return await self.table.get(user_id)

    async def update(self, user_id: str, changes: Mapping[str, Any]) -> User:
        """Change a user who is there."""
        return await self.table.change(user_id, UserChanges.model_validate(dict(changes)).values())

    async def change(self, caller: Caller, changes: Mapping[str, Any]) -> User:
        """Change the caller, who is entered first unless that was done before."""
        values = UserChanges.model_validate(dict(changes)).values()
        there = await self.table.item(caller.user_id)
        if _lacks_a_name(there):
            there = await self._enter(caller)
        return await self.table.set(caller.user_id, values, there=there)

    async def of_caller(self, caller: Caller) -> User:
        """Return the caller as a user, entered now unless that was done before."""
        there = await self.table.item(caller.user_id)
        if _lacks_a_name(there):
            there = await self._enter(caller)
        return self.table.whole(there)

    async def _enter(self, caller: Caller) -> Item | None:
        """Enter a caller, or complete what a script has left out. Of two requests at once both get the first one's.

        The name is shown to others, so an address is none: Auth0 puts it into `name` as well where it knows no better.
        """
        values = to_item(
            {
                "name": public_name(caller.name or "", user_id=caller.user_id),
                "first_seen_at": timestamp(self._clock()),
                **({"email": caller.email} if caller.email else {}),
            }
        )
        kept = [f"#{name} = if_not_exists(#{name}, :{name})" for name in values if name != "name"]
        try:
            response = await self.table.dynamodb.update_item(
                self.table.name,
                Key=to_item({"id": caller.user_id}),
                UpdateExpression=f"SET {', '.join(['#name = :name', *kept])}",
                ConditionExpression="attribute_not_exists(#name) OR attribute_type(#name, :null)",
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()}
                | {":null": {"S": "NULL"}},
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return await self.table.item(caller.user_id)
        item: Item = response["Attributes"]
        return item


def _lacks_a_name(there: Item | None) -> bool:
    """Tell whether a user is to be entered or completed; a name that is not text is somebody's, and stays."""
    return there is None or there.get("name", NO_NAME) == NO_NAME


def _by_public_name(user: User) -> tuple[str, str]:
    return public_name(user.name, user_id=user.id).casefold(), user.id

"""What the tests of the migration use: a file, the tables that it goes to, and times."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from fileshare.ops.migration.run import Report, migrate
from fileshare.records import Link, User
from fileshare.settings import Tables
from fileshare.sqlite_database import SQLiteDatabase
from shared.items import from_item
from tests.apps.fileshare.support import read_link, read_user

NEWER = "2026-02-01T00:00:00.000000Z"
NEVER: dict[str, Any] = {"expires_at": "2100-01-31T11:00:00.500000Z", "expires_at_ttl": 4105076401}


@dataclass(frozen=True)
class Migration:
    """A SQLite file and the tables that it goes to."""

    client: Any
    tables: Tables
    path: Path

    def run(self, client: Any = None) -> Report:
        return migrate(client or self.client, self.path, users=self.tables.users, urls=self.tables.urls)

    def fill(self, *records: User | Link) -> None:
        """Write records as the application on SQLite does."""
        database = SQLiteDatabase(self.path, threads=1, logger=Logger(service="old", level="ERROR"))

        async def write() -> None:
            for record in records:
                await (database.create_user(record) if isinstance(record, User) else database.create_link(record))

        asyncio.run(write())
        database.close()

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def user(self, user_id: str) -> User | None:
        item = self.client.get_item(TableName=self.tables.users, Key={"user_id": {"S": user_id}}).get("Item")
        return read_user(item) if item else None

    def link(self, code: str) -> Link | None:
        item = self.client.get_item(TableName=self.tables.urls, Key={"short_code": {"S": code}}).get("Item")
        return read_link(item) if item else None

    def items(self, table: str) -> list[dict[str, Any]]:
        return [from_item(item) for item in self.client.scan(TableName=table)["Items"]]


def reasons(report: Report) -> dict[str, str]:
    return {problem.key: problem.reason for problem in report.problems}

"""Migrate addresses in a process that a test can kill: python -m tests.apps.fileshare.ops.address_process ..."""

from __future__ import annotations

import sys
from pathlib import Path

import botocore.session

from fileshare.ops.migration.addresses import Migration
from fileshare.settings import Tables
from tests.apps.fileshare.ops.address_support import PLAIN, FilePlace, Place, TablesPlace


def main(arguments: list[str]) -> None:
    place: Place
    if len(arguments) == 1:
        place = FilePlace(Path(arguments[0]))
    else:
        users, urls, region, endpoint = arguments
        client = botocore.session.get_session().create_client("dynamodb", region_name=region, endpoint_url=endpoint)
        place = TablesPlace(client, Tables(region=region, users=users, urls=urls))
    with place.store(PLAIN) as store:
        print("started", flush=True)  # noqa: T201 - from here on it can be killed in its work
        Migration(store, PLAIN, sleep=lambda _: None).run(lambda _: None)


if __name__ == "__main__":
    main(sys.argv[1:])

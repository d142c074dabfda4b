"""What the benchmarks ask the functions of triggers_api."""

from __future__ import annotations

from shared.api_keys import generate
from tests.apps.triggers_api import support
from tests.benchmarks.scenarios import ENTRIES, Account, Scenario, Scenarios, get

# What is changed in the sources that every builder packages: no generated file, and one that other modules import.
CHANGED_FILE = "triggers_api/routes.py"


def scenarios(account: Account) -> Scenarios:
    """Ask the API for what is read most."""
    tables = support.make_tables(account.client)
    key = generate()
    item = {"api_key": {"S": key.hashed}, "key_id": {"S": key.key_id}, "label": {"S": "benchmark"}}
    account.client.put_item(TableName=tables.keys, Item=item)
    variables = account.variables | {
        "AUTH_MODE": "aws",
        "DYNAMODB_TABLE_EVENTS": tables.events,
        "DYNAMODB_TABLE_KEYS": tables.keys,
    }
    with account.handler("triggers_api", variables) as handler:
        api = support.Api(handler, key=key.clear)
        for number in range(ENTRIES):
            api.create({"number": number})
    scenario = Scenario(
        variables=variables,
        reads="GET /v1/inbox",
        read=get(api, "/v1/inbox", {"X-API-Key": key.clear}),
        health=get(api, "/v1/health"),
    )
    return {"triggers_api/api": scenario}

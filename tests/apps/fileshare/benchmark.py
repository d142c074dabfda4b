"""What the benchmarks ask the functions of fileshare."""

from __future__ import annotations

from tests.apps.fileshare import support
from tests.benchmarks.scenarios import ENTRIES, Account, Scenario, Scenarios, get


def scenarios(account: Account) -> Scenarios:
    """Ask the API for what is read most."""
    tables = support.make_tables(account.client)
    variables = account.variables | {
        "USE_DYNAMODB": "true",
        "DYNAMODB_USERS_TABLE_NAME": tables.users,
        "DYNAMODB_URLS_TABLE_NAME": tables.urls,
    }
    with account.handler("fileshare", variables) as handler:
        api = support.Api(handler)
        api.sign_up()
        for number in range(ENTRIES):
            api.shorten(f"https://example.com/{number}")
    scenario = Scenario(
        variables=variables,
        reads="GET /api/links",
        read=get(api, "/api/links", {"Authorization": f"Bearer {api.token}"}),
        health=get(api, "/api/health"),
    )
    return {"fileshare/api": scenario}

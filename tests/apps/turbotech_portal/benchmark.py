"""What the benchmarks ask the functions of turbotech_portal."""

from __future__ import annotations

from tests.apps.turbotech_portal import support
from tests.benchmarks.scenarios import ENTRIES, Account, Scenario, Scenarios, get


def scenarios(account: Account) -> Scenarios:
    """Ask the API for what is read most."""
    tables = support.make_tables(account.client)
    deliverables = [support.deliverable(number) for number in range(1, ENTRIES + 1)]
    support.put(account.client, tables.deliverables, *deliverables)
    metrics = [support.metric(number) for number in range(1, ENTRIES + 1)]
    support.put(account.client, tables.metrics, *metrics)
    variables = account.variables | {
        "AUTH_MODE": "gateway",
        "DYNAMODB_TABLE_DELIVERABLES": tables.deliverables,
        "DYNAMODB_TABLE_METRICS": tables.metrics,
        "DYNAMODB_TABLE_UPDATES": tables.updates,
        "DYNAMODB_TABLE_USERS": tables.users,
    }
    with account.handler("turbotech_portal", variables) as handler:
        api = support.Api(handler, claims=support.CLAIMS)
        api.read("/api/dashboard")
    scenario = Scenario(
        variables=variables,
        reads="GET /api/dashboard",
        read=get(api, "/api/dashboard"),
        health=get(api, "/api/health"),
    )
    return {"turbotech_portal/api": scenario, "turbotech_portal/web": scenario}

"""What the benchmarks ask the functions of hybrid_ci_cd."""

from __future__ import annotations

from tests.apps.hybrid_ci_cd import support
from tests.benchmarks.scenarios import ENTRIES, Account, Scenario, Scenarios, get


def scenarios(account: Account) -> Scenarios:
    """Ask the API for what is read most."""
    tables = support.make_tables(account.client)
    variables = account.variables | {
        "DYNAMODB_TABLE_SESSIONS": tables.sessions,
        "DYNAMODB_TABLE_JOBS": tables.jobs,
        "DYNAMODB_TABLE_AGENTS": tables.agents,
    }
    with account.handler("hybrid_ci_cd", variables) as handler:
        api = support.Api(handler)
        user = api.log_in()
        for number in range(ENTRIES):
            api.queue(user, f"job {number}")
    scenario = Scenario(
        variables=variables, reads="GET /jobs", read=get(api, "/jobs", user.headers), health=get(api, "/health")
    )
    return {"hybrid_ci_cd/api": scenario}

"""Who may read and who may write where the deployment names scopes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_track_record.access import scopes_of
from stock_track_record.settings import ApiSettings
from tests.apps.every.access_tables import PAGES, Cell, cells
from tests.apps.stock_track_record.support import QUEUE_URL, UNKNOWN, MakeApi

SCOPES: dict[str, Any] = {"read_scopes": ("records:read",), "write_scopes": ("records:write",)}
# What API Gateway itself refuses is tried end to end; the pages are its alone.
GUARDED = [cell for cell in cells("stock_track_record") if cell.route not in PAGES and cell.caller != "no token"]
TOKENS = {
    "`records:read`": {"sub": "ada", "scope": "openid records:read"},
    "`records:write`": {"sub": "ada", "scope": "records:write"},
    "another scope": {"sub": "ada", "scope": "records:writer records"},
}


@pytest.mark.parametrize("cell", GUARDED, ids=lambda cell: cell.name)
def test_the_application_itself_does_what_the_table_says(make_api: MakeApi, cell: Cell) -> None:
    """Whatever route API Gateway took a call for: its own check of scopes is not the only one."""
    api = make_api(**(SCOPES if cell.caller in TOKENS else {}))
    api.claims = TOKENS.get(cell.caller)
    path = cell.path.format(channel_id=UNKNOWN, job_id=UNKNOWN, ticker="ACME")

    response = api.send(cell.method, path, body="{}")

    if cell.says == "yes":
        assert response.status not in {401, 403}
    else:
        assert (response.status, response.error_code) == (int(cell.says), "forbidden")


@pytest.mark.parametrize(
    "cell", [cell for cell in cells("stock_track_record") if cell.caller == "no token"], ids=lambda c: c.name
)
def test_a_call_without_checked_claims_is_refused_where_scopes_are_asked_for(make_api: MakeApi, cell: Cell) -> None:
    path = cell.path.format(channel_id=UNKNOWN, job_id=UNKNOWN, ticker="ACME")

    response = make_api(**SCOPES).send(cell.method, path, body="{}", headers={"Authorization": "Bearer x"})

    if cell.says == "yes" or cell.route in PAGES:
        assert response.status == 200
    else:
        assert (response.status, response.error_code) == (401, "unauthorized")


def test_scopes_are_read_from_the_environment() -> None:
    given = {
        "DYNAMODB_TABLE_PREFIX": "Records",
        "SQS_QUEUE_URL": QUEUE_URL,
        "WRITE_SCOPES": " a  b ",
        "READ_SCOPES": "",
    }

    settings = ApiSettings.from_environment(given)

    assert (settings.read_scopes, settings.write_scopes) == ((), ("a", "b"))


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scp": "a"}, {"a"}),
        ({"scp": ["a", "b"], "scope": "c"}, {"a", "b", "c"}),
        # API Gateway writes a list so.
        ({"scp": "[a b]"}, {"a", "b"}),
        ({}, set()),
        ({"scope": None, "scp": 7}, {"7"}),
        ({"scopes": "a", "permissions": ["a"]}, set()),
    ],
)
def test_a_tokens_scopes_are_those_that_api_gateway_looks_at(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(claims) == scopes


@given(
    claims=st.dictionaries(
        st.sampled_from(["scope", "scp", "sub"]),
        st.none() | st.integers() | st.text() | st.lists(st.text() | st.integers()),
    )
)
def test_no_claim_of_any_kind_is_an_error(claims: dict[str, Any]) -> None:
    assert all(isinstance(scope, str) for scope in scopes_of(claims))

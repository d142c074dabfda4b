"""The accounts of the local AWS that its contracts are tried in."""

from __future__ import annotations

import pytest

from sawhorse.local.emulators import Running
from tests.contracts.support import OTHER_ACCOUNT, Account


@pytest.fixture(scope="session")
def account(local_aws: Running) -> Account:
    """The account that most contracts are tried in."""
    return Account(local_aws)


@pytest.fixture(scope="session")
def other_account(local_aws: Running) -> Account:
    """A second account, as staging's and production's are."""
    return Account(local_aws, OTHER_ACCOUNT)


@pytest.fixture(scope="session", params=["the first account", "another account"])
def any_account(request: pytest.FixtureRequest, account: Account, other_account: Account) -> Account:
    """One account after the other: unsigned calls must reach both."""
    return account if request.param == "the first account" else other_account

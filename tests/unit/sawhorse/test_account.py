"""A command that would act in another account than the environment's is refused before it does anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.account import check_account
from sawhorse.environment import Environment
from sawhorse.errors import WrongAccount
from sawhorse.local.emulators import Running
from tests.ports import free_port

DEV = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)


@pytest.fixture(autouse=True)
def _credentials_of_no_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No profile, no file and no instance of this machine's gives credentials."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)


def use(monkeypatch: pytest.MonkeyPatch, running: Running, account_id: str) -> None:
    for name, value in running.environment(account_id).items():
        monkeypatch.setenv(name, value)


def test_credentials_of_the_environments_account_are_taken(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, local_aws, "111111111111")

    check_account(DEV)


def test_credentials_of_another_account_are_refused(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, local_aws, "222222222222")

    with pytest.raises(WrongAccount) as refusal:
        check_account(DEV)

    assert str(refusal.value) == (
        "These credentials belong to account 222222222222, and dev is 111111111111 in "
        "environments/dev/environment.yaml. Use other credentials, or correct the file."
    )


def test_no_credentials_are_told_how_to_get_some() -> None:
    with pytest.raises(WrongAccount) as refusal:
        check_account(DEV)

    assert str(refusal.value) == (
        "There are no AWS credentials for dev. Set AWS_PROFILE or AWS_ACCESS_KEY_ID, "
        "or add --local to use the local AWS."
    )


def test_a_key_that_aws_does_not_know_is_refused(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, local_aws, "ASIAEXPIREDEXPIRED00")

    with pytest.raises(
        WrongAccount, match=r"^AWS did not accept the credentials for dev: .*InvalidClientTokenId.*Renew"
    ):
        check_account(DEV)


def test_a_profile_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(WrongAccount, match=r"did not accept .*nobody.* could not be found"):
        check_account(DEV)


def test_half_of_the_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")

    with pytest.raises(WrongAccount, match=r"did not accept .*Partial credentials"):
        check_account(DEV)


def test_an_aws_that_does_not_respond_is_told(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, local_aws, "111111111111")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(WrongAccount, match=r"did not accept .*Could not connect"):
        check_account(DEV)

"""Sessions share what they read of botocore's models, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ProfileNotFound, UnknownServiceError
from botocore.loaders import JSONFileLoader

from sawhorse.aws_sessions import aws_session, loader_of

REGION = "eu-west-1"


def client_of(session: Any) -> Any:
    return session.client("sqs", aws_access_key_id="sample", aws_secret_access_key="sample")


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_a_second_session_reads_no_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client_of(aws_session(region_name=REGION))
    read: list[str] = []
    load_file = JSONFileLoader.load_file

    def remember(self: Any, path: str) -> Any:
        read.append(path)
        return load_file(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", remember)
    client_of(aws_session(region_name="us-east-1"))

    assert read == []


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_each_session_has_its_own_region_and_credentials() -> None:
    here = aws_session(region_name=REGION, aws_access_key_id="one", aws_secret_access_key="sample")
    there = aws_session(region_name="us-east-1", aws_access_key_id="two", aws_secret_access_key="sample")

    assert [one.region_name for one in (here, there)] == [REGION, "us-east-1"]
    assert [one.get_credentials().access_key for one in (here, there)] == ["one", "two"]


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_models_are_looked_for_in_each_place_once_however_many_sessions_there_are() -> None:
    for _ in range(3):
        aws_session(region_name=REGION)

    places = loader_of(None).search_paths
    assert len(places) == len(set(places))


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_models_of_the_shells_own_are_read_where_the_shell_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = {
        "metadata": {"apiVersion": "2026-01-01", "endpointPrefix": "s", "protocol": "json", "serviceId": "sample"},
        "operations": {},
        "shapes": {},
    }
    place = tmp_path / "sample-of-a-model/2026-01-01/service-2.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(model))
    with pytest.raises(UnknownServiceError):
        aws_session(region_name=REGION).client("sample-of-a-model")

    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    assert "sample-of-a-model" in aws_session(region_name=REGION).get_available_services()


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_a_profile_that_does_not_exist_is_said_as_boto3_says_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(ProfileNotFound):
        aws_session(region_name=REGION)

"""Addresses that name amazonaws.com become those of the local AWS, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.local.addresses import callable_here, localize, reachable

URL = "http://127.0.0.1:4566"
other_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("https://abc123.execute-api.us-east-1.amazonaws.com/dev", f"{URL}/_aws/execute-api/abc123/dev"),
        ("https://abc123.execute-api.eu-central-1.amazonaws.com", f"{URL}/_aws/execute-api/abc123"),
        ("https://abc123.execute-api.us-east-1.amazonaws.com/", f"{URL}/_aws/execute-api/abc123/"),
        ("call https://a.execute-api.us-east-1.amazonaws.com/a/b now", f"call {URL}/_aws/execute-api/a/a/b now"),
        ("https://abc.execute-api.cn-north-1.amazonaws.com.cn/dev", f"{URL}/_aws/execute-api/abc/dev"),
        ("https://x1.lambda-url.eu-central-1.on.aws/", f"{URL}/_aws/lambda-url/x1/"),
        ("https://x1.lambda-url.eu-central-1.on.aws/a?b=c", f"{URL}/_aws/lambda-url/x1/a?b=c"),
        ("https://x1.lambda-url.eu-central-1.on.aws", f"{URL}/_aws/lambda-url/x1"),
        (
            "https://a.execute-api.us-east-1.amazonaws.com.example.com/",
            "https://a.execute-api.us-east-1.amazonaws.com.example.com/",
        ),
        ("https://a.lambda-url.us-east-1.on.awsome/", "https://a.lambda-url.us-east-1.on.awsome/"),
        ("https://sqs.us-east-1.amazonaws.com/1/queue", "https://sqs.us-east-1.amazonaws.com/1/queue"),
        ("https://example.com/execute-api", "https://example.com/execute-api"),
    ],
)
def test_an_address_of_an_api_is_found_by_its_path(address: str, local: str) -> None:
    assert localize(address, URL) == local


@given(other_values)
def test_what_holds_no_address_stays_as_it_is(value: Any) -> None:
    assert localize(value, URL) == value


@given(other_values)
def test_addresses_are_found_at_any_depth(value: Any) -> None:
    address = "https://abc.execute-api.us-east-1.amazonaws.com/dev"

    found = localize({"outputs": [value, {"url": address}]}, URL)

    assert found == {"outputs": [value, {"url": f"{URL}/_aws/execute-api/abc/dev"}]}


SERVICES = st.sampled_from([("execute-api", "amazonaws.com"), ("lambda-url", "on.aws")])


@given(SERVICES, st.from_regex(r"\A[a-z0-9]{10}\Z"), st.from_regex(r"\A(/[a-z0-9{}+-]{1,5}){0,3}\Z"))
def test_turning_twice_is_turning_once(service: tuple[str, str], name: str, path: str) -> None:
    once = localize(f"https://{name}.{service[0]}.us-east-1.{service[1]}{path}", URL)

    assert once == f"{URL}/_aws/{service[0]}/{name}{path}"
    assert localize(once, URL) == once


@given(st.dictionaries(st.text(max_size=8), other_values, max_size=4))
def test_only_outputs_with_an_address_are_called_elsewhere(outputs: dict[str, Any]) -> None:
    address = {"an address": "https://abc.lambda-url.us-east-1.on.aws/"}

    assert callable_here({**outputs, **address}, URL) == {"an address": f"{URL}/_aws/lambda-url/abc/"}


API = "https://abc123.execute-api.us-east-1.amazonaws.com/dev"


@pytest.mark.parametrize("named", [URL, f"{URL}/", "http://localhost:4566"])
def test_an_emulator_of_the_shell_is_called_where_it_is(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", named)
    assert reachable({"url": API}, None) == {"url": f"{named.rstrip('/')}/_aws/execute-api/abc123/dev"}
    assert reachable({"url": API}, "http://127.0.0.1:9") == {"url": "http://127.0.0.1:9/_aws/execute-api/abc123/dev"}


@pytest.mark.parametrize("named", [None, "", "https://vpce-1.sts.us-east-1.vpce.amazonaws.com", "http://10.0.0.1:4566"])
def test_of_aws_an_address_stays_as_it_is(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if named is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", named)
    assert reachable({"url": API}, None) == {"url": API}

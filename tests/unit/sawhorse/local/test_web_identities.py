"""A web identity's token is read and checked, and whatever is not right about it is said in AWS's own words."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sawhorse.local.web_identities import CONFIGURATION, Token, TokenError, check, keys_of, read, told
from tests.ports import free_port

KEY = {"kid": "one"}
PROVIDER = {"ClientIDList": ["sts.amazonaws.com"]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def token(**claims: Any) -> Token:
    now = int(time.time())
    whole = {"iss": "https://example.com/", "sub": "me", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 60}
    return read(f"{encoded({'alg': 'RS256', 'kid': 'one'})}.{encoded({**whole, **claims})}.c2ln")


def checked(found: Token, *, right: bool = True) -> str:
    """Check a token whose signature is right or not, and return the error's code, nothing where there is none."""
    try:
        check(found, PROVIDER, lambda: [KEY], lambda _text, _key: right)
    except TokenError as error:
        return error.code
    return ""


def test_a_right_token_is_taken() -> None:
    assert checked(token()) == ""
    assert checked(token(aud=["other", "sts.amazonaws.com"])) == ""
    assert token().issuer == "example.com"


def test_a_signature_is_looked_at_before_anything_that_a_token_claims() -> None:
    assert checked(token(exp=1, aud="other"), right=False) == "InvalidIdentityToken"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512", "", None])
def test_another_algorithm_than_the_issuers_is_refused(algorithm: Any) -> None:
    found = token()._replace(header={"alg": algorithm, "kid": "one"})
    assert checked(found) == "InvalidIdentityToken"


@given(text=st.text() | st.lists(JSON.map(encoded), min_size=1, max_size=4).map(".".join))
def test_any_text_is_a_token_or_refused_as_none(text: str) -> None:
    try:
        claims = read(text).claims
    except TokenError:
        claims = {"iss": "refused"}
    assert "iss" in claims


@example("exp", float("inf"))
@example("nbf", float("nan"))
@example("aud", [{}])
@given(name=st.sampled_from(["exp", "nbf", "iat", "aud", "sub", "iss"]), value=JSON)
def test_whatever_a_token_claims_it_is_taken_or_refused(name: str, value: Any) -> None:
    assert checked(token(**{name: value})) in {"", "InvalidIdentityToken", "ExpiredTokenException"}


@given(seconds=st.integers(min_value=1, max_value=10**9))
def test_a_token_is_good_until_its_end_and_not_before_its_beginning(seconds: int) -> None:
    now = int(time.time())
    assert checked(token(exp=now - seconds)) == "ExpiredTokenException"
    assert checked(token(exp=now + seconds + 5, nbf=now - seconds)) == ""
    assert checked(token(nbf=now + seconds + 5)) == "InvalidIdentityToken"


def test_an_issuer_that_does_not_respond_is_told_from_a_token_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(TokenError) as missing:
        keys_of(tmp_path)
    document = tmp_path / CONFIGURATION
    document.parent.mkdir()
    document.write_text(json.dumps({"jwks_uri": f"http://127.0.0.1:{free_port()}/keys"}))
    with pytest.raises(TokenError) as closed:
        keys_of(tmp_path)
    assert {missing.value.code, closed.value.code} == {"IDPCommunicationError"}


@given(subject=st.text(max_size=20).filter(lambda text: not any(ord(one) < 32 for one in text)))
def test_a_session_says_whose_token_it_was(subject: str) -> None:
    text = b"<a><SubjectFromWebIdentityToken>x</SubjectFromWebIdentityToken><Provider>y</Provider></a>"
    found = told(text, token(sub=subject), "arn:aws:iam::111111111111:role/a").decode()
    assert found.count("<") == found.count(">")
    assert "arn:aws:iam::111111111111:oidc-provider/example.com" in found

"""The local issuer signs tokens that whoever reads its documents can check, and tells nobody its key."""

from __future__ import annotations

import json
import stat

import httpx
import jwt
import pytest

from sawhorse.errors import LocalAWSError
from sawhorse.local.emulators import Running
from sawhorse.local.issuer import ALGORITHM, HOME, Issuer
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse

AUDIENCE = "https://api.example.com"


def check(token: str, issuer: Issuer) -> dict[str, object]:
    """Check a token as an authorizer does: with what the issuer's documents say, and nothing else."""
    with httpx.Client(trust_env=False) as http:
        configuration = http.get(f"{issuer.url}.well-known/openid-configuration").json()
        keys = jwt.PyJWKSet.from_dict(http.get(configuration["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(
        token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=configuration["issuer"]
    )
    return claims


@pytest.fixture
def issuer(local_aws_project: Project, local_aws: Running) -> Issuer:
    """The issuer of the local AWS that runs for these tests."""
    return Issuer.of(local_aws_project)


def test_a_token_is_what_the_documents_say_and_carries_its_claims(issuer: Issuer) -> None:
    claims = check(issuer.token(subject="auth0|sample", audience=AUDIENCE, email="sample@example.com"), issuer)

    assert (claims["sub"], claims["email"]) == ("auth0|sample", "sample@example.com")


def test_a_token_that_has_expired_is_one(issuer: Issuer) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        check(issuer.token(subject="sample", audience=AUDIENCE, lifetime_seconds=-1), issuer)


def test_another_key_under_the_same_address_forges_nothing(issuer: Issuer) -> None:
    forger = Issuer(issuer.url, Issuer.new(issuer.url).key, issuer.key_id)

    with pytest.raises(jwt.InvalidSignatureError):
        check(forger.token(subject="sample", audience=AUDIENCE), issuer)


@pytest.mark.parametrize("path", ["", "key.json", "../key.json", "%2e%2e/key.json", ".well-known/"])
def test_its_server_shows_the_two_documents_and_nothing_else(local_aws: Running, path: str) -> None:
    with httpx.Client(trust_env=False) as http:
        response = http.get(f"{local_aws.issuer.url}/{path}")

    assert response.status_code == httpx.codes.NOT_FOUND


def test_its_key_is_for_this_users_eyes_alone(local_aws_project: Project, issuer: Issuer) -> None:
    path = local_aws_project.local / HOME / "key.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(issuer)


def test_without_a_local_aws_there_is_no_issuer(tiny: Project) -> None:
    with pytest.raises(LocalAWSError, match="The local AWS is not running"):
        Issuer.of(tiny)


@pytest.mark.parametrize(
    "change",
    [{"pem": "nothing"}, {"pem": 1}, {"pem": None}, {"url": 1}, {"url": None}, {"key_id": 1}, {"key_id": ["x"]}],
    ids=str,
)
def test_a_key_with_another_content_is_refused(tiny: Project, issuer: Issuer, change: dict[str, object]) -> None:
    issuer.keep(tiny)
    path = tiny.local / HOME / "key.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(LocalAWSError, match=r"^\.sawhorse/local/issuer/key\.json is not what the harness writes; "):
        Issuer.of(tiny)


@pytest.mark.parametrize("content", ['{"pem": "nothing"}', "[]", "1", "{", "[" * 100_000], ids=lambda text: text[:20])
def test_a_key_that_the_harness_did_not_write_is_refused(tiny: Project, content: str) -> None:
    path = tiny.local / HOME / "key.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)

    with pytest.raises(LocalAWSError, match=r"^\.sawhorse/local/issuer/key\.json is not what the harness writes; "):
        Issuer.of(tiny)


def test_the_command_prints_a_token_for_the_environments_audience(tiny: Project, issuer: Issuer) -> None:
    issuer.keep(tiny)
    environment = tiny.path / "environments/dev/environment.yaml"
    tenant = f"auth0: {{domain: auth0.example.com, audience: {AUDIENCE}}}\n"
    environment.write_text(environment.read_text() + tenant)

    main = tiny.path / "environments/dev/tiny/main.tf"
    main.write_text(f"{main.read_text()}\n# jwt = var.environment.jwt\n")

    ended = sawhorse(tiny, "local", "token", "dev/tiny", "--subject", "sample")

    assert ended.code == 0
    assert check(ended.out.strip(), issuer)["sub"] == "sample"


def test_the_command_makes_no_token_for_an_api_that_takes_none(tiny: Project) -> None:
    environment = tiny.path / "environments/dev/environment.yaml"
    tenant = f"auth0: {{domain: auth0.example.com, audience: {AUDIENCE}}}\n"
    environment.write_text(environment.read_text() + tenant)

    assert_refused(sawhorse(tiny, "local", "token", "dev/tiny"), "The API of dev/tiny takes no tokens of an issuer")


def test_the_command_says_where_a_tenant_is_named(tiny: Project) -> None:
    assert_refused(sawhorse(tiny, "local", "token", "dev/tiny"), "environment.yaml names no auth0 tenant")

"""Let the emulator's STS check a web identity's token as AWS does: signature, time, provider and audience.

Imported by the emulator's own process, so it needs the standard library alone. The issuer of the local AWS stands in
for every provider: its keys, asked over HTTP, are those of `token.actions.githubusercontent.com` and of any other that
an account trusts. Contracts in `tests/contracts/test_emulated_web_identities.py` say when an upgrade of MiniStack makes
it needless.
"""

import base64
import json
import math
import re
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from xml.sax.saxutils import escape

CONFIGURATION = ".well-known/openid-configuration"
ACTION = "AssumeRoleWithWebIdentity"
KEYS_SECONDS = 5
# Between the parts of a token.
DOTS = 2
OK, BAD_REQUEST = 200, 400
# What makes a role's session out of a token answers these whatever the token says.
ANSWERED = re.compile(r"<SubjectFromWebIdentityToken>.*</Provider>", re.DOTALL)

Keys = Callable[[], list[dict[str, Any]]]


class TokenError(Exception):
    """A token that is not taken: AWS's error code and message.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Token(NamedTuple):
    """A token that was read, and nothing more: what it claims, and what it is signed with."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """The issuer as IAM names a provider, without its scheme."""
        return str(self.claims.get("iss", "")).split("://", 1)[-1].rstrip("/")

    @property
    def audiences(self) -> list[str]:
        found = self.claims.get("aud", [])
        return [str(one) for one in (found if isinstance(found, list) else [found])]


def check_web_identities(service: Any, identities: Any, gateway: Any, documents: Path) -> None:
    """Change the emulator's STS; MiniStack 1.5.33 looks at the trust policy alone and never at the signature.

    `identities` is its IAM, which has the providers, `gateway` its API Gateway, which knows RS256, and `documents` the
    directory of the issuer's public documents.
    """
    trust_denied, handle = service._web_identity_trust_denied, service.handle_request

    def keys() -> list[dict[str, Any]]:
        return keys_of(documents)

    def denied(role: str, params: Mapping[str, Any], use_json: bool) -> Any:  # noqa: FBT001 # as MiniStack calls it
        try:
            token = read(service._p(params, "WebIdentityToken"))
            check(token, provider_of(identities, token, role), keys, gateway._verify_rs256_signature)
        except TokenError as error:
            if use_json:
                return service.error_response_json(error.code, error.message, BAD_REQUEST)
            return service._error(BAD_REQUEST, error.code, error.message, ns="sts")
        return trust_denied(role, params, use_json)

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        status, sent, text = await handle(method, path, headers, body, query)
        given = service.parse_qs(body.decode("utf-8", "replace"))
        if status != OK or given.get("Action") != [ACTION]:
            return status, sent, text
        return status, sent, told(text, read(given["WebIdentityToken"][0]), given["RoleArn"][0])

    service._web_identity_trust_denied = denied
    service.handle_request = handle_request


def told(text: bytes, token: Token, role: str) -> bytes:
    """Say whose token it was and who issued it, where MiniStack 1.5.33 says the same of every token."""
    provider = f"arn:aws:iam::{role.split(':')[4]}:oidc-provider/{token.issuer}"
    subject, audience = str(token.claims.get("sub", "")), token.audiences[0]
    found = (
        f"<SubjectFromWebIdentityToken>{escape(subject)}</SubjectFromWebIdentityToken>"
        f"<Audience>{escape(audience)}</Audience><Provider>{escape(provider)}</Provider>"
    )
    return ANSWERED.sub(lambda _: found, text.decode()).encode()


def read(text: str) -> Token:
    """Read a token; raises TokenError for what is none."""
    try:
        header, claims = (json.loads(decoded(part)) for part in text.split(".")[:2])
    except ValueError as error:
        raise not_a_token() from error
    if not isinstance(header, dict) or not isinstance(claims, dict) or text.count(".") != DOTS or "iss" not in claims:
        raise not_a_token()
    return Token(text, header, claims)


def not_a_token() -> TokenError:
    return TokenError(
        "InvalidIdentityToken",
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    )


def decoded(part: str) -> bytes:
    return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def provider_of(identities: Any, token: Token, role: str) -> Mapping[str, Any]:
    """Return the provider of the role's account that a token names; raises TokenError when there is none."""
    account = role.split(":")[4]
    arn = f"arn:aws:iam::{account}:oidc-provider/{token.issuer}"
    found: Mapping[str, Any] | None = identities._oidc_providers.get_scoped(account, None, arn)
    if found is None:
        sentence = f"No OpenIDConnect provider found in your account for {token.claims['iss']}"
        raise TokenError("InvalidIdentityToken", sentence)
    return found


def check(token: Token, provider: Mapping[str, Any], keys: Keys, verify: Callable[[str, Any], bool]) -> None:
    """Raise TokenError for a token that the issuer did not sign, that is not for now, or not for this provider."""
    found = next((key for key in keys() if key.get("kid") == token.header.get("kid")), None)
    if token.header.get("alg") != "RS256" or found is None:
        sentence = (
            "Couldn't retrieve verification key from your identity provider, please reference "
            f"{ACTION} documentation for requirements"
        )
        raise TokenError("InvalidIdentityToken", sentence)
    if not verify(token.text, found):
        raise TokenError("InvalidIdentityToken", "The signature of the token is not its issuer's.")
    now = int(time.time())
    expires, begins = time_in(token, "exp"), max(time_in(token, "nbf", now), time_in(token, "iat", now))
    if expires <= now:
        sentence = f"Token expired: current date/time {now} must be before the expiration date/time {expires}"
        raise TokenError("ExpiredTokenException", sentence)
    if begins > now:
        raise TokenError("InvalidIdentityToken", f"The token is not valid before {begins}; it is {now}.")
    if not set(token.audiences) & set(provider.get("ClientIDList", [])):
        raise TokenError("InvalidIdentityToken", "Incorrect token audience")


def time_in(token: Token, claim: str, absent: int | None = None) -> int:
    """Return a time of a token in seconds since 1970; raises TokenError for what is none."""
    found = token.claims.get(claim, absent)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise TokenError("InvalidIdentityToken", f"The token's {claim} is not a time.")
    return int(found)


def keys_of(documents: Path) -> list[dict[str, Any]]:
    """Ask the issuer for its keys; raises TokenError when it does not respond."""
    try:
        address = json.loads((documents / CONFIGURATION).read_bytes())["jwks_uri"]
        # The issuer's own document names an address of this machine.
        with urllib.request.urlopen(address, timeout=KEYS_SECONDS) as response:  # noqa: S310
            keys: list[dict[str, Any]] = json.load(response)["keys"]
            return keys
    except (URLError, OSError, ValueError, KeyError) as error:
        sentence = "The identity provider that was asked to verify the token could not be reached."
        raise TokenError("IDPCommunicationError", sentence) from error

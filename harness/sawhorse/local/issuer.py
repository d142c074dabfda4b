"""Stand in for an Auth0 tenant on the local AWS: an issuer whose tokens the authorizers of HTTP APIs really check.

It signs with RS256, as Auth0 does by default, with a key of this machine's own that goes with the local AWS.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from sawhorse.errors import LocalAWSError
from sawhorse.files import write_atomically
from sawhorse.project import Project
from sawhorse.trusted_files import read_own

HOME = "issuer"
ALGORITHM = "RS256"
CONFIGURATION = ".well-known/openid-configuration"
KEYS = ".well-known/jwks.json"


@dataclass(frozen=True)
class Issuer:
    """Whoever signs tokens: its address as it stands in them, its private key and the name of that key."""

    url: str
    key: rsa.RSAPrivateKey = field(repr=False)
    key_id: str

    @classmethod
    def new(cls, url: str) -> Issuer:
        """Make an issuer with a key that nobody knows yet; under the URL of another one, its tokens are forgeries."""
        return cls(url, rsa.generate_private_key(public_exponent=65537, key_size=2048), secrets.token_hex(8))

    @classmethod
    def of(cls, project: Project) -> Issuer:
        """Return the issuer of the local AWS that runs."""
        path = project.local / HOME / "key.json"
        try:
            kept = json.loads(read_own(path))
            key = load_pem_private_key(kept["pem"].encode(), password=None)
            url, key_id = kept["url"], kept["key_id"]
            if not (isinstance(key, rsa.RSAPrivateKey) and isinstance(url, str) and isinstance(key_id, str)):
                raise TypeError  # noqa: TRY301 # refused below, with what cannot be read
            return cls(url, key, key_id)
        except FileNotFoundError as error:
            raise LocalAWSError('The local AWS is not running; run "sawhorse local up".') from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LocalAWSError(
                f'{project.shown(path)} is not what the harness writes; run "sawhorse local reset" to start afresh.'
            ) from error

    def token(self, *, subject: str, audience: str, lifetime_seconds: int = 3600, **claims: Any) -> str:
        """Sign a token; a lifetime below zero makes one that has expired."""
        now = int(time.time())
        content = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": min(now, now + lifetime_seconds),
            "exp": now + lifetime_seconds,
            **claims,
        }
        return jwt.encode(content, self.key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def keep(self, project: Project) -> Path:
        """Write the key for this user's eyes alone, and beside it what everybody may read; return that directory."""
        home = project.local / HOME
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(
            home / "key.json", json.dumps({"url": self.url, "key_id": self.key_id, "pem": pem}), mode=0o600
        )
        public = {**RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": self.key_id, "alg": ALGORITHM}
        documents = {
            CONFIGURATION: {
                "issuer": self.url,
                "jwks_uri": f"{self.url}{KEYS}",
                "id_token_signing_alg_values_supported": [ALGORITHM],
            },
            KEYS: {"keys": [{**public, "use": "sig"}]},
        }
        for name, document in documents.items():
            write_atomically(home / "public" / name, json.dumps(document))
        return home / "public"

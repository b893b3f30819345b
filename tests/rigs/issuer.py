"""An issuer of access tokens in this process: keys, their JWKS document, and tokens with any claims."""

import base64
import time
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from runtime.telemetry import Telemetry
from services.http.tokens import TokenAuthenticator, authenticator_of

ISSUER: Final = "https://issuer.test"
CLIENT: Final = "tests"
AUDIENCE: Final = "api"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The key of this name, made once per process."""
    del name
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def jwk(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public key as JWKS documents have it."""
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "kid": key_id,
        "alg": "RS256",
        "use": "sig",
        "n": _number(numbers.n),
        "e": _number(numbers.e),
    }


class Issuer:
    """Issues tokens with the key `current`, and publishes the keys of `published`."""

    def __init__(self) -> None:
        self.current = "k1"
        self.published = ["k1"]
        self.out = False
        self.fetched = 0

    def document(self) -> bytes:
        """The JWKS document. Fails while `out`."""
        self.fetched += 1
        if self.out:
            raise ValueError
        return msgspec.json.encode({"keys": [jwk(name, rsa_key(name)) for name in self.published]})

    def token(
        self,
        tenant_id: str = "acme",
        *roles: str,
        user_id: str = "u-1",
        claims: Mapping[str, object] | None = None,
        headers: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> str:
        """A token as Cognito issues it, by default with the role agent; claims that are None are left out."""
        now = int(time.time())
        content: dict[str, object] = {
            "iss": ISSUER,
            "sub": user_id,
            "client_id": CLIENT,
            "aud": AUDIENCE,
            "token_use": "access",
            "iat": now,
            "exp": now + 3600,
            "custom:tenant_id": tenant_id,
            "cognito:groups": list(roles) or ["agent"],
        } | dict(claims or {})
        kept = {name: value for name, value in content.items() if value is not None}
        header: dict[str, object] = {"alg": "RS256", "kid": self.current} | dict(headers or {})
        signed = {name: value for name, value in header.items() if value is not None}
        return sign(signed, kept, rsa_key(key or self.current))

    def headers(self, tenant_id: str = "acme", *roles: str, user_id: str = "u-1") -> dict[str, str]:
        """The Authorization header of a valid token."""
        return {"Authorization": f"Bearer {self.token(tenant_id, *roles, user_id=user_id)}"}

    def authenticator(self, telemetry: Telemetry) -> TokenAuthenticator:
        """An authenticator that trusts this issuer."""
        return authenticator_of(
            self.document, issuer=ISSUER, audiences=(AUDIENCE,), client_ids=(CLIENT,), telemetry=telemetry
        )


def sign(header: Mapping[str, object], claims: Mapping[str, object], key: rsa.RSAPrivateKey) -> str:
    """A token with this header, signed with RS256 regardless of the header."""
    content = f"{encode(msgspec.json.encode(header))}.{encode(msgspec.json.encode(claims))}"
    return f"{content}.{encode(key.sign(content.encode(), PKCS1v15(), SHA256()))}"


def encode(part: bytes) -> str:
    """Base64 for URLs without padding, as tokens have it."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _number(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))

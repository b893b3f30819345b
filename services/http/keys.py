"""An issuer's public keys (JWKS, RFC 7517), cached and refreshed when they rotate."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

logger: Final = logging.getLogger("ticketstream.auth")

#: Minimum seconds between fetches for unknown key ids, so that forged tokens can't flood the issuer.
_REFRESH_S: Final = 10.0
#: Maximum seconds for which a withdrawn key is trusted, unless the issuer is down.
_MAX_AGE_S: Final = 600.0
_FETCH_S: Final = 3.0
_MAX_BYTES: Final = 256 * 1024
_MAX_KEYS: Final = 64
#: NIST SP 800-131A: shorter keys are disallowed.
_MIN_BITS: Final = 2048

#: Returns the JWKS document. It may raise httpx.HTTPError.
Fetch = Callable[[], bytes]


class _Jwk(Struct):
    kty: str
    kid: str = ""
    n: str = ""
    e: str = ""
    alg: str = "RS256"
    use: str = "sig"


class _Jwks(Struct):
    keys: list[msgspec.Raw]


class KeysUnavailableError(Exception):
    """The issuer could not be asked for its keys."""


class Keys:
    """The keys by id. Used from one event loop; `clock` is in seconds."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failed = False
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> RSAPublicKey | None:
        """The key of an id, or None if the issuer has none of this id.

        Raises:
            KeysUnavailableError: the id is unknown, and the issuer does not answer.
        """
        found = self._keys.get(key_id)
        if found is not None:
            if self._clock() - self._fetched_at > _MAX_AGE_S and self._may_try():
                self._refresh = asyncio.get_running_loop().create_task(self._fetch_again())
            return found
        async with self._lock:
            if key_id not in self._keys and self._may_try():
                await self._fetch_again()
        found = self._keys.get(key_id)
        if found is None and self._failed:
            raise KeysUnavailableError
        return found

    def _may_try(self) -> bool:
        return self._clock() - self._tried_at >= _REFRESH_S

    async def _fetch_again(self) -> None:
        """Replace the keys by the issuer's present ones. After a failure the old ones are kept."""
        self._tried_at = self._clock()
        try:
            keys = parse_keys(await asyncio.to_thread(self._fetch))
        except (httpx.HTTPError, msgspec.MsgspecError, ValueError) as error:
            self._failed = True
            logger.warning("the issuer's keys can't be fetched (%s); %d known", type(error).__name__, len(self._keys))
            return
        self._keys, self._failed, self._fetched_at = keys, False, self._clock()


def parse_keys(document: bytes) -> dict[str, RSAPublicKey]:
    """The RSA signature keys of a JWKS document, by id. Other keys are skipped.

    Raises:
        ValueError, msgspec.MsgspecError: it is not a JWKS document, or has no usable key.
    """
    found: dict[str, RSAPublicKey] = {}
    for raw in msgspec.json.decode(document, type=_Jwks).keys[:_MAX_KEYS]:
        try:
            one = msgspec.json.decode(raw, type=_Jwk)
            if not one.kid or (one.kty, one.alg, one.use) != ("RSA", "RS256", "sig"):
                continue
            key = jwt.PyJWK({"kty": "RSA", "n": one.n, "e": one.e}, algorithm="RS256").key
        except (msgspec.MsgspecError, jwt.PyJWTError, ValueError):
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_BITS:
            found[one.kid] = key
    if not found:
        raise ValueError("no RSA signature key of at least 2048 bits")
    return found


def fetch_over_http(client: httpx.Client, url: str) -> Fetch:
    """Fetches `url`, up to a bounded size and time; redirects are not followed."""

    def fetch() -> bytes:
        document = bytearray()
        deadline = time.monotonic() + _FETCH_S
        with client.stream("GET", url, timeout=_FETCH_S, follow_redirects=False) as response:
            response.raise_for_status()
            if response.status_code != httpx.codes.OK:
                raise httpx.DecodingError("not a document")
            for part in response.iter_bytes():
                document += part
                if len(document) > _MAX_BYTES or time.monotonic() > deadline:
                    raise httpx.DecodingError("the document is too large or too slow")
        return bytes(document)

    return fetch

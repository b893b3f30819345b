"""Callers: the user and the tenant that an access token names."""

from typing import Protocol

from msgspec import Struct

from core.callers import Role


class SignIn(Struct, frozen=True):
    """The sign-in that a token comes from.

    Attributes:
        sign_in_id: the same in all tokens of a sign-in, where the issuer says so.
        at_ms: when the user signed in, in ms since the epoch.
        expires_ms: when this token expires.
    """

    sign_in_id: str
    at_ms: int
    expires_ms: int


class Caller(Struct, frozen=True):
    """An authenticated caller. The tenant of a request is always this one."""

    tenant_id: str
    user_id: str
    roles: frozenset[Role]
    sign_in: SignIn | None = None


class Authenticator(Protocol):
    """Verifies access tokens."""

    async def authenticate(self, token: str) -> Caller:
        """The caller that a token names.

        Raises:
            Problem: unauthenticated, forbidden, or unavailable where it can't be checked now.
        """
        ...

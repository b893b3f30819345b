"""Callers: the user and the tenant that an access token names."""

from typing import Protocol

from msgspec import Struct

from core.callers import Role


class Caller(Struct, frozen=True):
    """An authenticated caller. The tenant of a request is always this one."""

    tenant_id: str
    user_id: str
    roles: frozenset[Role]


class Authenticator(Protocol):
    """Verifies access tokens."""

    async def authenticate(self, token: str) -> Caller:
        """The caller that a token names.

        Raises:
            Problem: unauthenticated, forbidden, or unavailable where it can't be checked now.
        """
        ...

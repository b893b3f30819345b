"""Authentication: requests of protected paths need an access token, before their body is read."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.callers import Role
from services.http.callers import Authenticator, Caller
from services.http.context import context_of
from services.http.problems import Problem

#: Maximum bytes of an access token. Those of Cognito have about 1,100.
_MAX_TOKEN: Final = 8 * 1024
_REALM: Final = 'Bearer realm="ticketstream"'
_DOCUMENTED: Final = HTTPBearer(
    auto_error=False, scheme_name="accessToken", bearerFormat="JWT", description="An access token of the issuer."
)


def unauthenticated(detail: str, *, error: str = "invalid_token") -> Problem:
    """A 401 with its challenge (RFC 6750)."""
    challenge = f'{_REALM}, error="{error}", error_description="{detail}"' if error else _REALM
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})


class Authentication:
    """ASGI middleware that authenticates requests of protected paths."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, protected: Sequence[str]) -> None:
        """Protect the paths that begin with one of `protected`."""
        self._app = app
        self._authenticator = authenticator
        self._protected = tuple(protected)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or raise a `Problem`."""
        if scope["type"] == "http" and scope["path"].startswith(self._protected):
            token = bearer_token(Headers(scope=scope))
            context_of(scope).caller = await self._authenticator.authenticate(token)
        await self._app(scope, receive, send)


def bearer_token(headers: Headers) -> str:
    """The token of the Authorization header.

    Raises:
        Problem: there is not exactly one bearer token, or it is too large.
    """
    given = headers.getlist("authorization")
    if not given:
        raise unauthenticated("Send an access token: Authorization: Bearer TOKEN.", error="")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN or not token.isascii():
        raise unauthenticated("The Authorization header must hold one bearer token.", error="invalid_request")
    return token


def _caller(request: Request, _token: Annotated[object, Security(_DOCUMENTED)]) -> Caller:
    caller = context_of(request.scope).caller
    if caller is None:
        raise unauthenticated("Send an access token: Authorization: Bearer TOKEN.", error="")
    return caller


#: Parameter of a route for any authenticated caller.
AnyCaller = Annotated[Caller, Depends(_caller)]


def require(*roles: Role) -> Callable[[Caller], Caller]:
    """A dependency: the caller, who must have one of `roles`. Use it as `Annotated[Caller, Depends(require("agent"))]`.

    Other callers get 403.
    """

    def caller_with_role(caller: AnyCaller) -> Caller:
        if caller.roles.isdisjoint(roles):
            raise Problem("forbidden", f"This needs one of the roles {', '.join(roles)}.")
        return caller

    return caller_with_role

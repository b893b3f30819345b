"""Routes of every service: who is signed in, signing out, and ending the sign-ins of a user."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from core.callers import Role
from services.http.authentication import AnyCaller, require
from services.http.callers import Caller
from services.http.problems import Problem
from services.http.sessions import Sessions

_OPERATORS: Final[tuple[Role, ...]] = ("operator",)
Operator = Annotated[Caller, Depends(require(*_OPERATORS))]


class SessionDocument(BaseModel):
    """A sign-in, as its access token has it."""

    tenant_id: str
    user_id: str
    roles: list[str]
    signed_in_at: datetime
    expires_at: datetime


def session_routes(sessions: Sessions) -> APIRouter:
    """The routes. FastAPI runs those that wait for the store on its threads."""
    router = APIRouter(prefix="/api/v1", tags=["sessions"])

    @router.get("/session", operation_id="get_session")
    async def get_session(caller: AnyCaller) -> SessionDocument:
        """Whose access token this is, and when it expires."""
        if caller.sign_in is None:
            raise Problem("forbidden", "The access token names no sign-in.")
        return SessionDocument(
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            roles=sorted(caller.roles),
            signed_in_at=_moment(caller.sign_in.at_ms),
            expires_at=_moment(caller.sign_in.expires_ms),
        )

    @router.delete("/session", operation_id="sign_out", status_code=204)
    def sign_out(caller: AnyCaller) -> None:
        """Sign out: from now on every service refuses this access token, and others of the same sign-in."""
        sessions.end(caller)

    @router.delete("/users/{user_id:path}/sessions", operation_id="end_sessions", status_code=204)
    def end_sessions(
        user_id: Annotated[str, Path(pattern="^[!-~]{1,128}$", examples=["joe"])], caller: Operator
    ) -> None:
        """End all sign-ins of a user of the caller's tenant; the user can sign in again."""
        sessions.end_all(caller.tenant_id, user_id)

    return router


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)

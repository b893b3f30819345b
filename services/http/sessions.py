"""Sign-ins that end before their tokens: the check of each request, and the routes that end them.

A token lives on after its user has signed out, at Cognito too, so each request looks for an end: of the token's
sign-in, or of all sign-ins of its user up to a time.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import Final

import anyio.to_thread
import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sessions.memory import MemoryEndings
from core.errors import FatalError, TransientError
from core.service_settings import SessionSettings
from core.sessions import ALWAYS_MS, Ending, Endings
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from runtime.sessions import open_endings
from runtime.telemetry import Telemetry
from services.http.authentication import unauthenticated
from services.http.callers import Caller
from services.http.context import context_of

logger: Final = logging.getLogger("ticketstream.sessions")

#: The dependency, as metrics name it.
SESSIONS: Final = "sessions"
_STATES: Final = {"closed": 0, "half-open": 1, "open": 2}
_MAX_BACKOFF_S: Final = 10.0
#: A call takes less with its attempts.
_PROBE_S: Final = 10.0
_DAY_MS: Final = 86_400_000


class Sessions:
    """Ends sign-ins, and tells whether one has ended. Safe to use from any thread."""

    def __init__(
        self,
        endings: Endings,
        *,
        keep_days: int,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sessions over a store.

        Args:
            endings: has the ends of all processes.
            keep_days: how long an end is kept at least.
            telemetry: counts requests that were answered although no end could be looked for.
            clock: seconds since the epoch.
            monotonic: seconds, for the circuit of the store.
        """
        self._endings = endings
        self._known = MemoryEndings()
        self._keep_ms = keep_days * _DAY_MS
        self._telemetry = telemetry
        self._clock = clock
        backoff = Backoff(cap_s=_MAX_BACKOFF_S, rng=Random())  # noqa: S311 - jitter
        self._circuit = CallCircuit(backoff=backoff, probe_s=_PROBE_S, clock=monotonic)
        telemetry.track("tickets_circuit_state", lambda: _STATES[self._circuit.state], SESSIONS)

    async def has_ended(self, caller: Caller) -> bool:
        """Whether the caller's sign-in has ended.

        During an outage of the store only ends that this process knows count; at its expiry a token is refused anyway.
        """
        if caller.sign_in is None:
            return False
        keys = [_key_of(caller), _user_key(caller.tenant_id, caller.user_id)]
        if self._endings.blocking:
            found = await anyio.to_thread.run_sync(self._find, keys)
        else:
            found = self._find(keys)
        return any(one.until_ms >= caller.sign_in.at_ms for one in found)

    def end(self, caller: Caller) -> None:
        """End the caller's sign-in.

        Raises:
            TransientError: the store is unavailable; the sign-in goes on.
        """
        expires_ms = 0 if caller.sign_in is None else caller.sign_in.expires_ms
        self._put(_key_of(caller), ALWAYS_MS, expires_ms)

    def end_all(self, tenant_id: str, user_id: str) -> None:
        """End all sign-ins of a user up to now.

        Raises:
            TransientError: the store is unavailable; the sign-ins go on.
        """
        self._put(_user_key(tenant_id, user_id), self._now_ms(), 0)

    def _put(self, key: str, until_ms: int, expires_ms: int) -> None:
        now_ms = self._now_ms()
        ending = Ending(key, until_ms, max(expires_ms, now_ms + self._keep_ms))
        self._endings.put(ending, now_ms=now_ms)
        self._known.put(ending, now_ms=now_ms)

    def _find(self, keys: Sequence[str]) -> Sequence[Ending]:
        now_ms = self._now_ms()
        if self._circuit.allow():
            try:
                found = self._endings.find(keys, now_ms=now_ms)
            except (TransientError, FatalError) as error:
                self._circuit.failure()
                logger.warning("ended sign-ins can't be read, and tokens are accepted until they expire: %s", error)
            except BaseException:
                self._circuit.abandoned()
                raise
            else:
                self._circuit.success()
                for one in found:
                    self._known.put(one, now_ms=now_ms)
                return found
        self._telemetry.count("tickets_auth_unchecked_total")
        return self._known.find(keys, now_ms=now_ms)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


class SessionCheck:
    """ASGI middleware that refuses authenticated callers whose sign-in has ended."""

    def __init__(self, app: ASGIApp, *, sessions: Sessions, telemetry: Telemetry) -> None:
        """Refuse them as `sessions` says."""
        self._app = app
        self._sessions = sessions
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or raise a `Problem`."""
        caller = context_of(scope).caller if scope["type"] == "http" else None
        if caller is not None and await self._sessions.has_ended(caller):
            self._telemetry.count("tickets_auth_refused_total", "signed-out")
            raise unauthenticated("The sign-in of this access token has ended.")
        await self._app(scope, receive, send)


def open_sessions(settings: SessionSettings, stack: ExitStack, *, telemetry: Telemetry) -> Sessions:
    """Sessions over the store that the settings name, which `stack` closes.

    Raises:
        ConfigError: the file can't be written, or no region is configured.
        UnavailableError: DynamoDB refuses, or the table is missing.
    """
    return Sessions(open_endings(settings, stack), keep_days=settings.keep_days, telemetry=telemetry)


def sessions_of_process(telemetry: Telemetry) -> Sessions:
    """Ends are kept in this process alone."""
    return Sessions(MemoryEndings(), keep_days=SessionSettings().keep_days, telemetry=telemetry)


def _key_of(caller: Caller) -> str:
    sign_in = "" if caller.sign_in is None else caller.sign_in.sign_in_id
    return f"sign-in/{_hash(caller.tenant_id, caller.user_id, sign_in)}"


def _user_key(tenant_id: str, user_id: str) -> str:
    return f"user/{_hash(tenant_id, user_id)}"


def _hash(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

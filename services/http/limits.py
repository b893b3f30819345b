"""Rate limits: of an address before its token is checked, then of the user and the tenant that the token names."""

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from ipaddress import IPv6Address, ip_address
from typing import Final

import anyio.to_thread
from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.cache.memory import MemoryLimiter
from core.cache import Allowance, Cache, RateLimiter, Subject
from core.service_settings import LimitSettings
from core.settings import Settings
from runtime.cache import open_cache_and_limiter
from runtime.telemetry import Telemetry
from services.http.context import context_of
from services.http.problems import Problem

#: An IPv6 subscriber usually has a /64.
_NETWORK_BITS: Final = 64


class Limited(Struct, frozen=True):
    """A subject, and the name of its limit in headers and metrics."""

    name: str
    subject: Subject


class Throttle(Struct, frozen=True):
    """A rate limiter, and the limits."""

    limiter: RateLimiter
    settings: LimitSettings


def open_throttle(settings: Settings, stack: ExitStack, *, telemetry: Telemetry) -> tuple[Cache, Throttle]:
    """Open the cache and the rate limits of a service.

    Raises:
        ConfigError: see `open_cache_and_limiter`.
    """
    window_s = settings.limits.window_s
    cache, limiter = open_cache_and_limiter(settings.cache, stack, window_s=window_s, telemetry=telemetry)
    return cache, Throttle(limiter, settings.limits)


def throttle_of_process(settings: LimitSettings) -> Throttle:
    """Rate limits that are counted in this process alone."""
    return Throttle(MemoryLimiter(window_s=settings.window_s), settings)


Subjects = Callable[[Scope], Sequence[Limited]]


class RateLimits:
    """ASGI middleware that counts requests of protected paths and answers those beyond a limit with 429."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        throttle: Throttle,
        subjects: Callable[[LimitSettings], Subjects],
        protected: Sequence[str],
        telemetry: Telemetry,
    ) -> None:
        """Count each request for its `subjects`."""
        self._app = app
        self._limiter = throttle.limiter
        self._window_s = throttle.settings.window_s
        self._subjects = subjects(throttle.settings)
        self._protected = tuple(protected)
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or raise a `Problem`."""
        if scope["type"] != "http" or not scope["path"].startswith(self._protected):
            await self._app(scope, receive, send)
            return
        limited = self._subjects(scope)
        taken = await self._take([one.subject for one in limited])
        for one, allowance in zip(limited, taken, strict=True):
            if not allowance.allowed:
                self._telemetry.count("tickets_http_limited_total", one.name)
                raise self._refusal(one, allowance)
        tightest = min(zip(limited, taken, strict=True), key=lambda pair: pair[1].remaining)
        headers = self._headers(*tightest)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in headers.items():
                    given.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_on)

    async def _take(self, subjects: Sequence[Subject]) -> Sequence[Allowance]:
        if self._limiter.blocking:
            return await anyio.to_thread.run_sync(self._limiter.take, subjects)
        return self._limiter.take(subjects)

    def _refusal(self, one: Limited, allowance: Allowance) -> Problem:
        headers = self._headers(one, allowance) | {"Retry-After": str(max(1, math.ceil(allowance.wait_s)))}
        detail = f"This {one.name} may send {one.subject.limit:,} requests in {self._window_s:g} seconds."
        return Problem("too-many-requests", detail, headers=headers)

    def _headers(self, one: Limited, allowance: Allowance) -> dict[str, str]:
        """The headers of draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"{one.name}";q={one.subject.limit};w={math.ceil(self._window_s)}',
            "RateLimit": f'"{one.name}";r={allowance.remaining};t={math.ceil(allowance.wait_s)}',
        }


def by_address(settings: LimitSettings) -> Subjects:
    """The address of the client."""

    def subjects(scope: Scope) -> Sequence[Limited]:
        address = client_address(scope, trusted_proxies=settings.trusted_proxies)
        return [Limited("address", Subject(f"address:{address}", settings.address_requests))]

    return subjects


def by_caller(settings: LimitSettings) -> Subjects:
    """The user and the tenant of the token."""

    def subjects(scope: Scope) -> Sequence[Limited]:
        caller = context_of(scope).caller
        assert caller is not None  # noqa: S101 - authentication runs before it
        return [
            Limited("user", Subject(f"user:{caller.tenant_id}/{caller.user_id}", settings.user_requests)),
            Limited("tenant", Subject(f"tenant:{caller.tenant_id}", settings.tenant_requests)),
        ]

    return subjects


def client_address(scope: Scope, *, trusted_proxies: int) -> str:
    """The address of the client: the peer's, or the one that the outermost trusted proxy has seen.

    Each proxy appends its peer to X-Forwarded-For, so entries further left than the trusted proxies' come from the
    client and are ignored. An IPv6 address is reduced to its network.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    if trusted_proxies:
        entries = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        if len(entries) >= trusted_proxies:
            seen = _address(entries[-trusted_proxies].strip())
            if seen:
                return seen
    return _address(peer) or "unknown"


def _address(text: str) -> str:
    """An address without its port; empty if it is malformed."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))

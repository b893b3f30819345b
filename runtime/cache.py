"""Opens the cache and the rate limiter: in this process, or on a Redis or Valkey server."""

from contextlib import ExitStack
from typing import Final

from connectors.cache.memory import MemoryCache, MemoryLimiter
from core.cache import Cache, RateLimiter
from core.service_settings import CacheSettings
from runtime.telemetry import Telemetry

#: The dependency, as metrics name it.
CACHE: Final = "cache"
_MIB: Final = 1024 * 1024
_STATES: Final = {"closed": 0, "half-open": 1, "open": 2}


def open_cache_and_limiter(
    settings: CacheSettings, stack: ExitStack, *, window_s: float, telemetry: Telemetry
) -> tuple[Cache, RateLimiter]:
    """A cache, and a limiter whose window has `window_s` seconds; `stack` closes their connections.

    A server that does not answer is not an error but an outage.

    Raises:
        ConfigError: the URL or the CA file is unusable, or the server refuses the user name and password.
    """
    if settings.url is None:
        return MemoryCache(max_bytes=settings.memory_mib * _MIB), MemoryLimiter(window_s=window_s)
    from connectors.cache.redis import RedisCache, RedisLimiter  # noqa: PLC0415 - imported for a server only
    from connectors.cache.redis_client import open_redis  # noqa: PLC0415 - likewise

    server = open_redis(settings, stack)
    telemetry.track("tickets_circuit_state", lambda: _STATES[server.state], CACHE)
    return (
        RedisCache(server, on_outcome=lambda outcome: telemetry.count("tickets_cache_calls_total", outcome)),
        RedisLimiter(server, window_s=window_s),
    )

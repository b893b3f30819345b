"""Tokens per tenant and day on a Redis or Valkey server, counted for all processes together."""

import time
from collections.abc import Callable
from typing import Final

from connectors.cache.memory_tokens import DailyTokens
from connectors.cache.redis_client import GuardedRedis
from core.language_model import Reservation

_DAY_S: Final = 86_400
#: A count expires a day after its day, because calls are settled later and clocks may differ.
_KEEP_S: Final = 2 * _DAY_S

#: Adds ARGV[1] to the count if the sum stays within ARGV[2] (0: no limit). Returns whether it did.
_RESERVE: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[2]) > 0 and used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
#: Adds ARGV[1] to a count that hasn't expired.
_SETTLE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('INCRBY', KEYS[1], ARGV[1]) end
return 1
"""


class _Uncounted(Reservation, frozen=True):
    """A reservation that the server didn't count, because it didn't answer."""


class RedisTokens:
    """Implements `core.language_model.TokenBudget`. In an outage this process counts alone."""

    def __init__(self, server: GuardedRedis, limit: int, *, clock: Callable[[], float] = time.time) -> None:
        """Each tenant has `limit` tokens a day; 0 means no limit. `clock` gives seconds since 1970."""
        self._server = server
        self._limit = limit
        self._alone = DailyTokens(limit, clock=clock)

    def reserve(self, tenant_id: str, tokens: int) -> Reservation | None:
        """See `TokenBudget`."""
        # also counted here, so that an outage begins with this process's own count
        alone = self._alone.reserve(tenant_id, tokens)
        if alone is None:
            return None
        answer = self._server.call(
            lambda client: client.eval(_RESERVE, 1, _key(tenant_id, alone.day), tokens, self._limit, _KEEP_S)
        )
        if answer == 0:
            self._alone.settle(alone, 0)
            return None
        return _Uncounted(alone.tenant_id, alone.day, alone.tokens) if answer is None else alone

    def settle(self, reservation: Reservation, used: int) -> None:
        """See `TokenBudget`."""
        self._alone.settle(reservation, used)
        reserved = 0 if isinstance(reservation, _Uncounted) else reservation.tokens
        key, change = _key(reservation.tenant_id, reservation.day), used - reserved
        self._server.call(lambda client: client.eval(_SETTLE, 1, key, change))


def _key(tenant_id: str, day: int) -> str:
    return f"ticketstream:tokens:{day}:{tenant_id}"

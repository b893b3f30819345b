"""The cache and the counts of rate limits on a Redis or Valkey server, which all processes of a service share."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from connectors.cache.memory import MemoryLimiter, allowance
from connectors.cache.redis_client import GuardedRedis
from core.cache import PARTS, Allowance, RateLimiter, Subject

Outcome = Literal["hit", "miss", "stored", "failed"]

_PREFIX: Final = "ticketstream:"
#: Maximum size of a value; a larger one would delay other calls.
_MAX_VALUE: Final = 1024 * 1024
_MS: Final = 1000

#: Counts a request for each subject if all allow it. KEYS are the subjects' hashes, from part to count; ARGV are the
#: length of a part in ms, the number of parts, the time in ms or -1 for the server's, and the limits. Parts far ahead
#: were counted before the clock was set back.
#: Returns the time in ms, whether it was counted, then for each subject its count and its oldest part.
_TAKE: Final = """
local part_ms, parts, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local part = math.floor(now / part_ms)
local used, oldest, allowed = {}, {}, 1
for i, key in ipairs(KEYS) do
  used[i], oldest[i] = 0, part
  local counts = redis.call('HGETALL', key)
  for j = 1, #counts, 2 do
    local at = tonumber(counts[j])
    if at < part - parts or at > part + parts then
      redis.call('HDEL', key, counts[j])
    else
      used[i] = used[i] + tonumber(counts[j + 1])
      if at < oldest[i] then oldest[i] = at end
    end
  end
  if used[i] >= tonumber(ARGV[3 + i]) then allowed = 0 end
end
local answer = {now, allowed}
for i, key in ipairs(KEYS) do
  if allowed == 1 then
    redis.call('HINCRBY', key, part, 1)
    redis.call('PEXPIRE', key, part_ms * (parts + 1))
    used[i] = used[i] + 1
  end
  answer[#answer + 1] = used[i]
  answer[#answer + 1] = oldest[i]
end
return answer
"""


class RedisCache:
    """A cache on a server. An outage is a miss."""

    def __init__(self, server: GuardedRedis, *, on_outcome: Callable[[Outcome], None] = lambda _outcome: None) -> None:
        """Use `server`; `on_outcome` is called with the outcome of each call."""
        self._server = server
        self._on_outcome = on_outcome

    def get(self, key: str) -> bytes | None:
        """See `core.cache.Cache`."""
        found = self._server.call(lambda client: (client.get(_PREFIX + key),))
        if found is None:
            self._on_outcome("failed")
            return None
        value = found[0]
        self._on_outcome("miss" if value is None else "hit")
        return value if isinstance(value, bytes) else None

    def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """See `core.cache.Cache`."""
        if len(value) > _MAX_VALUE:
            self.delete(key)
            return
        ttl_ms = max(1, round(ttl_s * _MS))
        done = self._server.call(lambda client: client.set(_PREFIX + key, value, px=ttl_ms))
        self._on_outcome("failed" if done is None else "stored")

    def delete(self, key: str) -> None:
        """See `core.cache.Cache`."""
        self._server.call(lambda client: client.delete(_PREFIX + key))


class RedisLimiter:
    """Counts on a server. In an outage this process counts alone."""

    blocking: Final = True

    def __init__(
        self,
        server: GuardedRedis,
        *,
        window_s: float,
        clock: Callable[[], float] | None = None,
        fallback: RateLimiter | None = None,
    ) -> None:
        """Count on `server`, by its clock unless `clock`, in seconds, is given."""
        self._server = server
        self._part_ms = max(1, round(window_s * _MS / PARTS))
        self._clock = clock
        self._fallback = fallback or MemoryLimiter(window_s=window_s)

    def take(self, subjects: Sequence[Subject]) -> Sequence[Allowance]:
        """See `core.cache.RateLimiter`."""
        if not subjects:
            return []
        keys = [f"{_PREFIX}limit:{subject.key}" for subject in subjects]
        now = -1 if self._clock is None else int(self._clock() * _MS)
        arguments = [self._part_ms, PARTS, now, *(subject.limit for subject in subjects)]
        answer = self._server.call(lambda client: client.eval(_TAKE, len(keys), *keys, *arguments))
        if not isinstance(answer, list):
            return self._fallback.take(subjects)
        at, allowed, *counts = (int(number) for number in answer)
        return [
            allowance(subject, used, oldest, at / _MS, self._part_ms / _MS, counted=bool(allowed))
            for subject, used, oldest in zip(subjects, counts[::2], counts[1::2], strict=True)
        ]

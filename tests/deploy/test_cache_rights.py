"""The rights of the services' user in ElastiCache are enough for the services, and for nothing else."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
import redis
from pydantic import SecretStr

from connectors.cache.redis import RedisCache, RedisLimiter
from connectors.cache.redis_client import GuardedRedis, open_redis
from connectors.cache.redis_tokens import RedisTokens
from core.cache import Subject
from tests.rigs.redis_server import PASSWORD, start_valkey

_CACHE: Final = Path(__file__).parents[2] / "deploy" / "terraform" / "modules" / "cache" / "main.tf"


def _command(server: GuardedRedis, *words: str) -> object:
    answer: object = server.call(lambda client: client.execute_command(*words))  # type: ignore[no-untyped-call]
    return answer


def test_the_rights_are_those_that_the_services_need() -> None:
    """With them the cache, the limits and the budgets work; other keys, and commands for operators, are refused."""
    (rights,) = re.findall(r'access = "(.+)"', _CACHE.read_text())
    with start_valkey(password=PASSWORD) as running, ExitStack() as stack:
        operator = open_redis(running.settings, stack)
        user = ["ACL", "SETUSER", "services", f">{PASSWORD}", *rights.split()]
        assert _command(operator, *user)
        changes = {"username": "services", "password": SecretStr(PASSWORD)}
        server = open_redis(running.settings.model_copy(update=changes), stack)
        outcomes: list[str] = []
        cache = RedisCache(server, on_outcome=outcomes.append)
        cache.put("k", b"1", ttl_s=60)
        assert cache.get("k") == b"1"
        cache.delete("k")
        assert cache.get("k") is None
        assert outcomes == ["stored", "hit", "miss"]
        limiter = RedisLimiter(server, window_s=1)
        assert [limiter.take([Subject("u", 2)])[0].allowed for _ in range(3)] == [True, True, False]
        tokens = RedisTokens(server, 10)
        reserved = tokens.reserve("acme", 8)
        assert reserved is not None
        assert tokens.reserve("acme", 8) is None
        tokens.settle(reserved, 1)
        assert tokens.reserve("acme", 8) is not None
        assert server.state == "closed"
        for command in (["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["GET", "others:key"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                server.client.execute_command(*command)  # type: ignore[no-untyped-call]

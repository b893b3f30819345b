"""An outage of the cache's server fails no request, and its recovery is noticed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.cache.redis import Outcome, RedisCache, RedisLimiter
from connectors.cache.redis_client import GuardedRedis, open_redis
from core.cache import Subject
from core.errors import ConfigError
from core.service_settings import CacheSettings
from tests.rigs.proxy import Proxy
from tests.rigs.redis_server import RedisServer, start_redis_with_tls, start_valkey, start_valkey_with_tls
from tests.rigs.waiting import wait_until


def closed_port() -> str:
    """An address at which nobody listens."""
    with Proxy("127.0.0.1:1") as proxy:
        return proxy.address


def test_a_server_that_is_away_is_a_miss(caplog: pytest.LogCaptureFixture) -> None:
    """Without a server a get is a miss, a put is dropped and a limit is counted in this process."""
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        server = open_redis(CacheSettings(url=f"redis://{closed_port()}"), stack)
        cache = RedisCache(server, on_outcome=outcomes.append)
        for _ in range(5):
            cache.put("secret-key", b"1", ttl_s=60)
            assert cache.get("secret-key") is None
            cache.delete("secret-key")
        assert set(outcomes) == {"failed"}
        assert server.state == "open"
        limiter = RedisLimiter(server, window_s=300)
        assert [limiter.take([Subject("u", 2)])[0].allowed for _ in range(3)] == [True, True, False]
    assert "secret-key" not in caplog.text
    assert caplog.text.count("requests continue without it") == 1


def test_a_silent_server_costs_a_few_timeouts() -> None:
    """A server that never answers costs a few timeouts; then the circuit breaker opens and callers don't wait."""
    with start_valkey() as running, Proxy(running.address) as proxy, ExitStack() as stack:
        settings = CacheSettings(url=f"redis://{proxy.address}", timeout_s=0.1)
        server = open_redis(settings, stack)
        cache = RedisCache(server)
        cache.put("k", b"1", ttl_s=600)
        proxy.cut("to_client")
        wait_until(lambda: cache.get("k") is None and server.state == "open", every_s=0)
        accepted = proxy.accepted
        assert [cache.get("k") for _ in range(1_000)] == [None] * 1_000
        assert proxy.accepted <= accepted + 20  # probes
        proxy.heal()
        wait_until(lambda: cache.get("k") == b"1")
        assert server.state == "closed"


def test_a_frozen_server_is_noticed_and_found_again() -> None:
    """A frozen server is an outage, and is used again once it is thawed."""
    with start_valkey() as running, ExitStack() as stack:
        cache = RedisCache(_opened(running, stack, timeout_s=0.2))
        cache.put("k", b"1", ttl_s=600)
        running.freeze()
        assert cache.get("k") is None
        running.thaw()
        wait_until(lambda: cache.get("k") == b"1")


def test_a_wrong_kind_of_value_is_a_miss() -> None:
    """A key that another program has filled with something else is a miss."""
    with start_valkey() as running, ExitStack() as stack:
        server = _opened(running, stack, timeout_s=60)
        server.client.lpush("ticketstream:k", "x")
        assert RedisCache(server).get("k") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://h:1",
        "redis://",
        "redis://h/x",
        "redis://user:secret@h",
        "rediss://h/0?ssl_cert_reqs=none",
        "unix:///tmp/x",
        "redis://h:99999",
        "redis://[::1",
    ],
)
def test_an_unusable_url_is_a_config_error(url: str) -> None:
    """Other schemes, credentials and options in the URL are refused, and not shown."""
    with ExitStack() as stack, pytest.raises(ConfigError, match="TICKETS_CACHE__URL") as caught:
        open_redis(CacheSettings(url=url), stack)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("start", [start_valkey_with_tls, start_redis_with_tls])
def test_credentials_and_certificates_are_checked(
    start: Callable[[Path], AbstractContextManager[RedisServer]], tmp_path: Path
) -> None:
    """A wrong password is a config error; a certificate of an unknown authority is never trusted."""
    with start(tmp_path) as running, ExitStack() as stack:
        good = running.settings
        assert open_redis(good, stack).call(lambda client: client.ping())
        for password in (None, SecretStr("wrong")):
            with pytest.raises(ConfigError, match="TICKETS_CACHE__PASSWORD"):
                open_redis(good.model_copy(update={"password": password}), stack)
        untrusted = open_redis(good.model_copy(update={"ssl_ca_file": None}), stack)
        assert untrusted.call(lambda client: client.ping()) is None


def _opened(running: RedisServer, stack: ExitStack, *, timeout_s: float) -> GuardedRedis:
    return open_redis(running.settings.model_copy(update={"timeout_s": timeout_s}), stack)

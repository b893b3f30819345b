"""Servers whose credentials are rotated: Qdrant's nodes on ECS, users of ElastiCache, and a Kafka user's secret."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from connectors.credentials.secrets import translated
from core.errors import FatalError, TransientError

_TIMEOUT_S: Final = 5.0
_REFUSED: Final = frozenset({401, 403})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, because the key would be sent to another server."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """See `HTTPRedirectHandler`."""


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def node_accepts(url: str, key: str) -> bool:
    """Whether a node of Qdrant accepts an API key.

    Raises:
        TransientError: the node doesn't answer.
        FatalError: the address is not an HTTP URL.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise FatalError(f"{url} is not the URL of a node; write it as https://HOST:PORT")
    request = urllib.request.Request(f"{url.rstrip('/')}/collections", headers={"api-key": key})  # noqa: S310 - see above
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S):
            return True
    except urllib.error.HTTPError as error:
        if error.code in _REFUSED:
            return False
        raise TransientError(f"{url} answers {error.code}") from None
    except (OSError, HTTPException) as error:
        raise TransientError(f"{url} doesn't answer ({type(error).__name__})") from None


class EcsServices(Struct, frozen=True, eq=False):
    """Restarts services, whose tasks read their secrets when they start. `client` is boto3's, of ECS."""

    client: Any

    def restart(self, name: str) -> None:
        """Replace the tasks of CLUSTER/SERVICE.

        Raises:
            TransientError: an outage.
            FatalError: AWS refuses, or there is no such service.
        """
        cluster, _, service = name.partition("/")
        with translated("restarting a service"):
            self.client.update_service(cluster=cluster, service=service, forceNewDeployment=True)


class CacheUsers(Struct, frozen=True, eq=False):
    """Users of ElastiCache, each with up to two passwords. `client` is boto3's, of ElastiCache."""

    client: Any

    def set_passwords(self, user_id: str, passwords: Sequence[str]) -> None:
        """Replace a user's passwords.

        Raises:
            TransientError: an outage, or the user is being changed.
            FatalError: AWS refuses.
        """
        if not self.active(user_id):
            raise TransientError(f"the cache's user {user_id} is being changed")
        mode = {"Type": "password", "Passwords": list(passwords)}
        with translated("changing a cache user"):
            self.client.modify_user(UserId=user_id, AuthenticationMode=mode)

    def active(self, user_id: str) -> bool:
        """Whether the last change of a user has reached the servers."""
        with translated("describing a cache user"):
            users = self.client.describe_users(UserId=user_id)["Users"]
        return bool(users) and users[0]["Status"] == "active"


def cache_accepts(url: str, username: str, password: str) -> bool:
    """Whether a Redis or Valkey server accepts a user's password.

    Raises:
        TransientError: it doesn't answer.
    """
    import redis  # noqa: PLC0415 - imported for a server only

    try:
        with redis.Redis.from_url(url, username=username, password=password, socket_timeout=_TIMEOUT_S) as client:
            client.ping()
    except redis.AuthenticationError:
        return False
    except (redis.RedisError, OSError) as error:
        raise TransientError(f"the cache doesn't answer ({type(error).__name__})") from None
    return True

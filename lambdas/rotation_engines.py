"""Replaces each kind of credential while clients keep using the current one."""

import secrets
from collections.abc import Callable
from typing import Final, Protocol

from connectors.credentials.secrets import Secret, Secrets

_BYTES: Final = 32


class Engine(Protocol):
    """A kind of credential."""

    def following(self, current: Secret) -> Secret:
        """The secret after `current`, with a new random part."""
        ...

    def admit(self, current: Secret, pending: Secret) -> bool:
        """Have the servers accept `pending` beside `current`. Idempotent; False if it has to be called again."""
        ...

    def works(self, pending: Secret) -> bool:
        """Whether every server accepts `pending`."""
        ...


class Restart(Protocol):
    """Restarts a service."""

    def restart(self, name: str) -> None: ...


class Passwords(Protocol):
    """Users with up to two passwords."""

    def set_passwords(self, user_id: str, passwords: list[str], /) -> None: ...

    def active(self, user_id: str, /) -> bool: ...


class Qdrant:
    """Qdrant's API key. Its nodes accept `key` and `alt_key` of the version that was current when they started.

    Fields: `key`, `alt_key`, and `nodes`, a map of URLs to CLUSTER/SERVICE on ECS. The next version's key is the
    current `alt_key`. Nodes that don't know it yet are restarted one after another; they then read the current version.
    """

    def __init__(self, accepts: Callable[[str, str], bool], services: Restart) -> None:
        self._accepts = accepts
        self._services = services
        self._restarting = ""

    def following(self, current: Secret) -> Secret:
        """See `Engine`."""
        return {**current, "key": current["alt_key"], "alt_key": secrets.token_urlsafe(_BYTES)}

    def admit(self, current: Secret, pending: Secret) -> bool:
        """See `Engine`. It restarts one node at a time."""
        for url, service in current["nodes"].items():
            if not self._accepts(url, pending["key"]):
                if self._restarting != service:
                    self._restarting = service
                    self._services.restart(service)
                return False
        self._restarting = ""
        return True

    def works(self, pending: Secret) -> bool:
        """See `Engine`."""
        return all(self._accepts(url, pending["key"]) for url in pending["nodes"])


class Cache:
    """A user of ElastiCache. Fields: `url` (rediss://HOST:PORT), `user_id`, `username`, `password`."""

    def __init__(self, users: Passwords, accepts: Callable[[str, str, str], bool]) -> None:
        self._users = users
        self._accepts = accepts

    def following(self, current: Secret) -> Secret:
        """See `Engine`."""
        return {**current, "password": secrets.token_urlsafe(_BYTES)}

    def admit(self, current: Secret, pending: Secret) -> bool:
        """See `Engine`."""
        if not self.works(pending) and self._users.active(current["user_id"]):
            self._users.set_passwords(current["user_id"], [current["password"], pending["password"]])
        return self.works(pending)

    def works(self, pending: Secret) -> bool:
        """See `Engine`."""
        return self._accepts(pending["url"], pending["username"], pending["password"])


class Scram:
    """A Kafka user of MSK, which has one password, so two users with the same rights take turns.

    Fields: `username`, `password`, and `users`, a map of the two names to the secrets that MSK reads them from. MSK
    takes up to ten minutes to read a change.
    """

    def __init__(self, store: Secrets, accepts: Callable[[str, str], bool]) -> None:
        self._store = store
        self._accepts = accepts

    def following(self, current: Secret) -> Secret:
        """See `Engine`."""
        (other,) = [name for name in current["users"] if name != current["username"]]
        return {**current, "username": other, "password": secrets.token_urlsafe(_BYTES)}

    def admit(self, current: Secret, pending: Secret) -> bool:
        """See `Engine`."""
        del current
        secret_id = pending["users"][pending["username"]]
        wanted = {"username": pending["username"], "password": pending["password"]}
        if self._store.get(secret_id, "AWSCURRENT") != wanted:
            self._store.put(secret_id, wanted)
        return True

    def works(self, pending: Secret) -> bool:
        """See `Engine`."""
        return self._accepts(pending["username"], pending["password"])

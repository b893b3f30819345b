"""A rotation refuses no client, and any of its steps may be repeated."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from connectors.credentials.secrets import Secret
from core.errors import ConfigError, FatalError, TransientError
from lambdas.rotation import Rotator
from lambdas.rotation_engines import Cache, Qdrant, Scram
from tests.lambdas.events import call
from tests.lambdas.fake_secrets import STEPS, FakeSecrets, event


class Restarted:
    """Remembers the clients that a rotation restarts."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def restart(self, name: str) -> None:
        self.names.append(name)


class World:
    """Servers of one kind, and a client that reads its secret as late as it may: just before the next rotation."""

    def __init__(self, first: Secret) -> None:
        self.secrets = FakeSecrets()
        self.secrets.put("id", first, version="first")
        self.first = first
        self.versions = count()
        self.restarted = Restarted()
        self.calls = 0
        self.refused = 0
        self.reread()

    def accepts(self, secret: Secret) -> bool:
        """Whether every server that a client may reach accepts it."""
        raise NotImplementedError

    def passes(self) -> None:
        """Time passes."""

    def rotator(self) -> Rotator:
        raise NotImplementedError

    def reread(self) -> None:
        self.used = dict(self.secrets.get("id", "AWSCURRENT") or {})

    def client_calls(self, _seconds: float = 0) -> None:
        self.calls += 1
        self.refused += not self.accepts(self.used)
        self.passes()

    def begin(self) -> str:
        version = f"rotated-{next(self.versions)}"
        self.secrets.begin("id", version)
        return version

    def rotate(self, steps: Sequence[str] = STEPS) -> None:
        """A rotation in which the client calls between and during all steps."""
        version = self.begin()
        for step in steps:
            self.client_calls()
            assert self.rotator().handle(event(version, step), call(900, tick_s=5)) == {}
            self.client_calls()
        self.reread()
        for _ in range(3):
            self.client_calls()


class QdrantWorld(World):
    """Three nodes, each with the two keys that were current when it started; a restart takes two calls."""

    def __init__(self) -> None:
        nodes = {f"https://node-{number}": f"cluster/node-{number}" for number in range(3)}
        self.restarts: list[str] = []
        self.down: dict[str, int] = {}
        super().__init__({"engine": "qdrant", "key": "k1", "alt_key": "k2", "nodes": nodes})
        self.keys = {url: {"k1", "k2"} for url in nodes}
        self.engine = Qdrant(self.node_accepts, self)

    def node_accepts(self, url: str, key: str) -> bool:
        if url in self.down:
            raise TransientError("it restarts")
        return key in self.keys[url]

    def accepts(self, secret: Secret) -> bool:
        """One node at a time may be down: the others answer."""
        up = [url for url in self.keys if url not in self.down]
        return len(up) >= 2 and all(secret["key"] in self.keys[url] for url in up)

    def restart(self, name: str) -> None:
        self.restarts.append(name)
        self.down[f"https://{name.partition('/')[2]}"] = 2

    def passes(self) -> None:
        for url in list(self.down):
            self.down[url] -= 1
            if not self.down[url]:
                del self.down[url]
                current = self.secrets.get("id", "AWSCURRENT") or {}
                self.keys[url] = {current["key"], current["alt_key"]}

    def rotator(self) -> Rotator:
        return Rotator(self.secrets, {"qdrant": self.engine}, self.restarted, sleep=self.client_calls)


class CacheWorld(World):
    """A user with two passwords, whose change takes two calls."""

    def __init__(self) -> None:
        self.passwords = ["p1"]
        self.coming: list[str] = []
        self.wait = 0
        self.changes = 0
        super().__init__(
            {"engine": "cache", "url": "rediss://cache", "user_id": "app", "username": "app", "password": "p1"}
        )

    def accepts(self, secret: Secret) -> bool:
        return secret["password"] in self.passwords

    def active(self, _user_id: str) -> bool:
        return not self.wait

    def set_passwords(self, _user_id: str, passwords: list[str]) -> None:
        assert len(passwords) == 2
        self.changes += 1
        self.coming, self.wait = passwords, 2

    def passes(self) -> None:
        self.wait = max(0, self.wait - 1)
        if self.coming and not self.wait:
            self.passwords, self.coming = self.coming, []

    def rotator(self) -> Rotator:
        engine = Cache(self, lambda url, _name, password: bool(urlsplit(url).scheme) and password in self.passwords)
        return Rotator(self.secrets, {"cache": engine}, self.restarted, sleep=self.client_calls)


class ScramWorld(World):
    """Two users of Kafka, whose secrets reach the brokers after three calls."""

    def __init__(self) -> None:
        super().__init__(
            {"engine": "scram", "username": "a", "password": "p1", "users": {"a": "AmazonMSK_a", "b": "AmazonMSK_b"}}
        )
        self.secrets.put("AmazonMSK_a", {"username": "a", "password": "p1"})
        self.known = {"a": "p1"}
        self.behind = 0

    def accepts(self, secret: Secret) -> bool:
        return bool(self.known.get(secret["username"]) == secret["password"])

    def passes(self) -> None:
        self.behind += 1
        if self.behind % 3 == 0:
            for name in ("AmazonMSK_a", "AmazonMSK_b"):
                value = self.secrets.get(name, "AWSCURRENT")
                if value is not None:
                    self.known[value["username"]] = value["password"]

    def rotator(self) -> Rotator:
        engine = Scram(self.secrets, lambda name, password: self.known.get(name) == password)
        return Rotator(self.secrets, {"scram": engine}, self.restarted, sleep=self.client_calls)


WORLDS: Final[Mapping[str, Callable[[], Any]]] = {"qdrant": QdrantWorld, "cache": CacheWorld, "scram": ScramWorld}


@pytest.mark.parametrize("name", WORLDS)
def test_three_rotations_refuse_no_call(name: str) -> None:
    """A client that reads its secret only between rotations is never refused, and the credential is new each time."""
    world = WORLDS[name]()
    used = [world.used]
    for _ in range(3):
        world.rotate()
        used.append(world.used)
    assert world.calls >= 3 * 11
    assert world.refused == 0
    assert len({(one.get("username"), one.get("key"), one.get("password")) for one in used}) == 4
    assert not world.accepts(world.first), "the first credential still works"


@pytest.mark.parametrize("name", WORLDS)
def test_every_step_may_be_repeated(name: str) -> None:
    """Secrets Manager repeats a rotation from its first step; a value is made once, and nobody is refused."""
    world = WORLDS[name]()
    world.rotate()
    for begun in range(len(STEPS)):
        version = world.begin()
        for last in range(begun + 1):
            for step in STEPS[: last + 1]:
                world.rotator().handle(event(version, step), call(900, tick_s=5))
                made = world.secrets.get("id", "AWSPENDING", version) or world.secrets.get("id", "AWSCURRENT")
                world.client_calls()
            assert made is not None
            assert made == (world.secrets.get("id", "AWSPENDING", version) or world.secrets.get("id", "AWSCURRENT"))
        for step in STEPS:
            world.rotator().handle(event(version, step), call(900, tick_s=5))
        assert world.secrets.get("id", "AWSCURRENT") == made
        world.reread()
        world.client_calls()
    assert world.refused == 0


def test_nodes_restart_one_after_another_and_only_if_they_have_to() -> None:
    """The first rotation needs no restart, since the nodes know the alternative key already."""
    world = QdrantWorld()
    world.rotate()
    assert world.restarts == []
    world.rotate()
    assert world.restarts == ["cluster/node-0", "cluster/node-1", "cluster/node-2"]


def test_clients_restart_when_the_new_version_is_the_current_one() -> None:
    """A task reads its secrets when it starts, so clients restart after the promotion, again if it is repeated."""
    world = CacheWorld()
    world.secrets.put("id", {**world.first, "clients": ["cluster/rag", "cluster/tickets"]}, version="with clients")
    version = world.begin()
    for step in STEPS[:-1]:
        world.rotator().handle(event(version, step), call(900, tick_s=5))
    assert world.restarted.names == []
    for _ in range(2):
        world.rotator().handle(event(version, "finishSecret"), call(900, tick_s=5))
    assert world.restarted.names == ["cluster/rag", "cluster/tickets"] * 2
    world.rotator().handle(event(version, "testSecret"), call(900, tick_s=5))
    assert len(world.restarted.names) == 4


def test_a_credential_that_is_not_accepted_in_time_is_not_promoted() -> None:
    """The step fails, Secrets Manager tries again later, and clients keep what they have."""
    world = ScramWorld()
    version = world.begin()
    for step in STEPS[:2]:
        world.rotator().handle(event(version, step), call(900, tick_s=5))
    with pytest.raises(TransientError, match="don't accept the new credential yet"):
        world.rotator().handle(event(version, "testSecret"), call(10))
    assert world.secrets.get("id", "AWSCURRENT") == world.first


def test_a_version_that_is_not_pending_is_refused() -> None:
    """Nothing is written for a version that Secrets Manager doesn't know, or has already replaced."""
    world = CacheWorld()
    with pytest.raises(FatalError, match="is not pending"):
        world.rotator().handle(event("other", "createSecret"), call(900, tick_s=5))
    assert world.rotator().handle(event("first", "createSecret"), call(900, tick_s=5)) == {}
    version = world.begin()
    with pytest.raises(FatalError, match="has no value"):
        world.rotator().handle(event(version, "setSecret"), call(900, tick_s=5))
    world.rotator().handle(event(version, "createSecret"), call(900, tick_s=5))
    with pytest.raises(FatalError, match="is not a step"):
        world.rotator().handle(event(version, "deleteSecret"), call(900, tick_s=5))


def test_an_unknown_kind_of_secret_is_a_mistake_of_the_user() -> None:
    """The message names the field and the kinds."""
    world = CacheWorld()
    world.secrets.put("id", {"engine": "mysql"}, version="first")
    with pytest.raises(ConfigError, match="set the field engine to one of cache"):
        world.rotator().handle(event(world.begin(), "createSecret"), call(900, tick_s=5))

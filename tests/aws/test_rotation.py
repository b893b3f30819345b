"""Rotations of the credentials of real servers, while a client works: no call of it is refused."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import redis

from connectors.credentials.secrets import Secret
from connectors.credentials.servers import cache_accepts, node_accepts
from lambdas.rotation import Rotator
from lambdas.rotation_engines import Cache, Engine, Qdrant
from tests.lambdas.events import call
from tests.lambdas.fake_secrets import STEPS, FakeSecrets, event
from tests.rigs.qdrant_server import PROGRAM, QdrantServer, qdrant_cluster, qdrant_program
from tests.rigs.redis_server import PASSWORD, start_valkey
from tests.rigs.waiting import PATIENCE_S, wait_until

_TASK: Final = Path(__file__).parents[2] / "deploy" / "k8s-ecs" / "ecs" / "qdrant.json"
_INJECTED: Final = re.compile(r'\{"name": "(QDRANT__\w+)", "valueFrom": "\$\{api_key_arn\}:(\w+)::"\}')
_FIRST: Final = {"key": "the-first-key", "alt_key": "the-second-key"}
_ROTATIONS: Final = 3
_CALLS: Final = 20
_REFUSALS: Final = {401, 403}
_CLIENT: Final = "cluster/client"


class Node(Protocol):
    """A node of Qdrant, which has the keys of its environment since it started."""

    @property
    def rest_url(self) -> str: ...

    def replace(self, environment: Mapping[str, str]) -> None:
        """Stop, and start with another environment."""
        ...


class StandIn:
    """Answers every request with one of the two keys; used where the executable of Qdrant is missing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.keys, self.up = set(environment.values()), True
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if node.up:  # a node that restarts closes the connection
                    self.send_response(200 if self.headers.get("api-key") in node.keys else 401)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def do_PUT(self) -> None:
                self.do_GET()

            def log_message(self, *_arguments: object) -> None:
                """Keep the output of the tests short."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.rest_url = f"http://127.0.0.1:{self.server.server_port}"

    def replace(self, environment: Mapping[str, str]) -> None:
        """See `Node`."""
        self.up = False
        time.sleep(0.3)  # the client calls meanwhile
        self.keys, self.up = set(environment.values()), True


class RealNode:
    """A node of a real cluster."""

    def __init__(self, server: QdrantServer) -> None:
        self._server = server
        self.rest_url = server.rest_url

    def replace(self, environment: Mapping[str, str]) -> None:
        """See `Node`."""
        self._server.kill()
        self._server.environment = dict(environment)
        self._server.restart()


class Services:
    """Restarts a service's task, as ECS does: without waiting for it."""

    def __init__(self) -> None:
        self.tasks: dict[str, Callable[[], None]] = {}
        self.restarts: list[str] = []
        self._threads: list[threading.Thread] = []

    def restart(self, name: str) -> None:
        self.restarts.append(name)
        self._threads.append(threading.Thread(target=self.tasks[name]))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


class Client:
    """A task that reads its secret when it starts, and calls without a pause."""

    def __init__(self, secrets: FakeSecrets, attempt: Callable[[Secret], bool]) -> None:
        """`attempt` makes a call and says whether it was answered; it raises `PermissionError` if it is refused."""
        self._secrets, self._attempt = secrets, attempt
        self._end = threading.Event()
        self.answered = self.refused = 0
        self.start()

    def start(self) -> None:
        """Read the secret, as a task that ECS starts."""
        self.secret = self._secrets.get("id", "AWSCURRENT") or {}

    def run(self) -> None:
        while not self._end.is_set():
            try:
                self.answered += self._attempt(self.secret)
            except PermissionError:
                self.refused += 1

    def end(self) -> None:
        self._end.set()

    def await_calls(self) -> None:
        """Wait for some more calls."""
        seen = self.answered
        wait_until(lambda: self.answered >= seen + _CALLS)


class World:
    """A secret, the services of its nodes and its client, and the function that rotates it."""

    def __init__(self, first: Secret, attempt: Callable[[Secret], bool]) -> None:
        self.secrets, self.services = FakeSecrets(), Services()
        self.secrets.put("id", {**first, "clients": [_CLIENT]}, version="first")
        self.client = Client(self.secrets, attempt)
        self.services.tasks[_CLIENT] = self.client.start

    def current(self) -> Secret:
        return self.secrets.get("id", "AWSCURRENT") or {}

    def rotate(self, engine: Engine) -> list[Secret]:
        """Rotate the secret while the client calls, and return each version."""
        rotator = Rotator(
            self.secrets, {self.current()["engine"]: engine}, self.services, sleep=lambda _s: time.sleep(0.2)
        )
        calling = threading.Thread(target=self.client.run)
        calling.start()
        used = [self.current()]
        try:
            for number in range(_ROTATIONS):
                version = f"rotation-{number}"
                self.secrets.begin("id", version)
                for step in STEPS:
                    self.client.await_calls()
                    rotator.handle(event(version, step), call(PATIENCE_S * 5, tick_s=0.2))
                wait_until(lambda: self.client.secret == self.current())
                self.client.await_calls()
                used.append(self.current())
        finally:
            self.client.end()
            calling.join()
            self.services.join()
        return used


@contextmanager
def _nodes(folder: Path, environment: Mapping[str, str]) -> Iterator[list[Node]]:
    if PROGRAM in os.environ:
        with qdrant_cluster(qdrant_program(), folder, nodes=3, environment=environment) as servers:
            yield [RealNode(server) for server in servers]
        return
    stand_ins = [StandIn(environment) for _ in range(3)]
    threads = [threading.Thread(target=node.server.serve_forever) for node in stand_ins]
    for thread in threads:
        thread.start()
    try:
        yield list(stand_ins)
    finally:
        for node, thread in zip(stand_ins, threads, strict=True):
            node.server.shutdown()
            node.server.server_close()
            thread.join()


def _environment(secret: Secret) -> dict[str, str]:
    """The environment that ECS gives a node's task: the shipped task definition's fields of the secret."""
    named = dict(_INJECTED.findall(_TASK.read_text()))
    assert set(named) == {"QDRANT__SERVICE__API_KEY", "QDRANT__SERVICE__ALT_API_KEY"}
    return {name: secret[field] for name, field in named.items()}


class Writer:
    """Writes a point through any node that answers, as through the load balancer."""

    def __init__(self, urls: list[str]) -> None:
        self._urls, self._number = urls, 0
        self._http = httpx.Client(timeout=PATIENCE_S)

    def create(self, key: str) -> None:
        made = {"vectors": {"size": 2, "distance": "Cosine"}, "replication_factor": 3, "write_consistency_factor": 2}
        answer = self._http.put(f"{self._urls[0]}/collections/tickets", json=made, headers={"api-key": key})
        assert answer.is_success, answer.text

    def write(self, secret: Secret) -> bool:
        self._number += 1
        url = f"{self._urls[self._number % len(self._urls)]}/collections/tickets/points?wait=true"
        points = {"points": [{"id": self._number, "vector": [1.0, 0.5]}]}
        try:
            answer = self._http.put(url, json=points, headers={"api-key": secret["key"]})
        except httpx.TransportError:  # it restarts
            return False
        if answer.status_code in _REFUSALS:
            raise PermissionError
        return answer.is_success


def test_the_key_of_the_index_is_rotated_under_load(tmp_path: Path) -> None:
    """Three rotations of Qdrant's key on three nodes refuse no write, and the keys before the last are refused."""
    with _nodes(tmp_path / "nodes", _environment(_FIRST)) as nodes:
        names = {node.rest_url: f"cluster/qdrant-{letter}" for node, letter in zip(nodes, "abc", strict=True)}
        writer = Writer([*names])
        writer.create(_FIRST["key"])
        world = World({"engine": "qdrant", **_FIRST, "nodes": names}, writer.write)
        for node in nodes:
            world.services.tasks[names[node.rest_url]] = lambda node=node: node.replace(  # type: ignore[misc]
                _environment(world.current())
            )
        used = world.rotate(Qdrant(node_accepts, world.services))
        print(f"calls answered {world.client.answered}, refused {world.client.refused}")
        assert world.client.refused == 0
        assert len({secret["key"] for secret in used}) == 1 + _ROTATIONS
        nodes_restarted = [name for name in world.services.restarts if name != _CLIENT]
        assert nodes_restarted == [*names.values()] * 2  # the first rotation needs none
        for url in names:
            accepted = [node_accepts(url, secret["key"]) for secret in used]
            assert accepted == [False, False, True, True]


class Users:
    """ElastiCache's users on a server: each has up to two passwords."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def active(self, _user_id: str) -> bool:
        return True

    def set_passwords(self, user_id: str, passwords: list[str]) -> None:
        rules = ["on", "resetpass", *(f">{password}" for password in passwords), "~*", "+@all"]
        self._server.execute_command("ACL", "SETUSER", user_id, *rules)


def test_the_password_of_a_cache_user_is_rotated_under_load() -> None:
    """Three rotations of a user of a Valkey server refuse no connection, and the passwords before the last are."""
    with start_valkey(password=PASSWORD) as server:
        url = str(server.settings.url)

        def attempt(secret: Secret) -> bool:
            try:
                with redis.Redis.from_url(url, username="app", password=secret["password"]) as connection:
                    connection.incr("calls")
            except redis.AuthenticationError:
                raise PermissionError from None
            return True

        with redis.Redis.from_url(url, password=PASSWORD) as administrator:
            users = Users(administrator)
            users.set_passwords("app", ["the-first-password"])
            first = {"url": url, "user_id": "app", "username": "app", "password": "the-first-password"}
            world = World({"engine": "cache", **first}, attempt)
            used = world.rotate(Cache(users, cache_accepts))
        print(f"calls answered {world.client.answered}, refused {world.client.refused}")
        assert world.client.refused == 0
        accepted = [cache_accepts(url, "app", secret["password"]) for secret in used]
        assert accepted == [False, False, True, True]

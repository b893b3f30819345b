"""Attacks on real Qdrant servers: one is killed and frozen, and the nodes of a cluster are killed, beside workers."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import httpx
import pytest

from core.settings import IndexSettings
from tests.faults.arena import Arena
from tests.faults.choices import mixed
from tests.faults.kills import RATE
from tests.faults.report import Section
from tests.faults.sizes import Run
from tests.rigs.qdrant_server import QdrantServer, qdrant_cluster, qdrant_program
from tests.rigs.waiting import wait_until

ArenaOn = Callable[..., Arena]

_NODES: Final = 3
_ROUNDS: Final = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[QdrantServer]:
    """A single server."""
    with QdrantServer(qdrant_program(), tmp_path / "qdrant") as started:
        yield started


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[QdrantServer]]:
    """Three nodes, each of which keeps all points."""
    with qdrant_cluster(qdrant_program(), tmp_path / "qdrant", nodes=_NODES) as nodes:
        yield nodes


def test_a_server_is_killed(
    server: QdrantServer, tansu: str, arena_on: ArenaOn, attack_run: Run, section: Section
) -> None:
    """A server that is killed under load, with a worker beside it, has everything that was acknowledged."""
    rng = attack_run.rng("qdrant is killed")
    with arena_on(tansu, index=IndexSettings(url=server.url)) as arena:
        _load(arena, rng)
        for _ in range(_ROUNDS):
            time.sleep(rng.uniform(0, 1))
            server.kill()
            section.note("the server killed")
            time.sleep(rng.uniform(0, 1))
            server.restart()
            _kill_a_worker(arena, rng)
        arena.finish()


def test_a_server_is_silent(
    server: QdrantServer, tansu: str, arena_on: ArenaOn, attack_run: Run, section: Section
) -> None:
    """A server that stops answering for longer than a call may take gets its writes once it answers again."""
    rng = attack_run.rng("qdrant is silent")
    with arena_on(tansu, index=IndexSettings(url=server.url), INDEX__TIMEOUT_S="2") as arena:
        _load(arena, rng)
        for _ in range(_ROUNDS):
            before = arena.metric("tickets_retries_total")
            server.freeze()
            section.note("the server frozen")
            arena.await_all(lambda: arena.metric("tickets_retries_total") > before, "a retry")  # noqa: B023
            server.thaw()
            arena.await_moved(arena.committed())
        arena.finish()


def test_nodes_of_a_cluster_are_killed(
    cluster: list[QdrantServer], tansu: str, arena_on: ArenaOn, attack_run: Run, section: Section
) -> None:
    """Whichever of three nodes is killed, each node ends with all that was acknowledged, and with nothing else."""
    rng = attack_run.rng("qdrant's nodes are killed")
    urls = [IndexSettings(url=node.url, replication_factor=_NODES) for node in cluster]
    with arena_on(tansu, index=urls[0]) as arena:
        wait_until(lambda: all(map(_is_whole, cluster)))
        _load(arena, rng)
        for number in (1, 2, 0) * (_ROUNDS // 2):
            time.sleep(rng.uniform(0, 1))
            cluster[number].kill()
            section.note(f"node {number} killed")
            if number:
                arena.await_moved(arena.committed())  # the workers' own node still has a majority
            time.sleep(rng.uniform(0, 1))
            cluster[number].restart()
            wait_until(lambda: all(map(_is_whole, cluster)))
            _kill_a_worker(arena, rng)
        arena.drain()
        for number, arena.index in enumerate(urls):
            section.note(f"judged through node {number}")
            arena.judge()


def _load(arena: Arena, rng: Random) -> None:
    """Start two workers and a stream of changes."""
    arena.start()
    arena.start()
    arena.feeder.start(mixed(rng), rate=RATE)
    arena.await_committed(RATE)


def _kill_a_worker(arena: Arena, rng: Random) -> None:
    """Kill a worker, start another, and wait until every partition moves."""
    arena.kill(rng.choice(arena.workers))
    before = arena.committed()
    arena.start()
    arena.await_moved(before)


def _is_whole(node: QdrantServer) -> bool:
    """Whether all replicas that `node` knows of are active."""
    names = [found["name"] for found in _ask(node, "/collections")["collections"]]
    shards = [_ask(node, f"/collections/{name}/cluster") for name in names]
    replicas = [replica for found in shards for replica in [*found["local_shards"], *found["remote_shards"]]]
    return bool(replicas) and all(replica["state"] == "Active" for replica in replicas)


def _ask(node: QdrantServer, path: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = (
        httpx.get(node.rest_url + path, timeout=60).raise_for_status().json()["result"]
    )
    return found

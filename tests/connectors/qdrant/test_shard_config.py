"""The parameters of a shard: the number of threads that search it."""

import os
from pathlib import Path

import msgspec
import pytest

from connectors.qdrant import shard_config
from connectors.qdrant.embedded import open_edge_engine
from connectors.qdrant.optimise_shard import optimise_shard
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.shard_config import search_threads
from connectors.qdrant.sizes import SIZES
from tests.contracts.index_laws import DIMENSION, ticket


def test_several_threads_search_large_shards_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller itself searches a shard whose vectors fit into one segment; beyond that every CPU has a thread."""
    shard = tmp_path / "shard"

    def threads() -> int:
        return int(msgspec.json.decode((shard / "edge_config.json").read_bytes())["max_search_threads"])

    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert (search_threads(300_000, dimension=384), search_threads(400_000, dimension=384)) == (1, 3)
    index = VersionedIndex(open_edge_engine(tmp_path, dimension=DIMENSION))
    index.write([ticket(str(number), 1, 2) for number in range(60)])
    index.close()
    assert threads() == 1
    optimise_shard(shard, SIZES["medium"], dimension=DIMENSION)
    assert threads() == 1
    monkeypatch.setattr(shard_config, "_MERGED_KB", 1)
    optimise_shard(shard, SIZES["medium"], dimension=DIMENSION)
    assert threads() == 3

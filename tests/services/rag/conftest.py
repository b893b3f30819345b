"""Fixtures of the RAG service's tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from connectors.qdrant.policy import VersionedIndex
from tests.services.rag.world import RagWorld, new_index


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersionedIndex]:
    """An index that the worlds share."""
    with ExitStack() as stack:
        yield new_index(tmp_path_factory.mktemp("rag"), stack)


@pytest.fixture
def world(index: VersionedIndex, tmp_path: Path) -> Iterator[RagWorld]:
    """A service with a few tickets of its own tenants."""
    world = RagWorld(index, tmp_path)
    yield world
    world.feedback.close()


@pytest.fixture
def client(world: RagWorld) -> Iterator[TestClient]:
    """A client signed in as an agent of acme."""
    with world.client() as found:
        yield found

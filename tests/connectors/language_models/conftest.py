"""Opens the fake server and the clients once per file, because boto3's clients are slow to open."""

from collections.abc import Iterator

import pytest

from tests.connectors.language_models.clients import World, open_world
from tests.rigs.language_models import Reply
from tests.rigs.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def opened() -> Iterator[World]:
    """The world of a file."""
    yield from open_world()


@pytest.fixture
def world(opened: World) -> World:
    """A server that answers correctly by default."""
    opened.server.forget()
    opened.server.script(Reply())
    opened.idle_s = PATIENCE_S
    return opened

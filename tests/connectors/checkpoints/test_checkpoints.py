"""The contract of checkpoints and leases, in SQLite and in DynamoDB."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec import structs

from connectors.checkpoints.dynamodb import DynamoCheckpoints, definition
from connectors.checkpoints.sqlite import open_sqlite
from connectors.dynamodb import Client
from core.errors import ConfigError, FatalError
from core.producing import Checkpoint, Checkpoints
from tests.rigs.dynamodb import dynamodb

NEW = Checkpoint(file_id="/in#7", name="/in/ä.jsonl", first_ms=5)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkpoints]:
    """An empty store of each kind."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield open_sqlite(tmp_path / "producer.db", stack)
        else:
            client = request.getfixturevalue("client")
            table = f"t{uuid4().hex[:8]}"
            client.create_table(**definition(table))
            yield DynamoCheckpoints(client, table)


def test_a_checkpoint_is_kept_as_it_was_saved(store: Checkpoints) -> None:
    """A claim returns the last saved checkpoint, or the initial one before the first save."""
    assert store.claim(NEW, "one", now_ms=0, until_ms=100) == NEW
    assert store.claim(structs.replace(NEW, first_ms=9), "one", now_ms=50, until_ms=150) == NEW
    saved = structs.replace(NEW, position=10, digest="ab", stamp='"x"', saved_ms=60)
    assert store.save(saved, "one")
    assert store.claim(NEW, "one", now_ms=60, until_ms=160) == saved
    lease = store.load()["/in#7"]
    assert (lease.checkpoint, lease.owner, lease.until_ms) == (saved, "one", 160)


def test_a_lease_keeps_others_out_until_it_ends_or_is_given_back(store: Checkpoints) -> None:
    """Only the lease's owner may save; after a takeover the old owner may not."""
    store.claim(NEW, "one", now_ms=0, until_ms=100)
    assert store.claim(NEW, "two", now_ms=99, until_ms=199) is None
    assert not store.save(NEW, "two")
    store.release("/in#7", "two")
    assert store.claim(NEW, "two", now_ms=99, until_ms=199) is None
    assert store.claim(NEW, "two", now_ms=100, until_ms=200) == NEW
    assert not store.save(NEW, "one")
    store.release("/in#7", "two")
    assert store.claim(NEW, "one", now_ms=101, until_ms=201) == NEW


def test_a_lease_of_a_clock_far_ahead_keeps_nobody_out(store: Checkpoints) -> None:
    """A lease that ends more than an hour after a new one is taken, and its task doesn't count as alive."""
    store.claim(NEW, "ahead", now_ms=10**9, until_ms=10**9 + 100)
    assert store.claim(NEW, "two", now_ms=0, until_ms=100) == NEW
    assert store.claim(NEW, "three", now_ms=0, until_ms=100) is None
    store.join("ahead", now_ms=10**9, until_ms=10**9 + 100)
    assert store.join("two", now_ms=0, until_ms=100) == 1


def test_one_of_many_gets_the_lease(store: Checkpoints) -> None:
    """If many tasks claim a file at once, one of them gets it."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: store.claim(NEW, f"task-{n}", now_ms=0, until_ms=100), range(8))
    assert sum(one is not None for one in found) == 1


def test_only_files_without_a_lease_are_forgotten(store: Checkpoints) -> None:
    """`forget` keeps the checkpoint of a file that is leased again."""
    store.claim(NEW, "one", now_ms=0, until_ms=100)
    store.forget(["/in#7", "unknown"], now_ms=99)
    assert list(store.load()) == ["/in#7"]
    store.forget(["/in#7"], now_ms=100)
    assert not store.load()


def test_living_tasks_are_counted(store: Checkpoints) -> None:
    """A task counts until it leaves or its registration expires."""
    assert store.join("one", now_ms=0, until_ms=100) == 1
    assert store.join("two", now_ms=50, until_ms=150) == 2
    assert store.join("two", now_ms=100, until_ms=200) == 1
    store.leave("two")
    assert store.join("three", now_ms=101, until_ms=200) == 1


def test_a_missing_table_is_named(client: Client) -> None:
    """The error for a missing table says which setting names the table."""
    with pytest.raises(FatalError, match="TICKETS_PRODUCER__TABLE"):
        DynamoCheckpoints(client, "nobodys").ping()


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    """A file of another program is refused and stays unchanged."""
    import sqlite3  # noqa: PLC0415 - the other program

    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with ExitStack() as stack, pytest.raises(ConfigError, match="another program"):
        open_sqlite(tmp_path / "x.db", stack)

"""The laws of a store of ended sign-ins, in memory, in SQLite and in DynamoDB; and a mutant for each."""

import importlib
import inspect
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args
from uuid import uuid4

import pytest
from botocore.exceptions import EndpointConnectionError

from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.sessions import dynamodb as dynamo_module
from connectors.sessions import sqlite as sqlite_module
from connectors.sessions.dynamodb import HINT, SESSIONS, TTL, DynamoEndings, definitions, open_dynamo_endings
from connectors.sessions.memory import MemoryEndings
from connectors.sessions.sqlite import open_sqlite_endings
from core.errors import ConfigError, TransientError, UnavailableError
from core.sessions import ALWAYS_MS, Ending, Endings
from tests.rigs.dynamodb import REGION, FaultyClient, dynamodb

Kind = Literal["memory", "sqlite", "dynamodb"]

_OUT: Final = EndpointConnectionError(endpoint_url="https://dynamodb")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


def tables_of(client: Any) -> Tables:
    """A new table with a unique prefix."""
    prefix = f"t{uuid4().hex[:8]}-"
    for definition in definitions(prefix):
        client.create_table(**definition)
    return Tables(client, prefix, HINT, lambda _: None)


#: Opens the same store again, as another process does; the one in memory is this process's own.
Open = Callable[[], Endings]


@pytest.fixture(params=get_args(Kind))
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens a store of each kind, which is empty at first."""
    if request.param == "memory":
        memory = MemoryEndings()
        return lambda: memory
    if request.param == "sqlite":
        return lambda: open_sqlite_endings(tmp_path / "new" / "sessions.db")
    tables = tables_of(request.getfixturevalue("client"))
    return lambda: DynamoEndings(tables)


def found(store: Endings, *keys: str, now_ms: int = 0) -> list[Ending]:
    """The ends of these keys that the store has."""
    return sorted(store.find(keys, now_ms=now_ms), key=lambda one: one.key)


def test_an_end_is_found_in_every_process(opening: Open) -> None:
    """An end is found by its key as soon as it is put, by other processes too, and others are not."""
    store, other = opening(), opening()
    assert found(other, "a", "b") == []
    store.put(Ending("a", ALWAYS_MS, 10), now_ms=0)
    store.put(Ending("c", 5, 10), now_ms=0)
    assert found(other, "a", "b") == [Ending("a", ALWAYS_MS, 10)]
    assert found(other, "a", "c") == [Ending("a", ALWAYS_MS, 10), Ending("c", 5, 10)]
    for one in (store, other):
        one.close()


def test_an_end_expires(opening: Open) -> None:
    """An end is not found from its expiry on, whether or not it is still stored, and can be put again."""
    store = opening()
    store.put(Ending("a", 5, 10), now_ms=0)
    assert found(store, "a", now_ms=9) == [Ending("a", 5, 10)]
    assert found(store, "a", now_ms=10) == []
    store.put(Ending("a", 3, 20), now_ms=10)
    assert found(store, "a", now_ms=10) == [Ending("a", 3, 20)]
    store.close()


def test_the_later_end_stays(opening: Open) -> None:
    """Of two ends with a key the later one counts, whichever is put last; a repeated one lasts longer."""
    store = opening()
    for ending in (Ending("a", 5, 10), Ending("a", 7, 12), Ending("a", 6, 11)):
        store.put(ending, now_ms=0)
    assert found(store, "a") == [Ending("a", 7, 12)]
    store.put(Ending("a", 7, 20), now_ms=0)
    assert found(store, "a") == [Ending("a", 7, 20)]
    store.close()


def test_threads_may_end_sign_ins_at_once(opening: Open) -> None:
    """No end is lost."""
    stores = [opening() for _ in range(3)]

    def end(worker: int) -> None:
        for number in range(5):
            stores[worker].put(Ending(f"{worker}/{number}", 1, 10), now_ms=0)
            stores[worker].put(Ending("all", worker * 5 + number, 10), now_ms=0)

    threads = [threading.Thread(target=end, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [f"{worker}/{number}" for worker in range(3) for number in range(5)]
    assert len(found(stores[0], *keys)) == 15
    assert found(stores[0], "all") == [Ending("all", 14, 10)]
    for store in stores:
        store.close()


def test_memory_is_bounded() -> None:
    """Beyond the bound the ends that were put first are forgotten."""
    store = MemoryEndings(size=2)
    for key in "abc":
        store.put(Ending(key, 1, 10), now_ms=0)
    assert [one.key for one in found(store, *"abc")] == ["b", "c"]


def test_the_file_is_private_and_tidy(tmp_path: Path) -> None:
    """Other users can't read the file, and ends that have expired are removed from it."""
    path = tmp_path / "new" / "sessions.db"
    store = open_sqlite_endings(path)
    store.put(Ending("a", 1, 10), now_ms=0)
    store.put(Ending("b", 1, 20), now_ms=10)
    assert [one.stat().st_mode & 0o077 for one in (path, path.parent)] == [0, 0]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT key FROM endings").fetchall() == [("b",)]
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Another program's database, a text and a folder are each refused in a line that names the setting."""
    other, text = tmp_path / "other.db", tmp_path / "text"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE things (id)")
    text.write_text("hello " * 1_000)
    for wrong in (other, text, tmp_path):
        with pytest.raises(ConfigError, match="TICKETS_SESSIONS__PATH"):
            open_sqlite_endings(wrong)


def test_a_locked_file_is_an_outage_of_ending_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock, an end is refused as an outage, and ends are still found."""
    monkeypatch.setattr(sqlite_module, "_BUSY_S", 0.05)
    store = open_sqlite_endings(tmp_path / "s.db")
    store.put(Ending("a", 1, 10), now_ms=0)
    with sqlite3.connect(tmp_path / "s.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError):
            store.put(Ending("b", 1, 10), now_ms=0)
        assert found(store, "a", "b") == [Ending("a", 1, 10)]
        other.execute("ROLLBACK")
    store.close()


def test_an_outage_of_dynamodb_is_transient(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage raises TransientError, and keeps no service from starting."""
    faulty = FaultyClient(client)
    store = DynamoEndings(tables_of(faulty))
    for call in (lambda: store.put(Ending("a", 1, 10), now_ms=0), lambda: store.find(["a"], now_ms=0)):
        faulty.faults = [_OUT]
        with pytest.raises(TransientError):
            call()
    faulty.faults = [_OUT]
    monkeypatch.setattr(dynamo_module, "open_client", lambda *_region, **_settings: faulty)
    open_dynamo_endings(prefix="", region=None).close()
    assert faulty.faults == []


def test_dynamodb_removes_ends_when_they_have_expired(client: Client) -> None:
    """Ends have the attribute of the TTL, in whole seconds, rounded up."""
    tables = tables_of(client)
    DynamoEndings(tables).put(Ending("a", 1, 1_500), now_ms=0)
    item = client.get_item(TableName=tables.name(SESSIONS), Key={"session_id": {"S": "a"}})["Item"]
    assert item[TTL[SESSIONS]] == {"N": "2"}


def test_a_missing_table_is_named(client: Client) -> None:
    """A start without the table raises one line that names it and the setting."""
    del client
    with pytest.raises(UnavailableError, match=r"create UserSessions with .* TICKETS_SESSIONS__TABLE_PREFIX"):
        open_dynamo_endings(prefix="none-", region=REGION)


#: Kind of store, the code and the fault in its place, and the law that must fail on it.
_MUTANTS: Final[dict[str, tuple[Kind, str, str, Callable[[Open], None]]]] = {
    "never_expires": ("memory", "and one.expires_ms > now_ms]", "]", test_an_end_expires),
    "last_one_stays": ("memory", "if kept is not None and", "if False and", test_the_later_end_stays),
    "never_expires_in_a_file": ("sqlite", "AND expires_ms > ?", "AND ? >= 0", test_an_end_expires),
    "last_one_stays_in_a_file": (
        "sqlite",
        "until_ms = max(until_ms, excluded.until_ms)",
        "until_ms = excluded.until_ms",
        test_the_later_end_stays,
    ),
    "never_expires_in_a_table": ("dynamodb", "if one.expires_ms > now_ms]", "]", test_an_end_expires),
    "last_one_stays_in_a_table": (
        "dynamodb",
        "OR until_ms <= :until OR",
        "OR until_ms <> :until OR",
        test_the_later_end_stays,
    ),
    "same_one_never_lasts_longer": ("dynamodb", "until_ms <= :until", "until_ms < :until", test_the_later_end_stays),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_each_law_catches_its_mutant(name: str, client: Client, tmp_path: Path) -> None:
    """The law, which holds for the stores, fails on the mutant."""
    kind, code, fault, law = _MUTANTS[name]
    source = inspect.getsource(importlib.import_module(f"connectors.sessions.{kind}"))
    assert source.count(code) == 1
    made: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(source.replace(code, fault), "mutant", "exec"), made)
    memory, tables = MemoryEndings(), tables_of(client)
    if kind == "memory":
        memory = made["MemoryEndings"]()
    opening: dict[Kind, Open] = {
        "memory": lambda: memory,
        "sqlite": lambda: made["open_sqlite_endings"](tmp_path / "s.db"),
        "dynamodb": lambda: made["DynamoEndings"](tables),
    }
    with pytest.raises(AssertionError):
        law(opening[kind])

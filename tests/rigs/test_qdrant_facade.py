"""The facade injects faults and counts calls, seen through the server adapter."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import FatalError, TransientError
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, MODEL, held, search, ticket
from tests.rigs.qdrant_facade import FacadeProcess, Fault
from tests.rigs.waiting import PATIENCE_S, wait_until

TWO = {("acme", "1"): (1, False), ("acme", "2"): (1, False)}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FacadeProcess]:
    with FacadeProcess(tmp_path_factory.mktemp("facade")) as served:
        yield served


@pytest.fixture
def facade(process: FacadeProcess) -> Iterator[FacadeProcess]:
    """The module's facade, without faults."""
    process.heal()
    yield process
    process.heal()


@pytest.fixture
def collection() -> str:
    """Name of a new collection."""
    return f"c-{uuid4().hex[:8]}"


@pytest.fixture
def index(facade: FacadeProcess, collection: str) -> Iterator[VersionedIndex]:
    """An index whose call timeout only a hang exceeds."""
    with closing(_open(facade, collection, PATIENCE_S)) as opened:
        yield opened


@pytest.fixture
def hasty(facade: FacadeProcess, collection: str) -> Iterator[VersionedIndex]:
    """The same collection through a client with a timeout of one second."""
    with closing(_open(facade, collection, 1.0)) as opened:
        yield opened


def _open(facade: FacadeProcess, collection: str, timeout_s: float) -> VersionedIndex:
    settings = IndexSettings(url=facade.url, collection=collection, timeout_s=timeout_s)
    return open_index_for_writing(settings, dimension=DIMENSION, model=MODEL)


def _write(index: VersionedIndex, *numbers: int) -> None:
    index.write([ticket(str(number), 1, 1) for number in numbers])


def test_an_error_carries_its_code_and_nothing_is_applied(facade: FacadeProcess, index: VersionedIndex) -> None:
    """The default code is INTERNAL; after `times` faults calls succeed."""
    facade.inject(Fault("error", on="writes", times=2))
    for _ in range(2):
        with pytest.raises(TransientError, match="internal"):
            _write(index, 1)
    assert held(index) == {}
    _write(index, 1)
    assert len(held(index)) == 1


def test_an_overloaded_server_says_how_long_to_wait(facade: FacadeProcess, index: VersionedIndex) -> None:
    """The adapter reads the delay of 7 s from RESOURCE_EXHAUSTED in the real server's form."""
    facade.inject(Fault("error", code="RESOURCE_EXHAUSTED", retry_after_s=7))
    with pytest.raises(TransientError) as raised:
        _write(index, 1)
    assert raised.value.retry_after_s == 7


def test_a_slow_call_is_late_and_applied(facade: FacadeProcess, index: VersionedIndex, hasty: VersionedIndex) -> None:
    """A slow call is 0.3 s late, and is applied even if the client gave up."""
    facade.inject(Fault("slow", on="writes", seconds=0.3, times=1))
    began = time.monotonic()
    _write(index, 1)
    assert time.monotonic() - began >= 0.3
    facade.inject(Fault("slow", on="writes", seconds=1.5, times=1))
    with pytest.raises(TransientError, match="deadline_exceeded"):
        _write(hasty, 2)
    wait_until(lambda: held(index) == TWO)


def test_a_hanging_call_is_neither_answered_nor_applied(
    facade: FacadeProcess, index: VersionedIndex, hasty: VersionedIndex
) -> None:
    """A hanging call ends at the client's deadline or at `heal`, and its write is not applied."""
    facade.inject(Fault("hang", on="writes"))
    began = time.monotonic()
    with pytest.raises(TransientError, match="deadline_exceeded"):
        _write(hasty, 1)
    assert time.monotonic() - began >= 0.9
    threading.Timer(0.5, facade.heal).start()
    with pytest.raises(TransientError, match="unavailable"):
        _write(index, 1)
    assert held(index) == {}


def test_a_reset_breaks_the_connection(facade: FacadeProcess, index: VersionedIndex) -> None:
    """All connections are reset, the call is not applied, and the next connection is served."""
    facade.inject(Fault("reset", on="writes", times=1))
    with socket.create_connection(("127.0.0.1", facade.port), timeout=PATIENCE_S) as bystander:
        bystander.recv(1)  # the server's first byte: the connection is established
        with pytest.raises(TransientError, match="unavailable"):
            _write(index, 1)
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(bystander)
    wait_until(lambda: _succeeds(lambda: _write(index, 2)))
    assert held(index) == {("acme", "2"): (1, False)}


def test_down_closes_the_port(facade: FacadeProcess, index: VersionedIndex) -> None:
    """The port is closed until `heal`, and the data survives."""
    _write(index, 1)
    facade.inject(Fault("down"))
    with pytest.raises(TransientError, match="unavailable"):
        _write(index, 2)
    facade.heal()
    wait_until(lambda: _succeeds(lambda: _write(index, 2)))
    assert held(index) == TWO


def test_a_write_may_be_applied_and_its_response_lost(facade: FacadeProcess, index: VersionedIndex) -> None:
    """The client gets an error although the write was applied."""
    facade.inject(Fault("response_lost", times=1))
    with pytest.raises(TransientError, match="unavailable"):
        _write(index, 1)
    assert len(held(index)) == 1


def test_a_write_may_be_applied_after_its_error(facade: FacadeProcess, index: VersionedIndex) -> None:
    """The write is applied 1.5 s after its error, and doesn't overwrite a newer version."""
    facade.inject(Fault("applied_late", seconds=1.5, times=2))
    with pytest.raises(TransientError, match="deadline_exceeded"):
        _write(index, 1)
    assert held(index) == {}
    wait_until(lambda: len(held(index)) == 1)
    with pytest.raises(TransientError):
        index.write([ticket("2", 1, 1)])
    index.write([ticket("2", 5, 1)])
    written = facade.counts().points_written
    wait_until(lambda: facade.counts().points_written > written)
    assert held(index) == {("acme", "1"): (1, False), ("acme", "2"): (5, False)}


def test_a_write_may_be_applied_by_half(facade: FacadeProcess, index: VersionedIndex) -> None:
    """Only the first two of four points are applied; a retry completes the write."""
    facade.inject(Fault("partly_applied", times=1))
    with pytest.raises(TransientError, match="internal"):
        _write(index, 1, 2, 3, 4)
    assert held(index) == TWO
    _write(index, 1, 2, 3, 4)
    assert len(held(index)) == 4


@pytest.mark.parametrize("status", ["acknowledged", "wait_timeout"])
def test_a_write_may_be_acknowledged_and_never_applied(
    facade: FacadeProcess, index: VersionedIndex, status: Any
) -> None:
    """A write with a status other than completed is not applied, and the adapter raises."""
    facade.inject(Fault("wait_timeout", status=status, times=1))
    with pytest.raises(TransientError, match=f"not applied a write yet .{status}"):
        _write(index, 1)
    assert held(index) == {}


def test_a_write_with_a_refused_point_is_refused_whole(facade: FacadeProcess, index: VersionedIndex) -> None:
    """Every write that contains the point is rejected with INVALID_ARGUMENT; others are applied."""
    facade.inject(Fault("refuses_point", ticket_id="2"))
    with pytest.raises(FatalError, match="invalid_argument"):
        _write(index, 1, 2, 3)
    assert held(index) == {}
    _write(index, 1, 3)
    assert set(held(index)) == {("acme", "1"), ("acme", "3")}


def test_faults_happen_to_their_kind_of_call(facade: FacadeProcess, index: VersionedIndex) -> None:
    """A fault hits only its kind of call: searches, not writes; reads, not searches."""
    one = ticket("1", 1, 1)
    facade.inject(Fault("error", on="searches"))
    index.write([one])
    with pytest.raises(TransientError):
        search(index, one.points[0].vector)  # type: ignore[arg-type]
    facade.heal()
    facade.inject(Fault("error", on="reads"))
    assert search(index, one.points[0].vector) == [("acme", "1", 1)]  # type: ignore[arg-type]
    with pytest.raises(TransientError):
        index.size()


def test_a_share_of_calls_is_drawn_from_the_seed(facade: FacadeProcess, index: VersionedIndex) -> None:
    """A share of 0.5 hits about half of the calls, the same ones for the same seed."""

    def drawn(seed: int) -> list[bool]:
        facade.heal()
        facade.inject(Fault("error", on="reads", share=0.5, seed=seed))
        return [_succeeds(index.size) for _ in range(40)]

    first = drawn(3)
    assert 3 <= sum(first) <= 20, "size() makes two calls: a quarter succeeds"
    assert drawn(3) == first
    assert drawn(4) != first


def test_calls_points_and_concurrency_are_counted(facade: FacadeProcess, index: VersionedIndex) -> None:
    """Five concurrent writes give a peak concurrency of five, and zero in progress afterwards."""
    before = facade.counts()
    facade.inject(Fault("slow", on="writes", seconds=PATIENCE_S))
    threads = [threading.Thread(target=_write, args=(index, number)) for number in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: facade.counts().concurrent["writes"] == 5)
    facade.heal()
    for thread in threads:
        thread.join()
    after = facade.counts()
    assert after.calls["writes"] - before.calls["writes"] == 5
    assert after.points_written - before.points_written == 5
    assert after.highest_concurrency["writes"] == 5
    assert after.concurrent["writes"] == 0
    assert after.faults["slow"] - before.faults.get("slow", 0) == 5


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"what": "slow"}, "slow needs seconds"),
        ({"what": "applied_late"}, "applied_late needs seconds"),
        ({"what": "refuses_point"}, "needs ticket_id"),
        ({"what": "response_lost", "on": "searches"}, "happens to writes only"),
        ({"what": "error", "code": "OVERLOADED"}, "no status OVERLOADED"),
        ({"what": "down", "times": 3}, "down for every call"),
    ],
)
def test_a_fault_that_can_not_occur_is_refused(fault: dict[str, Any], words: str) -> None:
    """A fault with missing or contradictory arguments raises ValueError."""
    with pytest.raises(ValueError, match=words):
        Fault(**fault)


def _read_to_the_end(connection: socket.socket) -> None:
    while connection.recv(1_000):
        pass


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except TransientError:
        return False
    return True

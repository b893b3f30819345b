"""What only a server can do: take a write in without having applied it, ask us to wait, forget the collection."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from qdrant_client import grpc as q

from connectors.qdrant.layout import VECTOR
from connectors.qdrant.open import open_index
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, FatalError, RefusedError, TicketstreamError, TransientError
from core.failpoints import arm
from core.settings import IndexSettings
from delivery.bisection import write_all
from tests.contracts.index_laws import DIMENSION, MODEL, held, ticket
from tests.rigs.qdrant_facade import Fault, QdrantFacade


class _Denying(QdrantFacade):
    """Denies so many times that a collection exists; refuses a ticket's points."""

    denials = 0
    poison: str | None = None
    refuses = grpc.StatusCode.INVALID_ARGUMENT
    made_anew: str | None = None
    size = DIMENSION

    def CollectionExists(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        if self.denials:
            self.denials -= 1
            return q.CollectionExistsResponse(result=q.CollectionExists(exists=False))
        return super().CollectionExists(request, context)

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        answer = super().Get(request, context)
        if self.made_anew is not None and not isinstance(request, q.GetPoints):
            params = answer.result.config.params.vectors_config.params_map.map
            del params[VECTOR]
            params[self.made_anew].CopyFrom(q.VectorParams(size=self.size, distance=q.Distance.Cosine))
        return answer

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        tickets = {p.payload["ticket_id"].string_value for op in request.operations for p in op.upsert.points}
        if self.poison in tickets or self.made_anew is not None:
            context.abort(self.refuses, f"Wrong input: {self.poison} is ticket text")
        return super().UpdateBatch(request, context)


@pytest.fixture
def facade(tmp_path: Path) -> Iterator[_Denying]:
    """A server of the test's own."""
    with _Denying(tmp_path / "server") as served:
        yield served


@pytest.fixture
def index(facade: _Denying) -> Iterator[VersionedIndex]:
    """An index on it."""
    opened = open_index(IndexSettings(url=facade.url), dimension=DIMENSION, model=MODEL)
    yield opened
    opened.close()


@pytest.mark.parametrize("status", ["acknowledged", "wait_timeout"])
def test_a_write_that_is_only_taken_in_is_no_ack(facade: _Denying, index: VersionedIndex, status: Any) -> None:
    """The answer is OK, but the points are not applied yet: the write is tried again until they are."""
    facade.inject(Fault("wait_timeout", status=status, times=1))
    with pytest.raises(TransientError, match="not applied a write yet"):
        index.write([ticket("1", 1, 2)])
    index.write([ticket("1", 1, 2)])
    assert held(index) == {("acme", "1"): (1, False)}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, TransientError),
        (grpc.StatusCode.ABORTED, TransientError),
        (grpc.StatusCode.INVALID_ARGUMENT, FatalError),
        (grpc.StatusCode.NOT_FOUND, FatalError),
        (grpc.StatusCode.PERMISSION_DENIED, ConfigError),
    ],
    ids=lambda value: getattr(value, "name", value.__name__ if isinstance(value, type) else str(value)),
)
def test_each_refusal_is_of_the_kind_that_says_who_acts(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode, kind: type[Exception]
) -> None:
    """Waiting, stopping, or a setting: exactly that kind."""
    facade.inject(Fault("error", code=code.name))
    with pytest.raises(kind) as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.type is kind


def test_two_workers_that_start_at_once_make_one_collection(facade: _Denying, index: VersionedIndex) -> None:
    """The one whose creation comes second takes the first one's collection, with its tickets."""
    index.write([ticket("1", 1, 1)])
    facade.denials = 1
    second = open_index(IndexSettings(url=facade.url), dimension=DIMENSION, model=MODEL)
    assert held(second) == {("acme", "1"): (1, False)}
    second.close()


def test_after_send_the_server_has_the_points_and_we_do_not_know(facade: _Denying, index: VersionedIndex) -> None:
    """The failpoint lies between the request's effect and our reading of its answer."""
    arm("after_send=raise:transient@1")
    try:
        with pytest.raises(TransientError, match="failpoint"):
            index.write([ticket("1", 1, 1)])
    finally:
        arm(None)
    assert facade.counts().points_written == 1
    assert held(index) == {("acme", "1"): (1, False)}


def test_a_server_that_is_back_is_written_to_at_once(facade: _Denying, index: VersionedIndex) -> None:
    """Within 1.5 s of its return, after six seconds of refused connections: gRPC's own waits grow to two minutes."""
    facade.inject(Fault("down"))
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert not _is_written(index)
    facade.heal()
    back = time.monotonic()
    while not _is_written(index):
        assert time.monotonic() < back + 1.5, "the client waits, and the server is there"


def _is_written(index: VersionedIndex) -> bool:
    try:
        index.write([ticket("1", 1, 1)])
    except TransientError:
        time.sleep(0.1)
        return False
    return True


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE])
def test_a_point_that_the_server_refuses_is_found_and_the_others_are_written(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode
) -> None:
    """Refused is the data, not the request; what the server says of it is not repeated, for it may quote the ticket."""
    facade.poison, facade.refuses = "5", code
    (refusal,) = write_all([ticket(str(n), 1, 2) for n in range(16)], index.write)
    assert refusal.at == 5
    assert str(refusal.error) == f"the index refuses what it was given ({code.name.lower()})"
    assert held(index) == {("acme", str(n)): (1, False) for n in range(16) if n != 5}


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE])
def test_what_a_server_says_of_a_write_is_not_repeated(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode
) -> None:
    """It goes into the log, /ready and the status, and may quote the ticket: the code's name must do."""
    facade.poison, facade.refuses = "5", code
    with pytest.raises(TicketstreamError) as raised:
        index.write([ticket("5", 1, 1)])
    assert code.name.lower() in str(raised.value)
    assert "ticket text" not in str(raised.value)


@pytest.mark.parametrize(("name", "size"), [(VECTOR, DIMENSION + 1), ("other", DIMENSION)])
def test_a_collection_made_anew_under_us_is_no_fault_of_a_ticket(
    facade: _Denying, index: VersionedIndex, name: str, size: int
) -> None:
    """For another dimension, or with another vector: even one ticket alone isn't blamed, and the line says what is."""
    facade.made_anew, facade.size = name, size
    with pytest.raises(FatalError, match="the index no longer fits: collection tickets was made anew") as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.type is FatalError


def test_what_the_client_cannot_send_is_refused_too(index: VersionedIndex) -> None:
    """A lone surrogate has no place in a message: no retry would mend it, and no other ticket is at fault."""
    with pytest.raises(RefusedError, match=r"can't send it \(\w+\)"):
        index.write([ticket("1", 1, 1, subject="\ud800")])


@pytest.mark.parametrize(
    ("code", "overload"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, True),
        (grpc.StatusCode.UNAVAILABLE, False),
        (grpc.StatusCode.INTERNAL, False),
    ],
)
def test_an_overload_is_told_from_an_outage(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode, overload: bool
) -> None:
    """Fewer calls at once may help against the one, and would be in vain against the other."""
    facade.inject(Fault("error", code=code.name))
    with pytest.raises(TransientError) as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.value.overload is overload
    facade.heal()

"""The engine on a server: writes accepted but not applied, refusals, overload, and a recreated collection."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from qdrant_client import grpc as q

from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.layout import VECTOR
from connectors.qdrant.open import open_index_for_writing, open_reader
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.sizes import SizeName
from core.errors import ConfigError, FatalError, RefusedError, TicketstreamError, TransientError
from core.failpoints import arm
from core.settings import IndexSettings
from delivery.bisection import write_with_bisection
from tests.contracts.index_laws import DIMENSION, MODEL, held, search, ticket, vector
from tests.rigs.qdrant_facade import Fault, QdrantFacade


class _Denying(QdrantFacade):
    """Denies `denials` times that the collection exists, and rejects the points of the ticket `poison`."""

    denials = 0
    poison: str | None = None
    refuses = grpc.StatusCode.INVALID_ARGUMENT
    recreated: str | None = None
    size = DIMENSION
    created: ClassVar[list[str]] = []

    def CollectionExists(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        if self.denials:
            self.denials -= 1
            return q.CollectionExistsResponse(result=q.CollectionExists(exists=False))
        return super().CollectionExists(request, context)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.created.append("collection")
        return super().Create(request, context)

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.created.append("payload index")
        return super().CreateFieldIndex(request, context)

    def UpdateAliases(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.created.append("alias")
        return super().UpdateAliases(request, context)

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        answer = super().Get(request, context)
        if self.recreated is not None and not isinstance(request, q.GetPoints):
            params = answer.result.config.params.vectors_config.params_map.map
            del params[VECTOR]
            params[self.recreated].CopyFrom(q.VectorParams(size=self.size, distance=q.Distance.Cosine))
        return answer

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        tickets = {p.payload["ticket_id"].string_value for op in request.operations for p in op.upsert.points}
        if self.poison in tickets or self.recreated is not None:
            context.abort(self.refuses, f"Wrong input: {self.poison} is ticket text")
        return super().UpdateBatch(request, context)


@pytest.fixture
def facade(tmp_path: Path) -> Iterator[_Denying]:
    """A server of the test's own."""
    with _Denying(tmp_path / "server") as served:
        yield served


@pytest.fixture
def index(facade: _Denying) -> Iterator[VersionedIndex]:
    """An index on the server, open for writing."""
    opened = open_index_for_writing(IndexSettings(url=facade.url), dimension=DIMENSION, model=MODEL)
    yield opened
    opened.close()


@pytest.mark.parametrize("status", ["acknowledged", "wait_timeout"])
def test_a_write_that_is_not_applied_is_not_acked(facade: _Denying, index: VersionedIndex, status: Any) -> None:
    """A write that the server accepted and hasn't applied raises TransientError, so it is retried."""
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
def test_each_status_code_raises_its_error(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode, kind: type[Exception]
) -> None:
    """A gRPC status code raises TransientError, FatalError or ConfigError, and no subclass of it."""
    facade.inject(Fault("error", code=code.name))
    with pytest.raises(kind) as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.type is kind


def test_two_workers_that_start_together_share_a_collection(facade: _Denying, index: VersionedIndex) -> None:
    """A worker whose creation comes second opens the first one's collection, with its tickets."""
    index.write([ticket("1", 1, 1)])
    facade.denials = 1
    second = open_index_for_writing(IndexSettings(url=facade.url), dimension=DIMENSION, model=MODEL)
    assert held(second) == {("acme", "1"): (1, False)}
    second.close()


def test_a_reader_changes_nothing_on_the_server(facade: _Denying, index: VersionedIndex) -> None:
    """Opening and reading a collection, or failing to find one, sends no request that creates anything."""
    index.write([ticket("1", 1, 1)])
    assert facade.created, "opening for writing creates the collection"
    facade.created.clear()
    reader = open_reader(IndexSettings(url=facade.url), dimension=DIMENSION, model=MODEL)
    assert held(reader) == {("acme", "1"): (1, False)}
    reader.close()
    with pytest.raises(
        NoIndexError, match=r"TICKETS_INDEX__COLLECTION: there is no collection other at .*start a worker"
    ):
        open_reader(IndexSettings(url=facade.url, collection="other"), dimension=DIMENSION, model=MODEL)
    assert facade.created == []


def test_the_after_send_failpoint_is_after_the_write(facade: _Denying, index: VersionedIndex) -> None:
    """The failpoint is hit after the server applied the request and before its answer is read."""
    before = facade.counts().points_written
    arm("after_send=raise:transient@1")
    try:
        with pytest.raises(TransientError, match="failpoint"):
            index.write([ticket("1", 1, 1)])
    finally:
        arm(None)
    assert facade.counts().points_written == before + 1
    assert held(index) == {("acme", "1"): (1, False)}


def test_writes_resume_when_the_server_is_back(facade: _Denying, index: VersionedIndex) -> None:
    """After six seconds of refused connections, writes succeed again within two seconds.

    The client reconnects once a second. With gRPC's default backoff it would wait for more than three seconds.
    """
    facade.inject(Fault("down"))
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert not _is_written(index)
    facade.heal()
    assert any(_is_written(index) for _ in range(20)), "the server is back, but the client doesn't reconnect"


def _is_written(index: VersionedIndex) -> bool:
    try:
        index.write([ticket("1", 1, 1)])
    except TransientError:
        time.sleep(0.1)
        return False
    return True


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE])
def test_a_point_that_the_server_rejects_costs_its_ticket_alone(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode
) -> None:
    """The other tickets are written; the server's message is left out, because it may quote the ticket."""
    facade.poison, facade.refuses = "5", code
    (refusal,) = write_with_bisection([ticket(str(n), 1, 2) for n in range(16)], index.write)
    assert refusal.at == 5
    assert str(refusal.error) == f"the index rejects the points ({code.name.lower()})"
    assert held(index) == {("acme", str(n)): (1, False) for n in range(16) if n != 5}


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE])
def test_a_servers_message_about_a_write_is_left_out(
    facade: _Denying, index: VersionedIndex, code: grpc.StatusCode
) -> None:
    """The error gives the status code only: it is logged and shown by /ready, and the message may quote the ticket."""
    facade.poison, facade.refuses = "5", code
    with pytest.raises(TicketstreamError) as raised:
        index.write([ticket("5", 1, 1)])
    assert code.name.lower() in str(raised.value)
    assert "ticket text" not in str(raised.value)


@pytest.mark.parametrize(("name", "size"), [(VECTOR, DIMENSION + 1), ("other", DIMENSION)])
def test_a_recreated_collection_is_not_a_tickets_fault(
    facade: _Denying, index: VersionedIndex, name: str, size: int
) -> None:
    """A write into a collection that was recreated for other vectors raises FatalError and not RefusedError."""
    facade.recreated, facade.size = name, size
    with pytest.raises(FatalError, match="the index no longer fits: collection tickets was recreated") as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.type is FatalError


def test_a_point_that_the_client_cannot_encode_is_refused(index: VersionedIndex) -> None:
    """A lone surrogate can't be encoded, so its ticket is refused and not retried."""
    with pytest.raises(RefusedError, match=r"can't encode the points \(\w+\)"):
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
def test_an_overload_is_marked(facade: _Denying, index: VersionedIndex, code: grpc.StatusCode, overload: bool) -> None:
    """The error of an overload says so, because fewer calls at a time help then; that of an outage doesn't."""
    facade.inject(Fault("error", code=code.name))
    with pytest.raises(TransientError) as raised:
        index.write([ticket("1", 1, 1)])
    assert raised.value.overload is overload
    facade.heal()


class _Recording(QdrantFacade):
    """Keeps the requests that create collections and payload indexes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.collection: Any = None
        self.fields: dict[str, Any] = {}

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.collection = request
        return super().Create(request, context)

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.fields[request.field_name] = request.field_index_params
        return super().CreateFieldIndex(request, context)


@pytest.mark.parametrize(
    ("size", "quantised", "vectors_on_disk", "rest_on_disk"),
    [("small", False, False, False), ("medium", True, True, False), ("large", True, True, True)],
)
def test_a_collection_is_created_for_its_size_class(
    tmp_path: Path, size: SizeName, *, quantised: bool, vectors_on_disk: bool, rest_on_disk: bool
) -> None:
    """The size class decides what is quantised and what stays on disk; graphs are built for tenants only."""
    with _Recording(tmp_path) as server:
        open_index_for_writing(IndexSettings(url=server.url, size=size), dimension=DIMENSION, model=MODEL).close()
        found, fields = server.collection, server.fields
    vector = found.vectors_config.params_map.map[VECTOR]
    assert (found.hnsw_config.m, found.hnsw_config.payload_m, found.hnsw_config.on_disk) == (0, 16, rest_on_disk)
    assert vector.on_disk == vectors_on_disk
    assert found.HasField("quantization_config") == quantised
    assert found.quantization_config.scalar.always_ram == quantised
    assert fields["tenant_id"].keyword_index_params.is_tenant
    assert fields["tenant_id"].keyword_index_params.on_disk == rest_on_disk
    others = [fields[name].keyword_index_params for name in ("status", "head", "visibility")]
    others.append(fields["updated_at"].integer_index_params)
    assert {(other.on_disk, other.enable_hnsw) for other in others} == {(rest_on_disk, False)}
    assert all(other.HasField("enable_hnsw") for other in others)


def test_a_payload_index_is_created_once(tmp_path: Path) -> None:
    """A later start, of another size class too, leaves the indexes alone: the server would build them again."""
    with _Recording(tmp_path) as server:
        open_index_for_writing(IndexSettings(url=server.url), dimension=DIMENSION, model=MODEL).close()
        server.fields.clear()
        again = IndexSettings(url=server.url, size="large")
        open_index_for_writing(again, dimension=DIMENSION, model=MODEL).close()
        assert server.fields == {}


def test_a_search_compares_the_best_by_their_original_vectors(tmp_path: Path) -> None:
    """Scores of a quantised collection are exact, as the query asks for rescoring."""
    asked: list[Any] = []

    class Asked(QdrantFacade):
        def QueryBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
            asked.extend(one.params for one in request.query_points)
            return super().QueryBatch(request, context)

    with Asked(tmp_path) as server:
        index = open_index_for_writing(IndexSettings(url=server.url), dimension=DIMENSION, model=MODEL)
        search(index, vector("acme", "1", 1, 0))
        index.close()
    assert asked[0].quantization.rescore
    assert asked[0].quantization.oversampling == 2.0

"""The engine on a Qdrant server, over gRPC."""

from collections.abc import Iterator, Sequence
from typing import Final, cast

from qdrant_client import QdrantClient, models
from qdrant_client.conversions.common_types import PointId

from connectors.qdrant.collection import create_collection, misfit, require_collection
from connectors.qdrant.connection import Connection, open_connection
from connectors.qdrant.engine import Between, Condition, Found, OfTickets, Stored, Upsert
from connectors.qdrant.layout import VECTOR
from core.errors import FatalError, RefusedError, TransientError
from core.failpoints import failpoint
from core.records import Point, Vector
from core.settings import IndexSettings

_PAGE: Final = 1_000


class ServerReader:
    """Implements `connectors.qdrant.engine.EngineReader` on a collection of vectors of `dimension`."""

    def __init__(self, connection: Connection, collection: str, *, dimension: int) -> None:
        self._connection = connection
        self._collection = collection
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        """See `EngineReader`."""
        return self._dimension

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Stored]:
        """See `EngineReader`."""
        if not ids:
            return {}
        found = self._connection.ask(
            lambda client: client.retrieve(self._collection, list(ids), with_payload=list(fields))
        )
        return {str(record.id): record.payload or {} for record in found}

    def nearest(
        self, vector: Vector, conditions: Sequence[Condition], limit: int, unless: Sequence[Condition] = ()
    ) -> list[Found]:
        """See `EngineReader`."""
        answer = self._connection.ask(
            lambda client: client.query_points(
                self._collection,
                query=vector.tolist(),
                using=VECTOR,
                query_filter=_filter(conditions, unless),
                limit=limit,
                with_payload=True,
            )
        )
        return [Found(str(point.id), point.payload or {}, point.score) for point in answer.points]

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
        majority: bool = False,
    ) -> Iterator[Found]:
        """See `EngineReader`."""
        wanted = _filter(conditions, unless)
        offset: PointId | None = None
        while True:
            records, offset = self._page(wanted, fields, offset, vectors=vectors, majority=majority)
            for record in records:
                yield Found(str(record.id), record.payload or {}, vector=_vector(record))
            if offset is None:
                return

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `EngineReader`."""
        wanted = _filter(conditions)
        return self._connection.ask(
            lambda client: client.count(self._collection, count_filter=wanted, exact=True)
        ).count

    def close(self) -> None:
        """See `EngineReader`."""
        self._connection.close()

    def _page(
        self,
        wanted: models.Filter | None,
        fields: Sequence[str] | None,
        offset: PointId | None,
        *,
        vectors: bool,
        majority: bool,
    ) -> tuple[list[models.Record], PointId | None]:
        return self._connection.ask(
            lambda client: client.scroll(
                self._collection,
                scroll_filter=wanted,
                limit=_PAGE,
                offset=offset,
                with_payload=True if fields is None else list(fields),
                with_vectors=vectors,
                consistency=models.ReadConsistencyType.MAJORITY if majority else None,
            )
        )


class ServerEngine(ServerReader):
    """Implements `connectors.qdrant.engine.Engine`."""

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        """See `Engine`. Sends one request, which the server applies in order."""
        if not upserts:
            return
        try:
            operations = [_operation(upsert) for upsert in upserts]
            ordering = models.WriteOrdering.MEDIUM if ordered else None
            results = self._connection.ask(lambda client: self._update(client, operations, ordering), writing=True)
            failpoint("after_send")
        except RefusedError:
            self._require_fit()
            raise
        except (TypeError, ValueError, OverflowError) as error:  # their messages may quote the ticket
            raise RefusedError(f"the Qdrant client can't encode the points ({type(error).__name__})") from None
        unfinished = [result.status for result in results if result.status != models.UpdateStatus.COMPLETED]
        if unfinished:  # accepted, but not applied: after an ack now, a crash could lose the write
            raise TransientError(f"the server has not applied a write yet ({unfinished[0].value})")

    def _update(
        self,
        client: QdrantClient,
        operations: Sequence[models.UpsertOperation],
        ordering: models.WriteOrdering | None,
    ) -> list[models.UpdateResult]:
        return client.batch_update_points(self._collection, operations, wait=True, ordering=ordering)

    def _require_fit(self) -> None:
        """Raise FatalError if the collection was recreated for other vectors: the points are not at fault then."""
        collection = self._connection.ask(lambda client: client.get_collection(self._collection))
        found = misfit(collection, self._dimension)
        if found is not None:
            raise FatalError(
                f"the index no longer fits: collection {self._collection} was recreated and has {found}, but the "
                f"model's have {self._dimension}; restart the worker with another TICKETS_INDEX__COLLECTION"
            )


def open_server_engine(settings: IndexSettings, *, dimension: int) -> ServerEngine:
    """Open the collection for writing, creating it for vectors of `dimension` if it is missing.

    Raises:
        ConfigError: the collection was created for other vectors, or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    connection = open_connection(settings)
    try:
        create_collection(connection, settings, dimension=dimension)
    except BaseException:
        connection.close()
        raise
    return ServerEngine(connection, settings.collection, dimension=dimension)


def open_server_reader(settings: IndexSettings, *, dimension: int) -> ServerReader:
    """Open the collection, or the alias of one, for reading.

    Raises:
        NoIndexError: it doesn't exist.
        ConfigError: it was created for other vectors, or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    connection = open_connection(settings)
    try:
        require_collection(connection, settings, dimension=dimension)
    except BaseException:
        connection.close()
        raise
    return ServerReader(connection, settings.collection, dimension=dimension)


def _operation(upsert: Upsert) -> models.UpsertOperation:
    points = [_point(point) for point in upsert.points]
    return models.UpsertOperation(upsert=models.PointsList(points=points, update_filter=_below(upsert)))


def _point(point: Point) -> models.PointStruct:
    vector: models.VectorStruct = {} if point.vector is None else {VECTOR: point.vector.tolist()}
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _vector(record: models.Record) -> list[float] | None:
    named = record.vector
    # Its only named vector is dense.
    return cast("list[float] | None", named.get(VECTOR)) if isinstance(named, dict) else None


def _below(upsert: Upsert) -> models.Filter:
    bounds = models.Range(gte=upsert.least, lt=upsert.below)
    return models.Filter(must=[models.FieldCondition(key="version", range=bounds)])


def _filter(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> models.Filter | None:
    if not conditions and not unless:
        return None
    return models.Filter(must=[_condition(c) for c in conditions], must_not=[_condition(c) for c in unless])


def _condition(condition: Condition) -> models.FieldCondition:
    if isinstance(condition, OfTickets):
        return models.FieldCondition(key="head", match=models.MatchAny(any=list(condition.heads)))
    if isinstance(condition, Between):
        return models.FieldCondition(key=condition.field, range=models.Range(gte=condition.least, lt=condition.below))
    values = list(condition.values)
    match = models.MatchValue(value=values[0]) if len(values) == 1 else models.MatchAny(any=values)
    return models.FieldCondition(key=condition.field, match=match)

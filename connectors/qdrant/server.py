"""A Qdrant server, over gRPC."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import grpc
from qdrant_client import models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

from connectors.qdrant.connection import BAD_REQUEST, connect, translate
from connectors.qdrant.engine import AnyOf, Condition, Found, Upsert
from connectors.qdrant.layout import INDEXED, VECTOR
from core.errors import ConfigError, FatalError, RefusedError, TransientError, UnavailableError
from core.failpoints import failpoint
from core.records import Point, Vector
from core.settings import IndexSettings

T = TypeVar("T")

_PAGE: Final = 1_000

_KINDS: Final[dict[str, Any]] = {
    "tenant": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
}


class ServerEngine:
    """Implements `connectors.qdrant.engine.Engine`."""

    def __init__(self, settings: IndexSettings, *, dimension: int) -> None:
        """Connect, and create the collection if it isn't there.

        Raises:
            ConfigError: the server refuses us, or the collection was made for another dimension.
            UnavailableError: the server doesn't answer.
        """
        self._collection = settings.collection
        self._url = settings.url or ""
        self._client = connect(settings)
        try:
            self._dimension = self._require_collection(settings, dimension)
        except TransientError as error:
            self.close()
            raise UnavailableError(
                f"no Qdrant server answers at {self._url} ({error}); look at TICKETS_INDEX__URL, gRPC's port is 6334"
            ) from None
        except BaseException:
            self.close()
            raise

    @property
    def dimension(self) -> int:
        """See `Engine`."""
        return self._dimension

    def write(self, upserts: Sequence[Upsert]) -> None:
        """See `Engine`. One request, applied in order."""
        if not upserts:
            return
        try:
            operations = [
                models.UpsertOperation(
                    upsert=models.PointsList(points=[_point(p) for p in upsert.points], update_filter=_below(upsert))
                )
                for upsert in upserts
            ]
            results = self._ask(
                lambda: self._client.batch_update_points(self._collection, operations, wait=True), writing=True
            )
            failpoint("after_send")
        except RefusedError:
            self._require_fit()
            raise
        except (TypeError, ValueError, OverflowError) as error:  # their messages may quote the ticket
            raise RefusedError(f"the index's client can't send it ({type(error).__name__})") from None
        unfinished = [result.status for result in results if result.status != models.UpdateStatus.COMPLETED]
        if unfinished:  # taken in but not applied yet: an ack now could be of a write that a crash undoes
            raise TransientError(f"the server has not applied a write yet ({unfinished[0].value})")

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See `Engine`."""
        if not ids:
            return {}
        found = self._ask(lambda: self._client.retrieve(self._collection, list(ids), with_payload=list(fields)))
        return {str(record.id): record.payload or {} for record in found}

    def nearest(self, vector: Vector, conditions: Sequence[Condition], limit: int) -> list[Found]:
        """See `Engine`."""
        answer = self._ask(
            lambda: self._client.query_points(
                self._collection,
                query=vector.tolist(),
                using=VECTOR,
                query_filter=_filter(conditions),
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
    ) -> Iterator[Found]:
        """See `Engine`."""
        offset: Any = None
        while True:
            records, offset = self._page(_filter(conditions, unless), fields, offset, vectors=vectors)
            for record in records:
                named: Any = record.vector or {}
                yield Found(str(record.id), record.payload or {}, vector=named.get(VECTOR))
            if offset is None:
                return

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `Engine`."""
        counted = self._ask(lambda: self._client.count(self._collection, count_filter=_filter(conditions), exact=True))
        return counted.count

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _page(
        self, wanted: models.Filter | None, fields: Sequence[str] | None, offset: Any, *, vectors: bool
    ) -> tuple[list[models.Record], Any]:
        return self._ask(
            lambda: self._client.scroll(
                self._collection,
                scroll_filter=wanted,
                limit=_PAGE,
                offset=offset,
                with_payload=True if fields is None else list(fields),
                with_vectors=vectors,
            )
        )

    def _require_collection(self, settings: IndexSettings, dimension: int) -> int:
        if not self._ask(lambda: self._client.collection_exists(self._collection)):
            self._create(settings, dimension)
        misfit = self._misfit(dimension)
        if misfit is not None:
            raise ConfigError(
                f"TICKETS_INDEX__COLLECTION: {self._collection} was made {misfit} and the model gives {dimension}; "
                "name a new collection and a new consumer group, and the log is indexed anew"
            )
        for field, kind in INDEXED.items():  # again changes nothing; a start that was cut short is completed
            self._ask(
                lambda field=field, kind=kind: self._client.create_payload_index(  # type: ignore[misc]
                    self._collection, field, field_schema=_KINDS[kind], wait=True
                )
            )
        return dimension

    def _misfit(self, dimension: int) -> str | None:
        """How the collection was made, where our vectors don't fit it."""
        params = self._ask(lambda: self._client.get_collection(self._collection)).config.params.vectors
        found = params.get(VECTOR) if isinstance(params, dict) else None
        if found is None:
            return f"without a vector named {VECTOR}"
        if found.size == dimension and found.distance == models.Distance.COSINE:
            return None
        other = "" if found.distance == models.Distance.COSINE else f" by {found.distance.value.lower()} and not cosine"
        return f"for vectors of {found.size} dimensions{other}"

    def _require_fit(self) -> None:
        """A write was refused: is it for its data, or was the collection made anew under us?"""
        misfit = self._misfit(self._dimension)
        if misfit is not None:
            raise FatalError(
                f"the index no longer fits: collection {self._collection} was made anew {misfit}, and the model gives "
                f"{self._dimension}"
            )

    def _create(self, settings: IndexSettings, dimension: int) -> None:
        params = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        try:
            self._ask(
                lambda: self._client.create_collection(
                    self._collection,
                    vectors_config={VECTOR: params},
                    shard_number=settings.shards,
                    replication_factor=settings.replication_factor,
                    write_consistency_factor=settings.replication_factor // 2 + 1,
                )
            )
        except FatalError:
            # Another worker that starts beside us may have made it first.
            if not self._ask(lambda: self._client.collection_exists(self._collection)):
                raise

    def _ask(self, call: Callable[[], T], *, writing: bool = False) -> T:
        try:
            return call()
        except ResourceExhaustedResponse as error:
            raise TransientError(
                "the server is overloaded", retry_after_s=float(error.retry_after_s), overload=True
            ) from None
        except grpc.RpcError as error:
            if writing and error.code() in BAD_REQUEST:
                raise RefusedError(f"the index refuses what it was given ({error.code().name.lower()})") from None
            raise translate(error, self._url, quoting=not writing) from None


def _point(point: Point) -> models.PointStruct:
    vector: Any = {} if point.vector is None else {VECTOR: point.vector.tolist()}
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _below(upsert: Upsert) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key="version", range=models.Range(lt=upsert.below))])


def _filter(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> models.Filter | None:
    if not conditions and not unless:
        return None
    return models.Filter(must=[_condition(c) for c in conditions], must_not=[_condition(c) for c in unless])


def _condition(condition: Condition) -> models.FieldCondition:
    if not isinstance(condition, AnyOf):
        return models.FieldCondition(key=condition.field, range=models.Range(gte=condition.least, lt=condition.below))
    values: Any = list(condition.values)
    match: Any = models.MatchValue(value=values[0]) if len(values) == 1 else models.MatchAny(any=values)
    return models.FieldCondition(key=condition.field, match=match)

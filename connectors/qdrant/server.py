"""The engine on a Qdrant server, over gRPC."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from qdrant_client import QdrantClient, models
from qdrant_client.conversions.common_types import PointId

from connectors.qdrant.collection import create_collection, misfit, require_collection
from connectors.qdrant.connection import Connection, open_connection
from connectors.qdrant.engine import Condition, Found, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.messages import deletion_of, filter_of, passages_in, query_of, terms_in, upsert_of, vector_in
from connectors.qdrant.replicas import Page, read_agreed
from connectors.qdrant.server_terms import finds_terms, stores_terms
from core.errors import FatalError, RefusedError, TransientError
from core.failpoints import failpoint
from core.settings import IndexSettings

_PAGE: Final = 1_000


class ServerReader:
    """Implements `connectors.qdrant.engine.EngineReader` on a collection of vectors of `dimension`.

    `has_terms`: whether a search can use its terms.
    """

    def __init__(self, connection: Connection, collection: str, *, dimension: int, has_terms: bool = True) -> None:
        self._connection = connection
        self._collection = collection
        self._dimension = dimension
        self._has_terms = has_terms

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

    def search(self, retrievals: Sequence[Retrieval]) -> list[list[FoundPassage]]:
        """See `EngineReader`. Sends one request."""
        return [passages_in(found) for found in self._ask(retrievals, payload=True)]

    def scores(self, retrievals: Sequence[Retrieval]) -> list[dict[PointKey, float]]:
        """See `EngineReader`. Sends one request."""
        return [{str(point.id): point.score for point in found} for found in self._ask(retrievals, payload=False)]

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
        wanted = filter_of(conditions, unless)
        offset: PointId | None = None
        while True:
            read = self._page(wanted, fields, offset, vectors=vectors)
            records, offset = read_agreed(read) if majority else read(None)
            for record in records:
                yield Found(str(record.id), record.payload or {}, vector_in(record), terms_in(record))
            if offset is None:
                return

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `EngineReader`."""
        wanted = filter_of(conditions)
        return self._connection.ask(
            lambda client: client.count(self._collection, count_filter=wanted, exact=True)
        ).count

    def close(self) -> None:
        """See `EngineReader`."""
        self._connection.close()

    def _ask(self, retrievals: Sequence[Retrieval], *, payload: bool) -> list[list[models.ScoredPoint]]:
        asked = {
            number: query_of(one, payload=payload)
            for number, one in enumerate(retrievals)
            if self._has_terms or not one.by_words
        }
        if not asked:
            return [[] for _ in retrievals]
        found = self._connection.ask(
            lambda client: client.query_batch_points(self._collection, requests=[*asked.values()])
        )
        answers = {number: answer.points for number, answer in zip(asked, found, strict=True)}
        return [answers.get(number, []) for number in range(len(retrievals))]

    def _page(
        self, wanted: models.Filter | None, fields: Sequence[str] | None, offset: PointId | None, *, vectors: bool
    ) -> Callable[[models.ReadConsistencyType | None], Page]:
        """Reads a page of points with a consistency."""

        def read(consistency: models.ReadConsistencyType | None) -> Page:
            return self._connection.ask(
                lambda client: client.scroll(
                    self._collection,
                    scroll_filter=wanted,
                    limit=_PAGE,
                    offset=offset,
                    with_payload=True if fields is None else list(fields),
                    with_vectors=vectors,
                    consistency=consistency,
                )
            )

        return read


class ServerEngine(ServerReader):
    """Implements `connectors.qdrant.engine.Engine`. `stores_terms`: whether the collection has room for terms."""

    def __init__(
        self, connection: Connection, collection: str, *, dimension: int, has_terms: bool, stores_terms: bool
    ) -> None:
        super().__init__(connection, collection, dimension=dimension, has_terms=has_terms)
        self._stores_terms = stores_terms

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        """See `Engine`. Sends one request, which the server applies in order."""
        if upserts:
            self._apply(lambda: [upsert_of(upsert, terms=self._stores_terms) for upsert in upserts], ordered=ordered)

    def delete(self, ids: Sequence[str], *, below: int) -> None:
        """See `Engine`."""
        if ids:
            self._apply(lambda: [deletion_of(ids, below)], ordered=True)

    def _apply(self, build: Callable[[], Sequence[models.UpdateOperation]], *, ordered: bool) -> None:
        try:
            operations = build()
            ordering = models.WriteOrdering.MEDIUM if ordered else None
            results = self._connection.ask(lambda client: self._update(client, operations, ordering), writing=True)
            failpoint("after_send")
        except RefusedError:
            self._require_fit()
            raise
        except (TypeError, ValueError, OverflowError) as error:  # their messages may quote the ticket
            raise RefusedError(f"the Qdrant client can't encode the points ({type(error).__name__})") from None
        unfinished = [result.status for result in results if result.status != models.UpdateStatus.COMPLETED]
        if unfinished:  # accepted but not applied yet: a crash after an ack could lose the write
            raise TransientError(f"the server has not applied a write yet ({unfinished[0].value})")

    def require_in_place(self) -> None:
        """See `Engine`. Nothing to check: the server owns the files, and every request names the collection."""

    def _update(
        self,
        client: QdrantClient,
        operations: Sequence[models.UpdateOperation],
        ordering: models.WriteOrdering | None,
    ) -> list[models.UpdateResult]:
        return client.batch_update_points(self._collection, operations, wait=True, ordering=ordering)

    def _require_fit(self) -> None:
        """Raise FatalError if the collection was recreated for other vectors: then the points are not at fault."""
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
        name = settings.collection
        stored, found = stores_terms(connection, name), finds_terms(connection, name)
    except BaseException:
        connection.close()
        raise
    return ServerEngine(connection, name, dimension=dimension, has_terms=found, stores_terms=stored)


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
        found = finds_terms(connection, settings.collection)
    except BaseException:
        connection.close()
        raise
    return ServerReader(connection, settings.collection, dimension=dimension, has_terms=found)


def open_server_notes(settings: IndexSettings) -> ServerReader | None:
    """Open the collection, of whatever vectors, to read its provenance; None if there is none.

    Raises:
        ConfigError: the server denies access.
        UnavailableError: the server doesn't answer.
    """
    connection = open_connection(settings)
    try:
        if connection.ask_at_start(lambda client: client.collection_exists(settings.collection)):
            return ServerReader(connection, settings.collection, dimension=0, has_terms=False)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None

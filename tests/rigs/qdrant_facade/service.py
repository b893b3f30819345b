"""The calls of Qdrant's gRPC services that the server adapter uses.

Updates are applied as by the engine: a conditional upsert compares and writes in one step.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import grpc
import qdrant_edge as edge
from qdrant_client import grpc as q

from connectors.qdrant.layout import TERMS, VECTOR
from tests.rigs.qdrant_facade import convert
from tests.rigs.qdrant_facade.storage import Collection, open_collections


class QdrantServices(q.CollectionsServicer, q.PointsServicer, q.QdrantServicer, q.SnapshotsServicer):
    """Serves the collections below `folder`, as a server of `version`."""

    def __init__(self, folder: Path, *, version: str = "1.19.0") -> None:
        self._folder = folder
        self._snapshots = folder / ".snapshots"
        self._version = version
        self._collections = open_collections(folder)
        self._creating = Lock()
        self._aliases: dict[str, str] = {}  # kept in memory only: no test kills a server that has aliases
        self.wrote: Callable[[int], None] = lambda _points: None

    def close_collections(self) -> None:
        """Close the collections."""
        for collection in self._collections.values():
            collection.close()
        self._collections.clear()

    def HealthCheck(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's names
        return q.HealthCheckReply(title="qdrant - vector search engine", version=self._version)

    # --- collections

    def CollectionExists(self, request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's names
        found = q.CollectionExists(exists=request.collection_name in {*self._collections, *self._aliases})
        return q.CollectionExistsResponse(result=found)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - of two services, likewise
        if isinstance(request, q.CreateSnapshotRequest):
            return self._snapshot(request, context)
        name = request.collection_name
        with self._creating:  # two workers that start together both find it missing
            if name in {*self._collections, *self._aliases}:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Collection {name} already exists")
            params = request.vectors_config.params_map.map[VECTOR]
            terms = TERMS in request.sparse_vectors_config.map
            self._collections[name] = Collection.create(self._folder / name, params, terms=terms)
        return q.CollectionOperationResponse(result=True)

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - of both services; the request's type tells which
        if isinstance(request, q.GetPoints):
            return self._retrieve(request, context)
        collection = self._collection(request, context)
        vectors = q.VectorsConfig(params_map=q.VectorParamsMap(map={VECTOR: collection.params}))
        params = q.CollectionParams(shard_number=1, on_disk_payload=True, vectors_config=vectors)
        if collection.has_terms:
            params.sparse_vectors_config.map[TERMS].modifier = q.Modifier.Idf
        config = q.CollectionConfig(
            params=params,
            hnsw_config=q.HnswConfigDiff(m=16, ef_construct=100, full_scan_threshold=10_000),
            optimizer_config=q.OptimizersConfigDiff(
                deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
            ),
            wal_config=q.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0),
        )
        info = q.CollectionInfo(
            status=q.CollectionStatus.Green,
            optimizer_status=q.OptimizerStatus(ok=True),
            segments_count=1,
            config=config,
            payload_schema=collection.fields,
        )
        return q.GetCollectionInfoResponse(result=info)

    def ListAliases(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        found = [q.AliasDescription(alias_name=name, collection_name=to) for name, to in self._aliases.items()]
        return q.ListAliasesResponse(aliases=found)

    def UpdateAliases(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Apply all actions in one step, as the server does."""
        aliases = dict(self._aliases)
        for action in request.actions:
            if action.HasField("delete_alias"):
                aliases.pop(action.delete_alias.alias_name, None)
                continue
            made = action.create_alias
            if made.collection_name not in self._collections or made.alias_name in self._collections:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no alias {made.alias_name} can be made")
            aliases[made.alias_name] = made.collection_name
        self._aliases = aliases
        return q.CollectionOperationResponse(result=True)

    # --- points

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802
        integer = request.field_type == q.FieldType.FieldTypeInteger
        collection = self._collection(request, context)
        collection.index(request.field_name, integer=integer)
        kind = q.PayloadSchemaType.Integer if integer else q.PayloadSchemaType.Keyword
        collection.fields[request.field_name] = q.PayloadSchemaInfo(data_type=kind, params=request.field_index_params)
        return q.PointsOperationResponse(result=q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed))

    def CreateVectorName(self, request: Any, context: Any) -> Any:  # noqa: N802
        if self._version < "1.18":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        self._collection(request, context).add_terms()
        return q.PointsOperationResponse(result=q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed))

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._collection(request, context).apply(request.operations, self.wrote)
        done = q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed)
        return q.UpdateBatchResponse(result=[done] * len(request.operations))

    def QueryBatch(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = [q.BatchResult(result=self._found(one, context)) for one in request.query_points]
        return q.QueryBatchResponse(result=found)

    def _found(self, request: Any, context: Any) -> list[Any]:
        nearest = request.query.nearest
        vector = convert.sparse(nearest.sparse) if nearest.HasField("sparse") else list(nearest.dense.data)
        found = self._collection(request, context).shard.query(
            edge.QueryRequest(
                limit=request.limit,
                query=edge.Query.Nearest(vector, using=request.using),
                filter=convert.filter_(request.filter) if request.HasField("filter") else None,
                with_payload=True,
                params=convert.rarity(request.params) if request.params.HasField("idf") else None,
            )
        )
        return [convert.scored(point) for point in found]

    def Scroll(self, request: Any, context: Any) -> Any:  # noqa: N802
        offset = request.offset.uuid if request.HasField("offset") else None
        records, following = self._collection(request, context).shard.scroll(
            edge.ScrollRequest(
                offset=offset,
                limit=request.limit,
                filter=convert.filter_(request.filter) if request.HasField("filter") else None,
                with_payload=convert.fields(request.with_payload),
                with_vector=request.with_vectors.enable,
            )
        )
        answer = q.ScrollResponse(result=[convert.retrieved(record) for record in records])
        if following is not None:
            answer.next_page_offset.CopyFrom(convert.id_(following))
        return answer

    def Count(self, request: Any, context: Any) -> Any:  # noqa: N802
        wanted = convert.filter_(request.filter) if request.HasField("filter") else None
        count = self._collection(request, context).shard.count(edge.CountRequest(exact=True, filter=wanted))
        return q.CountResponse(result=q.CountResult(count=count))

    def _retrieve(self, request: Any, context: Any) -> Any:
        ids: list[Any] = [point.uuid for point in request.ids]
        found = self._collection(request, context).shard.retrieve(ids, convert.fields(request.with_payload), False)
        return q.GetResponse(result=[convert.retrieved(record) for record in found])

    def _snapshot(self, request: Any, context: Any) -> Any:
        made = self._snapshots / f"{request.collection_name}-{uuid4().hex[:8]}.snapshot"
        self._collection(request, context).save(made)
        return q.CreateSnapshotResponse(snapshot_description=q.SnapshotDescription(name=made.name))

    def restore_snapshot(self, collection: str, name: str) -> None:
        """Put a snapshot in the place of a collection, as the server does when it is told to over REST."""
        self._collections.pop(collection).close()
        shutil.rmtree(self._folder / collection)
        shutil.copytree(self._snapshots / name, self._folder / collection)
        self._collections[collection] = Collection(self._folder / collection)

    def _collection(self, request: Any, context: Any) -> Collection:
        name = request.collection_name
        collection = self._collections.get(self._aliases.get(name, name))
        if collection is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Collection {request.collection_name} doesn't exist")
            raise AssertionError  # abort raises
        return collection

"""A Qdrant server's gRPC face over the embedded engine, so that the server adapter is tested over a socket.

It serves what the adapter asks and nothing else, and applies updates as the engine does: a conditional upsert
compares and writes in one step.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Self

import grpc
import qdrant_edge as edge
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest, payload_to_grpc

from connectors.index.layout import VECTOR


class _Collection:
    def __init__(self, path: Path, params: Any) -> None:
        self.params = params
        self.lock = Lock()
        vectors = {VECTOR: edge.EdgeVectorParams(size=params.size, distance=edge.Distance.Cosine)}
        self.shard = edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors=vectors))


class QdrantFacade(q.CollectionsServicer, q.PointsServicer):
    """Serves from construction to `close`. `fault`, when set, is what every call is answered with."""

    def __init__(self, folder: Path, *, api_key: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._collections: dict[str, _Collection] = {}
        self._api_key = api_key
        self.fault: grpc.StatusCode | None = None
        self._server = grpc.server(ThreadPoolExecutor(8), interceptors=[_Gate(self)])
        q.add_CollectionsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        q.add_PointsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def url(self) -> str:
        """What TICKETS_INDEX__URL should be."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and let the folders go."""
        self._server.stop(0).wait()
        for collection in self._collections.values():
            collection.shard.close()
        self._collections.clear()

    def refusal(self, metadata: Sequence[tuple[str, str]]) -> grpc.StatusCode | None:
        """What a call with `metadata` is refused with, or None."""
        if self._api_key is not None and ("api-key", self._api_key) not in [(k, v) for k, v in metadata]:
            return grpc.StatusCode.UNAUTHENTICATED
        return self.fault

    # --- collections

    def CollectionExists(self, request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's names
        found = q.CollectionExists(exists=request.collection_name in self._collections)
        return q.CollectionExistsResponse(result=found)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        name = request.collection_name
        if name in self._collections:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Collection {name} already exists")
        params = request.vectors_config.params_map.map[VECTOR]
        self._collections[name] = _Collection(self._folder / name, params)
        return q.CollectionOperationResponse(result=True)

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - of both services, told apart by the request
        if isinstance(request, q.GetPoints):
            return self._retrieve(request, context)
        collection = self._collection(request, context)
        vectors = q.VectorsConfig(params_map=q.VectorParamsMap(map={VECTOR: collection.params}))
        params = q.CollectionParams(shard_number=1, on_disk_payload=True, vectors_config=vectors)
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
        )
        return q.GetCollectionInfoResponse(result=info)

    # --- points

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = edge.PayloadSchemaType.Integer if request.field_type == q.FieldType.FieldTypeInteger else None
        operation = edge.UpdateOperation.create_field_index(request.field_name, kind or edge.PayloadSchemaType.Keyword)
        self._collection(request, context).shard.update(operation)
        return q.PointsOperationResponse(result=q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed))

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802
        collection = self._collection(request, context)
        with collection.lock:
            for operation in request.operations:
                upsert = operation.upsert
                points = [_point(point) for point in upsert.points]
                collection.shard.update(
                    edge.UpdateOperation.upsert_points(points, condition=_filter(upsert.update_filter))
                )
        done = q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed)
        return q.UpdateBatchResponse(result=[done] * len(request.operations))

    def Query(self, request: Any, context: Any) -> Any:  # noqa: N802
        vector = list(request.query.nearest.dense.data)
        found = self._collection(request, context).shard.query(
            edge.QueryRequest(
                limit=request.limit,
                query=edge.Query.Nearest(vector, using=request.using),
                filter=_filter(request.filter) if request.HasField("filter") else None,
                with_payload=True,
            )
        )
        points = [
            q.ScoredPoint(id=_id(p.id), payload=payload_to_grpc(p.payload or {}), score=p.score, version=0)
            for p in found
        ]
        return q.QueryResponse(result=points)

    def Scroll(self, request: Any, context: Any) -> Any:  # noqa: N802
        offset = request.offset.uuid if request.HasField("offset") else None
        records, following = self._collection(request, context).shard.scroll(
            edge.ScrollRequest(
                offset=offset,
                limit=request.limit,
                filter=_filter(request.filter) if request.HasField("filter") else None,
                with_payload=_fields(request.with_payload),
                with_vector=request.with_vectors.enable,
            )
        )
        answer = q.ScrollResponse(result=[_retrieved(record) for record in records])
        if following is not None:
            answer.next_page_offset.CopyFrom(_id(following))
        return answer

    def Count(self, request: Any, context: Any) -> Any:  # noqa: N802
        wanted = _filter(request.filter) if request.HasField("filter") else None
        count = self._collection(request, context).shard.count(edge.CountRequest(exact=True, filter=wanted))
        return q.CountResponse(result=q.CountResult(count=count))

    def _retrieve(self, request: Any, context: Any) -> Any:
        ids: list[Any] = [point.uuid for point in request.ids]
        found = self._collection(request, context).shard.retrieve(ids, _fields(request.with_payload), False)
        return q.GetResponse(result=[_retrieved(record) for record in found])

    def _collection(self, request: Any, context: Any) -> _Collection:
        collection = self._collections.get(request.collection_name)
        if collection is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Collection {request.collection_name} doesn't exist")
            raise AssertionError  # abort raises
        return collection


class _Gate(grpc.ServerInterceptor):  # type: ignore[misc]  # untyped
    """Refuses what the facade says to refuse, before it is handled."""

    def __init__(self, facade: QdrantFacade) -> None:
        self._facade = facade

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        refusal = self._facade.refusal(details.invocation_metadata)
        if refusal is None:
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(lambda _request, context: context.abort(refusal, "refused"))


def _id(point_id: Any) -> Any:
    return q.PointId(uuid=str(point_id))


def _point(point: Any) -> edge.Point:
    struct = GrpcToRest.convert_point_struct(point)
    vector: Any = struct.vector or {}
    return edge.Point(str(struct.id), vector, struct.payload)


def _retrieved(record: edge.Record) -> Any:
    named: Any = record.vector or {}
    found = q.RetrievedPoint(id=_id(record.id), payload=payload_to_grpc(record.payload or {}))
    for name, vector in named.items():
        found.vectors.vectors.vectors[name].dense.data.extend(vector)
    return found


def _fields(selector: Any) -> Any:
    if selector.HasField("include"):
        return list(selector.include.fields)
    return bool(selector.enable)


def _filter(wanted: Any) -> edge.Filter:
    return edge.Filter(must=[_condition(c) for c in wanted.must], must_not=[_condition(c) for c in wanted.must_not])


def _condition(condition: Any) -> edge.FieldCondition:
    field: Any = GrpcToRest.convert_condition(condition)
    if field.range is not None:
        bounds = edge.RangeFloat(gte=field.range.gte, gt=field.range.gt, lte=field.range.lte, lt=field.range.lt)
        return edge.FieldCondition(key=field.key, range=bounds)
    values = getattr(field.match, "any", None)
    match = edge.MatchAny(values) if values is not None else edge.MatchValue(field.match.value)
    return edge.FieldCondition(key=field.key, match=match)

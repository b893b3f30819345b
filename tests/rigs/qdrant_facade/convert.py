"""Converts between gRPC messages and the embedded engine's types."""

from typing import Any

import qdrant_edge as edge
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest, payload_to_grpc
from qdrant_client.models import HasIdCondition, HasVectorCondition, SparseVector


def id_(point_id: Any) -> Any:
    return q.PointId(uuid=str(point_id))


def point(given: Any) -> edge.Point:
    struct = GrpcToRest.convert_point_struct(given)
    named: Any = struct.vector or {}
    vectors: Any = {name: sparse(one) if isinstance(one, SparseVector) else one for name, one in named.items()}
    return edge.Point(str(struct.id), vectors, struct.payload)


def sparse(vector: Any) -> edge.SparseVector:
    return edge.SparseVector(list(vector.indices), list(vector.values))


def retrieved(record: edge.Record) -> Any:
    named: Any = record.vector or {}
    found = q.RetrievedPoint(id=id_(record.id), payload=payload_to_grpc(record.payload or {}))
    for name, vector in named.items():
        if isinstance(vector, edge.SparseVector):
            terms = q.SparseVector(indices=vector.indices, values=vector.values)
            found.vectors.vectors.vectors[name].sparse.CopyFrom(terms)
        else:
            found.vectors.vectors.vectors[name].dense.data.extend(vector)
    return found


def scored(found: edge.ScoredPoint) -> Any:
    return q.ScoredPoint(id=id_(found.id), payload=payload_to_grpc(found.payload or {}), score=found.score, version=0)


def fields(selector: Any) -> Any:
    if selector.HasField("include"):
        return list(selector.include.fields)
    return bool(selector.enable)


def rarity(params: Any) -> edge.SearchParams:
    return edge.SearchParams(idf=edge.IdfParams(corpus=filter_(params.idf.corpus)))


def filter_(wanted: Any) -> edge.Filter:
    return edge.Filter(must=[_condition(c) for c in wanted.must], must_not=[_condition(c) for c in wanted.must_not])


def _condition(condition: Any) -> edge.FieldCondition | edge.HasIdCondition | edge.HasVectorCondition:
    field: Any = GrpcToRest.convert_condition(condition)
    if isinstance(field, HasIdCondition):
        return edge.HasIdCondition({str(id_) for id_ in field.has_id})
    if isinstance(field, HasVectorCondition):
        return edge.HasVectorCondition(field.has_vector)
    if field.range is not None:
        bounds = edge.RangeFloat(gte=field.range.gte, gt=field.range.gt, lte=field.range.lte, lt=field.range.lt)
        return edge.FieldCondition(key=field.key, range=bounds)
    values = getattr(field.match, "any", None)
    match = edge.MatchAny(values) if values is not None else edge.MatchValue(field.match.value)
    return edge.FieldCondition(key=field.key, match=match)

"""Points and searches between our types and those of the embedded engine."""

from collections.abc import Sequence
from functools import partial
from typing import cast
from uuid import UUID

import numpy as np
import qdrant_edge as edge

from connectors.qdrant.engine import EngineId, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.layout import TERMS, VECTOR, head_of
from connectors.qdrant.packing import filter_of, pack, packed_fields, packed_row, unpack
from connectors.qdrant.shard_config import search_params
from core.records import Point, SparseVector, Vector


def passages_of(points: Sequence[edge.ScoredPoint]) -> list[FoundPassage]:
    """The passages of a query's result."""
    found = []
    for point in points:
        packed, own = point.payload or {}, point.id
        row = packed_row(packed)
        found.append(FoundPassage(own, _key(own), head_of(row), row, partial(_payload, packed), point.score))
    return found


def _payload(packed: Stored) -> Stored:
    """The payload that was packed; `unpack` would change what it is given, and this is called again."""
    return unpack({**packed})


def scores_of(points: Sequence[edge.ScoredPoint]) -> dict[PointKey, float]:
    """The scores of a query's result, by key."""
    return {_key(point.id): point.score for point in points}


def _key(own: EngineId) -> PointKey:
    return own.int if isinstance(own, UUID) else own


def query_of(retrieval: Retrieval, *, payload: bool) -> edge.QueryRequest:
    """The retrieval in the engine's type, of points with their payloads or without."""
    wanted = retrieval.wanted
    if isinstance(wanted, SparseVector):
        query, rarity = edge.Query.Nearest(edge_sparse(wanted), using=TERMS), filter_of(retrieval.corpus)
        params = None if rarity is None else edge.SearchParams(idf=edge.IdfParams(corpus=rarity))
    else:
        query, params = edge.Query.Nearest(wanted.tolist(), using=VECTOR), search_params()
    return edge.QueryRequest(
        limit=retrieval.limit,
        query=query,
        filter=filter_of(retrieval.conditions, retrieval.unless),
        with_payload=packed_fields(None) if payload else False,
        params=params,
    )


def edge_point(point: Point) -> edge.Point:
    """The point in the engine's type."""
    vector: dict[str, edge.NamedVector] = {} if point.vector is None else {VECTOR: _sequence(point.vector)}
    if point.terms is not None and len(point.terms.indices):
        vector[TERMS] = edge_sparse(point.terms)
    return edge.Point(point.id, vector, pack(point.payload))


def _sequence(vector: Vector) -> list[float]:
    """The vector for the engine, which reads any sequence, and reads this one sooner than a list can be made."""
    return cast("list[float]", np.ascontiguousarray(vector).data)


def edge_sparse(terms: SparseVector) -> edge.SparseVector:
    """Terms in the engine's type."""
    return edge.SparseVector(terms.indices.tolist(), terms.values.tolist())


def vector_of(record: edge.Record) -> list[float] | None:
    """The record's dense vector, if it was read and has one."""
    named = record.vector
    # The vector of this name is dense.
    return cast("list[float] | None", named.get(VECTOR)) if isinstance(named, dict) else None


def terms_of(record: edge.Record) -> SparseVector | None:
    """The record's terms, if they were read and it has some."""
    named = record.vector
    found = named.get(TERMS) if isinstance(named, dict) else None
    if not isinstance(found, edge.SparseVector):
        return None
    return SparseVector(np.array(found.indices, np.uint32), np.array(found.values, np.float32))


def where_below(upsert: Upsert) -> edge.Filter:
    """The condition on the stored version under which a point is written."""
    return edge.Filter(
        must=[edge.FieldCondition(key="version", range=edge.RangeFloat(gte=upsert.least, lt=upsert.below))]
    )

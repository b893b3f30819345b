"""Points, searches and conditions in the types of the Qdrant client."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from qdrant_client import models

from connectors.qdrant.collection_config import SEARCH_PARAMS, rarity_params
from connectors.qdrant.engine import (
    Between,
    Condition,
    FoundPassage,
    OfTickets,
    Retrieval,
    Stored,
    Upsert,
    WithIds,
    WithTerms,
)
from connectors.qdrant.layout import TERMS, VECTOR, head_of, row_of
from core.records import Point, SparseVector


def passages_in(points: Sequence[models.ScoredPoint]) -> list[FoundPassage]:
    """The passages of an answer."""
    return [_passage(str(point.id), point.payload or {}, point.score) for point in points]


def _passage(own: str, payload: Stored, score: float) -> FoundPassage:
    row = row_of(payload)
    return FoundPassage(own, own, head_of(row), row, lambda: payload, score)


def vector_in(record: models.Record) -> list[float] | None:
    """The dense vector of a point, if it was asked for."""
    named = record.vector
    # The vector of this name is dense.
    return cast("list[float] | None", named.get(VECTOR)) if isinstance(named, dict) else None


def terms_in(record: models.Record) -> SparseVector | None:
    """The terms of a point, if they were asked for and it has some."""
    found = record.vector.get(TERMS) if isinstance(record.vector, dict) else None
    if not isinstance(found, models.SparseVector):
        return None
    return SparseVector(np.array(found.indices, np.uint32), np.array(found.values, np.float32))


def upsert_of(upsert: Upsert, *, terms: bool) -> models.UpsertOperation:
    """`terms`: whether the collection has room for terms."""
    points = [_point(point, terms=terms) for point in upsert.points]
    return models.UpsertOperation(upsert=models.PointsList(points=points, update_filter=_below(upsert)))


def query_of(retrieval: Retrieval, *, payload: bool) -> models.QueryRequest:
    """The retrieval in the client's type, of points with their payloads or without."""
    wanted = retrieval.wanted
    words = isinstance(wanted, SparseVector)
    return models.QueryRequest(
        query=_sparse(wanted) if isinstance(wanted, SparseVector) else wanted.tolist(),
        using=TERMS if words else VECTOR,
        filter=filter_of(retrieval.conditions, retrieval.unless),
        params=rarity_params(filter_of(retrieval.corpus)) if words else SEARCH_PARAMS,
        limit=retrieval.limit,
        with_payload=payload,
    )


def _sparse(terms: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=terms.indices.tolist(), values=terms.values.tolist())


def deletion_of(ids: Sequence[str], below: int) -> models.DeleteOperation:
    """Removes those of the points whose version is lower than `below`."""
    older = models.FieldCondition(key="version", range=models.Range(lt=below))
    wanted = models.Filter(must=[models.HasIdCondition(has_id=list(ids)), older])
    return models.DeleteOperation(delete=models.FilterSelector(filter=wanted))


def filter_of(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> models.Filter | None:
    """All of `conditions` and none of `unless`; None if there are none."""
    if not conditions and not unless:
        return None
    return models.Filter(must=[_condition(c) for c in conditions], must_not=[_condition(c) for c in unless])


def _point(point: Point, *, terms: bool) -> models.PointStruct:
    vector: dict[str, models.Vector] = {} if point.vector is None else {VECTOR: point.vector.tolist()}
    if terms and point.terms is not None and len(point.terms.indices):
        vector[TERMS] = _sparse(point.terms)
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _below(upsert: Upsert) -> models.Filter:
    bounds = models.Range(gte=upsert.least, lt=upsert.below)
    return models.Filter(must=[models.FieldCondition(key="version", range=bounds)])


def _condition(condition: Condition) -> models.FieldCondition | models.HasIdCondition | models.HasVectorCondition:
    if isinstance(condition, WithIds):
        return models.HasIdCondition(has_id=list(condition.ids))
    if isinstance(condition, WithTerms):
        return models.HasVectorCondition(has_vector=TERMS)
    if isinstance(condition, OfTickets):
        return models.FieldCondition(key="head", match=models.MatchAny(any=list(condition.heads)))
    if isinstance(condition, Between):
        return models.FieldCondition(key=condition.field, range=models.Range(gte=condition.least, lt=condition.below))
    values = list(condition.values)
    match = models.MatchValue(value=values[0]) if len(values) == 1 else models.MatchAny(any=values)
    return models.FieldCondition(key=condition.field, match=match)

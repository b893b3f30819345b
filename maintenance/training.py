"""Trains a label model: labelled tickets become vectors as in a worker, and a head is fitted for each kind of label."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Final, cast, get_args

import numpy as np
from msgspec import Struct, structs

from core.contract import record_key
from core.errors import ConfigError
from core.index import LabelledVector
from core.protocols import Embedder, IndexReader
from core.records import (
    Batch,
    EmbeddedTicket,
    EnrichedTicket,
    Item,
    LabelKind,
    Record,
    Rejected,
    SparseVector,
    Ticket,
    Vector,
)
from core.settings import Settings
from models.labels.fit import TooFewError, fit_head
from models.labels.linear import LinearHead
from models.labels.report import KindReport, judge, report_evidence
from operators.classify import first_terms
from stream.plan import embedding_step, enriching_steps
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry

KINDS: Final = cast("tuple[LabelKind, ...]", get_args(LabelKind))
_BATCH: Final = 256

#: Called after each fit, with the kind, the number of its fits so far and in total.
OnKind = Callable[[LabelKind, int, int], object]


class LabelledTickets(Struct, frozen=True, eq=False):
    """Tickets to train on.

    Attributes:
        vectors: float32[n, dim], of their first passages.
        terms: those of the same passages.
        labels: their n labels of each kind.
        rejected: number of records that can't be used.
        reason: the fault of the first of them.
    """

    vectors: Vector
    terms: list[SparseVector | None]
    labels: dict[LabelKind, list[str | None]]
    rejected: int = 0
    reason: str = ""

    def of_kind(self, kind: LabelKind) -> tuple[Vector, list[SparseVector | None], list[str]]:
        """The vectors and terms of the tickets that have a label of this kind, and their labels."""
        found = [(at, label) for at, label in enumerate(self.labels[kind]) if label]
        rows = [at for at, _ in found]
        return self.vectors[rows], [self.terms[at] for at in rows], [label for _, label in found]


class Trained(Struct, frozen=True, eq=False):
    """Heads by kind, their reports on held-out tickets, and the reasons why kinds have none."""

    heads: dict[LabelKind, LinearHead]
    reports: dict[LabelKind, KindReport]
    left_out: dict[LabelKind, str]


def embed_labelled(
    records: Iterable[Record],
    settings: Settings,
    embedder: Embedder,
    *,
    most: int,
    embedding: Callable[[Sequence[Ticket]], Iterable[Ticket]] = iter,
) -> LabelledTickets:
    """Decode, clean, redact, chunk and embed labelled tickets as a worker does; only their first passage is used.

    Args:
        records: ticket events; of several versions of a ticket the newest counts.
        settings: a worker's.
        embedder: its model.
        most: maximum number of tickets; if there are more, a deterministic sample of them.
        embedding: wraps the tickets that are embedded, to show progress.
    """
    decode, *cutting = enriching_steps(settings, embedder)
    telemetry = StreamTelemetry()
    newest, rejected = _newest(records, decode, telemetry)
    labelled = [t for t in newest if t.content is not None and (t.content.category or t.content.priority)]
    done: list[EmbeddedTicket] = []
    left = iter(embedding(_sample(labelled, most)))
    while batch := tuple(islice(left, _BATCH)):
        result: Batch[Item] = Batch(batch)
        for step in (*cutting, _FIRST_PASSAGE, embedding_step(embedder)):
            result = run_step(step, result, telemetry)
        rejected += [item for item in result.items if isinstance(item, Rejected)]
        done += [item for item in result.items if isinstance(item, EmbeddedTicket) and len(item.vectors)]
    contents = [item.enriched.ticket.content for item in done]
    return LabelledTickets(
        _stacked([item.vectors[0] for item in done], embedder.dimension),
        [first_terms(item) for item in done],
        {
            "category": [content.category if content else None for content in contents],
            "priority": [content.priority if content else None for content in contents],
        },
        len(rejected),
        _reason(rejected),
    )


def read_labelled(index: IndexReader, *, most: int, dimension: int) -> LabelledTickets:
    """At most `most` tickets of an index whose producer labelled them: a sample, if there are more."""
    found: list[LabelledVector] = list(islice(index.labelled(), most))
    labels: dict[LabelKind, list[str | None]] = {
        "category": [one.category for one in found],
        "priority": [one.priority for one in found],
    }
    return LabelledTickets(_stacked([one.vector for one in found], dimension), [one.terms for one in found], labels)


def train(tickets: LabelledTickets, *, precision: float, on_fit: OnKind) -> Trained:
    """Fit a head for each kind of label that enough tickets have.

    Raises:
        ConfigError: there is no such kind, or scikit-learn is not installed.
    """
    trained = Trained({}, {}, {})
    for kind in KINDS:
        vectors, terms, labels = tickets.of_kind(kind)
        try:
            fitted = fit_head(vectors, terms, labels, precision=precision, on_fit=partial(on_fit, kind))
        except TooFewError as error:
            trained.left_out[kind] = str(error)
            continue
        trained.heads[kind] = fitted.head
        trained.reports[kind] = report_evidence(kind, fitted.head, fitted.evidence)
    if not trained.heads:
        raise ConfigError("; ".join(f"{kind}: {why}" for kind, why in trained.left_out.items()))
    return trained


def judge_model(heads: dict[LabelKind, LinearHead], tickets: LabelledTickets) -> dict[LabelKind, KindReport]:
    """Reports on the heads with labelled tickets that they were not fitted to."""
    found = {}
    for kind, head in heads.items():
        vectors, terms, labels = tickets.of_kind(kind)
        if labels:
            found[kind] = report_evidence(kind, head, judge(head, vectors, terms, labels))
    return found


def _first_passages(items: Sequence[EnrichedTicket]) -> list[EnrichedTicket]:
    return [structs.replace(item, passages=item.passages[:1]) for item in items]


_FIRST_PASSAGE: Final = Step("first passage", "enrich", _first_passages)


def _newest(records: Iterable[Record], decode: Step, telemetry: StreamTelemetry) -> tuple[list[Ticket], list[Rejected]]:
    """The newest version of each ticket, and the records that the contract rejects."""
    newest: dict[bytes, Ticket] = {}
    rejected: list[Rejected] = []
    left = iter(records)
    while batch := tuple(islice(left, _BATCH)):
        for item in run_step(decode, Batch(batch), telemetry).items:
            if isinstance(item, Rejected):
                rejected.append(item)
            elif isinstance(item, Ticket):
                key = record_key(item.tenant_id, item.ticket_id)
                if key not in newest or newest[key].version <= item.version:
                    newest[key] = item
    return list(newest.values()), rejected


def _sample(tickets: Sequence[Ticket], most: int) -> Sequence[Ticket]:
    """The tickets with the lowest hashes: a pseudorandom, deterministic sample."""
    if len(tickets) <= most:
        return tickets
    return sorted(tickets, key=lambda t: blake2b(record_key(t.tenant_id, t.ticket_id), digest_size=8).digest())[:most]


def _stacked(vectors: Sequence[Vector], dimension: int) -> Vector:
    return np.stack(vectors) if vectors else np.empty((0, dimension), np.float32)


def _reason(rejected: Sequence[Rejected]) -> str:
    """The place and fault of the first rejected record."""
    if not rejected:
        return ""
    first = rejected[0].record.origin
    return f"{first.topic}:{first.offset}: {rejected[0].reason}"

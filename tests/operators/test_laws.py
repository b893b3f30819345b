"""Every batch operator returns one item per input, in order, independent of batching, and doesn't raise."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.files.customers import CustomerFile
from core.records import EmbeddedTicket, Example, Origin, Point, Record, Rejected, Ticket, TicketPoints
from core.settings import ContractSettings
from core.wire.embedded import encode_embedded
from core.wire.enriched import encode_enriched
from core.wire.format import OutgoingRecord
from models.run.hashing import HashingEmbedder
from operators.chunk import chunk
from operators.classify import classify
from operators.clean import clean
from operators.decode import decode
from operators.embed import embed
from operators.enrich import enrich
from operators.language import CompactDetector, detect_language
from operators.neighbours import Examples
from operators.points import to_points
from operators.receive import receive_embedded, receive_enriched
from operators.redact import redact
from operators.terms import add_terms
from tests.models.labels.models import random_model
from tests.operators import samples

Operator = Callable[[Sequence[Any]], Sequence[Any]]

EMBEDDER = HashingEmbedder()
DETECTOR = CompactDetector()
EXAMPLES = Examples.load(
    [Example("card lost", "card", "high"), Example("refund", "refund")],
    embedder=EMBEDDER,
    neighbours=2,
    min_confidence=0.1,
)

_language: Operator = partial(detect_language, detector=DETECTOR)
_chunk: Operator = partial(chunk, tokenizer=EMBEDDER, max_tokens=32, overlap_tokens=4, max_passages=1_000)
_embed: Operator = partial(embed, embedder=EMBEDDER)


def _as_enriched(ticket: Ticket) -> Record:
    """Its record in `tickets.enriched`."""
    return _sent(encode_enriched(_chunk(_language([ticket]))[0]))


def _as_points(ticket: Ticket) -> TicketPoints:
    """Its points."""
    (points,) = to_points(_embed(_chunk(_language([ticket]))))
    assert not isinstance(points, Rejected)
    return points


def _as_embedded(ticket: Ticket) -> Record:
    """Its record in `tickets.embedded`."""
    return _sent(encode_embedded(_as_points(ticket), model="m"))


def _sent(message: OutgoingRecord) -> Record:
    return Record(Origin("between", 1, 5), b"acme/1", message.value, 9, message.headers)


OPERATORS: dict[str, tuple[Operator, Any]] = {
    "decode": (partial(decode, settings=ContractSettings()), samples.records),
    "clean": (clean, samples.tickets),
    "redact": (redact, samples.tickets),
    "language": (_language, samples.tickets),
    "enrich": (
        partial(enrich, customers=CustomerFile({("acme", "C-1"): {"plan": "gold"}})),
        samples.tickets.map(lambda t: _language([t])[0]),
    ),
    "chunk": (_chunk, samples.tickets.map(lambda t: _language([t])[0])),
    "embed": (_embed, samples.tickets.map(lambda t: _chunk(_language([t]))[0])),
    "classify": (
        partial(classify, labeller=EXAMPLES),
        samples.tickets.map(lambda t: _embed(_chunk(_language([t])))[0]),
    ),
    "classify by a label model": (
        partial(classify, labeller=random_model(EMBEDDER.dimension)),
        samples.tickets.map(lambda t: _embed(_chunk(_language([t])))[0]),
    ),
    "points": (to_points, samples.tickets.map(lambda t: _embed(_chunk(_language([t])))[0])),
    "terms": (add_terms, samples.tickets.map(_as_points)),
    "receive enriched": (receive_enriched, samples.tickets.map(_as_enriched) | samples.records),
    "receive embedded": (receive_embedded, samples.tickets.map(_as_embedded) | samples.records),
}


def check_laws(operator: Operator, first: Sequence[Any], second: Sequence[Any]) -> None:
    """Length, order, independence of the batch, and determinism; inputs are frozen by their types."""
    together = operator([*first, *second])
    assert len(together) == len(first) + len(second)
    apart = [*operator(first), *operator(second)]
    alone = [operator([item])[0] for item in (*first, *second)]
    for one, other, single in zip(together, apart, alone, strict=True):
        assert same(one, other)
        assert same(one, single)
    assert list(operator([])) == []


#: Fields of an embedded ticket that may not differ at all.
_EQUAL = ("enriched", "category", "priority", "label_model")


def same(one: Any, other: Any) -> bool:
    """Whether two items are equal, vectors within 1e-6."""
    if isinstance(one, EmbeddedTicket):
        return (
            isinstance(other, EmbeddedTicket)
            and np.allclose(one.vectors, other.vectors, atol=1e-6)
            and all(getattr(one, name) == getattr(other, name) for name in _EQUAL)
        )
    if hasattr(one, "points"):
        return [_values(p) for p in one.points] == [_values(p) for p in other.points]
    return bool(one == other)


def _values(point: Point) -> tuple[Any, ...]:
    terms = point.terms
    return (point.id, point.payload, *(() if terms is None else (terms.indices.tolist(), terms.values.tolist())))


@pytest.mark.parametrize("name", OPERATORS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_laws(name: str, data: st.DataObject) -> None:
    """Every operator keeps the laws for random texts and batches."""
    operator, items = OPERATORS[name]
    batches = st.lists(items, max_size=4)
    check_laws(operator, data.draw(batches), data.draw(batches))


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "decode" and "receive" not in name])
def test_a_deleted_ticket_passes_through(name: str) -> None:
    """No operator rejects a deleted ticket, although it has no content."""
    deleted: Any = samples.ticket(deleted=True)
    if name not in {"clean", "redact", "language"}:
        deleted = _language([deleted])[0]
    if "classify" in name or name in {"points", "terms"}:
        deleted = _embed([deleted])[0]
    if name == "terms":
        deleted = to_points([deleted])[0]
    (done,) = OPERATORS[name][0]([deleted])
    assert not isinstance(done, Rejected)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda items: clean(items)[:-1],
        lambda items: clean(items)[::-1],
        lambda items: [*clean(items), *clean(items)],
        lambda items: clean(items) if len(items) < 3 else list(items),
    ],
    ids=["drops an item", "reverses the order", "repeats items", "depends on the batch"],
)
def test_the_laws_catch_an_operator_that_breaks_them(mutant: Operator) -> None:
    """Each mutant fails the laws."""
    first = [samples.ticket(body=f"a  b {n}") for n in range(2)]
    second = [samples.ticket(body=f"c  d {n}") for n in range(2)]
    check_laws(clean, first, second)
    with pytest.raises(AssertionError):
        check_laws(mutant, first, second)

"""Embeds passages, with one call of the model per batch, or a few for a large batch."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from core.errors import RefusedTextsError
from core.protocols import Embedder
from core.records import EmbeddedTicket, EnrichedTicket, Rejected, Vector
from core.vectors import all_valid, vector_fault

#: Maximum texts of a call. Their tokens, some hundred bytes each, are in memory at once.
_TEXTS: Final = 2_048


def embed(items: Sequence[EnrichedTicket], *, embedder: Embedder) -> list[EmbeddedTicket | Rejected]:
    """Embed every passage; texts that repeat within the batch are embedded once.

    A ticket with a vector that is not finite, is zero or has the wrong size is Rejected as bad_vector; one with a text
    that the model refuses is Rejected as refused_text.

    Raises:
        TransientError: the service that runs the model is unavailable.
        FatalError: it can't be called.
    """
    refused: dict[str, str] = {}
    while True:
        reasons = [_reason(item, refused) for item in items]
        try:
            done = iter(_embedded([item for item, why in zip(items, reasons, strict=True) if why is None], embedder))
        except RefusedTextsError as error:
            if error.texts <= refused.keys():
                raise
            refused |= dict.fromkeys(error.texts, str(error))
        else:
            return [
                next(done) if why is None else Rejected(item.ticket.record, "embed", "refused_text", why)
                for item, why in zip(items, reasons, strict=True)
            ]


def _reason(item: EnrichedTicket, refused: Mapping[str, str]) -> str | None:
    """Why the model refuses a text of the ticket; None if it refuses none."""
    if not refused:
        return None
    return next((refused[passage.embed_text] for passage in item.passages if passage.embed_text in refused), None)


def _embedded(items: Sequence[EnrichedTicket], embedder: Embedder) -> list[EmbeddedTicket | Rejected]:
    rows: dict[str, int] = {}
    for item in items:
        for passage in item.passages:
            rows.setdefault(passage.embed_text, len(rows))
    texts = list(rows)
    calls = [embedder.embed(texts[at : at + _TEXTS]) for at in range(0, len(texts), _TEXTS)]
    vectors = np.concatenate([np.empty((0, embedder.dimension), np.float32), *calls]) if len(calls) != 1 else calls[0]
    own = [_of(vectors, [rows[passage.embed_text] for passage in item.passages]) for item in items]
    if all_valid(vectors, embedder.dimension):
        return [EmbeddedTicket(item, found, embedder.stamp) for item, found in zip(items, own, strict=True)]
    return [_checked(item, found, embedder) for item, found in zip(items, own, strict=True)]


def _of(vectors: Vector, rows: list[int]) -> Vector:
    """These rows; without a copy if they are neighbours, as they are unless a text repeats."""
    first, count = rows[0] if rows else 0, len(rows)
    return vectors[first : first + count] if rows == list(range(first, first + count)) else vectors[rows]


def _checked(item: EnrichedTicket, vectors: Vector, embedder: Embedder) -> EmbeddedTicket | Rejected:
    for vector in vectors:
        fault = vector_fault(vector, embedder.dimension)
        if fault is not None:
            return Rejected(item.ticket.record, "embed", "bad_vector", f"the model gave {fault}")
    return EmbeddedTicket(item, vectors, embedder.stamp)

"""Makes candidates and threads of stored points."""

from collections.abc import Callable, Sequence
from typing import Final, cast

import numpy as np

from connectors.qdrant.engine import Found, FoundPassage
from connectors.qdrant.layout import INTERNAL, Row, row_of
from core.index import Candidate, Thread, ThreadPassage
from core.payload import PayloadValue, shown

#: Characters of a passage that a search shows. Passages of the default model are shorter (`operators.chunk`).
_MAX_SHOWN: Final = 4_096


def candidate_of(found: FoundPassage, similarity: float, words: float) -> Candidate:
    """The candidate of a passage, with both scores."""
    row = found.row
    payload = cast("Callable[[], dict[str, PayloadValue]]", found.payload)  # the form of core.payload.Payload
    ids = row.tenant_id, row.ticket_id, row.version, row.chunk
    return Candidate(*ids, _shown_text(row), row, payload, similarity, words)


def thread_of(head: Row, found: Sequence[Found], *, public_only: bool) -> Thread:
    """The thread of a head and its ticket's points, in order; without internal notes if `public_only`."""
    passages = sorted(map(_thread_passage, found), key=lambda passage: passage.chunk)
    kept = (one for one in passages if not (public_only and one.payload.get("visibility") == INTERNAL))
    return Thread(head.tenant_id, head.ticket_id, head.version, tuple(kept))


def _thread_passage(found: Found) -> ThreadPassage:
    row = row_of(found.payload)
    vector = None if found.vector is None else np.asarray(found.vector, np.float32)
    return ThreadPassage(row.chunk, _shown_text(row), shown(cast("dict[str, PayloadValue]", found.payload)), vector)


def _shown_text(row: Row) -> str:
    return row.text if len(row.text) <= _MAX_SHOWN else f"{row.text[:_MAX_SHOWN]}…"

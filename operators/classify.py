"""Category and priority of tickets whose producer gave none, from the vectors that they already have."""

from collections.abc import Sequence

import msgspec

from core.protocols import Labeller
from core.records import EmbeddedTicket, LabelKind, Rejected, SparseVector
from operators.terms import terms_with_subject


def classify(items: Sequence[EmbeddedTicket], *, labeller: Labeller | None) -> list[EmbeddedTicket | Rejected]:
    """Choose missing labels by the ticket's first passage, which usually states the customer's problem."""
    if labeller is None:
        return list(items)
    return [_classified(item, labeller) for item in items]


def _classified(item: EmbeddedTicket, labeller: Labeller) -> EmbeddedTicket:
    content = item.enriched.ticket.content
    if content is None or not len(item.vectors):
        return item
    open_kinds: list[LabelKind] = []
    if not content.category:
        open_kinds.append("category")
    if not content.priority:
        open_kinds.append("priority")
    found = labeller.labels(item.vectors[0], first_terms(item), open_kinds) if open_kinds else {}
    return msgspec.structs.replace(item, **found, label_model=labeller.stamp) if found else item


def first_terms(item: EmbeddedTicket) -> SparseVector | None:
    """The terms of the first passage, as its point has them; None for a deleted ticket."""
    enriched = item.enriched
    content, language = enriched.ticket.content, enriched.language
    if content is None or not enriched.passages:
        return None
    return terms_with_subject(enriched.passages[0].text, content.subject, None if language is None else language.value)

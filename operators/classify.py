"""Category and priority of tickets whose producer gave none: no second model, the vector is there already."""

from collections.abc import Sequence

import msgspec

from core.protocols import Labeller
from core.records import EmbeddedTicket, LabelKind, Rejected


def classify(items: Sequence[EmbeddedTicket], *, labeller: Labeller | None) -> list[EmbeddedTicket | Rejected]:
    """Label what the producer left open, from the ticket's first passage: what the customer wants stands there."""
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
    found = labeller.labels(item.vectors[0], open_kinds) if open_kinds else {}
    return msgspec.structs.replace(item, **found, label_model=labeller.stamp) if found else item

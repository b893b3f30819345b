"""The conditions of a search on the points of an index."""

from connectors.qdrant.engine import AnyOf, Between, Condition
from connectors.qdrant.layout import PUBLIC, SOLVED
from core.index import SearchQuery


def filters_of(query: SearchQuery) -> tuple[list[Condition], list[Condition]]:
    """The conditions that a point must meet, and those that it must not.

    Tombstones need no condition: they have neither a vector nor terms.
    """
    conditions, unless = [*corpus_of(query)], list[Condition]()
    filters = {
        "status": query.status,
        "category": query.category,
        "language": query.language,
        "channel": query.channel,
        "customer_id": query.customer_id,
        "priority": query.priority,
        "role": query.role,
    }
    conditions += [AnyOf(field, values) for field, values in filters.items() if values]
    times = {
        "updated_at": (query.updated_after_ms, query.updated_before_ms),
        "created_at": (query.created_after_ms, query.created_before_ms),
        "solved_at": (query.solved_after_ms, query.solved_before_ms),
    }
    conditions += [Between(field, *bounds) for field, bounds in times.items() if bounds != (None, None)]
    if query.solved is not None:
        (conditions if query.solved else unless).append(AnyOf("solved", (SOLVED,)))
    return conditions, unless


def corpus_of(query: SearchQuery) -> list[Condition]:
    """The passages among which a term's rarity is counted: the tenant's, and only the public ones if asked for.

    So neither another tenant's words nor internal notes affect the scores of readers without access to them.
    """
    corpus: list[Condition] = [AnyOf("tenant_id", (query.tenant_id,))]
    if query.public_only:
        corpus.append(AnyOf("visibility", (PUBLIC,)))
    return corpus

"""Mutants that break P11, the isolation of tenants, and privacy."""

import logging
from collections.abc import Sequence
from typing import Any

from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.qdrant import reading, rounds
from connectors.qdrant.engine import AnyOf, Condition
from core.index import SearchQuery
from core.records import Rejected
from stream import plan
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_READING: Any = reading
_ROUNDS: Any = rounds
_PLAN: Any = plan


# --- P11: no search shows another tenant's tickets


@mutant("P11", trial="tenants_apart")
def search_all_tenants() -> None:
    """A search neither filters by tenant nor checks the tenants of its hits."""
    filters_of = _ROUNDS.filters_of

    def open_to_all(query: SearchQuery) -> tuple[list[Condition], list[Condition]]:
        conditions, unless = filters_of(query)
        return [c for c in conditions if not (isinstance(c, AnyOf) and c.field == "tenant_id")], unless

    patch(_ROUNDS, "filters_of", open_to_all)
    patch(_READING, "_of_tenant", lambda found, _tenant_id: found)


# --- privacy


@mutant("privacy", trial="private_data")
def no_redaction() -> None:
    """Texts are indexed unredacted."""
    patch(_PLAN, "redact", lambda tickets: tickets)


@mutant("privacy", trial="private_data")
def log_what_is_rejected() -> None:
    """A rejected record's value is logged."""
    publish = DeadLetterTopic.publish

    def quoting(self: DeadLetterTopic, rejected: Sequence[Rejected]) -> None:
        for item in rejected:
            logging.getLogger("ticketstream.worker").warning("rejected: %r", item.record.value)
        publish(self, rejected)

    patch(DeadLetterTopic, "publish", quoting)

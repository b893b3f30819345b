"""What nobody may see: P11 and privacy broken."""

import logging
from collections.abc import Sequence
from typing import Any

from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.qdrant import policy
from connectors.qdrant.engine import AnyOf, Condition
from core.records import Rejected, SearchQuery
from stream import plan
from tests.faults import trials
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose names are replaced: what they import is theirs, whether they export it or not.
_POLICY: Any = policy
_PLAN: Any = plan


# --- P11: nobody sees another's


@mutant("P11", trial=trials.tenants_apart)
def search_all_tenants() -> None:
    """The tenant is no condition of a search, and nobody looks again at what it found."""
    conditions = _POLICY._conditions

    def open_to_all(query: SearchQuery) -> list[Condition]:
        return [c for c in conditions(query) if not (isinstance(c, AnyOf) and c.field == "tenant_id")]

    patch(_POLICY, "_conditions", open_to_all)
    patch(_POLICY, "_of_tenant", lambda found, _tenant_id: found)


# --- privacy


@mutant("privacy", trial=trials.private_data)
def no_redaction() -> None:
    """Texts are indexed as they come."""
    patch(_PLAN, "redact", lambda tickets: tickets)


@mutant("privacy", trial=trials.private_data)
def log_what_is_rejected() -> None:
    """A rejected record is quoted in the log."""
    publish = DeadLetterTopic.publish

    def quoting(self: DeadLetterTopic, rejected: Sequence[Rejected]) -> None:
        for item in rejected:
            logging.getLogger("ticketstream.worker").warning("rejected: %r", item.record.value)
        publish(self, rejected)

    patch(DeadLetterTopic, "publish", quoting)

"""The sinks that batches are written to. The writer, telemetry, retries and dead letters read their descriptions.

A new sink needs a `SinkSpec` here, a connector that implements `core.protocols.Sink`, and a line in `stream.compose`.
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

from core.errors import FatalError
from core.protocols import Sink
from core.records import EnrichedTicket, Record, Rejected, Stage, TicketPoints
from delivery.bisection import Refusal, write_with_bisection

T = TypeVar("T", bound=EnrichedTicket | TicketPoints)

#: From this many tickets that are all refused, each alone, the sink is at fault; a single one is probably bad.
_SEVERAL: Final = 2


class SinkSpec(Struct, frozen=True):
    """Describes a sink before it is opened.

    Attributes:
        name: its label in metrics, logs and the readiness reason.
        noun: its name in error messages.
        stage: stage of the dead letter of a ticket that it refuses.
        code: code of that dead letter.
        outcome: label of `tickets_acked_total` when it is the last sink of a batch.
        adaptive: whether the number of concurrent writes adapts to its latency.
        blames_tickets: whether a ticket that it refuses is always at fault, however many are refused.
    """

    name: str
    noun: str
    stage: Stage
    code: str
    outcome: str
    adaptive: bool = False
    blames_tickets: bool = False

    @property
    def step(self) -> str:
        """Label of its writes in `tickets_step_seconds`."""
        return f"write_{self.name}"

    def dead_letter(self, record: Record, refusal: Refusal) -> Rejected:
        """The dead letter of `record`, whose ticket the sink refuses."""
        return Rejected(record, self.stage, self.code, str(refusal.error))


INDEX: Final = SinkSpec("index", "index", "index", "bad_point", "indexed", adaptive=True)
#: A topic refuses only records that are too large. A batch may have nothing else.
ENRICHED: Final = SinkSpec(
    "enriched", "topic of enriched tickets", "enrich", "too_large", "enriched", blames_tickets=True
)
EMBEDDED: Final = SinkSpec(
    "embedded", "topic of embedded tickets", "embed", "too_large", "embedded", blames_tickets=True
)

#: Names of other dependencies, which refuse nothing.
DEAD_LETTERS: Final = "dead_letters"
CUSTOMERS: Final = "customers"
#: The embedding model, if a service runs it.
MODEL: Final = "model"


class OpenSink(Struct, Generic[T], frozen=True):
    """An open sink with its description."""

    spec: SinkSpec
    sink: Sink[T]


def write_tickets(
    tickets: Sequence[T], write: Callable[[Sequence[T]], None], *, spec: SinkSpec = INDEX
) -> list[Refusal]:
    """Write every ticket that the sink accepts, and return the refusals of the others.

    Args:
        tickets: a batch.
        write: writes some of them, and retries outages; raises RefusedError for data that the sink refuses.
        spec: describes the sink.

    Raises:
        FatalError: a sink that may be at fault itself refuses each of several tickets with points. Any sink accepts a
            delete, which has none.
    """
    refusals = write_with_bisection(tickets, write)
    if spec.blames_tickets:
        return refusals
    refused = sum(bool(tickets[refusal.at].point_count) for refusal in refusals)
    if refused >= _SEVERAL and refused == sum(bool(ticket.point_count) for ticket in tickets):
        raise FatalError(
            f"the {spec.noun} rejects every ticket: all {refused} tickets of a batch were refused, each on its own "
            f"({refusals[-1].error}); the worker stops instead of dead-lettering them"
        )
    return refusals

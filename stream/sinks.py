"""The sinks that a batch is written to, each described once: the writer, telemetry, retries and dead letters read this.

A new sink needs a `SinkSpec` here and a connector that implements `core.protocols.Sink`.
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

from core.errors import FatalError
from core.protocols import Sink
from core.records import EnrichedTicket, Record, Rejected, Stage, TicketPoints
from delivery.bisection import Refusal, write_all

T = TypeVar("T", bound=EnrichedTicket | TicketPoints)

#: One refused ticket may be bad. When each of several is refused alone, the sink no longer fits.
_SEVERAL: Final = 2


class SinkSpec(Struct, frozen=True):
    """Everything that is known about a sink before it is opened.

    Attributes:
        name: its label in metrics, logs and readiness.
        noun: what an error message calls it.
        stage: stage of the dead letter for a ticket that it refuses.
        code: code of that dead letter.
        outcome: label of `tickets_acked_total` when it is the last sink of a batch.
        adaptive: whether the number of concurrent writes adapts to what it bears.
    """

    name: str
    noun: str
    stage: Stage
    code: str
    outcome: str
    adaptive: bool = False

    @property
    def step(self) -> str:
        """Label of the time that writing to it takes, in `tickets_step_seconds`."""
        return f"write_{self.name}"

    def dead_letter(self, record: Record, refusal: Refusal) -> Rejected:
        """`record` as a dead letter, because the sink refuses what was made from it."""
        return Rejected(record, self.stage, self.code, str(refusal.error))


INDEX: Final = SinkSpec("index", "index", "index", "bad_point", "indexed", adaptive=True)
#: A topic accepts anything that is not too large.
ENRICHED: Final = SinkSpec("enriched", "topic of enriched tickets", "enrich", "too_large", "enriched")
EMBEDDED: Final = SinkSpec("embedded", "topic of embedded tickets", "embed", "too_large", "embedded")

#: Dependencies that are called like sinks, and are none: they refuse nothing.
DEAD_LETTERS: Final = "dead_letters"
CUSTOMERS: Final = "customers"


class OpenSink(Struct, Generic[T], frozen=True):
    """A sink that can be written to, with its description."""

    spec: SinkSpec
    sink: Sink[T]


def write_tickets(
    tickets: Sequence[T], write: Callable[[Sequence[T]], None], *, spec: SinkSpec = INDEX
) -> list[Refusal]:
    """Write all tickets that the sink accepts, and return the refusals of the others, by position.

    Args:
        tickets: a batch.
        write: writes some of them, and retries through any outage; raises RefusedError for data that the sink refuses.
        spec: describes the sink.

    Raises:
        FatalError: the sink refuses every one of several tickets with points. Deletes have no points and suit any sink.
    """
    refusals = write_all(tickets, write)
    refused = sum(bool(tickets[refusal.at].rows) for refusal in refusals)
    if refused >= _SEVERAL and refused == sum(bool(ticket.rows) for ticket in tickets):
        raise FatalError(
            f"the {spec.noun} no longer fits: it refuses all {refused} tickets of a batch, each of them alone "
            f"({refusals[-1].error}); stopped rather than move them to the dead letters"
        )
    return refusals

"""Spans of traced records: from the reading of a record until its effects are durable.

A producer that traces puts a W3C `traceparent` into a record's headers. Only records whose trace is sampled cost
anything.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span, set_span_in_context

from core.records import EnrichedTicket, Origin, Record, Rejected, TicketPoints
from runtime.tracing import HEADER, context_of

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

#: Traced records that are remembered. The oldest are forgotten first: those of a partition that was taken away are
#: never acked here.
_MOST: Final = 10_000
_SAMPLED: Final = 1
_NS: Final = 1e9


class RecordSpans:
    """The spans of a role's records. Safe to use from any thread."""

    def __init__(self, provider: "TracerProvider", *, clock: Callable[[], int] = time.time_ns) -> None:
        """Spans go to `provider`; `clock` is in ns since 1970."""
        self._tracer: Tracer = provider.get_tracer("ticketstream")
        self._clock = clock
        self._began: OrderedDict[Origin, tuple[Context, int]] = OrderedDict()
        self._writes = threading.local()

    def read(self, records: Sequence[Record]) -> None:
        """A batch was read."""
        for record in records:
            if record.headers and (parent := _parent(record)) is not None:
                self._began[record.origin] = parent, self._clock()
                if len(self._began) > _MOST:
                    with suppress(KeyError):  # a writer may have emptied it meanwhile
                        self._began.popitem(last=False)

    def ran_step(self, step: str, seconds: float) -> None:
        """This thread has just run a step, or written to a sink."""
        if self._began and step.startswith("write_"):
            now = self._clock()
            done: list[tuple[str, int, int]] = self._writes.__dict__.setdefault("done", [])
            done.append((step.removeprefix("write_"), now - int(seconds * _NS), now))

    def acked(self, tickets: Sequence[EnrichedTicket | TicketPoints], rejected: Sequence[Rejected]) -> None:
        """This thread has made a batch durable."""
        writes = self._writes.__dict__.pop("done", [])
        if not self._began:
            return
        for ticket in tickets:
            self._end(ticket.record.origin, writes, None)
        for letter in rejected:
            self._end(letter.record.origin, [], letter)

    def _end(self, origin: Origin, writes: Sequence[tuple[str, int, int]], letter: Rejected | None) -> None:
        found = self._began.pop(origin, None)
        if found is None:
            return
        parent, began = found
        span = self._tracer.start_span(
            f"process {origin.topic}",
            parent,
            SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.destination.name": origin.topic,
                "messaging.destination.partition.id": str(origin.partition),
                "messaging.kafka.offset": origin.offset,
            },
            start_time=began,
        )
        inside = set_span_in_context(span)
        for sink, start, end in writes:
            self._tracer.start_span(f"write {sink}", inside, SpanKind.CLIENT, start_time=start).end(end)
        if letter is not None:  # its reason may quote the ticket
            span.set_attribute("error.type", f"{letter.stage}/{letter.code}")
            span.set_status(Status(StatusCode.ERROR))
        span.end(self._clock())


def _parent(record: Record) -> Context | None:
    """The context of a record's trace, if that is sampled."""
    text = next((value for name, value in record.headers if name == HEADER), None)
    if not text or not text.isascii() or not _is_sampled(text):
        return None
    context = context_of({HEADER: text.decode()})
    return context if get_current_span(context).get_span_context().is_valid else None


def _is_sampled(traceparent: bytes) -> bool:
    """https://www.w3.org/TR/trace-context/#trace-flags."""
    try:
        return bool(int(traceparent.rpartition(b"-")[2], 16) & _SAMPLED)
    except ValueError:
        return False

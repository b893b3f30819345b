"""The metrics of a pipeline."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Final

from connectors.kafka.assignment import ConsumerObserver
from core.records import EnrichedTicket, Item, Record, Rejected, TicketPoints
from runtime.telemetry import Telemetry
from runtime.trace_file import TraceFile
from stream.spans import RecordSpans

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

logger: Final = logging.getLogger("ticketstream.stream")

_MS: Final = 1000.0
#: A task without a partition for longer than this is assumed to be surplus, not waiting for a rebalance.
_IDLE_S: Final = 20.0
#: Number of recent tickets in the median freshness that `ticketstream status` shows.
_RECENT: Final = 256


class StreamObserver:
    """Callbacks of a pipeline; override those you need. Called from any thread."""

    def assigned(self, partitions: int) -> None:
        """The group has assigned this process `partitions` in all."""

    def read(self, records: Sequence[Record]) -> None:
        """A batch was read."""

    def acked(self, tickets: Sequence[EnrichedTicket | TicketPoints]) -> None:
        """These tickets of a batch are durable in every sink."""


class StreamTelemetry(Telemetry):
    """Every metric of a pipeline. Safe to use from any thread.

    Attributes:
        newest_ms: broker timestamp of the newest searchable ticket, never ahead of our clock; None before the first.
    """

    def __init__(
        self,
        trace: TraceFile | None = None,
        *,
        tracing: "TracerProvider | None" = None,
        observer: StreamObserver | None = None,
    ) -> None:
        super().__init__(trace, tracing=tracing)
        self._spans = None if tracing is None else RecordSpans(tracing)
        self._observer = observer or StreamObserver()
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self.newest_ms: int | None = None

    def assigned(self, topic: str, partitions: int) -> None:
        """The group has assigned this process `partitions` of `topic` in all."""
        self.gauge("tickets_assigned_partitions", partitions, topic)
        self._observer.assigned(partitions)

    def read(self, records: Sequence[Record]) -> None:
        """A batch was read."""
        self.count("tickets_records_total", records[0].origin.topic, by=len(records))
        self.observe("tickets_batch_size", len(records))
        if self._spans is not None:
            self._spans.read(records)
        self._observer.read(records)

    def acked(
        self,
        tickets: Sequence[EnrichedTicket | TicketPoints],
        rejected: Sequence[Rejected],
        *,
        outcome: str,
        now_ms: int,
    ) -> None:
        """A batch is durable in every sink and in the dead letters. `outcome` is the last sink's label."""
        if tickets:
            self.count("tickets_acked_total", outcome, by=len(tickets))
        if rejected:
            self.count("tickets_acked_total", "dead_letter", by=len(rejected))
        for item in rejected:
            self.count("tickets_rejected_total", item.stage, item.code)
        self._searchable([ticket for ticket in tickets if isinstance(ticket, TicketPoints)], now_ms)
        if self._spans is not None:
            self._spans.acked(tickets, rejected)
        self._observer.acked(tickets)

    def ran_step(self, step: str, seconds: float, records: int) -> None:
        """This thread has just run a step on a batch of `records`."""
        self.observe("tickets_step_seconds", seconds, step)
        if self.trace is not None:
            self.trace.span(step, seconds, records=records)
        if self._spans is not None:
            self._spans.ran_step(step, seconds)

    def left_out(self, what: str, items: Sequence[Item]) -> None:
        """A step has left `what` out of some of `items`."""
        count = sum(item.left_out for item in items if isinstance(item, EnrichedTicket | TicketPoints))
        if count:
            self.count("tickets_left_out_total", what, by=count)

    def freshness_s(self) -> float | None:
        """Median time from broker to searchable of recent tickets, in seconds; None before the first one."""
        recent = list(self._recent)
        return median(recent) if recent else None

    def _searchable(self, tickets: Sequence[TicketPoints], now_ms: int) -> None:
        changed = [ticket.event_ms for ticket in tickets if ticket.event_ms is not None]
        if changed:
            self.observe_all("tickets_freshness_seconds", _ages(changed, now_ms), "event")
        # a record without a timestamp has -1, and a producer may write any number
        written = [ticket.broker_ms for ticket in tickets if ticket.broker_ms is not None and ticket.broker_ms > 0]
        if written:
            seconds = _ages(written, now_ms)
            self._recent.extend(seconds)
            self.newest_ms = max(min(max(written), now_ms), self.newest_ms or 0)
            self.observe_all("tickets_freshness_seconds", seconds, "broker")


def _ages(times_ms: Sequence[int], now_ms: int) -> list[float]:
    """Seconds since each time; 0 for the future."""
    return [max(0, now_ms - time_ms) / _MS for time_ms in times_ms]


class ConsumerTelemetry(ConsumerObserver):
    """Records the consumer's events as metrics, and warns once about a task that gets no partition."""

    def __init__(
        self,
        telemetry: StreamTelemetry,
        *,
        topic: str,
        on_poll: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._telemetry = telemetry
        self._topic = topic
        self._on_poll = on_poll
        self._clock = clock
        self._idle_since: float | None = None
        #: Whether the group has made an assignment. It may be empty, if there are more tasks than partitions.
        self.joined = False
        #: Records that were deleted before this worker had read them.
        self.lost = 0

    def polled(self) -> None:
        self._on_poll()
        if self._idle_since is not None and self._clock() - self._idle_since > _IDLE_S:
            self._idle_since = None
            logger.warning(
                "this task has no partition of %s: the group has more tasks than partitions; run fewer, or add "
                "partitions",
                self._topic,
            )

    def rebalanced(self, event: str, assigned: int) -> None:
        self.joined = event == "assign" or self.joined
        self._idle_since = self._clock() if self.joined and not assigned else None
        self._telemetry.count("tickets_rebalances_total", event)
        self._telemetry.assigned(self._topic, assigned)

    def expired(self, topic: str, partition: int, records: int) -> None:
        self.lost += records
        self._telemetry.count("tickets_expired_records_total", topic, str(partition), by=records)

    def begun_anew(self, topic: str, partition: int) -> None:
        self._telemetry.count("tickets_topic_recreations_total", topic, str(partition))

    def lag(self, topic: str, partition: int, records: int | None) -> None:
        if records is None:
            self._telemetry.forget("tickets_committed_lag", topic, str(partition))
        else:
            self._telemetry.gauge("tickets_committed_lag", records, topic, str(partition))

"""Prometheus metrics made from their declaration in `core.metrics`, in a registry of their own."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from connectors.kafka.consumer import ConsumerObserver
from core.contract import CONTRACT_VERSION
from core.metrics import METRICS, MetricName
from core.records import EnrichedTicket, Record, Rejected, TicketPoints
from worker.trace import Trace

logger: Final = logging.getLogger("ticketstream.worker")

_MS: Final = 1000.0
#: A task without a partition waits for the end of a rebalance, or is one too many.
_IDLE_S: Final = 20.0
#: Tickets whose median freshness a person is shown; the histogram is for machines.
_RECENT: Final = 256


class Telemetry:
    """Every metric of a worker. Safe to use from any thread."""

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[MetricName, Counter] = {}
        self._gauges: dict[MetricName, Gauge] = {}
        self._histograms: dict[MetricName, Histogram] = {}
        self._recent: deque[float] = deque(maxlen=_RECENT)
        for name, metric in METRICS.items():
            if metric.kind == "counter":
                self._counters[name] = Counter(name, metric.help, metric.labels, registry=self.registry)
            elif metric.kind == "gauge":
                self._gauges[name] = Gauge(name, metric.help, metric.labels, registry=self.registry)
            else:
                self._histograms[name] = Histogram(
                    name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets
                )

    def count(self, name: MetricName, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def gauge(self, name: MetricName, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def forget(self, name: MetricName, *labels: str) -> None:
        """Stop showing a gauge of these labels."""
        if labels in self._gauges[name]._metrics:  # noqa: SLF001 - `remove` logs a warning where there is none
            self._gauges[name].remove(*labels)

    def track(self, name: MetricName, read: Callable[[], float], *labels: str) -> None:
        """Let a gauge ask for its value when it is scraped."""
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set_function(read)

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """Add to a histogram."""
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(value)

    # --- what happens in a pipeline, in its own words

    def read(self, records: Sequence[Record]) -> None:
        """A batch was read."""
        self.count("tickets_records_total", records[0].origin.topic, by=len(records))
        self.observe("tickets_batch_size", len(records))

    def acked(
        self, tickets: Sequence[EnrichedTicket | TicketPoints], rejected: Sequence[Rejected], now_ms: int
    ) -> None:
        """The effect of a batch is durable."""
        indexed = [ticket for ticket in tickets if isinstance(ticket, TicketPoints)]
        if indexed:
            self.count("tickets_acked_total", "indexed", by=len(indexed))
        if len(tickets) > len(indexed):
            self.count("tickets_acked_total", "enriched", by=len(tickets) - len(indexed))
        if rejected:
            self.count("tickets_acked_total", "dead_letter", by=len(rejected))
        for item in rejected:
            self.count("tickets_rejected_total", item.stage, item.code)
        for ticket in indexed:
            if ticket.event_ms is not None:
                self.observe("tickets_freshness_seconds", max(0, now_ms - ticket.event_ms) / _MS, "event")
            if ticket.broker_ms is not None:
                seconds = max(0, now_ms - ticket.broker_ms) / _MS
                self._recent.append(seconds)
                self.observe("tickets_freshness_seconds", seconds, "broker")

    def did(self, step: str, seconds: float, records: int) -> None:
        """This thread has just done a step for a batch of so many records."""
        self.observe("tickets_stage_seconds", seconds, step)
        if self._trace is not None:
            self._trace.span(step, seconds, records=records)

    def model(self, tokens: int, padding: int, seconds: float) -> None:
        """The model has just run once, in this thread."""
        self.count("tickets_model_seconds_total", by=seconds)
        if self._trace is not None:
            self._trace.span("model", seconds, tokens=tokens, padding=padding)
        self.count("tickets_model_tokens_total", by=tokens)
        self.count("tickets_model_padding_total", by=padding)

    def looked_up(self, hits: int, misses: int) -> None:
        """Texts were asked for; so many were remembered, so many went through the model."""
        self.count("tickets_model_texts_total", "remembered", by=hits)
        self.count("tickets_model_texts_total", "embedded", by=misses)

    def runs(self, version: str, model: str) -> None:
        """What this process is."""
        self.gauge("tickets_build_info", 1, version, model, str(CONTRACT_VERSION))

    def freshness_s(self) -> float | None:
        """Median seconds from broker to searchable of the last tickets; None before the first one."""
        recent = list(self._recent)
        return median(recent) if recent else None


class ConsumerTelemetry(ConsumerObserver):
    """Writes down what the consumer tells."""

    def __init__(
        self,
        telemetry: Telemetry,
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
        #: An assignment has come, be it an empty one: there may be more tasks than partitions.
        self.joined = False

    def polled(self) -> None:
        self._on_poll()
        if self._idle_since is not None and self._clock() - self._idle_since > _IDLE_S:
            self._idle_since = None
            logger.warning(
                "this task reads no partition of %s: the group has more tasks than partitions; run fewer, or add "
                "partitions",
                self._topic,
            )

    def rebalanced(self, event: str, assigned: int) -> None:
        self.joined = event == "assign" or self.joined
        self._idle_since = self._clock() if self.joined and not assigned else None
        self._telemetry.count("tickets_rebalances_total", event)
        self._telemetry.gauge("tickets_assigned_partitions", assigned, self._topic)

    def lag(self, topic: str, partition: int, records: int | None) -> None:
        if records is None:
            self._telemetry.forget("tickets_committed_lag", topic, str(partition))
        else:
            self._telemetry.gauge("tickets_committed_lag", records, topic, str(partition))

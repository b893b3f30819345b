"""The Prometheus metrics of `core.metrics`, in their own registry."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from core.contract import CONTRACT_VERSION
from core.metrics import METRICS, MetricName
from runtime.trace_file import TraceFile

if TYPE_CHECKING:  # Lambda functions without traces don't need the library
    from opentelemetry.trace import TracerProvider


class Telemetry:
    """Every declared metric, by name, and those of the process. Safe to use from any thread.

    Attributes:
        trace: the file of each thread's spans, or None.
        tracing: makes the spans of distributed traces, or None.
    """

    def __init__(self, trace: TraceFile | None = None, *, tracing: "TracerProvider | None" = None) -> None:
        self.trace = trace
        self.tracing = tracing
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[MetricName, Counter] = {}
        self._gauges: dict[MetricName, Gauge] = {}
        self._histograms: dict[MetricName, Histogram] = {}
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
        """Remove a gauge's value for these labels."""
        if labels in self._gauges[name]._metrics:  # noqa: SLF001 - `remove` warns about unknown labels
            self._gauges[name].remove(*labels)

    def track(self, name: MetricName, read: Callable[[], float], *labels: str) -> None:
        """Call `read` for a gauge's value at every scrape."""
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set_function(read)

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """Add to a histogram."""
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(value)

    def observe_all(self, name: MetricName, values: Iterable[float], *labels: str) -> None:
        """Add each value to a histogram."""
        histogram = self._histograms[name]
        observe = (histogram.labels(*labels) if labels else histogram).observe
        for value in values:
            observe(value)

    def model_ran(self, tokens: int, padding: int, seconds: float) -> None:
        """Record a call of the model that has just ended in this thread."""
        if self.trace is not None:
            self.trace.span("model", seconds, tokens=tokens, padding=padding)
        self.count("tickets_model_seconds_total", by=seconds)
        self.count("tickets_model_tokens_total", by=tokens)
        self.count("tickets_model_padding_tokens_total", by=padding)

    def vectors_looked_up(self, hits: int, misses: int) -> None:
        """The vectors of `hits` texts came from the cache, those of `misses` from the model."""
        self.count("tickets_model_texts_total", "cached", by=hits)
        self.count("tickets_model_texts_total", "embedded", by=misses)

    def describe_process(self, version: str, model: str) -> None:
        """Set the build info: the package's version, the model's stamp and the contract's version."""
        self.gauge("tickets_build_info", 1, version, model, str(CONTRACT_VERSION))

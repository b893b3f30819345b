"""Distributed traces: W3C trace context, X-Ray's ids, and sampling by ratio."""

import time
from collections.abc import Mapping
from random import Random, SystemRandom
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class XRayIds(IdGenerator):
    """Random ids; a trace id begins with its time, as X-Ray's do.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or SystemRandom()

    def generate_trace_id(self) -> int:
        """32 bits of seconds since 1970, and 96 random ones, by which the sampler decides."""
        return int(time.time()) << 96 | self._rng.getrandbits(96)

    def generate_span_id(self) -> int:
        """64 bits that are not all 0."""
        return self._rng.getrandbits(64) or 1


def tracer_provider(service: str, *, ratio: float, exporter: SpanExporter) -> TracerProvider:
    """A provider that samples this share of the traces that begin here, and the others as the caller has decided.

    Spans are exported in the background. While the collector is away they are dropped, and nothing waits.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource({"service.name": service, "service.namespace": "ticketstream"}),
        id_generator=XRayIds(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def silent_provider() -> TracerProvider:
    """A provider that exports nothing, for the ids in logs. It continues the traces of callers."""
    return TracerProvider(sampler=ParentBased(ALWAYS_OFF), id_generator=XRayIds(), shutdown_on_exit=False)


def current_traceparent() -> str:
    """The header that continues the current trace; empty if it isn't sampled."""
    if not get_current_span().get_span_context().trace_flags.sampled:
        return ""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(HEADER, "")


def context_of(headers: Mapping[str, str]) -> Context:
    """The context of a caller's headers."""
    return _PROPAGATOR.extract(headers)

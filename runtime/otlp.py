"""Sends spans to an OpenTelemetry collector, as OTLP over HTTP in JSON.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import httpx
import msgspec
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from core.telemetry_settings import TracingSettings
from runtime.tracing import tracer_provider

logger: Final = logging.getLogger("ticketstream.tracing")

_TIMEOUT_S: Final = 5.0


class OtlpExporter(SpanExporter):
    """Posts each batch of spans once. Logs the first of several failures."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans. A batch that the collector doesn't take is lost."""
        content = msgspec.json.encode(encoded(spans))
        try:
            self._http.post(
                self._endpoint, content=content, headers={"Content-Type": "application/json"}
            ).raise_for_status()
        except httpx.HTTPError as error:
            if not self._failing:
                logger.warning("spans are lost, because the collector doesn't accept them: %s", type(error).__name__)
            self._failing = True
            return SpanExportResult.FAILURE
        self._failing = False
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._http.close()


def open_tracing(settings: TracingSettings, stack: ExitStack, *, service: str) -> TracerProvider | None:
    """The provider that the settings ask for; None without an endpoint."""
    if settings.endpoint is None:
        return None
    provider = tracer_provider(service, ratio=settings.ratio, exporter=OtlpExporter(settings.endpoint))
    stack.callback(provider.shutdown)
    return provider


def encoded(spans: Sequence[ReadableSpan]) -> dict[str, object]:
    """The body of a request. All spans of a process have its resource."""
    if not spans:
        return {"resourceSpans": []}
    scope = {"scope": {"name": "ticketstream"}, "spans": [_span(span) for span in spans]}
    resource = {"attributes": _attributes(spans[0].resource.attributes)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(span: ReadableSpan) -> dict[str, object]:
    context = span.get_span_context()
    assert context is not None  # noqa: S101 - an ended span has one
    found = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,  # OTLP's 0 is "unspecified"
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    return found | ({} if span.parent is None else {"parentSpanId": f"{span.parent.span_id:016x}"})


def _attributes(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}

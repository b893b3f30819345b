"""Spans are sampled by ratio, and sent to a collector as OTLP in JSON."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from core.telemetry_settings import TracingSettings
from runtime.otlp import OtlpExporter, encoded, open_tracing
from tests.rigs.spans import Spans


@contextmanager
def _collector(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A collector, its address and what it got."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Keep the output of the tests short."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_span_is_sent_with_its_ids_times_and_attributes() -> None:
    """The collector gets it when the process ends at the latest."""
    with _collector() as (endpoint, bodies), ExitStack() as stack:
        provider = open_tracing(TracingSettings(endpoint=endpoint, ratio=1), stack, service="tickets")
        assert provider is not None
        tracer = provider.get_tracer("any")
        with tracer.start_as_current_span("outer", kind=SpanKind.SERVER, attributes={"n": 1, "x": 0.5, "b": True}):
            tracer.start_span("inner", kind=SpanKind.CLIENT).end()
        stack.close()
        ((resource,),) = (body["resourceSpans"] for body in bodies)
    names = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
    assert (names["service.name"], names["service.namespace"]) == ("tickets", "ticketstream")
    inner, outer = resource["scopeSpans"][0]["spans"]
    assert (outer["name"], outer["kind"], inner["kind"]) == ("outer", 2, 3)
    assert (inner["traceId"], inner["parentSpanId"]) == (outer["traceId"], outer["spanId"])
    assert (len(outer["traceId"]), len(outer["spanId"])) == (32, 16)
    assert "parentSpanId" not in outer
    assert int(outer["startTimeUnixNano"]) <= int(inner["startTimeUnixNano"]) <= int(outer["endTimeUnixNano"])
    assert {one["key"]: one["value"] for one in outer["attributes"]} == {
        "n": {"intValue": "1"},
        "x": {"doubleValue": 0.5},
        "b": {"boolValue": True},
    }


def test_a_tenth_of_the_traces_is_sampled() -> None:
    """The default ratio of traces that begin here; a caller's decision is kept, either way."""
    assert TracingSettings().ratio == 0.1
    spans = Spans(ratio=0.1)
    tracer = spans.provider.get_tracer("any")
    for _ in range(3_000):
        tracer.start_span("one").end()
    assert 200 < len(spans.ended()) < 400


def test_without_an_endpoint_there_is_nothing() -> None:
    """Tracing is off by default."""
    assert open_tracing(TracingSettings(), ExitStack(), service="tickets") is None
    assert encoded([]) == {"resourceSpans": []}


def test_a_collector_that_is_away_or_refuses_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Spans are lost, and nothing else."""
    spans = Spans()
    spans.provider.get_tracer("any").start_span("one").end()
    with _collector(status=503) as (endpoint, bodies):
        exporter = OtlpExporter(endpoint)
        for _ in range(3):
            exporter.export(spans.ended())
        assert len(bodies) == 3
    exporter.export(spans.ended())
    exporter.shutdown()
    assert [record.message for record in caplog.records] == [
        "spans are lost, because the collector doesn't accept them: HTTPStatusError"
    ]

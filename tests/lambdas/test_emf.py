"""Metrics become lines that CloudWatch reads as metrics."""

import json
from typing import Any

from core.metrics import METRICS
from lambdas.emf import EmfTelemetry


def flushed(telemetry: EmfTelemetry) -> list[dict[str, Any]]:
    lines: list[str] = []
    telemetry.flush(lines.append, function="outbox", request_id="r-1", clock=lambda: 1.5)
    return [json.loads(line) for line in lines]


def test_a_line_declares_its_metric_with_every_label_as_a_dimension() -> None:
    """A line has the namespace, the function and the labels as dimensions, the unit, the value and the request's id."""
    telemetry = EmfTelemetry()
    telemetry.count("tickets_http_requests_total", "GET", "/api/v1/tickets", "200", by=2)
    telemetry.count("tickets_http_requests_total", "GET", "/api/v1/tickets", "200")
    (line,) = flushed(telemetry)
    assert line == {
        "_aws": {
            "Timestamp": 1500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "ticketstream",
                    "Dimensions": [["function", *METRICS["tickets_http_requests_total"].labels]],
                    "Metrics": [{"Name": "tickets_http_requests_total", "Unit": "Count"}],
                }
            ],
        },
        "function": "outbox",
        "method": "GET",
        "route": "/api/v1/tickets",
        "status": "200",
        "tickets_http_requests_total": 3.0,
        "aws_request_id": "r-1",
    }
    assert {*line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]} <= {*line}


def test_a_flush_forgets_what_it_wrote() -> None:
    """A counter's line has the increase since the last flush, not the total."""
    telemetry = EmfTelemetry()
    telemetry.count("tickets_outbox_sent_total", by=5)
    assert flushed(telemetry)[0]["tickets_outbox_sent_total"] == 5
    assert flushed(telemetry) == []
    telemetry.count("tickets_outbox_sent_total", by=1)
    assert flushed(telemetry)[0]["tickets_outbox_sent_total"] == 1


def test_a_gauge_has_its_last_value_and_a_histogram_all_in_lines_of_a_hundred() -> None:
    """A gauge writes its last value; a histogram writes all values, at most 100 in a line, CloudWatch's limit."""
    telemetry = EmfTelemetry()
    telemetry.gauge("tickets_outbox_age_seconds", 9)
    telemetry.gauge("tickets_outbox_age_seconds", 3)
    for number in range(150):
        telemetry.observe("tickets_http_seconds", number, "GET", "/x")
    gauge, first, second = flushed(telemetry)
    assert gauge["tickets_outbox_age_seconds"] == 3
    assert gauge["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] == "Seconds"
    assert first["tickets_http_seconds"] + second["tickets_http_seconds"] == list(range(150))
    assert len(first["tickets_http_seconds"]) == 100

"""Metrics as log lines in CloudWatch's embedded metric format, which are sent without a call.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from core.metrics import METRICS, MetricName
from runtime.telemetry import Telemetry

NAMESPACE: Final = "ticketstream"
#: The dimension of every metric, beside its labels.
FUNCTION: Final = "function"
#: The maximum number of values of a metric in a line.
_MAX_VALUES: Final = 100
_UNITS: Final = {"_seconds": "Seconds", "_seconds_total": "Seconds", "_bytes": "Bytes", "_total": "Count"}
_MS: Final = 1_000

Key = tuple[MetricName, tuple[str, ...]]


class EmfTelemetry(Telemetry):
    """Telemetry whose changes since the last flush can be written as lines."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[Key, list[float]] = {}
        self._lock = threading.Lock()

    def count(self, name: MetricName, *labels: str, by: float = 1) -> None:
        """See `Telemetry`."""
        super().count(name, *labels, by=by)
        with self._lock:
            values = self._values.setdefault((name, labels), [0.0])
            values[0] += by

    def gauge(self, name: MetricName, value: float, *labels: str) -> None:
        """See `Telemetry`."""
        super().gauge(name, value, *labels)
        with self._lock:
            self._values[name, labels] = [value]

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """See `Telemetry`."""
        super().observe(name, value, *labels)
        with self._lock:
            self._values.setdefault((name, labels), []).append(value)

    def flush(
        self, write: Callable[[str], object], *, function: str, request_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Write a line for each metric and its labels, and forget the values.

        Args:
            write: writes a line, including its line break.
            function: the deployed function's name, a dimension of every metric.
            request_id: the event's id, a property by which the log can be searched.
            clock: seconds since 1970.
        """
        with self._lock:
            values, self._values = self._values, {}
        for key, seen in values.items():
            for line in _lines(key, seen, function=function, request_id=request_id, now_ms=int(clock() * _MS)):
                write(line)


def _lines(key: Key, values: list[float], *, function: str, request_id: str, now_ms: int) -> Iterator[str]:
    name, labels = key
    dimensions = {FUNCTION: function, **dict(zip(METRICS[name].labels, labels, strict=True))}
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "None")
    about = {
        "Timestamp": now_ms,
        "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": [{"Name": name, "Unit": unit}]}
        ],
    }
    for begin in range(0, len(values), _MAX_VALUES):
        part = values[begin : begin + _MAX_VALUES]
        line = {
            "_aws": about,
            **dimensions,
            name: part[0] if len(part) == 1 else part,
            "aws_request_id": request_id,
        }
        yield msgspec.json.encode(line).decode() + "\n"

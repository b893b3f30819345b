"""Structured logs on standard error. They name records by origin and never quote a ticket."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from core.settings import LogSettings

_CLIENT: Final = "ticketstream.kafka"
_QUIET_S: Final = 10.0
#: Kept in mind at once; librdkafka has no more to say than that while brokers are out.
_MOST_LINES: Final = 100
#: What alone differs in a line that is said again: times and counts at its end.
_COUNTED: Final = re.compile(r"\(after .*")


class RepeatsFilter(logging.Filter):
    """A line of librdkafka's passes once in ten seconds: it says the same at every attempt to connect."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for what was said just now."""
        if record.name != _CLIENT:
            return True
        line, now = _COUNTED.sub("", record.getMessage()), time.monotonic()
        if now < self._quiet_until.get(line, 0.0):
            return False
        if len(self._quiet_until) >= _MOST_LINES:
            self._quiet_until.clear()
        self._quiet_until[line] = now + _QUIET_S
        return True


class _JsonLines(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """ISO 8601, UTC, to the microsecond: it tells the order of several workers' lines."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")


def set_up_logging(settings: LogSettings) -> None:
    """Send the root logger's lines to standard error as JSON, or as text for a person."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.format == "json":
        formatter: logging.Formatter = _JsonLines(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(formatter)
    handler.addFilter(RepeatsFilter())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # Third parties' debug and info lines may quote requests.
    for name in ("httpx", "httpcore", "urllib3", "botocore", "huggingface_hub", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)

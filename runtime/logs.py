"""Structured logs on standard error. They name records by origin and never quote a ticket."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from core.telemetry_settings import LogSettings

_CLIENT: Final = "ticketstream.kafka"
_QUIET_S: Final = 10.0
#: Maximum number of distinct lines to remember; librdkafka logs fewer during an outage.
_MAX_LINES: Final = 100
#: The end of a line, whose times and counts differ in each repetition.
_COUNTED: Final = re.compile(r"\(after .*")


class RepeatsFilter(logging.Filter):
    """Passes each line of librdkafka at most once in ten seconds, because every attempt to connect repeats it."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line of librdkafka that passed a moment ago."""
        if record.name != _CLIENT:
            return True
        line, now = _COUNTED.sub("", record.getMessage()), time.monotonic()
        if now < self._quiet_until.get(line, 0.0):
            return False
        if len(self._quiet_until) >= _MAX_LINES:
            self._quiet_until.clear()
        self._quiet_until[line] = now + _QUIET_S
        return True


class _JsonLines(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """ISO 8601 in UTC, to the microsecond, so that lines of several workers can be put in order."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")


def set_up_logging(settings: LogSettings) -> None:
    """Send all log lines to standard error, as JSON or as text."""
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
    # Debug and info lines of these libraries may quote requests.
    for name in ("httpx", "httpcore", "urllib3", "botocore", "huggingface_hub", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it logs a warning for every waiting request

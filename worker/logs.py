"""Structured logs on standard error. They name records by origin and never quote a ticket."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from core.settings import LogSettings


def set_up_logging(settings: LogSettings) -> None:
    """Send the root logger's lines to standard error as JSON, or as text for a person."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.format == "json":
        formatter: logging.Formatter = JsonFormatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(formatter)
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # Third parties' debug and info lines may quote requests.
    for name in ("httpx", "httpcore", "urllib3", "botocore", "huggingface_hub", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)

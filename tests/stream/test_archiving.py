"""The start of an archiver."""

from contextlib import nullcontext
from pathlib import Path
from threading import Event

import pytest

from core.archive_settings import ArchiveSettings
from core.errors import UnavailableError
from core.settings import KafkaSettings, Settings
from stream.archiving import run_archiver


@pytest.mark.parametrize("stopped", [False, True])
def test_an_archiver_that_is_stopped_while_it_waits_for_the_broker_ends_well(tmp_path: Path, *, stopped: bool) -> None:
    """An outage at the start is an error, unless SIGTERM has come meanwhile: then the exit code is 0."""
    kafka = KafkaSettings(brokers="127.0.0.1:1", startup_timeout_s=0.2)
    settings = Settings(kafka=kafka, archive=ArchiveSettings(place=str(tmp_path)))
    stop = Event()
    if stopped:
        stop.set()
    with nullcontext() if stopped else pytest.raises(UnavailableError, match="no broker answers"):
        run_archiver(settings, stop)

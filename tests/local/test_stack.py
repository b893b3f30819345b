"""A whole stream on this machine: started, checked and stopped."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.kafka.admin import broker_answers
from connectors.qdrant.lock import find_owner
from core.errors import FatalError
from local.stack import open_local_stream
from tests.rigs.waiting import PATIENCE_S

_HASHING = {
    "TICKETS_MODEL__NAME": "hashing",
    "TICKETS_KAFKA__BROKERS": "elsewhere:9092",
    "TICKETS_TOPICS__RAW": "other",
}


def test_a_local_stream_runs_until_its_stack_closes(tmp_path: Path) -> None:
    """The worker is up on return, with the broker, topics and index of the stream and the user's other settings."""
    before, said = dict(os.environ), list[str]()
    with ExitStack() as stack:
        stream = open_local_stream(tmp_path, stack, say=said.append, environ={**os.environ, **_HASHING})
        stream.check()
        assert stream.settings.topics.raw == "tickets.raw"
        assert stream.settings.model.name == "hashing"
        assert broker_answers(stream.settings.kafka.brokers, timeout_s=PATIENCE_S)
        assert find_owner(tmp_path / "index") is not None
        assert stream.environment.items() >= {**stream.variables, "TICKETS_MODEL__NAME": "hashing"}.items()
    assert find_owner(tmp_path / "index") is None
    assert not broker_answers(stream.settings.kafka.brokers, timeout_s=0.5)
    assert said == ["starting the broker", "creating the topics", "starting the worker"]
    assert dict(os.environ) == before


def test_a_worker_that_does_not_start_ends_the_local_stream(tmp_path: Path) -> None:
    """The error carries the worker's own line and exit code, and the broker is stopped."""
    environ = {**os.environ, **_HASHING, "TICKETS_LOG__TRACE_FILE": str(tmp_path / "missing" / "trace.json")}
    with pytest.raises(FatalError, match="the worker has ended: TICKETS_LOG__TRACE_FILE: can't write") as raised:  # noqa: SIM117
        with ExitStack() as stack:
            open_local_stream(tmp_path, stack, say=lambda _line: None, environ=environ)
    assert raised.value.exit_code == 2

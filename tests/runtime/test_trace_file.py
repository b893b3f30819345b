"""The trace file."""

import json
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from runtime.trace_file import TraceFile
from stream.telemetry import StreamTelemetry


def _spans(path: Path) -> list[dict[str, Any]]:
    return [event for event in json.loads(path.read_text()) if event.get("ph") == "X"]


def test_concurrent_spans_overlap(tmp_path: Path) -> None:
    """Spans of two concurrent threads overlap, each under the name of its thread."""
    trace = TraceFile.open(tmp_path / "trace.json")
    both = threading.Barrier(2)

    def work() -> None:
        began = time.perf_counter()
        both.wait()  # both have begun, and neither has ended
        time.sleep(0.05)
        trace.span("model", time.perf_counter() - began, tokens=7)

    threads = [threading.Thread(target=work, name=f"model-{n}") for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trace.close()
    first, second = sorted(_spans(tmp_path / "trace.json"), key=lambda span: span["ts"])
    assert second["ts"] < first["ts"] + first["dur"]
    assert first["tid"] != second["tid"]
    assert first["args"] == {"tokens": 7}
    names = {e["args"]["name"] for e in json.loads((tmp_path / "trace.json").read_text()) if e.get("ph") == "M"}
    assert names == {"model-0", "model-1"}


def test_a_trace_stops_at_its_limit(tmp_path: Path) -> None:
    """A full trace ignores further spans, so that the file stays small enough for a viewer."""
    trace = TraceFile.open(tmp_path / "trace.json", max_events=3)
    for _ in range(10):
        trace.span("poll", 0.001)
    trace.close()
    trace.span("poll", 0.001)
    assert len(_spans(tmp_path / "trace.json")) == 3


def test_a_trace_is_for_its_user_alone(tmp_path: Path) -> None:
    """A trace file has mode 0600, also one that was open to others before."""
    (tmp_path / "old.json").touch(0o644)
    for name in ("old.json", "new.json"):
        TraceFile.open(tmp_path / name).close()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_an_unwritable_path_is_a_config_error(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigError, match="TICKETS_LOG__TRACE_FILE: can't write"):
        TraceFile.open(tmp_path / "missing" / "trace.json")


def test_telemetry_counts_and_traces_in_one_call(tmp_path: Path) -> None:
    """A step and a run of the model are in the metrics and in the trace, with the same duration."""
    trace = TraceFile.open(tmp_path / "trace.json")
    telemetry = StreamTelemetry(trace)
    telemetry.ran_step("write", 0.25, 256)
    telemetry.model_ran(100, 3, 0.5)
    trace.close()
    assert [(s["name"], s["dur"]) for s in _spans(tmp_path / "trace.json")] == [("write", 250_000), ("model", 500_000)]
    assert telemetry.registry.get_sample_value("tickets_model_seconds_total") == 0.5
    assert telemetry.registry.get_sample_value("tickets_step_seconds_count", {"step": "write"}) == 1

"""The filter that throttles repeated lines of the Kafka client."""

import logging

import pytest

from runtime.logs import RepeatsFilter


def _line(words: str, name: str = "ticketstream.kafka") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, words, None, None)


def test_a_repeated_line_of_the_client_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that differs in its counts alone passes every ten seconds; other lines always pass."""
    now = [100.0]
    monkeypatch.setattr("runtime.logs.time.monotonic", lambda: now[0])
    repeats = RepeatsFilter()
    assert repeats.filter(_line("FAIL: refused (after 0ms in state CONNECT)"))
    assert not repeats.filter(_line("FAIL: refused (after 3ms in state CONNECT, 30 identical error(s) suppressed)"))
    assert repeats.filter(_line("FAIL: timed out"))
    assert repeats.filter(_line("b-1:9092: refused (after 0ms)"))
    assert repeats.filter(_line("b-2:9092: refused (after 0ms)"))
    assert all(repeats.filter(_line("index out", "ticketstream.writer")) for _ in range(3))
    now[0] += 10.5
    assert repeats.filter(_line("FAIL: refused (after 0ms in state CONNECT)"))


def test_the_filter_remembers_a_bounded_number_of_lines() -> None:
    """A client whose lines are all different does not fill the memory."""
    repeats = RepeatsFilter()
    assert all(repeats.filter(_line("FAIL: " + "x" * length)) for length in range(1_000))
    assert len(repeats._quiet_until) <= 100

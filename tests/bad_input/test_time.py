"""A record that is hard to read holds up the others by less than a second, whatever it is made of."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from core.records import Batch, Rejected
from core.settings import ModelSettings, Settings
from models.run.hashing import HashingEmbedder
from operators import clean, html_text
from stream.plan import ticket_steps
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry
from tests.bad_input.generator import fields, written
from tests.bad_input.values import PIECES
from tests.fakes import record

#: Of processor time in this thread, so that a busy machine decides nothing.
_MOST_S = 1.0
#: What takes longest is account numbers that are none: 1.9 s for a megabyte, the most that the default limit takes.
_BYTES = 300_000
SETTINGS = Settings(model=ModelSettings(name="hashing"))


def _before_the_model() -> list[Step]:
    steps = ticket_steps(SETTINGS, HashingEmbedder())
    return steps[: [step.name for step in steps].index("embed")]


def _seconds(value: bytes) -> tuple[float, dict[str, float]]:
    """Processor time of one record in all steps but the model's, and in each."""
    batch: Batch[Any] = Batch((record(value=value, key=b"acme/N-0"),))
    spent = {}
    for step in _before_the_model():
        began = time.thread_time()
        batch = run_step(step, batch, StreamTelemetry())
        spent[step.name] = time.thread_time() - began
    (item,) = batch.items
    assert not (isinstance(item, Rejected) and item.code == "fault"), item.reason
    return sum(spent.values()), spent


def _large(text: str) -> bytes:
    """A body of nothing but `text`."""
    escaped = json.dumps(text, ensure_ascii=False).encode()[1:-1]
    body = b'"' + escaped * (_BYTES // len(escaped)) + b'"'
    return written([(name, body if name == "body" else value) for name, value in fields(0)])


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: ascii(piece)[:20])
def test_a_text_of_one_piece_is_read_within_a_second(piece: str) -> None:
    """No pattern backtracks, no parser recurses, nothing grows with the square."""
    seconds, spent = _seconds(_large(piece))
    assert seconds < _MOST_S, spent


def test_a_parser_that_is_given_deep_markup_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time grows with the square of the depth."""
    monkeypatch.setattr(html_text, "_is_too_deep", lambda _source: False)
    assert _seconds(_large("<pre>\n"))[0] > _MOST_S


def test_quotes_cut_by_copying_what_is_left_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of nothing but signatures has as many breaks as lines."""

    def cut(text: str) -> str:
        lines: Sequence[str] = text.split("\n")
        while lines and lines[0].startswith("--"):
            lines = lines[1:]
        return text

    monkeypatch.setattr(clean, "cut_quotes", cut)
    assert _seconds(_large("-- \n"))[0] > _MOST_S

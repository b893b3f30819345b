"""The processing time of a record grows linearly with its length, for any text.

Times are processor times of this thread, the best of a few tries, because other programs only add to them.
"""

import collections
import itertools
import json
import math
import time
from collections.abc import Sequence

import pytest

from core.model_settings import ModelSettings
from core.records import Batch, Item, Rejected
from core.settings import Settings
from models.run.hashing import HashingEmbedder
from operators import clean, html_text
from stream.plan import ticket_steps
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry
from tests.bad_input.generator import fields, written
from tests.bad_input.values import PIECES
from tests.fakes import record

_BYTES = 300_000
#: An ordinary text, by which the machine's pace is measured, and how many times as long others may take. The slowest,
#: numbers and addresses that turn out to be none, take ten times as long.
_ORDINARY = "My card was declined at the till. Why is that? "
_MOST = 16
#: Four times the text takes four times as long, or sixteen times if the growth is quadratic.
_GROWTH = 8
#: Shorter times are not compared.
_NOTHING_S = 0.05
_TRIES = 10
SETTINGS = Settings(model=ModelSettings(name="hashing"))


def _before_the_model() -> list[Step]:
    steps = ticket_steps(SETTINGS, HashingEmbedder())
    return steps[: [step.name for step in steps].index("embed")]


def _seconds(value: bytes) -> float:
    """Processor time of one record in all steps but the model's."""
    batch: Batch[Item] = Batch((record(value=value, key=b"acme/N-0"),))
    began = time.thread_time()
    for step in _before_the_model():
        batch = run_step(step, batch, StreamTelemetry())
    spent_s = time.thread_time() - began
    (item,) = batch.items
    assert not (isinstance(item, Rejected) and item.code == "fault"), item.reason
    return spent_s


def _body(text: str, size: int) -> bytes:
    """An event whose body repeats `text` up to `size` bytes."""
    escaped = json.dumps(text, ensure_ascii=False).encode()[1:-1]
    body = b'"' + escaped * (size // len(escaped)) + b'"'
    return written([(name, body if name == "body" else value) for name, value in fields(0)])


def _grows_with_its_length(text: str, *, tries: int = _TRIES, size: int = _BYTES) -> bool:
    """Whether four times as much of `text` takes less than eight times as long, and not too much longer than others."""
    short, long, ordinary = _body(text, size // 4), _body(text, size), _body(_ORDINARY, size)
    short_s = long_s = ordinary_s = math.inf
    for _ in range(tries):
        short_s, long_s = min(short_s, _seconds(short)), min(long_s, _seconds(long))
        ordinary_s = min(ordinary_s, _seconds(ordinary))
        if long_s < min(_MOST * ordinary_s, max(_NOTHING_S, _GROWTH * short_s)):
            return True
    return False


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: ascii(piece)[:20])
def test_time_grows_with_the_length(piece: str) -> None:
    """No pattern backtracks, no parser recurses, and no step copies the rest of the text repeatedly."""
    assert _grows_with_its_length(piece)


def test_a_parser_that_is_given_deep_markup_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant's time grows with the square of the markup's depth, and fails the check."""
    monkeypatch.setattr(html_text, "_is_too_deep", lambda _source: False)
    assert not _grows_with_its_length("<pre>\n", tries=1, size=_BYTES // 5)


def test_quotes_cut_by_copying_what_is_left_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant copies the rest of the text at each signature, and fails the check."""

    def cut(text: str, *, forwarded: bool) -> str:
        del forwarded
        lines: Sequence[str] = text.split("\n")
        while lines and lines[0].startswith("--"):
            lines = lines[1:]
        return text

    monkeypatch.setattr(clean, "cut_mail", cut)
    assert not _grows_with_its_length("-- \n", tries=1)


def test_a_text_that_takes_long_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant's time is proportional to the length, but some texts take far longer than others."""

    def cut(text: str, *, forwarded: bool) -> str:
        del forwarded
        if text.startswith("--"):
            collections.deque(itertools.chain.from_iterable(itertools.repeat(text, 10_000)), maxlen=0)
        return text

    assert _grows_with_its_length("-- \n", size=_BYTES // 10)
    monkeypatch.setattr(clean, "cut_mail", cut)
    assert not _grows_with_its_length("-- \n", tries=1, size=_BYTES // 10)

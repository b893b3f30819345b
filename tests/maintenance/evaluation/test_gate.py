"""A new index replaces the old one only if it finds about as much."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.contract import UpsertEvent
from core.errors import ConfigError
from core.model_settings import ModelSettings
from core.records import Origin, Record
from core.settings import IndexSettings, SearchSettings, Settings
from maintenance.evaluation import gate
from maintenance.evaluation.bootstrap import Interval
from maintenance.evaluation.gate import Gate, WorseIndexError, worse_figures
from maintenance.evaluation.questions import Question
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps

_EMBEDDER = HashingEmbedder()
_WORDS = ("card stolen", "parcel late", "app crashes", "invoice wrong", "printer offline")
_QUESTIONS = [Question(tenant="acme", question=words, relevant=(f"T-{n}",)) for n, words in enumerate(_WORDS)]


def _record(number: int) -> Record:
    event = UpsertEvent(
        tenant_id="acme", ticket_id=f"T-{number}", version=1, created_at=0, updated_at=0, subject=_WORDS[number]
    )
    return Record(Origin("t", 0, number), b"acme/T-%d" % number, msgspec.json.encode(event), 0)


@contextmanager
def _index(folder: Path, tickets: int) -> Iterator[VersionedIndex]:
    settings = Settings(index=IndexSettings(path=folder), model=ModelSettings(name="hashing"))
    index = open_index_for_writing(settings.index, dimension=_EMBEDDER.dimension, model=_EMBEDDER.stamp)
    reindexer = Reindexer(steps=ticket_steps(settings, _EMBEDDER), index=index, settings=settings.writer)
    reindexer.index_records([_record(n) for n in range(tickets)])
    try:
        yield index
    finally:
        index.close()


def _gate(folder: Path, *, accept_worse: bool = False, margin: float = 0.02) -> Gate:
    settings = Settings(index=IndexSettings(path=folder), model=ModelSettings(name="hashing"))
    return Gate(settings, _QUESTIONS, margin, accept_worse)


@pytest.mark.parametrize(
    ("gain", "is_worse"),
    [
        (Interval(-0.1, -0.2, -0.01, 50), True),
        (Interval(-0.1, -0.2, 0.01, 50), False),  # by chance
        (Interval(-0.01, -0.015, -0.005, 50), False),  # within the margin
        (Interval(0.1, 0.05, 0.2, 50), False),
    ],
)
def test_a_fall_counts_beyond_the_margin_and_beyond_chance(gain: Interval, is_worse: bool) -> None:
    """A figure is worse if it falls by more than the margin and its interval lies below 0."""
    assert bool(worse_figures({"mrr@10": gain}, margin=0.02)) == is_worse
    assert bool(worse_figures({"nothing": gain}, margin=0.02)) == is_worse
    assert not worse_figures({"recall@10": gain}, margin=0.02)


def test_a_worse_index_is_refused(tmp_path: Path) -> None:
    """An index without the relevant tickets is refused, with the figures and the option that accepts it."""
    with _index(tmp_path / "old", 5):
        pass
    with _index(tmp_path / "new", 0) as new, pytest.raises(WorseIndexError, match=r"mrr@10 -1\.000") as raised:
        _gate(tmp_path / "old").compare(new, _EMBEDDER.stamp)
    assert "--accept-worse" in str(raised.value)


def test_a_worse_index_is_accepted_if_that_is_said(tmp_path: Path) -> None:
    """A worse index is accepted on request, and its gains are returned."""
    with _index(tmp_path / "old", 5):
        pass
    with _index(tmp_path / "new", 0) as new:
        assert _gate(tmp_path / "old", accept_worse=True).compare(new, _EMBEDDER.stamp)["mrr@10"].value == -1
        assert _gate(tmp_path / "old", margin=1).compare(new, _EMBEDDER.stamp)["mrr@10"].value == -1


def test_an_equal_index_is_let_in(tmp_path: Path) -> None:
    """An index with the same tickets is accepted."""
    with _index(tmp_path / "old", 5):
        pass
    with _index(tmp_path / "new", 5) as new:
        gains = _gate(tmp_path / "old").compare(new, _EMBEDDER.stamp)
    assert (gains["mrr@10"].value, gains["mrr@10"].count) == (0, 5)


def test_both_indexes_are_searched_with_the_same_settings(tmp_path: Path) -> None:
    """The search settings of the command apply to the new index too, so that equal indexes are equal."""
    settings = Settings(
        index=IndexSettings(path=tmp_path / "old"),
        model=ModelSettings(name="hashing"),
        search=SearchSettings(min_confidence=0),
    )
    questions = [*_QUESTIONS, Question(tenant="acme", question="zebra quantum", nothing=True)]
    with _index(tmp_path / "old", 5):
        pass
    with _index(tmp_path / "new", 5) as new:
        gains = Gate(settings, questions, 0.02, accept_worse=False).compare(new, _EMBEDDER.stamp)
    assert {name: gain.value for name, gain in gains.items()} == dict.fromkeys(gains, 0)


def test_without_an_old_index_nothing_is_compared(tmp_path: Path) -> None:
    """Without an old index the new one is accepted."""
    with _index(tmp_path / "new", 0) as new:
        assert _gate(tmp_path / "old").compare(new, _EMBEDDER.stamp) == {}


def test_an_index_of_another_model_is_not_asked(tmp_path: Path) -> None:
    """An old index of another model isn't searched, because its vectors can't be compared."""
    with _index(tmp_path / "new", 0) as new, pytest.raises(ConfigError, match="has vectors of other/1"):
        _gate(tmp_path / "old").compare(new, "other/1")


def test_a_gate_that_lets_everything_in_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant without the comparison accepts a worse index."""
    monkeypatch.setattr(gate, "worse_figures", lambda _gains, **_margin: "")
    with _index(tmp_path / "old", 5):
        pass
    with _index(tmp_path / "new", 0) as new:
        _gate(tmp_path / "old").compare(new, _EMBEDDER.stamp)

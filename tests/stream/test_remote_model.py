"""A pipeline whose model a service runs: outages are retried, refused texts cost their tickets, and all are found."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from connectors.language_models import titan
from connectors.language_models.titan import TitanEmbedder
from connectors.qdrant.open import open_index_for_writing
from core.contract import UpsertEvent
from core.errors import TransientError
from core.index import SearchQuery
from core.model_settings import TITAN, ModelSettings
from core.records import Batch, Origin, Record, Rejected, TicketPoints
from core.settings import IndexSettings, Settings
from maintenance.reindexer import Reindexer
from operators import embed as embed_module
from runtime.searcher import IndexSearcher
from stream import plan
from stream.plan import ticket_steps
from synthetic.tickets import events
from tests.connectors.language_models.titan_world import SIZE, TitanWorld, titan_world
from tests.fakes import FakeDeadLetters, FakeIndex, receipt
from tests.rigs.titan import DENIED, DOWN, REFUSED, Answer, always, for_text
from tests.stream.runs import SETTINGS, Run

_SETTINGS: Final = Settings(model=ModelSettings(name=TITAN, dimensions=256), writer=SETTINGS)
_SUBJECTS: Final = ("the invoice shows the wrong rate", "a password can't be reset", "the export to the bank fails")


@pytest.fixture(scope="module")
def opened() -> Iterator[TitanWorld]:
    """The world of this file."""
    with titan_world() as world:
        yield world


@pytest.fixture
def world(opened: TitanWorld) -> TitanWorld:
    """A server that answers rightly, until the test wants otherwise."""
    opened.server.behave()
    return opened


class _Submitted:
    """A batch of tickets in a writer with a fake index."""

    def __init__(self, embedder: TitanEmbedder, records: list[Record]) -> None:
        self.index, self.letters = FakeIndex(), FakeDeadLetters()
        self.run: Run[TicketPoints] = Run(self.index, self.letters, steps=ticket_steps(_SETTINGS, embedder))
        self.run.writer.submit(Batch(tuple(records), receipt("r")))

    def wait(self, done: Callable[[], object]) -> None:
        """Wait for `done`, or the end of the batch."""
        self.run.wait(lambda: bool(done() or self.run.acks or self.run.writer.fault))


def _synthetic(count: int) -> list[Record]:
    made = events(count, seed=3, edits=0, deletes=0, duplicates=0)
    return [Record(Origin("tickets.raw", 0, n), event.key, event.value, 0) for n, event in enumerate(made)]


def _records(*subjects: str) -> list[Record]:
    made = [
        UpsertEvent(tenant_id="acme", ticket_id=f"T-{n}", version=1, created_at=0, updated_at=0, subject=subject)
        for n, subject in enumerate(subjects)
    ]
    return [
        Record(Origin("tickets.raw", 0, n), f"acme/T-{n}".encode(), msgspec.json.encode(event), 0)
        for n, event in enumerate(made)
    ]


def _outlive_an_outage(world: TitanWorld) -> None:
    """Check that a batch waits out an outage: nothing is acked or rejected before, and nothing embedded twice."""
    up = threading.Event()
    world.server.behave(lambda text, _nth: None if up.is_set() or len(text) % 2 else DOWN)
    batch = _Submitted(world.embedder(), _synthetic(30))
    batch.wait(lambda: batch.run.progress.outage)
    assert "model: Amazon Bedrock in eu-central-1: the service answered Serv" in str(batch.run.progress.outage)
    assert (batch.run.acks, batch.letters.letters, batch.index.calls) == ([], [], 0)
    up.set()
    batch.wait(lambda: False)
    batch.run.writer.close()
    assert (batch.run.acks, batch.letters.letters, batch.run.writer.fault) == ([receipt("r")], [], None)
    assert len(batch.index.versions) == 30
    assert set(world.server.answered.values()) == {1}
    assert batch.run.sample("tickets_retries_total", dependency="model")
    assert batch.run.sample("tickets_circuit_state", dependency="model") == 0


def test_an_outage_is_retried_and_nothing_is_dead_lettered(world: TitanWorld) -> None:
    """While the model is out a batch waits, /ready has the reason, and afterwards all of it is indexed."""
    _outlive_an_outage(world)


def dead_letter_in_an_outage(patch: pytest.MonkeyPatch) -> None:
    """Mutant: an outage rejects the tickets."""
    embed = embed_module.embed

    def hasty(items: Any, **options: Any) -> Any:
        try:
            return embed(items, **options)
        except TransientError as error:
            return [Rejected(item.ticket.record, "embed", "outage", str(error)) for item in items]

    patch.setattr(plan, "embed", hasty)


def stop_in_an_outage(patch: pytest.MonkeyPatch) -> None:
    """Mutant: the step is not retried, so the worker stops."""
    patch.setattr(ModelSettings, "remote", property(lambda _self: False))


def forget_vectors_of_a_failed_batch(patch: pytest.MonkeyPatch) -> None:
    """Mutant: a repeated batch asks for every vector again."""
    patch.setattr(titan._KeptVectors, "put", lambda _self, _vectors: None)


@pytest.mark.parametrize(
    "mutant", [dead_letter_in_an_outage, stop_in_an_outage, forget_vectors_of_a_failed_batch], ids=lambda m: m.__name__
)
def test_a_mutant_is_caught(world: TitanWorld, monkeypatch: pytest.MonkeyPatch, mutant: Any) -> None:
    """The checks of an outage fail for the mutant."""
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        _outlive_an_outage(world)


def test_a_batch_gets_its_vectors_from_many_short_recoveries(world: TitanWorld) -> None:
    """A batch whose texts are let through three at a time, as by a quota, is embedded in several attempts."""
    left, lock = [3], threading.Lock()

    def limited(_text: str, _nth: int) -> Answer | None:
        with lock:
            left[0] = left[0] - 1 if left[0] > -12 else 2
            return None if left[0] >= 0 else DOWN

    world.server.behave(limited)
    batch = _Submitted(world.embedder(), _synthetic(12))
    batch.wait(lambda: False)
    batch.run.writer.close()
    assert (batch.run.acks, batch.letters.letters) == ([receipt("r")], [])
    assert set(world.server.answered.values()) == {1}


def test_a_refused_text_costs_its_ticket_only(world: TitanWorld) -> None:
    """The ticket whose text the model refuses is dead-lettered with the reason, without its text."""
    world.server.behave(for_text(_SUBJECTS[1], REFUSED))
    batch = _Submitted(world.embedder(), _records(*_SUBJECTS))
    batch.wait(lambda: False)
    batch.run.writer.close()
    (letter,) = batch.letters.letters
    assert (letter.stage, letter.code, letter.record.key) == ("embed", "refused_text", b"acme/T-1")
    assert letter.reason == "Titan refuses the text (the service answered ValidationException)"
    assert set(batch.index.versions) == {("acme", "T-0"), ("acme", "T-2")}


def test_a_denied_call_stops_the_worker(world: TitanWorld) -> None:
    """Without the right to call the model nothing is acked or dead-lettered, and the worker's error says what to do."""
    world.server.behave(always(DENIED))
    batch = _Submitted(world.embedder(), _records(*_SUBJECTS))
    batch.wait(lambda: False)
    batch.run.writer.close()
    assert "give its role bedrock:InvokeModel" in str(batch.run.writer.fault)
    assert (batch.run.acks, batch.letters.letters, batch.index.versions) == ([], [], {})


def test_tickets_are_indexed_and_found(world: TitanWorld, tmp_path: Path) -> None:
    """Raw records become search results, through outages, with the model's stamp on every hit."""
    world.server.behave(lambda _text, nth: DOWN if nth == 1 else None)
    embedder = world.embedder()
    settings = IndexSettings(path=tmp_path / "index")
    index = open_index_for_writing(settings, dimension=SIZE, model=embedder.stamp)
    reindexer = Reindexer(steps=ticket_steps(_SETTINGS, embedder), index=index, settings=SETTINGS)
    assert reindexer.index_records(_records(*_SUBJECTS)) == 3
    assert (reindexer.written, reindexer.rejected) == (3, 0)
    searcher = IndexSearcher(index=index, embedder=embedder)
    for n, subject in enumerate(_SUBJECTS):
        found = searcher.search(subject, SearchQuery(tenant_id="acme", limit=3))
        assert (found.hits[0].ticket_id, found.model) == (f"T-{n}", embedder.stamp)
    index.close()


def test_an_enriched_ticket_without_passages_makes_no_call(world: TitanWorld) -> None:
    """A deleted ticket is written without a call."""
    (record,) = _records("")
    deleted = msgspec.structs.replace(record, value=None)
    batch = _Submitted(world.embedder(), [deleted])
    batch.wait(lambda: False)
    batch.run.writer.close()
    assert batch.run.acks == [receipt("r")]
    assert not world.server.bodies

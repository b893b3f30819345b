"""Lookups of customers by the writer's threads: an outage is retried, and a hang holds back its batch alone."""

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from core.errors import ConfigError, TransientError
from core.model_settings import ModelSettings
from core.protocols import CustomerDirectory
from core.records import Batch, EnrichedTicket, Origin, Record
from core.settings import EnrichSettings, Settings
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from operators.enrich import enrich
from stream.plan import lookup_steps, ticket_steps
from stream.steps import Step
from synthetic.tickets import events
from tests.fakes import FakeDeadLetters, FakeIndex, receipt
from tests.operators import samples
from tests.rigs.waiting import PATIENCE_S
from tests.stream.runs import SETTINGS, Run


class _Directory:
    """Fails the first `out` lookups, and answers none while `answers` is unset."""

    def __init__(self, *, out: int = 0, error: Exception | None = None) -> None:
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()
        self._out = out
        self._error = error or TransientError("the directory does not answer")

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `core.protocols.CustomerDirectory`."""
        del tenant_id, customer_id
        self.asked += 1
        self.answers.wait(PATIENCE_S)
        if self.asked <= self._out:
            raise self._error
        return {"plan": "gold"}


class _Flaky:
    """Fails every third lookup, and keeps the customers of the others."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered: list[str] = []

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `core.protocols.CustomerDirectory`."""
        del tenant_id
        self.asked += 1
        if self.asked % 3 == 0:
            raise TransientError("the directory is busy")
        self.answered.append(customer_id)
        return {"plan": "gold"}


class _Kept:
    """Keeps the enriched tickets that are written."""

    def __init__(self) -> None:
        self.kept: list[EnrichedTicket] = []

    def write(self, tickets: Sequence[EnrichedTicket], /) -> None:
        self.kept += tickets


def _step(directory: CustomerDirectory) -> Step:
    return Step("enrich", "enrich", partial(enrich, customers=directory), pure=False, calls="customers")


def _run(directory: _Directory) -> tuple[Run[EnrichedTicket], _Kept, FakeDeadLetters]:
    index, letters = _Kept(), FakeDeadLetters()
    run = Run(index, letters, steps=[_step(directory)])
    run.writer.submit(Batch((samples.enriched(customer_id="C-1"),), receipt("r1")))
    return run, index, letters


def test_an_outage_of_the_directory_is_retried() -> None:
    """A ticket is neither written nor dead-lettered while the lookup of its customer fails."""
    run, index, letters = _run(_Directory(out=4))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert [ticket.customer for ticket in index.kept] == [{"plan": "gold"}]
    assert letters.letters == []
    assert run.sample("tickets_retries_total", dependency="customers") == 4
    assert run.sample("tickets_circuit_state", dependency="customers") == 0
    assert run.progress.outage is None


def test_a_failed_lookup_repeats_no_other() -> None:
    """Each customer of a batch is looked up until that succeeds, and no more often."""
    directory, index = _Flaky(), _Kept()
    run = Run(index, FakeDeadLetters(), steps=[_step(directory)])
    customers = [f"C-{n}" for n in range(60)]
    run.writer.submit(Batch(tuple(samples.enriched(customer_id=customer) for customer in customers), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert directory.answered == customers


def test_a_rebuild_retries_lookups() -> None:
    """An outage of the directory does not end a rebuild."""
    directory, index = _Flaky(), FakeIndex()
    settings = Settings(model=ModelSettings(name="hashing"), writer=SETTINGS)
    steps = ticket_steps(settings, HashingEmbedder())
    steps.insert([step.name for step in steps].index("embed"), _step(directory))
    reindexer = Reindexer(steps=steps, index=index, settings=settings.writer)
    made = list(events(40, seed=3, edits=0, deletes=0, duplicates=0))
    records = [Record(Origin("tickets.raw", 0, n), event.key, event.value, 0) for n, event in enumerate(made)]
    assert reindexer.index_records(records) == 40
    assert (reindexer.written, len(directory.answered)) == (40, 40)


def test_a_worker_that_stops_in_the_outage_leaves_the_ticket_uncommitted() -> None:
    """A worker that stops while lookups fail ends cleanly and acks nothing."""
    run, index, letters = _run(_Directory(out=10**9))
    run.wait(lambda: run.progress.outage is not None)
    assert "customers" in str(run.progress.outage)
    run.writer.close()
    assert (run.acks, index.kept, letters.letters, run.writer.fault) == ([], [], [], None)
    assert not run.writer.hangs, "the batch that waits for the directory is given up"


def test_a_directory_that_hangs_blocks_neither_submit_nor_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a directory that hangs, `submit` returns at once and `close` times out."""
    monkeypatch.setattr("stream.writer._CLOSE_S", 0.1)
    directory = _Directory()
    directory.answers.clear()
    run, index, _letters = _run(directory)
    run.wait(lambda: directory.asked == 1)
    run.writer.close()
    assert run.writer.hangs
    directory.answers.set()
    assert (run.acks, index.kept) == ([], [])


def test_a_directory_that_breaks_stops_the_worker() -> None:
    """An error other than an outage stops the worker, acks nothing, and its message quotes no ticket."""
    run, index, letters = _run(_Directory(out=1, error=KeyError("C-1")))
    run.wait(lambda: run.writer.fault is not None)
    run.writer.close()
    assert str(run.writer.fault) == "enrich failed: KeyError"
    assert (run.acks, index.kept, letters.letters) == ([], [], [])


def test_lookups_need_a_customers_file(tmp_path: Path) -> None:
    """Without the setting there is no lookup; with it, lookups follow the chunks, and a missing file is an error."""
    assert lookup_steps(Settings()) == []
    file = tmp_path / "customers.jsonl"
    settings = Settings(enrich=EnrichSettings(customers_file=file))
    with pytest.raises(ConfigError, match="TICKETS_ENRICH__CUSTOMERS_FILE: can't read"):
        lookup_steps(settings)
    file.write_text("")
    names = [step.name for step in ticket_steps(settings, HashingEmbedder())]
    assert names == ["decode", "clean", "redact", "language", "chunk", "enrich", "embed", "classify", "points", "terms"]

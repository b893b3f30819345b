"""Training a label model, from labelled tickets to a worker that uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from connectors.qdrant.open import open_index_for_writing
from core.contract import record_key
from core.errors import ConfigError
from core.model_settings import ClassifySettings
from core.records import Batch, Item, Origin, Record, TicketPoints
from core.settings import IndexSettings, Settings
from maintenance.training import LabelledTickets, embed_labelled, judge_model, read_labelled, train
from models.labels.artefact import save_label_model
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from stream.steps import run_step
from stream.telemetry import StreamTelemetry
from synthetic.tickets import examples

pytest.importorskip("sklearn")

EMBEDDER = HashingEmbedder()
_TOPICS = ("card_lost", "refund_missing", "login_failed")
_WORDS = {
    "card_lost": ["my card is lost", "card stolen in the street", "I lost the card", "the card is gone"],
    "refund_missing": ["where is my refund", "refund has not arrived", "no refund yet", "the refund is missing"],
    "login_failed": ["cannot log in", "login fails with an error", "the login page rejects me", "no login today"],
}


def _record(number: int, **event: object) -> Record:
    whole = {
        "op": "upsert",
        "tenant_id": "acme",
        "ticket_id": str(number),
        "version": 1,
        "created_at": 1_700_000_000_000,
        "updated_at": 1_700_000_000_000,
        **event,
    }
    key = record_key("acme", str(whole["ticket_id"]))
    return Record(Origin("file", 0, number), key, json.dumps(whole).encode(), 1_700_000_000_000)


def _records(count: int, *, labelled: bool = True) -> Iterator[Record]:
    for number in range(count):
        topic = _TOPICS[number % 3]
        body = f"{_WORDS[topic][number // 3 % 4]}, order {number}"
        labels = {"category": topic} if labelled else {}
        yield _record(number, body=body, **labels)


def _embedded(records: Iterator[Record], most: int = 1_000) -> LabelledTickets:
    return embed_labelled(records, Settings(), EMBEDDER, most=most)


def test_a_worker_labels_what_it_was_trained_on(tmp_path: Path) -> None:
    """The trained model, set in a worker's settings, labels new tickets, and each names the model."""
    trained = train(_embedded(_records(240)), precision=0.9, on_fit=lambda *_fit: None)
    manifest = save_label_model(tmp_path, trained.heads, {"category": 240}, model=EMBEDDER.stamp, precision=0.9)
    assert trained.left_out.keys() == {"priority"}
    steps = ticket_steps(Settings(classify=ClassifySettings(model=str(tmp_path))), EMBEDDER)
    batch: Batch[Item] = Batch(tuple(_records(30, labelled=False)))
    for step in steps:
        batch = run_step(step, batch, StreamTelemetry())
    payloads = [item.points[0].payload for item in batch.items if isinstance(item, TicketPoints)]
    assert [payload.get("category") for payload in payloads] == [_TOPICS[n % 3] for n in range(30)]
    assert {payload.get("label_model") for payload in payloads} == {manifest.stamp}


def test_training_embeds_a_ticket_as_a_worker_does() -> None:
    """The vector of a labelled ticket is that of its first point."""
    record = _record(1, subject="Card", body="<p>my card, mail ada@example.com</p>", category="card")
    batch: Batch[Item] = Batch((record,))
    for step in ticket_steps(Settings(), EMBEDDER):
        batch = run_step(step, batch, StreamTelemetry())
    (item,) = batch.items
    assert isinstance(item, TicketPoints)
    vector = item.points[0].vector
    assert vector is not None
    assert np.array_equal(_embedded(iter([record])).vectors[0], vector)


def test_only_the_newest_version_of_a_labelled_ticket_counts() -> None:
    """Older versions, deleted tickets and tickets without labels are left out; bad lines are counted and named."""
    records = [
        _record(1, ticket_id="1", version=2, body="card lost", category="new"),
        _record(2, ticket_id="1", version=1, body="card lost", category="old"),
        _record(3, ticket_id="2", body="refund"),
        _record(4, ticket_id="3", body="login", category="gone"),
        _record(5, ticket_id="3", version=2, op="delete"),
        _record(6, ticket_id="4", body="login", category=7),
    ]
    found = _embedded(iter(records))
    assert found.labels == {"category": ["new"], "priority": [None]}
    assert found.rejected == 1
    assert found.reason.startswith("file:6: ")


def test_a_sample_is_the_same_every_time() -> None:
    """Of more tickets than wanted, a sample is taken that doesn't depend on their order."""
    first = _embedded(_records(60), most=20)
    again = _embedded(iter(list(_records(60))[::-1]), most=20)
    assert len(first.vectors) == 20
    assert {v.tobytes() for v in first.vectors} == {v.tobytes() for v in again.vectors}
    assert len(set(first.labels["category"])) > 1


def test_the_producers_labels_of_an_index_are_read(tmp_path: Path) -> None:
    """Only producers' labels are used for training: the model's own would repeat its mistakes."""
    settings = Settings(index=IndexSettings(path=tmp_path / "index"), classify=_by_examples(tmp_path))
    batch: Batch[Item] = Batch((*_records(6), _record(50, body="my card is lost", priority="high")))
    for step in ticket_steps(settings, EMBEDDER):
        batch = run_step(step, batch, StreamTelemetry())
    index = open_index_for_writing(settings.index, dimension=EMBEDDER.dimension, model=EMBEDDER.stamp)
    points = [item for item in batch.items if isinstance(item, TicketPoints)]
    assert {point.points[0].payload.get("category") for point in points} == {*_TOPICS}
    index.write(points)
    found = read_labelled(index, most=100, dimension=EMBEDDER.dimension)
    index.close()
    assert sorted(str(label) for label in found.labels["category"]) == sorted([*_TOPICS, *_TOPICS, "None"])
    assert [label for label in found.labels["priority"] if label] == ["high"]
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)


def _by_examples(folder: Path) -> ClassifySettings:
    rows = [{"text": text, "category": topic, "priority": "low"} for topic in _TOPICS for text in _WORDS[topic]]
    (folder / "examples.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ClassifySettings(examples_file=folder / "examples.jsonl", min_confidence=0.3)


def test_nothing_to_train_on_is_one_line() -> None:
    """Without enough labelled tickets of any kind, the error says how many each kind has."""
    with pytest.raises(ConfigError, match=r"^category: 0 labelled .*; priority: 0 labelled ticket.s. are too few"):
        train(_embedded(iter([])), precision=0.9, on_fit=lambda *_fit: None)


def test_a_model_is_judged_by_other_tickets() -> None:
    """A label unknown to the model counts as wrong, and a kind without tickets has no report."""
    trained = train(_embedded(_records(240)), precision=0.9, on_fit=lambda *_fit: None)
    strange = [_record(n, body="my card is lost", category="unknown") for n in range(5)]
    found = judge_model(trained.heads, _embedded(iter(strange)))
    assert found["category"].accuracy == 0
    assert judge_model(trained.heads, _embedded(iter([]))) == {}


def test_the_synthetic_examples_can_be_trained_on() -> None:
    """Both kinds are fitted to the demo's examples."""
    rows = examples(per_topic=8)
    vectors = EMBEDDER.embed([row.text for row in rows])
    tickets = LabelledTickets(
        vectors,
        [None] * len(rows),
        {"category": [row.category for row in rows], "priority": [row.priority for row in rows]},
    )
    trained = train(tickets, precision=0.8, on_fit=lambda *_fit: None)
    assert trained.heads.keys() == {"category", "priority"}
    assert trained.reports["category"].accuracy > 0.5

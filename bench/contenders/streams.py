"""Measures the way from a backlog on a real broker to a searchable index, and the bare model on the same passages.

The runner sets broker, topics, group and a folder in the environment.
"""

import json
import time
import uuid
from typing import Final

import bytewax.operators as op
import qdrant_edge as edge
from bytewax.connectors.kafka import KafkaError, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from prometheus_client import CollectorRegistry

from bench.contenders.encoders import Tokens, load
from bench.corpus import passages
from bench.job import Clock, Job, Measured, answer
from core.environment import load_settings
from core.records import Batch, Item
from models.open import precision_of
from stream.compose import open_pipeline

_LOOK_S: Final = 0.05


def _model(job: Job) -> Measured:
    """Embed the passages from memory, in windows as large as the pipeline's."""
    settings, tokens, clock = load_settings(), Tokens(), Clock()
    embedder = load(precision_of(settings.model), tokens)
    by_ticket, most = passages(job.tickets, embedder), settings.writer.max_batch_records
    windows = [
        list(dict.fromkeys(text for ticket in by_ticket[start : start + most] for text in ticket))
        for start in range(0, job.tickets, most)
    ]
    embedder.embed(windows[0])
    tokens.count = 0
    with clock.measure():
        for window in windows:
            embedder.embed(window)
    return clock.measured(tickets=job.tickets, texts=sum(map(len, windows)), tokens=tokens.count)


def _pipeline(job: Job) -> Measured:
    """Our pipeline, from the first poll that returns records to the last ack."""
    running, clock, looked, began = open_pipeline(load_settings()), Clock(), 0.0, False
    registry = running.telemetry.registry
    while True:
        if time.perf_counter() - looked > _LOOK_S:
            looked = time.perf_counter()
            if _sum(registry, "tickets_acked_total") >= job.tickets:
                break
        batch: Batch[Item] | None = running.poll()
        if batch is None:
            continue
        if not began:
            began = True
            clock.start()
        for step in running.steps:
            batch = running.run_step(step, batch)
        running.submit(batch)
    clock.stop()
    tokens, texts = _sum(registry, "tickets_model_tokens_total"), 0
    running.stop()
    while not running.finished:
        running.poll()
    running.close()
    return clock.measured(tickets=job.tickets, texts=texts, tokens=int(tokens))


class _Upserter(StatelessSinkPartition[edge.Point]):
    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard

    def write_batch(self, items: list[edge.Point]) -> None:
        for point in items:
            self._shard.update(edge.UpdateOperation.upsert_points([point]))


class _UpsertSink(DynamicSink[edge.Point]):
    """Writes one point at a time."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> _Upserter:
        return _Upserter(self._shard)


def _naive(_job: Job) -> Measured:
    """A tutorial-style Bytewax flow: one text and one upsert at a time, and no recovery after a crash."""
    settings, tokens, clock = load_settings(), Tokens(), Clock()
    embedder = load(precision_of(settings.model), tokens)
    settings.index.path.mkdir(parents=True)
    shard = edge.EdgeShard.create(
        str(settings.index.path / "naive"),
        edge.EdgeConfig(
            vectors={"text": edge.EdgeVectorParams(size=embedder.dimension, distance=edge.Distance.Cosine)}
        ),
    )

    def embed(
        message: KafkaSourceMessage[bytes | None, bytes | None] | KafkaError[bytes | None, bytes | None],
    ) -> edge.Point:
        assert isinstance(message, KafkaSourceMessage)
        if not clock.running:
            clock.start()
        ticket = json.loads(message.value or b"")
        text = f"{ticket['subject']}\n{ticket['body']}"
        vector = embedder.embed([text])[0]
        return edge.Point(
            str(uuid.uuid4()), {"text": vector.tolist()}, {"ticket_id": ticket["ticket_id"], "text": text}
        )

    flow = Dataflow("naive")
    source = KafkaSource([settings.kafka.brokers], [settings.topics.raw], tail=False, batch_size=100)
    op.output("write", op.map("embed", op.input("read", flow, source), embed), _UpsertSink(shard))
    run_main(flow)  # type: ignore[no-untyped-call]
    clock.stop()
    written = shard.count(edge.CountRequest(exact=True))
    return clock.measured(tickets=written, texts=written, tokens=tokens.count)


def _sum(registry: CollectorRegistry, name: str) -> float:
    """Sum of one metric over its labels; collecting all metrics would take a millisecond."""
    families = registry.restricted_registry([name]).collect()
    return float(sum(s.value for family in families for s in family.samples if s.name == name))


CONTENDERS: Final = {
    "the bare model": _model,
    "ticketstream": _pipeline,
    "a naive Bytewax flow": _naive,
}

if __name__ == "__main__":
    answer(CONTENDERS)

"""Tutorial-style pipelines of other libraries from a broker to an index: nothing of ours is imported here.

They write to the same embedded engine as our pipeline; a server would be slower.
"""

import json
import os
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

import qdrant_edge as edge
from encoders import answer, count_tokens, fastembed, require_same, sentence_transformers

_BATCH = 256


class _EnoughError(Exception):
    """Raised to stop a flow that never ends."""


class Target:
    """A new index that records the time of the first text and of the last point."""

    def __init__(self, dimension):
        vectors = {"text": edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)}
        folder = Path(tempfile.mkdtemp()) / "index"
        folder.mkdir()
        self._shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
        self.texts, self.upserted, self.began, self.seconds = [], 0, None, 0.0

    def text(self, value):
        """The text of a ticket."""
        if self.began is None:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        ticket = json.loads(value)
        self.texts.append(f"{ticket['subject']}\n{ticket['body']}")
        return self.texts[-1]

    def upsert(self, texts, vectors):
        """Upsert with random ids, as the tutorials do."""
        points = [
            edge.Point(str(uuid.uuid4()), {"text": [float(x) for x in vector]}, {"text": text})
            for text, vector in zip(texts, vectors, strict=True)
        ]
        self._shard.update(edge.UpdateOperation.upsert_points(points))
        self.upserted += len(points)
        self.seconds, self.cpu_seconds = time.perf_counter() - self.began, time.process_time() - self.cpu

    def row(self, shared):
        """The result of the run."""
        tokens = count_tokens(shared, self.texts[: self.upserted])
        counts = {"tickets": self.upserted, "texts": self.upserted, "tokens": tokens}
        return {**counts, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


def _bytewax(job, shared):
    """A flow with one text and one upsert at a time."""
    import bytewax.operators as op
    from bytewax.connectors.kafka import KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.outputs import DynamicSink, StatelessSinkPartition
    from bytewax.testing import run_main

    model = sentence_transformers(shared)
    require_same(model.encode, shared)
    target = Target(len(shared["vectors"][0]))

    def embed(message):
        text = target.text(message.value)
        return text, model.encode(text)

    class Upsert(StatelessSinkPartition):
        def write_batch(self, items):
            for text, vector in items:
                target.upsert([text], [vector])
                if target.upserted >= job["tickets"]:
                    raise _EnoughError

    class Sink(DynamicSink):
        def build(self, _step_id, _worker_index, _worker_count):
            return Upsert()

    flow = Dataflow("naive")
    source = KafkaSource([os.environ["TICKETS_KAFKA__BROKERS"]], ["tickets.raw"], tail=False, batch_size=100)
    op.output("write", op.map("embed", op.input("read", flow, source), embed), Sink())
    with suppress(Exception):  # Bytewax wraps _EnoughError
        run_main(flow)
    assert target.upserted == job["tickets"]
    return target.row(shared)


def _loop(job, shared):
    """A consumer loop with auto-commit that uploads every batch as it was read."""
    from confluent_kafka import Consumer

    model = fastembed(shared)
    target = Target(len(shared["vectors"][0]))
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["TICKETS_KAFKA__BROKERS"],
            "group.id": f"loop-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["tickets.raw"])
    while len(target.texts) < job["tickets"]:
        messages = [m for m in consumer.consume(_BATCH, 1.0) if m.error() is None]
        if messages:
            texts = [target.text(message.value()) for message in messages]
            target.upsert(texts, model.embed(texts))
    consumer.close()
    return target.row(shared)


CONTENDERS = {
    "Bytewax, sentence-transformers one by one": _bytewax,
    "a loop with fastembed and uploads": _loop,
}

if __name__ == "__main__":
    answer(lambda job, shared: CONTENDERS[job["contender"]](job, shared))

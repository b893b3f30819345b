"""What is asked, and of whom."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.suite import GPU_PYTHON, Figure, Suite

_FOREIGN: Final = Path(__file__).parent / "contenders" / "foreign"
_LOADS: Final = "bench.contenders.loads"
_INDEXES: Final = "bench.contenders.indexes"
_INDEX_FIGURES: Final = (
    Figure("points", "points"),
    Figure("writes", "tickets written/s"),
    Figure("searches", "searches/s"),
    Figure("p50", "search p50, ms", 2, plotted=True),
    Figure("p95", "search p95, ms", 2, plotted=True),
    Figure("open", "opening, s", 2),
    Figure("mib", "on disk, MiB"),
)

_EMBED: Final = Suite(
    name="embed",
    question="How fast do texts become vectors, against what one would otherwise pick?",
    module="bench.contenders.encoders",
    contenders=(
        "ours, int8",
        "ours, fp32",
        "our int8 graph, one by one",
        "our fp32 graph, one by one",
        "our fp32 graph, 32 as they come",
        "our fp32 graph, 256 as they come",
    ),
    reference="ours, int8",
    unit="texts",
    foreign=(
        "sentence-transformers, torch",
        "sentence-transformers, ONNX",
        "fastembed",
        "fastembed, batch 32",
        "fastembed, one by one",
    ),
    script=_FOREIGN / "encoders.py",
    note="All on the same weights, cut at the same length, with as many threads. fastembed runs the "
    "graph that sentence-transformers exports from them, as its own is on the model hub alone.",
)
_PIPELINE: Final = Suite(
    name="pipeline",
    question="How much of the bare model's speed is left from broker to searchable?",
    module="bench.contenders.streams",
    contenders=("the bare model", "ticketstream", "a naive Bytewax flow"),
    reference="the bare model",
    broker="backlog",
    in_tokens=True,
    foreign=("Bytewax, sentence-transformers one by one", "a loop with fastembed and uploads"),
    script=_FOREIGN / "streams.py",
    foreign_tickets=500,
    note="The last three embed subject and first message of a ticket alone, and keep no promise: no redaction, no "
    "versions, nothing acked after it is durable. The naive flow uses our int8 graph, a text at a time; the two after "
    "it use the libraries as their tutorials do.",
)
_LATENCY: Final = Suite(
    name="latency",
    question="How old is a ticket when it becomes searchable, and how long does an answer take meanwhile?",
    module=_LOADS,
    contenders=("a backlog", "10 % of its rate", "50 % of its rate", "90 % of its rate", "120 % of its rate"),
    reference="a backlog",
    broker="empty",
    figures=(
        Figure("offered", "tickets/s offered"),
        Figure("p50", "freshness p50, ms", plotted=True),
        Figure("p95", "p95", plotted=True),
        Figure("p99", "p99", plotted=True),
        Figure("search p50", "search p50, ms", 1),
        Figure("search p95", "p95", 1),
        Figure("idle p95", "idle p95", 1),
        Figure("search ratio", "search p95 ÷ idle", 2),
    ),
    axis="freshness in milliseconds",
    note="Tickets come at random moments and don't wait for the worker; freshness counts from the moment a ticket is "
    "due until it is durable and searchable. Broker, producer and ten questions a second share the machine's cores, "
    "also while the backlog is measured whose rate the others are shares of.",
)
_SCALE: Final = Suite(
    name="scale",
    question="Do two tasks on two cores do twice the work of one on one?",
    module=_LOADS,
    contenders=("one task on one core", "two tasks on two cores"),
    reference="one task on one core",
    broker="empty",
    note="Both of one consumer group, each with an index of its own. The broker shares the cores.",
)


def growth(sizes: Sequence[int]) -> Suite:
    """The suite of an index that grows to these sizes, in points."""
    names = tuple(f"{size:,} points" for size in sizes)
    return msgspec.structs.replace(_GROWTH, contenders=names, reference=names[0])


_GROWTH: Final = Suite(
    name="growth",
    question="What does an embedded index cost as it grows?",
    module=_INDEXES,
    contenders=("10,000 points", "100,000 points", "1,000,000 points"),
    reference="10,000 points",
    figures=_INDEX_FIGURES,
    axis="milliseconds of a search",
    note="Ten tenants; a search reads every vector of one. Written are batches of 256 tickets, each durable.",
    heavy=True,
)
_INDEX: Final = Suite(
    name="index",
    question="How many tickets are written and questions answered a second, embedded and by a server?",
    module=_INDEXES,
    contenders=("embedded", "server"),
    reference="embedded",
    figures=_INDEX_FIGURES,
    axis="milliseconds of a search",
    note="Ten tenants; batches of 256 tickets, each durable. A server is measured where TICKETS_TEST_QDRANT_URL names "
    "one.",
)
_ENRICH: Final = Suite(
    name="enrich",
    question="How many tickets a second does one core take through each operator?",
    module="bench.contenders.operators",
    contenders=("decode", "clean", "redact", "language", "enrich", "chunk", "classify", "points", "all of them"),
    reference="all of them",
)
_START: Final = Suite(
    name="start",
    question="How soon is a fresh process of use?",
    module="bench.contenders.starts",
    contenders=("first vector", "ready to read"),
    reference="first vector",
    broker="empty",
    figures=(Figure("seconds", "seconds", 2, plotted=True),),
    axis="seconds since the process was made",
)
_GPU: Final = Suite(
    name="gpu",
    question="How fast do texts become vectors on a GPU?",
    module="bench.contenders.encoders",
    contenders=("ours, fp16 on the GPU", "ours, fp32 on the GPU", "ours, on the CPU beside it"),
    reference="ours, fp16 on the GPU",
    unit="texts",
    foreign=("sentence-transformers, fp16 on the GPU",),
    script=_FOREIGN / "encoders.py",
    python=GPU_PYTHON,
    heavy=True,
)

_STAGES: Final = Suite(
    name="stages",
    question="What does it cost to run the stream in two stages?",
    module="bench.contenders.stages",
    contenders=(
        "the embedding stage alone, on a core",
        "the enrichment stage alone, on a core",
        "two stages, on a core each",
        "one process, on a core",
        "one process, on two cores",
    ),
    reference="the embedding stage alone, on a core",
    broker="empty",
    figures=(
        Figure("rate", "tickets/s", plotted=True),
        Figure("of embedding", "÷ embedding alone", 2),
        Figure("p50", "freshness p50 at 20/s, ms"),
        Figure("p95", "p95"),
        Figure("raw", "bytes a record, raw"),
        Figure("enriched", "enriched"),
        Figure("embedded", "embedded"),
    ),
    axis="tickets per second",
    note="The broker shares the cores. Bytes are those of key, value and headers, not compressed.",
)

SUITES: Final = {
    suite.name: suite
    for suite in (_EMBED, _PIPELINE, _LATENCY, _SCALE, _STAGES, _INDEX, _GROWTH, _ENRICH, _START, _GPU)
}

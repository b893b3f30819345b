"""The benchmark suites."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.quality import ANSWERS, FINDING, LABELS
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
    Figure("open", "time to open, s", 2),
    Figure("mib", "on disk, MiB"),
)

_EMBED: Final = Suite(
    name="embed",
    question="How fast are texts embedded, compared with common alternatives?",
    module="bench.contenders.encoders",
    contenders=(
        "ours, int8",
        "ours, fp32",
        "our int8 graph, one by one",
        "our fp32 graph, one by one",
        "our fp32 graph, batches of 32, unsorted",
        "our fp32 graph, batches of 256, unsorted",
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
    note="All contenders use the same weights, truncation and number of threads. fastembed runs the graph that "
    "sentence-transformers exports from them, because its own graph is only on the model hub.",
)
_PIPELINE: Final = Suite(
    name="pipeline",
    question="How does the throughput from broker to searchable compare with the model alone?",
    module="bench.contenders.streams",
    contenders=("the bare model", "ticketstream", "a naive Bytewax flow"),
    reference="the bare model",
    broker="backlog",
    in_tokens=True,
    foreign=("Bytewax, sentence-transformers one by one", "a loop with fastembed and uploads"),
    script=_FOREIGN / "streams.py",
    foreign_tickets=500,
    note="The last three embed only a ticket's subject and first message, and give no guarantees: no redaction, no "
    "versions, and acks before the data is durable. The naive flow uses our int8 graph, one text at a time; the two "
    "after it use the libraries as their tutorials do. Whatever is sent, our worker takes at most 600 MiB: "
    "docs/reliability.md, Memory.",
)
_LATENCY: Final = Suite(
    name="latency",
    question="How old is a ticket when it becomes searchable, and how long does a search take meanwhile?",
    module=_LOADS,
    contenders=(
        "a saturating load",
        "10 % of saturation",
        "50 % of saturation",
        "90 % of saturation",
        "120 % of saturation",
    ),
    reference="a saturating load",
    broker="empty",
    figures=(
        Figure("offered", "tickets/s offered"),
        Figure("acked", "acked at saturation"),
        Figure("p50", "freshness p50, ms", plotted=True),
        Figure("p95", "p95", plotted=True),
        Figure("p99", "p99", plotted=True),
        Figure("search p50", "search p50, ms", 1),
        Figure("search p95", "p95", 1),
        Figure("idle p95", "idle p95", 1),
        Figure("search ratio", "search p95 ÷ idle", 2),
    ),
    axis="freshness in milliseconds",
    note="Tickets arrive at random times (a Poisson process) whether or not the worker keeps up. Freshness counts from "
    "the time a ticket is due until it is durable and searchable. Broker, producer and ten searches a second share the "
    "machine's cores, also under the saturating load; the other loads are percentages of its rate.",
)
_SCALE: Final = Suite(
    name="scale",
    question="Does throughput double from one task on one core to two tasks on two cores?",
    module=_LOADS,
    contenders=("one task on one core", "two tasks on two cores"),
    reference="one task on one core",
    broker="empty",
    note="Both tasks are in one consumer group, and each has an index of its own. The broker shares the cores.",
)


def growth(sizes: Sequence[int]) -> Suite:
    """The suite of an index that grows to these sizes, in points."""
    names = tuple(f"{size:,} points" for size in sizes)
    return msgspec.structs.replace(_GROWTH, contenders=names, reference=names[0])


_GROWTH: Final = Suite(
    name="growth",
    question="What does an embedded index cost as it grows, before and after its vectors are indexed?",
    module="bench.contenders.growth",
    contenders=("10,000 points", "100,000 points", "1,000,000 points"),
    reference="10,000 points",
    figures=(
        Figure("points", "points"),
        Figure("p50 before", "search p50 before, ms", 2, plotted=True),
        Figure("p50", "after, ms", 2, plotted=True),
        Figure("p95", "p95 after, ms", 2),
        Figure("both before", "by meaning and words before, ms", 2),
        Figure("both", "after, ms", 2),
        Figure("recall", "recall@10", 4),
        Figure("beside", "p95 beside writes ÷ alone", 2),
        Figure("rss before", "memory before, MiB"),
        Figure("rss", "after, MiB"),
        Figure("writes", "tickets written/s before"),
        Figure("writes after", "after"),
        Figure("build", "build, s"),
        Figure("build rss", "its memory, MiB"),
        Figure("worst", "longest search meanwhile, ms"),
        Figure("open", "time to open, s", 2),
        Figure("mib", "on disk, MiB"),
    ),
    axis="milliseconds of a search",
    note="Ten tenants. Vectors are made up, in clusters as those of real texts; recall is the share of the ten nearest "
    "vectors, compared one by one, that a search finds. Before, a search compares every vector of one tenant. Memory "
    "is that of a process that has opened the index and searched 400 times, with the files' pages that it used. Beside "
    "writes, 500 tickets a second are written in batches of 256, each durable.",
    heavy=True,
)
_INDEX: Final = Suite(
    name="index",
    question="How many tickets per second are written and searches answered, embedded and with a server?",
    module=_INDEXES,
    contenders=("embedded", "server"),
    reference="embedded",
    figures=_INDEX_FIGURES,
    axis="milliseconds of a search",
    note="Ten tenants; batches of 256 tickets, each durable. A server is measured if TICKETS_TEST_QDRANT_URL names "
    "one.",
)
_ENRICH: Final = Suite(
    name="enrich",
    question="How many tickets per second does each operator process on one core?",
    module="bench.contenders.operators",
    contenders=("decode", "clean", "redact", "language", "chunk", "classify", "points", "all of them"),
    reference="all of them",
)
_START: Final = Suite(
    name="start",
    question="How long does a process take to start?",
    module="bench.contenders.starts",
    contenders=("first vector", "ready to read"),
    reference="first vector",
    broker="empty",
    figures=(Figure("seconds", "seconds", 2, plotted=True),),
    axis="seconds since the start of the process",
)
_GPU: Final = Suite(
    name="gpu",
    question="How fast are texts embedded on a GPU?",
    module="bench.contenders.encoders",
    contenders=("ours, fp16 on the GPU", "ours, fp32 on the GPU", "ours, on the CPU beside it"),
    reference="ours, fp16 on the GPU",
    unit="texts",
    foreign=("sentence-transformers, fp16 on the GPU",),
    script=_FOREIGN / "encoders.py",
    python=GPU_PYTHON,
    heavy=True,
)

_ROLES: Final = Suite(
    name="roles",
    question="What does it cost to split the stream into two roles?",
    module="bench.contenders.roles",
    contenders=(
        "the embedding role alone, on one core",
        "the enrichment role alone, on one core",
        "both roles, on one core each",
        "one process, on one core",
        "one process, on two cores",
    ),
    reference="the embedding role alone, on one core",
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
    note="The broker shares the cores. Bytes are those of key, value and headers, before compression.",
)

_SERVING: Final = Suite(
    name="serving",
    question="How long does the RAG service take for an answer, and what does it answer while something fails?",
    module="bench.contenders.serving",
    contenders=(
        "one after another",
        "20 requests/s",
        "20 requests/s beside ingest",
        "index down",
        "worker gone",
        "Redis down",
        "Redis slow",
        "model throttled",
        "model timing out",
        "model cut mid-stream",
        "model sending garbage",
        "model endless",
        "clients that read slowly",
        "DynamoDB throttling",
    ),
    reference="one after another",
    unit="answers",
    broker="empty",
    figures=(
        Figure("rate", "requests/s", 1),
        Figure("ingest", "tickets written/s"),
        Figure("p50", "answer p50, ms", 1, plotted=True),
        Figure("p95", "answer p95, ms", 1, plotted=True),
        Figure("first p50", "first event p50, ms", 1, plotted=True),
        Figure("first p95", "first event p95, ms", 1, plotted=True),
        Figure("refused", "refused"),
        Figure("typed", "typed answers in time", 3),
        Figure("answered", "answered in the outage", 3),
        Figure("recovery", "recovery, s", 1),
    ),
    axis="milliseconds from when a request is due",
    note="Extractive answers over HTTP, each to a question of its own; worker, broker, service and client share the "
    "cores. In the rows that name a fault, 10 requests/s are due for 40 s, and the fault lasts from second 5 to 20. "
    "Figures are of the requests since it began. A typed answer is an answer or a problem document, complete within "
    "7.5 s: the service's timeout of 5 s, and the wait for its turn. Recovery is the time from the end of the fault "
    "until every answer is as before, without a degraded one. DynamoDB throttles the ticket API; everything else is "
    "needed by the RAG service.",
)

_SEARCH: Final = Suite(
    name="search",
    question="How long does a search by meaning and words take among 30,000 passages?",
    module="bench.contenders.searches",
    contenders=("before indexing", "as a worker keeps it"),
    reference="as a worker keeps it",
    figures=(
        Figure("passages", "passages"),
        Figure("own", "of the tenant"),
        Figure("p50", "p50, ms", 2, plotted=True),
        Figure("p95", "p95, ms", 2, plotted=True),
        Figure("cpu", "CPU a search, ms", 2),
        Figure("whole", "p50 with the model, ms", 2),
        Figure("beside", "p95 beside writes, ms", 2),
        Figure("ratio", "÷ alone", 2),
    ),
    axis="milliseconds of a search",
    corpus="hadoop",
    note="The whole plan, without embedding the question: both retrievals, fusion, ranking and explanation. Hadoop's "
    "2,503 issues once for each of six tenants; subjects of duplicates and identifiers ask in each tenant in turn. A "
    "worker indexes from 20,000 points on. Beside writes, 500 tickets a second are written in batches of 256, each "
    "durable. Skipped without ../shared/data.",
)

SUITES: Final = {
    suite.name: suite
    for suite in (
        _EMBED,
        _PIPELINE,
        _LATENCY,
        _SCALE,
        _ROLES,
        _INDEX,
        _GROWTH,
        _ENRICH,
        _START,
        _SERVING,
        FINDING,
        _SEARCH,
        LABELS,
        ANSWERS,
        _GPU,
    )
}

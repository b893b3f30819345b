"""Runs contenders in interleaved rounds, so that noise of the machine affects all of them alike."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.corpus import synthetic_events, texts
from bench.job import Job, Measured
from bench.machine import Machine
from bench.suite import FOREIGN_PYTHON, GPU_PYTHON, Row, Suite
from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import Outgoing, open_sender
from core.environment import load_settings
from local.broker import start_broker
from models.open import artefact_folder, card_of, load_embedder, weights_folder
from models.store.artefact import GRAPH

_PARTITIONS: Final = 4
_TIMEOUT_S: Final = 3_600
_SAMPLE: Final = 64

#: Makes a run's environment from the run's number.
MakeEnvironment = Callable[[int], Mapping[str, str]]


class ContenderError(Exception):
    """A contender's process failed; the message is its last line of output."""


def run_suite(
    suite: Suite, job: Job, *, rounds: int, machine: Machine, started: Callable[[str, int], None]
) -> Iterator[Row]:
    """Yield rows as they are measured; a contender that can't run here is tried only once.

    Raises:
        ContenderError: a contender's process failed.
    """
    skipped: set[str] = set()
    with _environments(suite, job) as make_environment:
        for number in range(rounds if suite.repeats else 1):
            speed = 0.0
            for at, name in enumerate(suite.everyone):
                if name in skipped:
                    continue
                started(name, number)
                most = suite.foreign_tickets if name in suite.foreign else None
                tickets = job.tickets if most is None else min(most, job.tickets)
                asked = msgspec.structs.replace(job, contender=name, tickets=tickets, speed=speed)
                found = _run(suite, asked, make_environment(number * 100 + at))
                row = Row(suite.name, name, number, suite.corpus or job.corpus, machine)
                if isinstance(found, str):
                    skipped.add(name)
                    yield msgspec.structs.replace(row, skipped=found)
                    continue
                measured = found
                if name == suite.reference:
                    speed = measured.tickets / measured.seconds
                yield msgspec.structs.replace(row, measured=measured)


def run_once(suite: Suite, job: Job, environment: Mapping[str, str]) -> None:
    """Run one contender once, for its side effects.

    Raises:
        ContenderError: its process failed.
    """
    with _environments(suite, job) as make_environment:
        _run(suite, job, {**make_environment(0), **environment})


def _run(suite: Suite, job: Job, environment: Mapping[str, str]) -> Measured | str:
    """The result, or the reason why the contender can't run here."""
    python, what = suite.python or Path(sys.executable), ["-m", suite.module]
    if job.contender in suite.foreign:
        python, what = FOREIGN_PYTHON, [str(suite.script)]
    if not python.exists():
        make = "make bench-gpu" if python == GPU_PYTHON else "make bench-contenders"
        return f"not installed; {make}"
    done = subprocess.run(
        [str(python), *what],
        input=msgspec.json.encode(job),
        env={**os.environ, **environment},
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.decode().strip().splitlines() or ["no output"])[-1]
        raise ContenderError(f"{suite.name}: {job.contender} failed: {last}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured | str)


@contextmanager
def _environments(suite: Suite, job: Job) -> Iterator[MakeEnvironment]:
    """The environment of each run: no logs, no cache, and for a stream a broker with a new group, topic and index."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="ticketstream-bench-")))
        fixed = {
            "TICKETS_HEALTH__PORT": "0",
            "TICKETS_LOG__LEVEL": "error",
            "TICKETS_MODEL__VECTOR_CACHE_TEXTS": "0",  # texts that repeat would be free
            # The local broker answers a fetch after fetch.wait.max.ms, even if data is there before.
            "TICKETS_KAFKA__EXTRA": '{"fetch.wait.max.ms": "20"}',
        }
        if suite.foreign:
            shared = folder / "texts.json"
            shared.write_bytes(_shared(job))
            fixed |= {"BENCH_SHARED": str(shared), "TQDM_DISABLE": "1"}
        if suite.broker != "none":
            broker = opened.enter_context(start_broker())
            os.environ["TICKETS_KAFKA__BROKERS"] = broker.address
            _create_topics()
        if suite.broker == "backlog":
            _produce(job.tickets)
        yield lambda number: {
            **fixed,
            "TICKETS_KAFKA__GROUP": f"bench-{number}",
            "TICKETS_INDEX__PATH": str(folder / f"index-{number}"),
        }


def _shared(job: Job) -> bytes:
    """JSON for a contender without our code: texts, weights, and sample vectors to compare its own with."""
    settings = load_settings().model.model_copy(update={"precision": "fp32"})
    embedder = load_embedder(settings)
    found = texts(job.corpus, job.tickets, embedder)
    return msgspec.json.encode(
        {
            "texts": found,
            "vectors": embedder.embed(found[:_SAMPLE]).tolist(),
            "weights": str(weights_folder(settings)),
            "graph": str(artefact_folder(settings) / GRAPH),
            "max_length": card_of(settings).max_length,
            "threads": len(os.sched_getaffinity(0)),
        }
    )


def _create_topics() -> None:
    settings = load_settings()
    cluster = open_cluster(settings.kafka)
    for topic in (settings.topics.raw, settings.topics.dlq):
        cluster.create_topic(topic, partitions=_PARTITIONS, replication=1, config={})


def _produce(tickets: int) -> None:
    settings = load_settings()
    sender = open_sender(settings.kafka)
    sender.send([Outgoing(settings.topics.raw, e.key, e.value, e.headers) for e in synthetic_events(tickets)])
    sender.close()

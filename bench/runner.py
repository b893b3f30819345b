"""Interleaved rounds: every contender once, then every one again, so that a noisy machine disturbs all alike."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench.corpus import synthetic_events, texts
from bench.job import Job, Measured
from bench.machine import Machine
from connectors.broker import start_broker
from connectors.kafka.admin import Cluster
from connectors.kafka.producer import Outgoing, open_sender
from core.settings import load_settings
from models.artefact import GRAPH
from models.catalogue import find_card
from models.load import artefact_folder, load_embedder, weights_folder

_PARTITIONS: Final = 4
_TIMEOUT_S: Final = 1_800
#: Libraries whose pins contradict ours: `make bench-contenders`.
_FOREIGN_PYTHON: Final = Path(".contenders/bin/python")
_FOREIGN: Final = Path(__file__).parent / "contenders" / "foreign.py"
_SAMPLE: Final = 64

#: The environment of a contender's run, given its number.
Setting = Callable[[int], Mapping[str, str]]


class Suite(Struct, frozen=True):
    """A question, and who answers it.

    Attributes:
        module: the process, run with a `Job`.
        reference: the contender that the others are compared with.
        unit: what is counted per second: tickets or texts.
        streamed: the tickets lie on a broker.
        foreign: contenders in an environment of their own, for texts alone; they follow the others.
    """

    name: str
    question: str
    module: str
    contenders: tuple[str, ...]
    reference: str
    unit: str = "tickets"
    streamed: bool = False
    foreign: tuple[str, ...] = ()

    @property
    def everyone(self) -> tuple[str, ...]:
        """All contenders."""
        return self.contenders + self.foreign


class Row(Struct, frozen=True):
    """One run of one contender, or why there was none."""

    suite: str
    contender: str
    round: int
    corpus: str
    machine: Machine
    measured: Measured | None = None
    skipped: str = ""


class ContenderError(Exception):
    """A contender's process failed; the message is its last line."""


def run_suite(
    suite: Suite, job: Job, *, rounds: int, machine: Machine, started: Callable[[str, int], None]
) -> Iterator[Row]:
    """Rows as they are measured; a contender that can't run here is asked once.

    Raises:
        ContenderError: a contender's process failed.
    """
    skipped: set[str] = set()
    with _setting(suite, job) as setting:
        for number in range(rounds):
            for at, name in enumerate(suite.everyone):
                if name in skipped:
                    continue
                started(name, number)
                found = _run(suite, msgspec.structs.replace(job, contender=name), setting(number * 100 + at))
                row = Row(suite.name, name, number, job.corpus, machine)
                if "skipped" in found:
                    skipped.add(name)
                    yield msgspec.structs.replace(row, skipped=found["skipped"])
                else:
                    yield msgspec.structs.replace(row, measured=msgspec.convert(found, Measured))


def run_once(suite: Suite, job: Job, environment: Mapping[str, str]) -> None:
    """One contender, once, for what it leaves behind.

    Raises:
        ContenderError: its process failed.
    """
    with _setting(suite, job) as setting:
        _run(suite, job, {**setting(0), **environment})


def _run(suite: Suite, job: Job, environment: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", suite.module]
    if job.contender in suite.foreign:
        if not _FOREIGN_PYTHON.exists():
            return {"skipped": "not installed; make bench-contenders"}
        command = [str(_FOREIGN_PYTHON), str(_FOREIGN)]
    done = subprocess.run(
        command,
        input=msgspec.json.encode(job),
        env={**os.environ, **environment},
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.decode().strip().splitlines() or ["it says nothing"])[-1]
        raise ContenderError(f"{suite.name}: {job.contender} failed: {last}")
    found: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _setting(suite: Suite, job: Job) -> Iterator[Setting]:
    """Nothing but a quiet process; for a stream, a broker that holds the tickets, a fresh group and a fresh index."""
    quiet = {
        "TICKETS_HEALTH__PORT": "0",
        "TICKETS_LOG__LEVEL": "error",
        "TICKETS_MODEL__REMEMBERED_TEXTS": "0",  # speed, not luck
    }
    if suite.foreign:
        with tempfile.TemporaryDirectory(prefix="ticketstream-bench-") as folder:
            shared = Path(folder) / "texts.json"
            shared.write_bytes(_shared(job))
            yield lambda _number: {**quiet, "BENCH_TEXTS": str(shared), "TQDM_DISABLE": "1"}
        return
    if not suite.streamed:
        yield lambda _number: quiet
        return
    with tempfile.TemporaryDirectory(prefix="ticketstream-bench-") as folder, start_broker() as broker:
        os.environ["TICKETS_KAFKA__BROKERS"] = broker.address
        _produce(job.tickets)
        yield lambda number: {
            **quiet,
            "TICKETS_KAFKA__GROUP": f"bench-{number}",
            "TICKETS_INDEX__PATH": str(Path(folder) / f"index-{number}"),
        }


def _shared(job: Job) -> bytes:
    """What a contender without our code needs: texts, weights, and some vectors, to show that its own are the same."""
    settings = load_settings().model.model_copy(update={"precision": "fp32"})
    embedder = load_embedder(settings)
    found = texts(job.corpus, job.tickets, embedder)
    return msgspec.json.encode(
        {
            "texts": found,
            "vectors": embedder.embed(found[:_SAMPLE]).tolist(),
            "weights": str(weights_folder(settings)),
            "graph": str(artefact_folder(settings) / GRAPH),
            "max_length": find_card(settings.name).max_length,
            "threads": len(os.sched_getaffinity(0)),
        }
    )


def _produce(tickets: int) -> None:
    settings = load_settings()
    cluster = Cluster(settings.kafka)
    for topic in (settings.topics.raw, settings.topics.dlq):
        cluster.create_topic(topic, partitions=_PARTITIONS, replication=1, config={})
    sender = open_sender(settings.kafka)
    sender.send([Outgoing(settings.topics.raw, e.key, e.value, e.headers) for e in synthetic_events(tickets)])
    sender.close()

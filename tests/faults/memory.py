"""The memory of a worker with the default model: a trial, and a measurement by `python -m tests.faults.memory`.

The load is compressed tickets, long tickets with distinct passages, and searches with the largest limit.
"""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import pytest

from core.errors import UnavailableError
from core.index import MAX_HITS, SearchQuery
from core.model_settings import ModelSettings
from local.broker import start_broker
from models.open import load_embedder
from runtime.control import WorkerClient
from synthetic.tickets import SyntheticRecord, events
from tests.faults.arena import Arena, MakeArena
from tests.faults.fairness import owner_of
from tests.faults.oracle import require
from tests.faults.report import Report
from tests.faults.tickets import ticket
from tests.rigs.waiting import PATIENCE_S

#: MiB that a worker with the default model may take at most; with the hashing model of the other attacks it is
#: `crowd.CAP_MIB`.
MODEL_CAP_MIB: Final = 600
_SHORT: Final = 1_500
_LONG: Final = 6
_ASKERS: Final = 16
_QUESTIONS: Final = 64


def memory_of_the_default_model(make: MakeArena, rng: Random) -> None:
    """With the default model a worker stays below its bound: compressed and long tickets, beside large searches."""
    model = _require_model()
    with make(watched=False, producer={"compression.type": "zstd"}, MODEL__NAME=model) as arena:
        worker = arena.start()
        sent = [*events(_SHORT, seed=rng.randrange(10**6)), *_long(_LONG, 190_000)]
        arena.send(sent[:_SHORT])
        arena.await_committed(_SHORT // 2)
        with ThreadPoolExecutor(_ASKERS) as pool:
            asked = [pool.submit(_search, arena, n) for n in range(_QUESTIONS)]
            arena.send(sent[_SHORT:])
            answered = sum(one.result() for one in asked)
        arena.await_committed(len(sent))
        peak = arena.record_peak_memory(worker)
        arena.section.found("large searches answered", f"{answered} of {_QUESTIONS}")
        arena.section.found("peak memory, MiB", round(peak), bound=MODEL_CAP_MIB, kept=peak <= MODEL_CAP_MIB)
        require("harness", answered > 0, "no search was answered")
        require("P7", peak <= MODEL_CAP_MIB, f"{peak:.0f} MiB")
        arena.terminate(worker)


def _require_model() -> str:
    """The name of the default model. Skips without its weights."""
    settings = ModelSettings()
    try:
        load_embedder(settings)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    return settings.name


def _long(count: int, size: int) -> Iterator[SyntheticRecord]:
    """Tickets of `size` bytes whose passages all differ, so that none is in the vector cache."""
    for number in range(count):
        words = (f"The kettle {number}-{n} is broken, and its lid is lost. " for n in range(size // 50))
        yield ticket(f"long{number}", 1, body="".join(words)[: size - 1_000])


def _search(arena: Arena, number: int) -> bool:
    client = WorkerClient(owner_of(arena), timeout_s=PATIENCE_S)
    with suppress(UnavailableError):
        query = SearchQuery(tenant_id="acme", limit=MAX_HITS)
        return bool(client.search(f"a broken kettle {number} and its lost lid", query).hits)
    return False


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder, start_broker() as broker:
        for number in range(int((sys.argv[1:] or ["3"])[0])):
            section = Report(0).section("memory", "")

            def make(**arguments: object) -> Arena:
                return Arena(broker.address, Path(folder) / str(number), section, Random(number), **arguments)  # type: ignore[arg-type]  # noqa: B023

            memory_of_the_default_model(make, Random(number))
            print(*(f"{found.what}: {found.figure}" for found in section.findings), sep="; ", flush=True)


if __name__ == "__main__":
    _main()

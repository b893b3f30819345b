"""Trials of P15 and of file permissions: floods of passages and of connections, and the files of an index."""

import asyncio
import json
import resource
import stat
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final

from connectors.qdrant.lock import Owner, find_owner
from core.index import SearchQuery
from models.open import load_embedder
from runtime.control import WorkerClient
from search.result import RankedHit
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.world import WorkerProcess
from tests.faults.arena import Arena, MakeArena
from tests.faults.crowd import CAP_MIB
from tests.faults.oracle import require
from tests.faults.tickets import ticket
from tests.rigs.waiting import PATIENCE_S

#: The contract's settings in these attacks: a record has at most 200,000 bytes.
_LARGE: Final = 190_000
_FLOODS: Final = 5
_REAL: Final = 50
_WANTED: Final = 10
_QUESTION: Final = "refund for a broken kettle"
#: Limits in characters: of a passage, for each token, and of the excerpt in an answer.
_PER_TOKEN: Final = 16
_SHOWN: Final = 4_096
_SILENT: Final = 2_000
_ASKERS: Final = 1_000
#: Seconds to open all silent connections, to answer one of a thousand searches, and to answer a probe meanwhile.
_OPEN_S: Final = 20.0
_ANSWER_S: Final = 20.0
_PROBE_S: Final = 10.0


def flood_of_passages(make: MakeArena, rng: Random) -> None:
    """Five tickets with hundreds of similar passages and a word as long as a record don't hide other tickets."""
    del rng
    flood = (f"{_QUESTION} now. " * (_LARGE // len(f"{_QUESTION} now. ")))[:_LARGE]
    sent = [ticket(f"flood{n}", 1, body=flood) for n in range(_FLOODS)]
    sent += [ticket(f"real{n}", 1, body=f"{_QUESTION} of order {n}, which came without its lid") for n in range(_REAL)]
    sent += [ticket("word", 1, body=f"{_QUESTION} {'x' * (_LARGE - 100)}")]
    with make(watched=False, partitions=1) as arena:
        worker = arena.start()
        arena.send(sent)
        arena.await_committed(len(sent))
        hits = _search(arena, _WANTED)
        real = sum(hit.ticket_id.startswith("real") for hit in hits)
        arena.section.found("hits, and of them real tickets", f"{len(hits)}, {real}", bound=f"{_WANTED}, 5")
        require("P15", len({hit.ticket_id for hit in hits}) == _WANTED, f"{len(hits)} hits of {_WANTED}")
        require("P15", real >= _WANTED - _FLOODS, f"{real} real tickets among the hits")
        everything = _search(arena, 200)
        longest = max(len(hit.passage) for hit in everything)
        require("P15", len(everything) == len(sent), f"{len(everything)} hits of {len(sent)}")
        require("P15", longest <= _SHOWN + 1, f"an answer shows {longest} characters of a passage")
        _bound_peak(arena, worker)
        arena.drain()
        index = arena.open_index()
        texts = [str(payload["text"]) for payload, _vector, _terms in contents(index).values()]
        index.close()
        bound = _PER_TOKEN * load_embedder(arena.world.settings.model).max_tokens
        require("P15", max(map(len, texts)) <= bound, f"a passage of {max(map(len, texts))} characters is stored")
        arena.judge()


def _bound_peak(arena: Arena, worker: WorkerProcess) -> None:
    peak = arena.record_peak_memory(worker)
    arena.section.found("peak memory, MiB", round(peak), bound=CAP_MIB, kept=peak <= CAP_MIB)
    require("P15", peak <= CAP_MIB, f"{peak:.0f} MiB")


def _search(arena: Arena, limit: int) -> Sequence[RankedHit]:
    client = WorkerClient(owner_of(arena), timeout_s=PATIENCE_S)
    return client.search(_QUESTION, SearchQuery(tenant_id="acme", limit=limit)).hits


def owner_of(arena: Arena) -> Owner:
    owner = find_owner(arena.world.settings.index.path)
    assert owner is not None
    assert owner.address is not None
    return owner


def flood_of_connections(make: MakeArena, rng: Random) -> None:
    """With thousands of silent connections, a thousand searches at once are all answered, and so is /health."""
    with make(watched=False) as arena, _many_files():
        worker = arena.start()
        arena.send(list(events(100, seed=rng.randrange(10**6))))
        arena.await_committed(100)
        owner = owner_of(arena)
        assert owner.address is not None
        control = int(owner.address.rpartition(":")[2])
        crowd = asyncio.run(_crowd(control, int(worker.port), owner.token or ""))
        arena.section.found("silent connections", crowd.silent)
        arena.section.found("answers", ", ".join(f"{count} {what}" for what, count in sorted(crowd.answers.items())))
        arena.section.found("slowest answer, s", crowd.slowest_s, bound=_ANSWER_S)
        arena.section.found("slowest /health, s", crowd.probe_s, bound=_PROBE_S, kept=crowd.probe_s <= _PROBE_S)
        require("P15", worker.running, f"the worker has ended\n{worker.output()[-2_000:]}")
        others = {what: count for what, count in crowd.answers.items() if what not in {"200", "503 with Retry-After"}}
        require("P15", not others, f"searches without an answer: {others}")
        require("P15", crowd.answers["200"] > 0, "no search was answered")
        require("P15", crowd.probe_s <= _PROBE_S, f"/health took {crowd.probe_s:.1f} s")
        require("harness", crowd.silent >= _SILENT, f"only {crowd.silent} silent connections were opened in time")
        _bound_peak(arena, worker)
        arena.send(list(events(100, seed=rng.randrange(10**6))))
        arena.finish()


class _Crowd:
    """The results of a crowd of clients."""

    def __init__(self) -> None:
        self.silent = 0
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.probe_s = 0.0


@contextmanager
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65_536, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _crowd(control: int, health: int, token: str) -> _Crowd:
    """Open silent connections to both ports, some with half a request; then send all searches at once."""
    found, ended = _Crowd(), asyncio.Event()
    silent: list[asyncio.StreamWriter] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(_OPEN_S):
            # In twos, because a listener's queue is short.
            await asyncio.gather(*(_open_silent(port, silent) for port in (control, health)))
    found.silent = len(silent)
    probing = asyncio.create_task(_probe(health, found, ended))
    body = json.dumps({"text": _QUESTION, "query": {"tenant_id": "acme"}})
    asked = f"POST /search HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
    request = f"{asked}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    for answer, seconds in await asyncio.gather(*(_ask(control, request) for _ in range(_ASKERS))):
        found.answers[answer] += 1
        found.slowest_s = max(found.slowest_s, seconds)
    ended.set()
    await probing
    for writer in silent:
        writer.close()
    return found


async def _open_silent(port: int, opened: list[asyncio.StreamWriter]) -> None:
    for number in range(_SILENT):
        with suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
            if number % 4 == 0:
                writer.write(b"POST /search HTTP/1.1\r\nX: ")


async def _ask(port: int, request: bytes) -> tuple[str, float]:
    """The kind of the answer, and the seconds it took."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__, time.monotonic() - began
    status = answer.split(b" ", 2)[1].decode() if answer else "nothing"
    return status + (" with Retry-After" if b"\r\nRetry-After: " in answer else ""), time.monotonic() - began


async def _probe(port: int, found: _Crowd, ended: asyncio.Event) -> None:
    while not ended.is_set():
        status, seconds = await _ask(port, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found.probe_s = max(found.probe_s, seconds if status == "200" else _ANSWER_S)
        await asyncio.sleep(0.2)


def files_of_an_index(make: MakeArena, rng: Random) -> None:
    """Other users can't read the index's folder or a trace while the worker writes them."""
    with make() as arena:
        trace = arena.world.folder / "trace.json"
        arena.start(LOG__TRACE_FILE=str(trace))
        arena.send(list(events(100, seed=rng.randrange(10**6))))
        arena.await_committed(100)
        arena.await_answers(1)
        folder = arena.world.settings.index.path
        open_ = [path for path in (folder, *folder.rglob("*"), trace) if _open_to_others(path)]
        require("P15", not open_, f"other users may read {len(open_)} files, {open_[:1]} among them")
        arena.finish()


def _open_to_others(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except FileNotFoundError:  # the engine has just removed it
        return False

"""One contract for both adapters: the embedded engine, and a Qdrant server over a socket."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pytest

from connectors.index import policy
from connectors.index.engine import Condition, Upsert
from connectors.index.open import open_index
from connectors.index.policy import VersionedIndex
from core.errors import ConfigError, FatalError, TransientError, UnavailableError
from core.records import Point, SearchQuery, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, LAWS, MODEL, held, ticket, vector
from tests.rigs.qdrant_facade import Fault, QdrantFacade

Law = Callable[[VersionedIndex], None]
_OWN = "TICKETS_TEST_QDRANT_URL"
_QUERY = SearchQuery(tenant_id="acme", limit=5)


def _open(settings: IndexSettings) -> VersionedIndex:
    return open_index(settings, dimension=DIMENSION, model=MODEL)


@pytest.fixture(params=["embedded", "facade", "own"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexSettings]:
    """Where an index of the test's own is: in a folder, behind the facade, on the server that the user names."""
    if request.param == "embedded":
        yield IndexSettings(path=tmp_path / "index")
    elif request.param == "facade":
        with QdrantFacade(tmp_path / "server") as facade:
            yield IndexSettings(url=facade.url)
    else:
        if _OWN not in os.environ:
            pytest.skip(f"{_OWN} names no server")
        from qdrant_client import QdrantClient  # noqa: PLC0415 - for cleaning up on a server that isn't ours

        chosen = IndexSettings(url=os.environ[_OWN], collection=f"test-{uuid4().hex[:8]}")
        yield chosen
        host, _, port = os.environ[_OWN].split("//")[-1].partition(":")
        QdrantClient(host=host, grpc_port=int(port or 6334), prefer_grpc=True).delete_collection(chosen.collection)


@pytest.fixture
def index(settings: IndexSettings) -> Iterator[VersionedIndex]:
    """The index itself."""
    opened = _open(settings)
    yield opened
    opened.close()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(index: VersionedIndex, law: Law) -> None:
    """The law's own docstring says it."""
    law(index)


def test_what_was_written_is_there_after_reopening(settings: IndexSettings) -> None:
    """Closing and opening again changes nothing."""
    first = _open(settings)
    first.write([ticket("1", 1, 3), ticket("2", 4, 0)])
    first.close()
    again = _open(settings)
    assert held(again) == {("acme", "1"): (1, False), ("acme", "2"): (4, True)}
    again.close()


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(DIMENSION, np.float32),
        np.full(DIMENSION, np.nan, np.float32),
        np.array([np.inf] + [1.0] * (DIMENSION - 1), np.float32),
        np.ones(DIMENSION + 1, np.float32),
    ],
    ids=["zero", "nan", "infinite", "wrong-size"],
)
def test_an_unsound_vector_never_reaches_the_index(index: VersionedIndex, bad: Vector) -> None:
    """It is refused before anything of its batch is written."""
    good, worse = ticket("1", 1, 1), ticket("2", 1, 1)
    spoilt = TicketPoints("acme", "2", 1, (Point(worse.points[0].id, bad, worse.points[0].payload),))
    with pytest.raises(FatalError, match="refusing to index"):
        index.write([good, spoilt])
    assert held(index) == {}


def test_another_model_is_refused_with_what_to_do(settings: IndexSettings) -> None:
    """Vectors of two models can't be compared, so the start ends with a sentence."""
    first = _open(settings)
    first.write([ticket("1", 1, 1)])
    first.close()
    with pytest.raises(
        ConfigError, match=r"holds vectors of model/1 and this worker makes those of other/2; name a new"
    ):
        open_index(settings, dimension=DIMENSION, model="other/2")
    with pytest.raises(ConfigError, match=rf"made for vectors of {DIMENSION} dimensions and the model gives 9"):
        open_index(settings, dimension=9, model=MODEL)
    _open(settings).close()


# --- mutants: each breaks the promise a law is there for


class _Mutant(VersionedIndex):
    """An index whose engine, or policy, does one thing wrong."""


class _PlainUpsert(_Mutant):
    def write(self, tickets: Sequence[TicketPoints]) -> None:
        for one in tickets:
            self.engine.write([Upsert(one.points, below=2**53)] if one.points else [])
        super().write(tickets)


class _HardDelete(_Mutant):
    def write(self, tickets: Sequence[TicketPoints]) -> None:
        for one in tickets:
            if one.points:
                super().write([one])
            else:  # forgets the version with the ticket
                head = ticket(one.ticket_id, 0, 1, tenant=one.tenant_id)
                tomb = Point(head.points[0].id, None, {**head.points[0].payload, "state": "deleted", "version": 0})
                self.engine.write([Upsert([tomb], below=2**53)])


class _NoClearing(_Mutant):
    def _clear(self, tickets: Sequence[TicketPoints]) -> None:
        """Leaves what is too much."""


class _NoHeadCheck(_Mutant):
    def _tickets_of(self, found: Any) -> Any:
        heads = [msgspec.structs.replace(p, payload={**p.payload, "chunk": 0}) for p in found]
        return super()._tickets_of(heads)


class _NoTenant(_Mutant):
    """Neither the engine's filter nor the second look."""

    def search(self, query: Any, vector: Vector) -> Any:
        engine, nearest = self.engine, self.engine.nearest

        def anybody(wanted: Vector, conditions: Sequence[Condition], limit: int) -> Any:
            return nearest(wanted, [c for c in conditions if c.field != "tenant_id"], limit)

        engine.nearest = anybody  # type: ignore[assignment,method-assign]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(policy, "_of_tenant", lambda found, _tenant: found)
            return super().search(query, vector)


class _ChunksAsTickets(_Mutant):
    def search(self, query: Any, vector: Vector) -> Any:
        found = self.engine.nearest(vector, [], query.limit)
        hits = self._tickets_of(found)
        return [hit for hit in hits if hit.tenant_id == query.tenant_id]


@pytest.mark.parametrize("kept", ["filter", "second look"])
def test_either_guard_of_the_tenant_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    """The engine's filter alone, and the look at what it found alone, keep tenants apart."""
    index = _open(IndexSettings(path=tmp_path / "index"))
    nearest = index.engine.nearest
    try:
        if kept == "filter":
            monkeypatch.setattr(policy, "_of_tenant", lambda found, _tenant: found)
        else:
            monkeypatch.setattr(index.engine, "nearest", lambda wanted, _conditions, limit: nearest(wanted, [], limit))
        next(found for found in LAWS if found.__name__ == "tenants_are_apart")(index)
    finally:
        index.close()


@pytest.mark.parametrize(
    ("mutant", "law"),
    [
        (_PlainUpsert, "highest_version_wins"),
        (_HardDelete, "deleted_stays_deleted"),
        (_NoClearing, "shorter_version_leaves_nothing"),
        (_NoClearing, "order_of_writers_does_not_matter"),
        (_NoHeadCheck, "half_a_write_is_not_shown"),
        (_NoTenant, "tenants_are_apart"),
        (_ChunksAsTickets, "results_are_tickets"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_law_catches_the_fault_it_is_there_for(tmp_path: Path, mutant: type[_Mutant], law: str) -> None:
    """A law that no broken index fails would prove nothing."""
    sound = _open(IndexSettings(path=tmp_path / "index"))
    try:
        with pytest.raises(AssertionError):
            next(found for found in LAWS if found.__name__ == law)(mutant(sound.engine))
    finally:
        sound.close()


# --- of one adapter only


def test_killed_writers_leave_every_acked_write(tmp_path: Path) -> None:
    """`kill -9` in the middle of writing, five times over: what was acked is there."""
    path = tmp_path / "index"
    script = (
        "import sys; from pathlib import Path; from core.settings import IndexSettings\n"
        "from tests.contracts.test_index import _open, ticket\n"
        "index = _open(IndexSettings(path=Path(sys.argv[1]))); start = int(sys.argv[2])\n"
        "for n in range(start, start + 100_000):\n"
        "    index.write([ticket(str(n), 1, 1 + n % 3)]); print(n, flush=True)\n"
    )
    acked: set[str] = set()
    for life in range(5):
        command = [sys.executable, "-c", script, str(path), str(life * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for number, line in enumerate(writer.stdout):
                acked.add(line.strip())
                if number == 40 + 17 * life:
                    writer.send_signal(signal.SIGKILL)
                    acked |= {rest.strip() for rest in writer.stdout if rest.endswith("\n")}
    index = _open(IndexSettings(path=path))
    there = {ticket_id for _tenant, ticket_id in held(index)}
    index.close()
    assert len(acked) > 200
    assert acked <= there


def test_an_outage_of_the_server_is_transient_and_passes(tmp_path: Path) -> None:
    """UNAVAILABLE and RESOURCE_EXHAUSTED are waited out; the same call succeeds afterwards."""
    with QdrantFacade(tmp_path / "server") as facade:
        index = _open(IndexSettings(url=facade.url))
        for code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL"):
            facade.heal()
            facade.inject(Fault("error", code=code))
            with pytest.raises(TransientError):
                index.write([ticket("1", 1, 1)])
        facade.heal()
        index.write([ticket("1", 1, 1)])
        assert held(index) == {("acme", "1"): (1, False)}
        index.close()


def test_a_refusal_by_the_server_names_the_key(tmp_path: Path) -> None:
    """A wrong API key is the user's mistake, the right one is let in."""
    with QdrantFacade(tmp_path / "server", api_key="right") as facade:
        with pytest.raises(ConfigError, match="TICKETS_INDEX__API_KEY"):
            _open(IndexSettings(url=facade.url, api_key="wrong"))
        _open(IndexSettings(url=facade.url, api_key="right")).close()


def test_a_server_that_is_not_there_is_one_line() -> None:
    """The line says where we looked and which setting to look at."""
    with pytest.raises(UnavailableError, match=r"no Qdrant server answers at http://127.0.0.1:1 .*TICKETS_INDEX__URL"):
        _open(IndexSettings(url="http://127.0.0.1:1", timeout_s=2))


@pytest.mark.parametrize("url", ["localhost:6334", "ftp://x", "http://", "http://x:port"])
def test_what_is_no_url_is_the_users_mistake(url: str) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match="TICKETS_INDEX__URL"):
        _open(IndexSettings(url=url))


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    """Neither a traceback nor a silent new index."""
    settings = IndexSettings(path=tmp_path / "index")
    _open(settings).close()
    (tmp_path / "index" / "index.json").write_text("{")
    with pytest.raises(ConfigError, match="TICKETS_INDEX__PATH"):
        _open(settings)


def test_search_and_writes_go_on_side_by_side(tmp_path: Path) -> None:
    """Questions during ingest see whole tickets only, and never a version going down."""
    index = _open(IndexSettings(path=tmp_path / "index"))
    index.write([ticket("1", 1, 3)])
    stop, seen = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            seen.append([h.version for h in index.search(_QUERY, vector("q"))])

    asker = threading.Thread(target=ask)
    asker.start()
    for version in range(2, 60):
        index.write([ticket("1", version, 1 + version % 4)])
    stop.set()
    asker.join()
    index.close()
    versions = [found[0] for found in seen if found]
    assert versions == sorted(versions)
    assert all(len(found) <= 1 for found in seen)

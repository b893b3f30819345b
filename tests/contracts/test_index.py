"""One contract for both adapters: the embedded engine, and a Qdrant server over a socket."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from connectors.qdrant.open import open_index
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, FatalError, TransientError, UnavailableError
from core.records import Point, SearchQuery, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, LAWS, MODEL, held, opened, ticket, vector
from tests.rigs.qdrant_facade import Fault, QdrantFacade

Law = Callable[[VersionedIndex], None]
_OWN = "TICKETS_TEST_QDRANT_URL"
_QUERY = SearchQuery(tenant_id="acme", limit=5)


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
    found = opened(settings)
    yield found
    found.close()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(index: VersionedIndex, law: Law) -> None:
    """The law's own docstring says it."""
    law(index)


def test_what_was_written_is_there_after_reopening(settings: IndexSettings) -> None:
    """Closing and opening again changes nothing."""
    first = opened(settings)
    first.write([ticket("1", 1, 3), ticket("2", 4, 0)])
    first.close()
    again = opened(settings)
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
    first = opened(settings)
    first.write([ticket("1", 1, 1)])
    first.close()
    with pytest.raises(
        ConfigError, match=r"holds vectors of model/1 and this worker makes those of other/2; name a new"
    ):
        open_index(settings, dimension=DIMENSION, model="other/2")
    with pytest.raises(ConfigError, match=rf"made for vectors of {DIMENSION} dimensions and the model gives 9"):
        open_index(settings, dimension=9, model=MODEL)
    opened(settings).close()


# --- of one adapter only


def test_killed_writers_leave_every_acked_write(tmp_path: Path) -> None:
    """`kill -9` in the middle of writing, five times over: what was acked is there."""
    path = tmp_path / "index"
    script = (
        "import sys; from pathlib import Path; from core.settings import IndexSettings\n"
        "from tests.contracts.index_laws import opened, ticket\n"
        "index = opened(IndexSettings(path=Path(sys.argv[1]))); start = int(sys.argv[2])\n"
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
    index = opened(IndexSettings(path=path))
    there = {ticket_id for _tenant, ticket_id in held(index)}
    index.close()
    assert len(acked) > 200
    assert acked <= there


def test_an_outage_of_the_server_is_transient_and_passes(tmp_path: Path) -> None:
    """UNAVAILABLE and RESOURCE_EXHAUSTED are waited out; the same call succeeds afterwards."""
    with QdrantFacade(tmp_path / "server") as facade:
        index = opened(IndexSettings(url=facade.url))
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
            opened(IndexSettings(url=facade.url, api_key="wrong"))
        opened(IndexSettings(url=facade.url, api_key="right")).close()


def test_a_server_that_is_not_there_is_one_line() -> None:
    """The line says where we looked and which setting to look at."""
    with pytest.raises(UnavailableError, match=r"no Qdrant server answers at http://127.0.0.1:1 .*TICKETS_INDEX__URL"):
        opened(IndexSettings(url="http://127.0.0.1:1", timeout_s=2))


@pytest.mark.parametrize("url", ["localhost:6334", "ftp://x", "http://", "http://x:port"])
def test_what_is_no_url_is_the_users_mistake(url: str) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match="TICKETS_INDEX__URL"):
        opened(IndexSettings(url=url))


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    """Neither a traceback nor a silent new index."""
    settings = IndexSettings(path=tmp_path / "index")
    opened(settings).close()
    (tmp_path / "index" / "index.json").write_text("{")
    with pytest.raises(ConfigError, match="TICKETS_INDEX__PATH"):
        opened(settings)


def test_search_and_writes_go_on_side_by_side(tmp_path: Path) -> None:
    """Questions during ingest see whole tickets only, and never a version going down."""
    index = opened(IndexSettings(path=tmp_path / "index"))
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

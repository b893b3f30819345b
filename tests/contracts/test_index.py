"""The contract of an index, for both engines: embedded, and on a Qdrant server over a socket."""

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

from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.open import open_index_for_writing, open_reader
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, FatalError, TransientError, UnavailableError
from core.index import IndexSize, SearchQuery
from core.records import Point, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts import repair_laws, word_laws
from tests.contracts.index_laws import DIMENSION, LAWS, MODEL, held, nearest, opened, search, ticket, vector
from tests.rigs.qdrant_facade import Fault, QdrantFacade

Law = Callable[[VersionedIndex], None]
_OWN = "TICKETS_TEST_QDRANT_URL"
_QUERY = SearchQuery(tenant_id="acme", limit=5)


@pytest.fixture(params=["embedded", "facade", "own"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexSettings]:
    """Settings of an index of the test's own: embedded, behind the facade, or on the server that the user names."""
    if request.param == "embedded":
        yield IndexSettings(path=tmp_path / "index")
    elif request.param == "facade":
        with QdrantFacade(tmp_path / "server") as facade:
            yield IndexSettings(url=facade.url)
    else:
        if _OWN not in os.environ:
            pytest.skip(f"{_OWN} names no server")
        from qdrant_client import QdrantClient  # noqa: PLC0415 - cleans up on the user's server only

        chosen = IndexSettings(url=os.environ[_OWN], collection=f"test-{uuid4().hex[:8]}")
        yield chosen
        host, _, port = os.environ[_OWN].split("//")[-1].partition(":")
        QdrantClient(host=host, grpc_port=int(port or 6334), prefer_grpc=True).delete_collection(chosen.collection)


@pytest.fixture
def index(settings: IndexSettings) -> Iterator[VersionedIndex]:
    """The index, open for writing."""
    found = opened(settings)
    yield found
    found.close()


@pytest.mark.parametrize("law", [*LAWS, *repair_laws.LAWS], ids=lambda law: law.__name__)
def test_law(index: VersionedIndex, law: Law) -> None:
    """Each law holds for each engine."""
    law(index)


@pytest.mark.parametrize("law", word_laws.LAWS, ids=lambda law: law.__name__)
def test_law_of_words(index: VersionedIndex, law: Law) -> None:
    """Each law of words and threads holds for each engine. A server before Qdrant 1.19 finds by meaning only."""
    if law in word_laws.NEED_WORDS and not index.engine._has_terms:  # type: ignore[attr-defined]
        pytest.skip("this server can't count a word's rarity by tenant")
    law(index)


def test_tickets_survive_reopening(settings: IndexSettings) -> None:
    """An index that was closed and opened again holds the same tickets."""
    first = opened(settings)
    first.write([ticket("1", 1, 3), ticket("2", 4, 0)])
    first.close()
    again = opened(settings)
    assert held(again) == {("acme", "1"): (1, False), ("acme", "2"): (4, True)}
    again.close()


def test_a_reader_finds_what_was_written(settings: IndexSettings) -> None:
    """A reader searches, lists and counts the tickets of an index that no process is using."""
    index = opened(settings)
    index.write([ticket("1", 1, 3), ticket("2", 4, 0)])
    index.close()
    reader = open_reader(settings, dimension=DIMENSION, model=MODEL)
    assert held(reader) == {("acme", "1"): (1, False), ("acme", "2"): (4, True)}
    assert search(reader, vector("acme", "1", 1, 0)) == [("acme", "1", 1)]
    assert reader.size() == IndexSize(4, 1, 1)
    reader.close()


def test_a_reader_creates_no_index(settings: IndexSettings) -> None:
    """Reading an index that doesn't exist ends in one line that says what to do, every time."""
    for _ in range(2):
        with pytest.raises(NoIndexError, match=r"there is no (index|collection) .* yet; start a worker"):
            open_reader(settings, dimension=DIMENSION, model=MODEL)


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
    """The vector is refused before any ticket of its batch is written."""
    good, worse = ticket("1", 1, 1), ticket("2", 1, 1)
    spoilt = TicketPoints("acme", "2", 1, (Point(worse.points[0].id, bad, worse.points[0].payload),))
    with pytest.raises(FatalError, match="refusing to index"):
        index.write([good, spoilt])
    assert held(index) == {}


def test_another_model_is_refused(settings: IndexSettings) -> None:
    """An index of another model can't be opened, for writing or reading; the error names both models."""
    first = opened(settings)
    first.write([ticket("1", 1, 1)])
    first.close()
    for open_index in (open_index_for_writing, open_reader):
        with pytest.raises(
            ConfigError,
            match=r"holds vectors of model/1, but the model is other/2; set it to a new .* TICKETS_KAFKA__GROUP",
        ):
            open_index(settings, dimension=DIMENSION, model="other/2")
        with pytest.raises(ConfigError, match=rf"has vectors of {DIMENSION} dimensions, but the model's have 9"):
            open_index(settings, dimension=9, model=MODEL)
    opened(settings).close()


# --- one engine only


def test_acked_writes_survive_kill_9(tmp_path: Path) -> None:
    """Every acked write is in the index after five writers were killed with `kill -9`."""
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
    """A write fails with TransientError during an outage or an overload, and the same write succeeds afterwards."""
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


def test_a_start_whose_stamp_is_not_taken_ends_in_one_line(tmp_path: Path) -> None:
    """A server that answers and refuses writes for now ends the start with a line that names it."""
    with QdrantFacade(tmp_path) as facade:
        facade.inject(Fault("error", on="notes", code="UNAVAILABLE"))
        settings = IndexSettings(url=facade.url, timeout_s=2)
        with pytest.raises(UnavailableError, match=r"does not take the index's stamp now .*start again"):
            open_index_for_writing(settings, dimension=4, model="m")


def test_denied_access_names_the_key(tmp_path: Path) -> None:
    """With a wrong API key the error names the setting; with the right one the index opens."""
    with QdrantFacade(tmp_path / "server", api_key="right") as facade:
        with pytest.raises(ConfigError, match="TICKETS_INDEX__API_KEY"):
            opened(IndexSettings(url=facade.url, api_key="wrong"))
        opened(IndexSettings(url=facade.url, api_key="right")).close()


def test_a_server_that_is_not_there_is_one_line() -> None:
    """The error names the address and the setting to check."""
    with pytest.raises(UnavailableError, match=r"no Qdrant server answers at http://127.0.0.1:1 .*TICKETS_INDEX__URL"):
        opened(IndexSettings(url="http://127.0.0.1:1", timeout_s=2))
    with pytest.raises(UnavailableError, match=r"no Qdrant server answers at http://<hidden>@127.0.0.1:1 ") as error:
        opened(IndexSettings(url="http://ada:s3cret@127.0.0.1:1", timeout_s=2))
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["localhost:6334", "ftp://x", "http://", "http://x:port", "http://[x", "http://x:99999"]
)
@pytest.mark.parametrize("credentials", ["", "ada:s3cret@", "ada:s3[c/ret@"])
def test_an_invalid_url_is_the_users_mistake(url: str, credentials: str) -> None:
    """The error names the setting, and shows no password."""
    scheme, _, host = url.rpartition("//")
    with pytest.raises(ConfigError, match="TICKETS_INDEX__URL") as refusal:
        opened(IndexSettings(url=f"{scheme}//{credentials}{host}" if scheme else f"{credentials}{host}"))
    assert "ret@" not in str(refusal.value)


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    """A damaged folder is refused with one line; no new index takes its place."""
    settings = IndexSettings(path=tmp_path / "index")
    opened(settings).close()
    (tmp_path / "index" / "index.json").write_text("{")
    with pytest.raises(ConfigError, match="TICKETS_INDEX__PATH"):
        opened(settings)


def test_a_search_during_writes_finds_whole_tickets(tmp_path: Path) -> None:
    """Searches during writes find a ticket at most once, and its version never decreases."""
    index = opened(IndexSettings(path=tmp_path / "index"))
    index.write([ticket("1", 1, 3)])
    stop, seen = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            seen.append([h.version for h in nearest(index, _QUERY, vector("q"))])

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


@pytest.mark.parametrize("key", ["hunter2\nhunter2", "hunter2\x00", "hünter2"])
def test_an_api_key_that_can_not_be_sent_is_not_quoted(key: str) -> None:
    """gRPC would quote the key in its error."""
    settings = IndexSettings(url="http://127.0.0.1:1", api_key=key)
    with pytest.raises(ConfigError, match="TICKETS_INDEX__API_KEY contains characters that no API key has") as refusal:
        open_reader(settings, dimension=DIMENSION, model=MODEL)
    assert "nter2" not in str(refusal.value)

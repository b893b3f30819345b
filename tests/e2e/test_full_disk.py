"""A worker on a small file system that fills up: it waits, says why, and goes on without a loss."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from connectors.qdrant.lock import find_owner
from connectors.qdrant.open import open_index_for_writing
from core.index import SearchQuery
from core.settings import IndexSettings
from models.open import load_embedder
from runtime.control import WorkerClient
from synthetic.tickets import events
from tests.connectors.qdrant.disks import fill, small_disk
from tests.contracts.index_laws import DIMENSION, MODEL, held
from tests.e2e.terminal import Terminal
from tests.e2e.world import COMMANDS, WorkerProcess, World
from tests.oracle import fold
from tests.rigs.waiting import PATIENCE_S, wait_until

#: A worker that doesn't look at the free space.
_MUTANT: Final = """
import sys
from connectors.qdrant.space import SpaceGuard
from tests.e2e import plain_loop

SpaceGuard.require = lambda self: None
sys.exit(plain_loop.main())
"""
_FILLING: Final = """
from pathlib import Path
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.space import SpaceGuard
from core.errors import TransientError
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, MODEL, ticket

{mutant}
index = open_index_for_writing(
    IndexSettings(path=Path({path!r}), min_free_mib={reserve}), dimension=DIMENSION, model=MODEL
)
acked = 0
try:
    while True:
        index.write([ticket(str(acked + n), 1, 1, subject=str(n) * 10_000) for n in range(256)])
        acked += 256
except TransientError:
    index.close()
print(acked)
"""
_RESERVE_MIB: Final = 48


@pytest.fixture
def world(tansu: str, tmp_path: Path) -> Iterator[World]:
    """A stream whose index is on a disk of 160 MiB."""
    with small_disk(tmp_path / "disk", mib=160) as disk:
        world = World(tansu, tmp_path)
        index = world.settings.index.model_copy(update={"path": disk / "index", "min_free_mib": _RESERVE_MIB})
        world.settings = world.settings.model_copy(update={"index": index})
        yield world


def _start(world: World, command: list[str] | None = None) -> WorkerProcess:
    return WorkerProcess(
        world, "plain", command=command or (), environment={"TICKETS_INDEX__MIN_FREE_MIB": str(_RESERVE_MIB)}
    )


def _ready(worker: WorkerProcess) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/ready", timeout=PATIENCE_S) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def test_a_full_disk_pauses_the_stream_until_there_is_room(world: World) -> None:
    """Nothing is committed meanwhile, searches are answered, and every record is indexed afterwards."""
    disk = world.settings.index.path.parent
    world.produce(events(300, seed=1))
    with _start(world) as worker:
        world.wait_committed([worker])
        before = world.committed()
        filler = fill(disk, leave_mib=_RESERVE_MIB / 4)
        world.produce(events(300, seed=2))
        wait_until(lambda: "the disk is full" in _ready(worker), worker.output)
        wait_until(lambda: "delete files or enlarge the volume" in worker.output(), worker.output)
        wait_until(lambda: worker.metric("tickets_index_room_bytes") < 0, worker.output)
        wait_until(lambda: worker.metric("tickets_retries_total", dependency="index") > 0, worker.output)
        owner = find_owner(world.settings.index.path)
        assert owner is not None
        asked = SearchQuery(tenant_id="acme")
        assert WorkerClient(owner, timeout_s=PATIENCE_S).search("cannot sign in", asked) is not None
        worker.assert_runs()
        assert world.committed() == before
        filler.unlink()
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    assert world.held() == {key: (one.version, one.deleted) for key, one in fold(world.log()).items()}


def test_an_index_that_fills_its_disk_is_paused_before_its_end(world: World) -> None:
    """The reserve exceeds a write, so the engine never fills the disk, and every acked ticket is kept."""
    done = _fill_with_tickets(world)
    assert done.returncode == 0, done.stderr
    index = open_index_for_writing(
        IndexSettings(path=world.settings.index.path, min_free_mib=1), dimension=DIMENSION, model=MODEL
    )
    assert len(held(index)) == int(done.stdout) > 256
    index.close()


def test_the_mutant_that_fills_its_disk_is_killed(world: World) -> None:
    """Without the check the kernel ends the process with SIGBUS."""
    assert _fill_with_tickets(world, mutant="SpaceGuard.require = lambda self: None").returncode == -signal.SIGBUS


def _fill_with_tickets(world: World, mutant: str = "") -> "subprocess.CompletedProcess[str]":
    """Write long tickets until the index refuses, and print the number of those that were acked."""
    script = _FILLING.format(mutant=mutant, path=str(world.settings.index.path), reserve=_RESERVE_MIB)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_a_start_on_a_full_disk_ends_in_a_line(world: World) -> None:
    """The exit code is 3, and nothing is read."""
    fill(world.settings.index.path.parent, leave_mib=1)
    done = subprocess.run(
        COMMANDS["bytewax"],
        env=world.environment(TICKETS_INDEX__MIN_FREE_MIB=str(_RESERVE_MIB)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert (done.returncode, len(lines)) == (3, 1), done.stderr
    assert "the disk is full" in lines[0]


def test_the_mutant_that_does_not_look_is_killed(world: World) -> None:
    """Without the check the kernel ends the worker with SIGBUS and without a log line."""
    world.produce(events(300, seed=1))
    with _start(world, [sys.executable, "-c", _MUTANT]) as worker:
        world.wait_committed([worker])
        fill(world.settings.index.path.parent, leave_mib=0)
        world.produce(events(2_000, seed=2))
        assert worker.wait() == -signal.SIGBUS
        assert "the disk is full" not in worker.output()


def test_a_reader_without_room_for_its_copy_ends_in_a_line(world: World) -> None:
    """`search`, `status` and `doctor` exit with 3, name TMPDIR, and leave no copy behind."""
    embedder = load_embedder(world.settings.model)
    open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp).close()
    full = world.settings.index.path.parent / "tmp"
    full.mkdir()
    fill(full.parent, leave_mib=8)
    terminal = Terminal(world, TMPDIR=str(full))
    findings = {f["check"]: f["detail"] for f in terminal.json("doctor", code=3)}
    said = [
        terminal.failure("search", "--tenant", "acme", "card", code=3),
        terminal.failure("status", code=3),
        findings["index"],
    ]
    for words in said:
        assert len(words.splitlines()) == 1, words
        assert f"{full} has 8 MiB free; free some space, set TMPDIR" in words
    assert list(full.iterdir()) == []

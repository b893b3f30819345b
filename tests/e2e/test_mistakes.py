"""A user's mistake stops a worker with one line and the right exit code, without a traceback."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.world import COMMANDS, WorkerProcess, World
from tests.rigs.waiting import PATIENCE_S, wait_until

_DEAD = "127.0.0.1:1"


def _start(world: World, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a worker that should not start."""
    done = subprocess.run(
        COMMANDS["bytewax"],
        env=world.environment(**environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # the others are the log
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"TICKETS_KAFKA__BROKER": "x:9092"}, 2, "did you mean TICKETS_KAFKA__BROKERS"),
        (
            {"TICKETS_WRITER__MAX_CONCURRENT_BATCHES": "many"},
            2,
            "TICKETS_WRITER__MAX_CONCURRENT_BATCHES: input should be a valid integer",
        ),
        (
            {"TICKETS_KAFKA__BROKERS": _DEAD, "TICKETS_KAFKA__STARTUP_TIMEOUT_S": "1"},
            3,
            f"no broker answers at {_DEAD}",
        ),
        ({"TICKETS_TOPICS__RAW": "no.such.topic"}, 3, "has no topic no.such.topic; `ticketstream topics` creates"),
        ({"TICKETS_ENRICH__CUSTOMERS_FILE": "/no/such/file"}, 2, "/no/such/file"),
        ({"TICKETS_KAFKA__SASL_MECHANISM": "PLAIN"}, 2, "set it to SASL_SSL or SASL_PLAINTEXT"),
        ({"TICKETS_INDEX__PATH": "/proc/nothing/here"}, 2, "TICKETS_INDEX__PATH"),
        (
            {"TICKETS_MODEL__NAME": "all-MiniLM-L6-v2", "TICKETS_MODEL__CACHE_DIR": "/proc/nothing"},
            2,
            "TICKETS_MODEL__CACHE_DIR",
        ),
        ({"TICKETS_MODEL__NAME": "gpt"}, 2, "TICKETS_MODEL__NAME: unknown model 'gpt'; choose all-MiniLM-L6-v2"),
        ({"TICKETS_TEST_FAILPOINTS": "after_lunch=kill"}, 2, "unknown point 'after_lunch'; choose one of after_fetch"),
        ({"TICKETS_INDEX__URL": "http://127.0.0.1:1"}, 3, "no Qdrant server answers at http://127.0.0.1:1"),
    ],
    ids=lambda value: next(iter(value.items()))[0] if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_one_line(
    tansu: str, tmp_path: Path, environment: dict[str, str], code: int, words: str
) -> None:
    """The line names the setting or the missing part, and says what to do."""
    returned, line = _start(World(tansu, tmp_path), **environment)
    assert words in line
    assert returned == code


def test_a_second_worker_on_the_same_folder_is_refused(tansu: str, tmp_path: Path) -> None:
    """An embedded index has one owner; the line names the setting for a server."""
    _beside_a_worker(World(tansu, tmp_path), lambda world, _port: _start(world), "TICKETS_INDEX__URL")


def test_a_port_in_use_is_an_error_that_names_its_setting(tansu: str, tmp_path: Path) -> None:
    """A second worker on the same health port doesn't start."""

    def start(world: World, port: str) -> tuple[int, str]:
        return _start(world, TICKETS_HEALTH__PORT=port, TICKETS_INDEX__PATH=str(tmp_path / "other"))

    _beside_a_worker(World(tansu, tmp_path), start, "TICKETS_HEALTH__PORT")


def _beside_a_worker(world: World, start: Callable[[World, str], tuple[int, str]], words: str) -> None:
    with WorkerProcess(world) as worker:
        wait_until(lambda: worker.metric("tickets_build_info") == 1, worker.output)
        returned, line = start(world, worker.port)
        assert words in line
        assert returned == 2
        worker.assert_runs()

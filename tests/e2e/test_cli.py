"""The everyday commands work beside a running worker, and the demo runs to its end."""

import os
import subprocess
from pathlib import Path

import msgspec

from synthetic.tickets import SyntheticRecord, events
from tests.e2e.terminal import TICKETSTREAM, Terminal
from tests.e2e.world import WorkerProcess, World
from tests.oracle import broken
from tests.rigs.waiting import PATIENCE_S


def test_everyday_commands_work_beside_a_worker(tansu: str, tmp_path: Path) -> None:
    """Topics are created, events produced, lag and index shown, tickets found, and dead letters listed and replayed."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    raw = world.settings.topics.raw
    done = terminal.json("topics", "--replication", "1")
    assert done[raw] == [4, "exists, declared with 12 partitions"]
    assert set(done) == set(world.settings.topics.model_dump().values())

    _produce(world, terminal, tmp_path)

    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        status = terminal.json("status")
        assert sum(row["lag"] for row in status["partitions"]) == 0
        assert status["index"]["points"] > 60
        assert status["index"]["freshness_s"] is not None, "only the worker knows it"

        found = terminal.json("search", "--tenant", "zoo", "the penguin has escaped")["hits"]
        assert [hit["ticket_id"] for hit in found] == ["1", "7"]
        assert (
            terminal.json("search", "--tenant", "zoo", "--status", "closed", "penguin")["hits"][0]["ticket_id"] == "7"
        )
        assert terminal.json("search", "--tenant", "nobody", "penguin")["hits"] == []
        assert "penguin" in terminal.run("search", "--tenant", "zoo", "--all", "penguin")

        _dead_letters_are_listed_and_replayed(world, worker, terminal)
        assert worker.terminate() == 0
        assert "penguin" not in worker.output()
    # without a worker the commands open the index themselves
    assert terminal.json("search", "--tenant", "zoo", "the penguin has escaped")["hits"][0]["ticket_id"] == "1"
    assert terminal.json("status")["index"]["freshness_s"] is None
    findings = {finding["check"]: finding["healthy"] for finding in terminal.json("doctor")}
    assert findings == dict.fromkeys(
        ["configuration", "broker", "topics", "consumer group", "model", "labels", "index", "index and offsets"], True
    )


def _dead_letters_are_listed_and_replayed(world: World, worker: WorkerProcess, terminal: Terminal) -> None:
    letters = sorted(terminal.json("dlq", "list"), key=lambda letter: -len(letter["reason"]))
    assert len(letters) == len(broken(world.log())) == 40
    one = letters[0]
    assert terminal.json("dlq", "list", "--code", one["code"])[0]["code"] == one["code"]
    shown = terminal.run("dlq", "show", one["at"])
    assert f"dlq-reason: {one['reason']}" in shown.splitlines()
    (hostile,) = (letter for letter in letters if "\x1b" in (letter["key"] or ""))
    for shown in (terminal.run("dlq", "list"), terminal.run("dlq", "show", hostile["at"])):
        assert "[/]" in shown
        assert "\x1b" not in shown
    terminal.run("dlq", "show", "0:9999", code=2)

    terminal.run("dlq", "replay", "--yes")
    world.produced += 40
    world.wait_committed([worker])
    again = terminal.json("dlq", "list")
    assert len(again) == 80
    seen = {letter["first_seen_ms"] for letter in letters}
    assert {letter["first_seen_ms"] for letter in again} == seen, (
        "a record that is dead-lettered again keeps its first-seen time"
    )


def _produce(world: World, terminal: Terminal, folder: Path) -> None:
    """Write 62 valid records, two of them about animals, and 40 invalid ones."""
    assert terminal.json("produce", "--synthetic", "60")["records"] == 60
    event = {"op": "upsert", "tenant_id": "zoo", "ticket_id": "1", "version": 1, "created_at": 0, "updated_at": 0}
    lines = msgspec.json.encode({**event, "subject": "The penguin escaped", "status": "open"})
    terminal.run("produce", "-", given=lines + b"\n\n")
    (folder / "rows.csv").write_text("id;question\n7;where does the giraffe sleep\n")
    columns = ["--map", "ticket_id=id", "--map", "body=question", "--map", "tenant_id:=zoo", "--map", "status:=closed"]
    terminal.run("produce", str(folder / "rows.csv"), *columns)
    world.produced = 62
    world.produce(events(39, seed=9, edits=0, deletes=0, duplicates=0, broken=1.0))
    world.produce([SyntheticRecord(b"[/]\x1b[2J", None, "null_delete")])  # a key that would clear the screen


def test_the_demo_exits_with_0_and_prints_search_results(tmp_path: Path) -> None:
    """Without a terminal the demo doesn't prompt. It shows an answer of the RAG service, or its refusal, at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKETS_")}
    done = subprocess.run(
        [TICKETSTREAM, "demo", "--tickets", "150"],
        env={**clean, "TICKETS_MODEL__NAME": "hashing", "TMPDIR": str(tmp_path), "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "150/150" in done.stdout
    assert "points" in done.stdout
    assert done.stdout.count("score") == 5, "one table for each question"
    assert "an answer: " in done.stdout
    assert "[1]" in done.stdout or "no answer: " in done.stdout
    assert list(tmp_path.glob("ticketstream-*")) == [], "the temporary folder is removed"

"""Every command answers wrong arguments and files with the right exit code and no traceback."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from connectors.kafka.producer import Outgoing, open_sender
from core.settings import KafkaSettings
from tests.bad_input.generator import fields, hit, key_of, written
from tests.e2e.world import World

_SOUND = '{"op":"upsert","tenant_id":"acme","ticket_id":"1","version":1,"created_at":0,"updated_at":0}'


def _run(arguments: list[str], **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output, and standard error."""
    result = CliRunner().invoke(app, arguments, env={"TERM": "dumb", "COLUMNS": "1000", **environment})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["search"],
        ["search", "why"],
        ["search", "--tenant", "acme"],
        ["search", "-t", "acme", "why", "--limit", "0"],
        ["search", "-t", "acme", "why", "--limit", "many"],
        ["search", "-t", "acme", "why", "--after", "2026-13-01"],
        ["search", "-t", "acme", "why", "--before", "99999-01-01"],
        ["search", "-t", "acme", "why", "--nonsense"],
        ["produce", "--synthetic", "0"],
        ["produce", "--synthetic", "-3"],
        ["produce", "--synthetic", "1", "--rate", "0"],
        ["topics", "--replication", "none"],
        ["topics", "--file", "/"],
        ["topics", "--file", "/dev/null"],
        ["dlq", "show"],
        ["dlq", "show", ""],
        ["dlq", "show", "1:2:3"],
        ["dlq", "show", "1:-1"],
        ["dlq", "show", "٣:٣"],
        ["dlq", "show", "0:99999999999999999999"],
        ["dlq", "show", "9999999999:0"],
        ["dlq", "show", "²:1"],
        ["dlq", "list", "--since", "soon"],
        ["dlq", "replay", "--until", "0001-01-01T00:00:00+14:00x"],
        ["dlq", "list", "--nonsense"],
        ["reconcile", "--limit", "-1"],
        ["reconcile", "now"],
        ["rebuild", "now"],
        ["rebuild", "--questions", "/dev/null"],
        ["evaluate"],
        ["evaluate", "/"],
        ["evaluate", "/dev/null"],
        ["train"],
        ["train", "--to", "/dev/null/x"],
        ["train", "/dev/null", "--to", "/dev/null/x"],
        ["train", "/dev/null", "--to", "x", "--precision", "2"],
        ["train", "/dev/null", "--to", "x", "--most", "0"],
        ["model", "card", "/dev/null"],
        ["model", "nonsense"],
        ["doctor", "--fix"],
        ["status", "--watch"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_a_wrong_argument_ends_with_2(arguments: list[str], tansu: str) -> None:
    """Any wrong argument ends with exit code 2 and a message, without a traceback."""
    code, _out, line = _run(arguments, TICKETS_KAFKA__BROKERS=tansu, TICKETS_KAFKA__STARTUP_TIMEOUT_S="2")
    assert code == 2, line
    assert line.strip()
    assert "Traceback" not in line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.jsonl", _SOUND[:-9].encode()),
        ("array.jsonl", f"[{_SOUND}]".encode()),
        ("nothing.jsonl", b"null\n"),
        ("keys.jsonl", _SOUND.replace("tenant_id", "tenant").encode()),
        ("ids.jsonl", _SOUND.replace("acme", "a/b").encode()),
        ("latin1.jsonl", _SOUND.replace('"1"', '"\u00e9"').encode("latin-1")),
        ("deep.jsonl", b'{"x":' + b"[" * 100_000),
        ("binary.jsonl", bytes(range(256)) * 10),
        ("surrogate.jsonl", _SOUND.replace('"1"', '"\\ud800"').encode()),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n"),
        ("latin1.csv", "tenant_id,body\nacme,caf\u00e9\n".encode("latin-1")),
        ("binary.csv", bytes(range(256)) * 10),
        ("quotes.csv", b'tenant_id,body\nacme,"never closed\n'),
        ("inside.csv", b'tenant_id,body\nacme,"a"b"c"\n'),
        ("columns.csv", b"tenant_id,body\nacme,x,y,z\n"),
        ("tenant.csv", b"body\nhello\n"),
        ("version.csv", b"tenant_id,version\nacme,-1\n"),
        ("version2.csv", b"tenant_id,version\nacme,9007199254740992\n"),
        ("times.csv", b"tenant_id,updated_at\nacme,yesterday\n"),
        ("times2.csv", b"tenant_id,updated_at\nacme,0001-01-01T00:00:00+14:00\n"),
        ("huge.csv", b"tenant_id,version\nacme," + b"9" * 5_000 + b"\n"),
    ],
)
def test_a_broken_file_ends_with_2(tmp_path: Path, tansu: str, name: str, content: bytes) -> None:
    """The message is one line that names the file."""
    world = World(tansu, tmp_path)
    file = tmp_path / name
    file.write_bytes(content)
    settings = {"TICKETS_KAFKA__BROKERS": tansu, "TICKETS_TOPICS__RAW": world.settings.topics.raw}
    code, _out, line = _run(["produce", str(file)], **settings)
    assert code == 2, line
    assert name in line
    assert len(line.strip().splitlines()) == 1


def test_letters_that_no_worker_wrote_are_listed_and_not_replayed(tansu: str, tmp_path: Path) -> None:
    """Letters with missing or invalid headers are listed without their text and not replayed."""
    world = World(tansu, tmp_path)
    dlq, value = world.settings.topics.dlq, written(fields(1))
    sender = open_sender(KafkaSettings(brokers=tansu))
    nonsense = {"dlq-topic": b"\xff", "dlq-partition": b"none", "dlq-offset": b"\x00", "dlq-first-seen-ms": b"9" * 400}
    elsewhere = {
        "dlq-topic": b"no.such.topic",
        "dlq-partition": b"0",
        "dlq-offset": b"0",
        "dlq-first-seen-ms": "٣".encode(),
    }
    sender.send(
        [
            Outgoing(dlq, key_of(1), value),
            Outgoing(dlq, None, None, tuple(nonsense.items())),
            Outgoing(dlq, b"\xff", b"\xff", tuple(elsewhere.items())),
        ]
    )
    sender.close()
    settings = {
        "TICKETS_KAFKA__BROKERS": tansu,
        "TICKETS_TOPICS__DLQ": dlq,
        "TICKETS_TOPICS__RAW": world.settings.topics.raw,
    }
    code, out, line = _run(["dlq", "list", "--json"], **settings)
    assert (code, len(json.loads(out))) == (0, 3), line
    code, out, line = _run(["dlq", "list"], **settings)
    assert code == 0, line
    assert not hit(out)
    for at in ("0:0", "0:1", "0:2"):
        code, out, line = _run(["dlq", "show", at], **settings)
        assert code == 0, line
        assert not hit(out, ("ada.lovelace@private.example", "4111 1111 1111 1111", "hunter2-Qx9"))
    code, out, line = _run(["dlq", "replay", "--yes"], **settings)
    assert (code, "nothing to replay" in out) == (0, True), line

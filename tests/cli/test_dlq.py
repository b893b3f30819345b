"""`ticketstream dlq`: a letter that was read before is shown, and replays wait for each other."""

import fcntl
import threading
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import dlq
from cli.main import app
from core.records import Origin, Record
from maintenance.replay_plan import Plan
from tests.rigs.waiting import PATIENCE_S

_VALUE = rb'{"op":"upsert","updated_at":"yesterday","body":"My card:\n4111 1111 1111 1111\u00a0","phone":442079460123}'


def test_a_letter_is_shown_with_its_decoded_strings_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An escape before a number does not hide it, and a number is read with its name."""
    letter = Record(Origin("tickets.dlq", 0, 7), b"acme/1", _VALUE, 0)
    monkeypatch.setattr(dlq, "read_letter", lambda *_: letter)
    shown = CliRunner().invoke(app, ["dlq", "show", "0:7"])
    assert shown.exit_code == 0
    assert r'"body":"My card:\n[CARD]' in shown.stdout
    assert '"phone":"[PHONE]"' in shown.stdout


def test_a_letter_redacted_as_source_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: its source printed as it is would show the number."""
    monkeypatch.setattr(dlq, "read_letter", lambda *_: Record(Origin("tickets.dlq", 0, 7), b"acme/1", _VALUE, 0))
    monkeypatch.setattr(dlq, "redact_json", lambda text: text)
    assert "4111 1111" in CliRunner().invoke(app, ["dlq", "show", "0:7"]).stdout


def test_a_replay_says_that_it_waits_for_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second replay may wait for the first one's prompt, so it says what it waits for."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(dlq, "plan_replay", lambda *_, **__: Plan(frozenset(), Counter()))
    dlq.replay(yes=True)
    assert "waiting" not in capsys.readouterr().err
    (lock,) = (tmp_path / "ticketstream").glob("replay-*.lock")
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=dlq.replay, kwargs={"yes": True}, daemon=True)
        second.start()
        second.join(0.2)
        assert second.is_alive()
    second.join(PATIENCE_S)
    assert not second.is_alive()
    assert "another replay is running; waiting until it ends" in capsys.readouterr().err

"""`ticketstream dlq show` on a letter that was read before."""

import pytest
from typer.testing import CliRunner

from cli import dlq
from cli.main import app
from core.records import Origin, Record

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

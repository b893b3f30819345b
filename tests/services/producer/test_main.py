"""A user's mistake ends `python -m services.producer` with one line and an exit code."""

from pathlib import Path
from threading import Event

import pytest

from services.producer.__main__ import main
from tests.rigs.dynamodb import dynamodb


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # the setting outlives the test
    monkeypatch.setattr("services.producer.__main__.set_up_logging", lambda _settings: None)
    monkeypatch.setattr("services.producer.__main__.stop_on_signal", Event)
    for name, value in {
        "PRODUCER__SOURCES": str(tmp_path),
        "PRODUCER__PATH": str(tmp_path / "producer.db"),
        "HEALTH__PORT": "0",
        "KAFKA__BROKERS": "127.0.0.1:9",
    }.items():
        monkeypatch.setenv(f"TICKETS_{name}", value)
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SOURCES", "", "TICKETS_PRODUCER__SOURCES is not set; name folders"),
        ("SOURCES", "/nowhere/in/*.jsonl", "TICKETS_PRODUCER__SOURCES: there is no folder /nowhere/in; create it"),
        ("SOURCES", "s3://", "TICKETS_PRODUCER__SOURCES: 's3://' is not an s3://bucket/prefix"),
        ("SOURCES", "s3://key:secret@bucket/x", "is not an s3://bucket/prefix"),
        ("MAP", "body", "TICKETS_PRODUCER__MAP body: write FIELD=COLUMN"),
        ("ZONE", "Mars", "TICKETS_PRODUCER__ZONE Mars: no such time zone here"),
        ("RATE", "0", "TICKETS_PRODUCER__RATE"),
        ("PATH", "/proc/x/producer.db", "TICKETS_PRODUCER__PATH: can't write /proc/x/producer.db"),
        ("STORE", "dynamodb", "TICKETS_PRODUCER__TABLE is not set"),
    ],
)
def test_a_mistake_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, message: str
) -> None:
    """The line about a mistake names the setting."""
    monkeypatch.setenv(f"TICKETS_PRODUCER__{name}", value)
    assert main() == 2
    error = capsys.readouterr().err
    assert error.startswith("ticketstream: ")
    assert message in error
    assert "secret" not in error
    assert error.count("\n") == 1


def test_a_missing_table_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With DynamoDB, a missing table is an error at the start, with exit code 3."""
    for name, value in {"STORE": "dynamodb", "TABLE": "nobodys", "AWS_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"TICKETS_PRODUCER__{name}", value)
    with dynamodb():
        assert main() == 3
    assert "a table is missing; create the one that TICKETS_PRODUCER__TABLE names" in capsys.readouterr().err

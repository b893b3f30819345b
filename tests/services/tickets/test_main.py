"""`python -m services.tickets`: mistakes of the user end in one line with their exit code."""

import socket
from pathlib import Path

import pytest

from services.tickets.__main__ import SERVICE
from tests.rigs.dynamodb import dynamodb


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("services.http.running.set_up_logging", lambda _settings: None)  # its thread would stay
    for name, value in {
        "API__PATH": str(tmp_path / "tickets.db"),
        "API__PORT": "0",
        "AUTH__ISSUER": "https://issuer.test",
        "AUTH__CLIENT_IDS": "tests",
        "KAFKA__BROKERS": "127.0.0.1:9",
    }.items():
        monkeypatch.setenv(f"TICKETS_{name}", value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TICKETS_API__PORT", "x", "TICKETS_API__PORT: input should be a valid integer"),
        ("TICKETS_API__STORE", "oracle", "TICKETS_API__STORE: input should be 'sqlite' or 'dynamodb'"),
        ("TICKETS_API__PATH", "/proc/x/tickets.db", "TICKETS_API__PATH: can't write /proc/x/tickets.db"),
        ("TICKETS_AUTH__ISSUER", "", "TICKETS_AUTH__ISSUER"),
        ("TICKETS_KAFKA__SECURITY_PROTOCOL", "SASL_SSL", "TICKETS_KAFKA__SASL_MECHANISM"),
    ],
)
def test_a_mistake_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, message: str
) -> None:
    """A wrong setting is one line that names it."""
    monkeypatch.setenv(name, value)
    assert SERVICE.main() == 2
    error = capsys.readouterr().err
    assert error.startswith("ticketstream: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is an error that names its setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("TICKETS_API__PORT", str(taken.getsockname()[1]))
        assert SERVICE.main() == 2
    assert "TICKETS_API__PORT" in capsys.readouterr().err


def test_missing_tables_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing DynamoDB tables are named, and the exit code is 3."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TICKETS_API__STORE", "dynamodb")
    monkeypatch.setenv("TICKETS_API__AWS_REGION", "eu-central-1")
    with dynamodb():
        assert SERVICE.main() == 3
    assert "create Tickets and TicketMetadata" in capsys.readouterr().err


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """DynamoDB without a region is a ConfigError."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("TICKETS_API__STORE", "dynamodb")
    assert SERVICE.main() == 2
    assert capsys.readouterr().err.startswith("ticketstream: TICKETS_API__AWS_REGION: DynamoDB needs a region")

"""`ticketstream feedback export` prints verdicts as training data."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from cli.main import app
from connectors.feedback.sqlite import open_feedback
from core.errors import EXIT_UNAVAILABLE, EXIT_USAGE
from core.feedback import Feedback, GivenAnswer
from tests.connectors.feedback.stores import create_tables, dynamo_feedback
from tests.rigs.dynamodb import REGION, dynamodb

_ANSWER = GivenAnswer(
    tenant_id="acme",
    answer_id="a1",
    agent="hash-of-a-user",
    question="Why does ada@example.com get no mail?",
    question_key="q1",
    text="The quota is full.",
    tickets=("T-1",),
    model="extractive",
    at_ms=1,
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of feedback that the settings name."""
    path = tmp_path / "feedback.db"
    monkeypatch.setenv("TICKETS_RAG__FEEDBACK_FILE", str(path))
    return path


def test_an_export_has_no_personal_data(path: Path) -> None:
    """Each verdict is one line with question, answer and sent text, redacted, and without the user."""
    store = open_feedback(path)
    store.vote(
        Feedback(answer=_ANSWER, agent="hash-of-a-user", verdict="edited", at_ms=2, text="Call +1 202 555 0134.")
    )
    other = msgspec.structs.replace(_ANSWER, tenant_id="globex", answer_id="a2")
    store.vote(Feedback(answer=other, agent="x", verdict="discarded", at_ms=3, reason="Wrong."))
    store.close()
    lines = CliRunner().invoke(app, ["feedback", "export"]).stdout.splitlines()
    assert len(lines) == 2
    first = json.loads(lines[0])
    assert first["question"] == "Why does [EMAIL] get no mail?"
    assert (first["answer"], first["text"], first["verdict"]) == ("The quota is full.", "Call [PHONE].", "edited")
    assert "hash-of-a-user" not in lines[0]
    only = CliRunner().invoke(app, ["feedback", "export", "--tenant", "globex"]).stdout
    assert json.loads(only)["reason"] == "Wrong."


def test_an_export_without_feedback_creates_nothing(path: Path) -> None:
    """If there is no feedback, the error names the setting, and no file is created."""
    result = CliRunner().invoke(app, ["feedback", "export"])
    assert result.exit_code == EXIT_USAGE
    assert "TICKETS_RAG__FEEDBACK_FILE" in " ".join(result.stderr.split())
    assert not path.exists()


def test_an_export_reads_dynamodb_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the store dynamodb the export reads its table, and a missing one is named."""
    with dynamodb() as client:
        tables = create_tables(client)
        dynamo_feedback(tables).vote(Feedback(answer=_ANSWER, agent="x", verdict="sent", at_ms=2))
        for name, value in (("FEEDBACK_STORE", "dynamodb"), ("AWS_REGION", REGION), ("TABLE_PREFIX", tables.prefix)):
            monkeypatch.setenv(f"TICKETS_RAG__{name}", value)
        for options in ([], ["--tenant", "acme"]):
            lines = CliRunner().invoke(app, ["feedback", "export", *options]).stdout.splitlines()
            assert [json.loads(line)["question"] for line in lines] == ["Why does [EMAIL] get no mail?"]
        assert CliRunner().invoke(app, ["feedback", "export", "--tenant", "globex"]).stdout == ""
        monkeypatch.setenv("TICKETS_RAG__TABLE_PREFIX", "none-")
        result = CliRunner().invoke(app, ["feedback", "export"])
    assert result.exit_code == EXIT_UNAVAILABLE
    assert "create Feedback with" in " ".join(result.stderr.split())

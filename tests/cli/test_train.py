"""`ticketstream train` builds a label model from a file or the index."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from models.labels.artefact import MANIFEST, load_label_model
from models.run.hashing import HashingEmbedder
from operators.terms import passage_terms

pytest.importorskip("sklearn")

_TEXTS = {
    "card": ["my card is lost", "card stolen in the street", "I lost the card", "the card is gone"],
    "refund": ["where is my refund", "refund has not arrived", "no refund yet", "the refund is missing"],
}


def _run(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    environment = {"TICKETS_MODEL__NAME": "hashing", "TERM": "dumb", "COLUMNS": "400"}
    result = CliRunner().invoke(app, ["train", *map(str, arguments)], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """120 labelled rows."""
    rows = [f"{text}, order {n},{label}" for n in range(15) for label, texts in _TEXTS.items() for text in texts]
    (tmp_path / "tickets.csv").write_text("\n".join(["text,order,team", *rows]))
    return tmp_path / "tickets.csv"


def _mapped(file: Path) -> list[str | Path]:
    return [file, "--map", "subject=text", "--map", "body=order", "--map", "category=team"]


def test_a_csv_becomes_a_label_model(csv: Path, tmp_path: Path) -> None:
    """The table shows each label, and the last line says which variable to set."""
    code, shown, line = _run(*_mapped(csv), "--to", tmp_path / "labels", "--precision", "0.9")
    assert code == 0, line
    assert "category on 120 held-out tickets" in shown
    assert all(label in shown for label in _TEXTS)
    assert f"set TICKETS_CLASSIFY__MODEL={tmp_path / 'labels'} and restart" in line
    assert "no model for priority: 0 labelled ticket(s) are too few" in line
    model = load_label_model(tmp_path / "labels", model="hashing/1")
    text = "card stolen in the street\norder 99"
    found = model.labels(HashingEmbedder().embed([text])[0], passage_terms(text), ["category"])
    assert found["category"].value == "card"


def test_other_tickets_judge_it(csv: Path, tmp_path: Path) -> None:
    """With --test the JSON has figures of those tickets beside the held-out ones."""
    code, shown, line = _run(*_mapped(csv), "--to", tmp_path / "labels", "--test", csv, "--json")
    assert code == 0, line
    report = json.loads(shown)
    assert report["held_out"][0]["tickets"] == report["test"][0]["tickets"] == 120
    assert report["test"][0]["accuracy"] > 0.9
    assert report["stamp"].startswith("labels/")
    assert report["model"] == "hashing/1"


def test_lines_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """Lines that can't be used are counted, and the report names the first one and its mistake."""
    lines = [
        {"text": f"{text} {n}", "category": label} for n in range(10) for label in _TEXTS for text in _TEXTS[label]
    ]
    lines.append({"text": "too long", "category": "x" * 65})
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, lines)))
    code, _shown, line = _run(tmp_path / "f.jsonl", "--to", tmp_path / "labels")
    assert code == 0
    assert f"1 line(s) were left out; the first is {tmp_path / 'f.jsonl'}:81: " in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "{new}"], "nothing to train on: give either a FILE or --from-index"),
        (["{csv}", "--from-index", "--to", "{new}"], "nothing to train on"),
        (["/no/such.jsonl", "--to", "{new}"], "can't read /no/such.jsonl: no such file or directory"),
        (["{jsonl}", "--to", "{new}"], ":1: neither a ticket event (tenant_id, ticket_id, ...) nor an example"),
        (["{jsonl}", "--map", "body=text", "--to", "{new}"], "--map is for CSV"),
        (["{csv}", "--to", "{new}"], "no subject or body"),
        (
            ["{csv}", "--map", "body=text", "--to", "{new}"],
            "category: 0 labelled ticket(s) are too few; at least two labels need 5 different",
        ),
        (["{csv}", "--to", "{old}"], "there is a label model already"),
        (["{csv}", "--to", "{csv}"], "this is a file"),
    ],
)
def test_a_mistake_is_one_line_with_exit_2(csv: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """A mistake exits with 2 and one line, and leaves no folder behind."""
    (tmp_path / "bad.jsonl").write_text("{}\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / MANIFEST).touch()
    names = {"csv": csv, "jsonl": tmp_path / "bad.jsonl", "new": tmp_path / "new", "old": tmp_path / "old"}
    code, _shown, line = _run(*(argument.format(**names) for argument in arguments))
    assert words in line
    assert code == 2
    assert not (tmp_path / "new").exists()


def test_an_index_that_does_not_exist_is_exit_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--from-index exits with 3 if the index doesn't exist."""
    monkeypatch.setenv("TICKETS_INDEX__PATH", str(tmp_path / "none"))
    code, _shown, line = _run("--from-index", "--to", tmp_path / "labels")
    assert code == 3
    assert str(tmp_path / "none") in line

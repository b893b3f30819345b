"""`ticketstream evaluate` measures the search with the questions of a file, and checks floors."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from connectors.qdrant.open import open_index_for_writing
from core.contract import UpsertEvent
from core.model_settings import ModelSettings
from core.records import Origin, Record
from core.settings import IndexSettings, Settings
from maintenance.evaluation.questions import Question, write_questions
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps

_SUBJECTS: Final = ("card stolen abroad", "parcel late again", "app crashes at start", "printer offline")
_QUESTIONS: Final = [
    Question(tenant="acme", question="card stolen", relevant=("T-0",), kind="words"),
    Question(tenant="acme", question="parcel late", relevant=("T-1",), kind="words"),
    Question(tenant="acme", question="zebra quantum", relevant=("T-9",), kind="lost"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of four tickets, and their questions."""
    settings = Settings(index=IndexSettings(path=tmp_path / "index"), model=ModelSettings(name="hashing"))
    embedder = HashingEmbedder()
    index = open_index_for_writing(settings.index, dimension=embedder.dimension, model=embedder.stamp)
    events = [
        UpsertEvent(tenant_id="acme", ticket_id=f"T-{n}", version=1, created_at=0, updated_at=0, subject=subject)
        for n, subject in enumerate(_SUBJECTS)
    ]
    records = [
        Record(Origin("t", 0, n), f"acme/T-{n}".encode(), msgspec.json.encode(e), 0) for n, e in enumerate(events)
    ]
    Reindexer(steps=ticket_steps(settings, embedder), index=index, settings=settings.writer).index_records(records)
    index.close()
    write_questions(tmp_path / "questions.jsonl", _QUESTIONS)
    return tmp_path


def _run(folder: Path, *options: str) -> Result:
    environment = {"TICKETS_INDEX__PATH": str(folder / "index"), "TICKETS_MODEL__NAME": "hashing"}
    return CliRunner().invoke(app, ["evaluate", str(folder / "questions.jsonl"), *options], env=environment)


def _json(folder: Path, *options: str) -> Any:
    return json.loads(_run(folder, *options, "--json").stdout)


def test_the_figures_are_shown_by_group(folder: Path) -> None:
    """The table has a row for all questions and for each kind."""
    result = _run(folder)
    assert result.exit_code == 0, result.stderr
    assert "mrr@10" in result.stdout
    assert "0.667" in result.stdout
    groups = {group["name"]: group["figures"]["hit@1"]["value"] for group in _json(folder)["groups"]}
    assert groups == {"all": pytest.approx(2 / 3), "lost": 0, "words": 1}


def test_a_figure_below_its_floor_is_exit_1(folder: Path) -> None:
    """A figure below its floor exits with 1 and a line that has both; a figure above it exits with 0."""
    assert _run(folder, "--floor", "hit@1=0.6").exit_code == 0
    result = _run(folder, "--floor", "hit@1=0.7")
    assert result.exit_code == 1
    assert "hit@1 is 0.667, below the floor of 0.7" in result.stderr


def test_a_group_has_a_floor_of_its_own(folder: Path) -> None:
    """A floor for one kind of question ignores the others."""
    assert _run(folder, "--floor", "words:hit@1=1").exit_code == 0
    result = _run(folder, "--floor", "lost:hit@1=0.1")
    assert result.exit_code == 1
    assert "lost:hit@1 is 0.000, below the floor of 0.1" in result.stderr


def test_two_configurations_are_compared(folder: Path) -> None:
    """`--against` shows the gain over another configuration, which is 0 if both find the same."""
    gains = _json(folder, "--against", "TICKETS_INDEX__TIMEOUT_S=9")["gains"]
    assert gains["mrr@10"]["value"] == 0
    assert "gain over the second configuration" in _run(folder, "--against", "TICKETS_INDEX__TIMEOUT_S=9").stdout


def test_misses_are_listed(folder: Path) -> None:
    """A question without a relevant ticket is listed with what it found."""
    assert "zebra quantum: wanted T-9" in " ".join(_run(folder, "--misses", "5").stderr.split())
    assert len(_json(folder, "--misses", "5")["misses"]) == 1


def test_a_question_that_should_find_nothing_is_a_miss(folder: Path) -> None:
    """A question without an answer is listed if the search found something."""
    write_questions(folder / "questions.jsonl", [Question(tenant="acme", question="printer offline", nothing=True)])
    assert "printer offline: wanted nothing; found T-3" in " ".join(_run(folder, "--misses", "5").stderr.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--floor", "mrr@10"], "write MEASURE=VALUE"),
        (["--floor", "mrr=0.5"], "the measures are mrr@10"),
        (["--floor", "mrr@10=nan"], "write MEASURE=VALUE"),
        (["--floor", "nothing=0.5"], "no questions of that kind"),
        (["--floor", "fr:hit@1=0.5"], "no questions of that kind"),
        (["--against", "TICKETS_INDEX__TIMEOUT_S"], "write NAME=VALUE"),
        (["--against", "HOME=/"], "write NAME=VALUE"),
        (["--against", "TICKETS_INDEX__TIME=1"], "did you mean"),
    ],
)
def test_a_wrong_option_is_exit_2(folder: Path, options: list[str], words: str) -> None:
    """A wrong option exits with 2 and a line that says how to write it."""
    result = _run(folder, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())

"""A training job keeps SageMaker's contract: a whole model with its figures, or exit code 1, a reason and no model."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Final

import msgspec
import pytest

from core.model_settings import ModelSettings
from core.settings import Settings
from maintenance.training_report import QUALITY, REPORT, TrainingReport
from models.labels.artefact import MANIFEST, load_label_model
from models.run.hashing import HashingEmbedder
from services.encoder import training
from services.encoder.__main__ import main
from services.encoder.job import Job
from services.encoder.training import StoppedError, run_job
from tests.rigs.waiting import PATIENCE_S

pytest.importorskip("sklearn")

_SETTINGS: Final = Settings(model=ModelSettings(name="hashing"))
_TEXTS: Final = {
    "card": ["my card is lost", "card stolen in the street", "I lost the card", "the card is gone"],
    "refund": ["where is my refund", "refund has not arrived", "no refund yet", "the refund is missing"],
}
_SECRET: Final = "my card 4111 is lost"


def _examples(count: int, *, first: int = 0) -> str:
    """Labelled examples as lines, of both labels."""
    rows = []
    for number in range(first, first + count):
        category = ("card", "refund")[number % 2]
        text = f"{_TEXTS[category][number // 2 % 4]}, order {number}"
        rows.append({"text": text, "category": category, "priority": "high" if category == "card" else "low"})
    return "\n".join(map(json.dumps, rows))


def _events(count: int, *, category: str | None = None) -> str:
    """Ticket events as lines, of both labels or of one."""
    rows = []
    for number in range(count):
        own = ("card", "refund")[number % 2]
        body = f"{_TEXTS[own][number // 2 % 4]}, order {number}"
        times = {"version": 1, "created_at": 1_700_000_000_000, "updated_at": 1_700_000_000_000}
        ids = {"op": "upsert", "tenant_id": "acme", "ticket_id": str(number)}
        rows.append({**ids, **times, "body": body, "category": category or own})
    return "\n".join(map(json.dumps, rows))


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = root / "input" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@contextmanager
def _job(**files: str) -> Iterator[Job]:
    """A job whose channels have one file each."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), {f"data/{channel}/tickets.jsonl": text for channel, text in files.items()})
        yield Job(Path(folder))


def _labels(report: TrainingReport, kind: str) -> dict[str, int]:
    return {one.label: one.tickets for each in report.held_out if each.kind == kind for one in each.labels}


class _StoppedAfter(Event):
    """Set after a number of looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_job_leaves_a_model_with_its_figures() -> None:
    """Category and priority are fitted, and the figures are there as a report and in SageMaker's form."""
    with _job(train=_examples(60), test=_examples(20, first=60)) as job:
        report = run_job(job, _SETTINGS, Event())
        model = load_label_model(job.model, model=HashingEmbedder().stamp)
        kept = msgspec.json.decode((job.figures / REPORT).read_bytes(), type=TrainingReport)
        quality = json.loads((job.figures / QUALITY).read_text())["multiclass_classification_metrics"]
        assert not job.failure.exists()
    assert model.stamp == report.stamp == kept.stamp
    assert model.heads.keys() == {"category", "priority"}
    assert kept == report
    assert [kind.tickets for kind in report.held_out] == [60, 60]
    assert [kind.tickets for kind in report.test] == [20, 20]
    assert quality["category_accuracy"]["value"] == report.held_out[0].accuracy > 0.8
    assert quality["test_priority_accuracy"]["value"] == report.test[1].accuracy
    assert quality["category_calibration_error"]["standard_deviation"] == "NaN"


def test_a_corrected_label_wins() -> None:
    """Of two events of one version, that of the channel `feedback` counts."""
    with _job(train=_events(40, category="other"), feedback=_events(40)) as job:
        report = run_job(job, _SETTINGS, Event())
    assert _labels(report, "category") == {"card": 20, "refund": 20}


def test_examples_of_several_files_all_count() -> None:
    """Examples have no ids, and those with the same line number are different tickets."""
    with _job(train=_examples(20), feedback=_examples(20, first=20)) as job:
        _write(job.root, {"data/train/more/b.jsonl": _examples(20, first=40), "data/train/.hidden": "{"})
        report = run_job(job, _SETTINGS, Event())
    assert _labels(report, "category") == {"card": 30, "refund": 30}


def test_a_stopped_job_leaves_no_model() -> None:
    """Whenever it is stopped, up to the moment before the model is written."""
    never = _StoppedAfter(1_000_000)
    with _job(train=_examples(18)) as job:
        run_job(job, _SETTINGS, never)
    looks = 1_000_000 - never.looks
    assert looks > 50, "it looks at each record, ticket and fit"
    for last in (0, 30, looks - 1):
        with _job(train=_examples(18)) as job:
            with pytest.raises(StoppedError):
                run_job(job, _SETTINGS, _StoppedAfter(last))
            assert not [*job.model.iterdir()]


def test_a_job_that_is_stopped_while_it_judges_leaves_no_model() -> None:
    """Nothing is written before the model is known to be wanted."""
    stop = Event()

    def judge(*_: object) -> dict[str, object]:
        stop.set()
        return {}

    with _job(train=_examples(18), test=_examples(1)) as job, pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "judge_model", judge)
        with pytest.raises(StoppedError):
            run_job(job, _SETTINGS, stop)
        assert not [*job.model.iterdir()]


def test_hyperparameters_are_strings() -> None:
    """SageMaker passes numbers as strings."""
    with _job(train=_examples(60)) as job:
        _write(job.root, {"config/hyperparameters.json": '{"precision": "0.8", "most": "40"}'})
        report = run_job(job, _SETTINGS, Event())
    assert (report.precision, report.held_out[0].tickets) == (0.8, 40)


_HYPERPARAMETERS: Final = "config/hyperparameters.json"
_TRAIN: Final = "data/train/tickets.jsonl"
_REJECTED: Final = _events(1).replace('"version": 1', '"version": "one"')


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "there is no channel train in "),
        ({"data/feedback/a.jsonl": _examples(9)}, "there is no channel train in "),
        ({"data/train/.keep": ""}, "channel train has no file"),
        ({"data/training/a.jsonl": ""}, "channel training is unknown; the channels are train, feedback, test"),
        ({_TRAIN: ""}, "category: 0 labelled ticket(s) are too few"),
        ({_TRAIN: "\n".join(_examples(40).splitlines()[::2])}, "category: 20 labelled ticket(s) are too few"),
        ({_TRAIN: f'{{"text": "{_SECRET}'}, "train/tickets.jsonl:1: the line is not a JSON object"),
        ({_TRAIN: f'{{"subject": "{_SECRET}"}}'}, "train/tickets.jsonl:1: neither a ticket event"),
        ({_TRAIN: f"[{_examples(1)}]"}, "train/tickets.jsonl:1: "),
        ({_TRAIN: _REJECTED}, "1 line(s) are left out, the first is train/tickets.jsonl:1: "),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"epochs": "3"}'}, "hyperparameter epochs is unknown; use precision or"),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"precision": "high"}'}, "hyperparameter precision: expected `float`"),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"precision": "95"}'}, "hyperparameter precision: expected `float` <= 0.999"),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"precision": "nan"}'}, "hyperparameter precision: "),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"most": "1"}'}, "hyperparameter most: expected `int` >= 10"),
        ({_TRAIN: "", _HYPERPARAMETERS: '{"most": 100}'}, "hyperparameters.json is not a JSON object of strings"),
        ({_TRAIN: "", _HYPERPARAMETERS: "{"}, "hyperparameters.json is not a JSON object of strings"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    files: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failure's file has the line of standard error, which quotes no ticket, and there is no model."""
    _in_this_process(monkeypatch)
    with _job() as job:
        _write(job.root, files)
        assert main(["train", str(job.root)]) == 1
        failure = job.failure.read_text()
        assert not (job.model / MANIFEST).exists()
    assert reason in failure
    assert capsys.readouterr().err == f"ticketstream: {failure}\n"
    assert "\n" not in failure
    assert _SECRET not in failure


def test_a_model_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that holds a model has to be emptied first."""
    _in_this_process(monkeypatch)
    with _job(train=_examples(20)) as job:
        job.model.mkdir()
        (job.model / MANIFEST).write_text("{}")
        assert main(["train", str(job.root)]) == 1
        assert "there is a model in" in job.failure.read_text()
        assert (job.model / MANIFEST).read_text() == "{}"


def test_a_fault_in_the_program_is_named_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception's message may quote a ticket, and a failure is shown to everyone who may list jobs."""
    _in_this_process(monkeypatch)

    def fail(_settings: ModelSettings, _stack: ExitStack) -> None:
        raise RuntimeError(_SECRET)

    monkeypatch.setattr(training, "open_embedder", fail)
    with _job(train=_examples(20)) as job:
        with pytest.raises(RuntimeError):
            main(["train", str(job.root)])
        assert job.failure.read_text() == "a fault in the program (RuntimeError); its traceback is in the job's log"


@pytest.mark.parametrize("arguments", [["fit"], ["train", "a", "b"], ["serve", "now"]])
def test_unknown_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """SageMaker's own are `serve` and `train`."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == "ticketstream: unknown arguments; use `serve` or `train [FOLDER]`\n"


def test_the_container_trains() -> None:
    """`python -m services.encoder train` exits with 0, and its log has figures that a metric definition may match."""
    with _job(train=_examples(18)) as job:
        ended = _process("services.encoder", "train", str(job.root))
        assert ended.returncode == 0, ended.stderr
        assert load_label_model(job.model, model=HashingEmbedder().stamp).stamp in ended.stderr
    assert "category_accuracy=" in ended.stderr


def test_sigterm_stops_the_job() -> None:
    """A process that gets SIGTERM in the midst of its work exits with 1, a reason and no model."""
    with _job(train=_examples(18)) as job:
        ended = _process("tests.services.encoder.child", str(job.root))
        assert ended.returncode == 1, ended.stderr
        assert job.failure.read_text() == "the job was stopped before there was a model"
        assert not [*job.model.iterdir()]


def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signals and logs of the tests' process alone."""
    monkeypatch.setattr(training, "stop_on_signal", Event)
    monkeypatch.setattr(training, "set_up_logging", lambda _settings: None)
    monkeypatch.setenv("TICKETS_MODEL__NAME", "hashing")


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TICKETS_MODEL__NAME": "hashing"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

"""The training job of SageMaker: fits a label model to the tickets of its channels, and judges it.

It exits with 0 and a whole model, or with 1, a reason and no model.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-signal-success-failure.html
"""

import logging
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

import msgspec

from core.disk import full_disk_error
from core.environment import load_settings
from core.errors import EXIT_FAULT, EXIT_OK, ConfigError, TicketstreamError
from core.settings import Settings
from maintenance.training import LabelledTickets, Trained, embed_labelled, judge_model, train
from maintenance.training_report import QUALITY, REPORT, TrainingReport, model_quality
from models.labels.artefact import MANIFEST, WEIGHTS, save_label_model
from models.labels.fit import require_library
from runtime.logs import set_up_logging
from runtime.model import open_embedder
from runtime.signals import stop_on_signal
from services.encoder.job import FEEDBACK, TEST, TRAIN, Hyperparameters, Job

logger: Final = logging.getLogger("ticketstream.training")

ROOT: Final = Path("/opt/ml")

T = TypeVar("T")


class StoppedError(TicketstreamError):
    """The job was stopped before it had a model."""


def main(root: Path = ROOT) -> int:
    """Train with the environment's settings, and return the exit code. A failure is one line, here and in its file."""
    job = Job(root)
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        run_job(job, settings, stop_on_signal())
    except TicketstreamError as error:
        return _fail(job, str(error))
    except OSError as error:
        reason = full_disk_error(error) or f"{error.filename}: {(error.strerror or 'failed').lower()}"
        return _fail(job, str(reason))
    except Exception as error:
        _write_failure(job, f"a fault in the program ({type(error).__name__}); its traceback is in the job's log")
        raise
    return EXIT_OK


def run_job(job: Job, settings: Settings, stop: Event) -> TrainingReport:
    """Fit, calibrate and judge a label model, and write its figures and then the model.

    Of versions of a ticket the newest counts; of equal ones, that of the channel `feedback`.

    Raises:
        ConfigError: a hyperparameter, a channel or a line is wrong, or there are too few labelled tickets.
        UnavailableError: the embedding model can't be fetched.
        StoppedError: `stop` was set.
        OSError: a result can't be written.
    """
    require_library()
    job.failure.unlink(missing_ok=True)
    wanted, channels = job.hyperparameters(), job.channels()
    _require_no_model(job)
    with ExitStack() as stack:
        embedder = open_embedder(settings.model, stack)

        def embedded(*names: str) -> LabelledTickets:
            return embed_labelled(
                _until_stopped(stop, job.records(*names)),
                settings,
                embedder,
                most=wanted.most,
                embedding=lambda found: _until_stopped(stop, found),
            )

        tickets = embedded(TRAIN, FEEDBACK)
        if tickets.rejected:
            logger.warning("%d line(s) are left out; the first is %s", tickets.rejected, tickets.reason)
        trained = _trained(tickets, wanted, stop)
        judged = judge_model(trained.heads, embedded(TEST)) if TEST in channels else {}
    _require_running(stop)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder)
        examples = {kind: report.tickets for kind, report in trained.reports.items()}
        manifest = save_label_model(draft, trained.heads, examples, model=embedder.stamp, precision=wanted.precision)
        report = TrainingReport(
            manifest.stamp,
            embedder.stamp,
            wanted.precision,
            tickets.rejected,
            [*trained.reports.values()],
            [*judged.values()],
            trained.left_out,
        )
        _write(job, report, draft)
    return report


def _trained(tickets: LabelledTickets, wanted: Hyperparameters, stop: Event) -> Trained:
    """The label model, fitted.

    Raises:
        ConfigError: there are too few labelled tickets; the message names the first line that can't be used.
        StoppedError: `stop` was set.
    """
    try:
        return train(tickets, precision=wanted.precision, on_fit=lambda *_: _require_running(stop))
    except ConfigError as error:
        if not tickets.rejected:
            raise
        raise ConfigError(
            f"{error}; {tickets.rejected:,} line(s) are left out, the first is {tickets.reason}"
        ) from None


def _write(job: Job, report: TrainingReport, draft: Path) -> None:
    """Write the figures, and then the model from `draft`: its manifest comes last, so a model is whole."""
    job.figures.mkdir(parents=True, exist_ok=True)
    (job.figures / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    (job.figures / QUALITY).write_bytes(model_quality(report))
    for kind, why in report.left_out.items():
        logger.warning("no model for %s: %s", kind, why)
    for name, (value, _) in report.figures().items():
        logger.info("%s=%.4f", name, value)  # a job's MetricDefinitions may match these lines
    for name in (WEIGHTS, MANIFEST):
        shutil.copyfile(draft / name, job.model / name)
    logger.info("%s is written", report.stamp)


def _require_no_model(job: Job) -> None:
    job.model.mkdir(parents=True, exist_ok=True)
    if (job.model / MANIFEST).exists():
        raise ConfigError(f"there is a model in {job.model} already; empty the folder")


def _until_stopped(stop: Event, found: Iterable[T]) -> Iterator[T]:
    for one in found:
        _require_running(stop)
        yield one


def _require_running(stop: Event) -> None:
    if stop.is_set():
        raise StoppedError("the job was stopped before there was a model")


def _fail(job: Job, reason: str) -> int:
    line = " ".join(reason.split())
    _write_failure(job, line)
    sys.stderr.write(f"ticketstream: {line}\n")
    return EXIT_FAULT


def _write_failure(job: Job, reason: str) -> None:
    try:
        job.fail(reason)
    except OSError as error:  # the line on standard error remains
        logger.warning("can't write %s: %s", job.failure, error.strerror)

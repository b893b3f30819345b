"""`ticketstream train`: fit a label model to labelled tickets."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cli.bars import progress_bars, with_progress
from cli.console import JsonFlag, err, out, print_json, report_errors
from connectors.files import CsvMapping
from connectors.files.labelled import read_labelled_csv, read_labelled_jsonl
from core.environment import load_settings
from core.errors import ConfigError
from core.protocols import Embedder
from core.records import LabelKind, Record
from core.settings import Settings
from maintenance.training import LabelledTickets, embed_labelled, judge_model, read_labelled, train
from models.labels.artefact import SETTING
from models.labels.fit import require_library
from models.labels.report import KindReport
from runtime.index import open_index_for_reading
from runtime.labels import require_new, save_labels
from runtime.model import open_embedder

_MOST: Final = 50_000


class Report(Struct, frozen=True):
    """Output of `--json`.

    Attributes:
        folder: of the label model.
        stamp: the label model's; tickets that it labels carry it as `label_model`.
        model: stamp of the embedding model.
        rejected: number of lines that can't be used.
        held_out: on tickets of the training file that the predicting model was not fitted to.
        test: on the tickets of --test.
        left_out: by kind of label, the reason why there is no model for it.
    """

    folder: str
    stamp: str
    model: str
    rejected: int
    held_out: list[KindReport]
    test: list[KindReport]
    left_out: dict[LabelKind, str]


@report_errors
def train_labels(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="JSONL of ticket events or of {text, category?, priority?}, or a .csv.",
        ),
    ] = None,
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FOLDER", help="New folder or s3://bucket/prefix for the label model, e.g. labels/2026-01."
        ),
    ],
    from_index: Annotated[
        bool, typer.Option("--from-index", help="Train on the index's tickets that their producer labelled.")
    ] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            "-m",
            metavar="FIELD=COLUMN|FIELD:=VALUE",
            help="Take FIELD from a column of the CSV, as `ticketstream produce` does, e.g. category=Team; may be "
            "repeated.",
        ),
    ] = None,
    precision: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Wanted precision: the share of given labels that must be right.")
    ] = 0.95,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also test the model on these tickets, e.g. newer ones.")
    ] = None,
    most: Annotated[
        int, typer.Option(min=10, help="Train on a sample of this size if there are more tickets.")
    ] = _MOST,
    as_json: JsonFlag = False,
) -> None:
    """Fit a label model that gives tickets the category and priority that their producer left out.

    The model learns from tickets that have a category or a priority; five per label are the least, and a hundred are
    plenty. Each label gets a threshold that aims at --precision on unseen tickets. A ticket below the threshold gets no
    label, and a label that never reaches it is never given.

    The table shows each label on held-out tickets. To use the model, set TICKETS_CLASSIFY__MODEL to its folder and
    restart the workers; to go back, set it to the old folder. Training needs scikit-learn (requirements/train.txt), a
    worker doesn't.

    [dim]ticketstream train solved.jsonl --to labels/1
    ticketstream train export.csv --map body=Description --map category=Team --test newer.csv --to labels/2
    ticketstream train --from-index --to labels/3[/]
    """
    if (file is None) != from_index:
        raise ConfigError("nothing to train on: give either a FILE or --from-index")
    require_library()
    require_new(to)
    settings = load_settings()
    parsed = CsvMapping.parse(mapping or [])
    with ExitStack() as stack:
        embedder = open_embedder(settings.model, stack)
        bars = stack.enter_context(progress_bars())
        if file is None:
            index = open_index_for_reading(settings.index, embedder, stack)
            tickets = read_labelled(index, most=most, dimension=embedder.dimension)
        else:
            tickets = _embedded(file, parsed, settings, embedder, bars, most=most)
        unseen = None if test is None else _embedded(test, parsed, settings, embedder, bars, most=most)
        task = bars.add_task("fitting", total=None)
        trained = train(
            tickets,
            precision=precision,
            on_fit=lambda kind, n, of: bars.update(task, description=f"fitting {kind}", completed=n, total=of),
        )
    examples = {kind: report.tickets for kind, report in trained.reports.items()}
    manifest = save_labels(to, trained.heads, examples, model=embedder.stamp, precision=precision)
    judged = {} if unseen is None else judge_model(trained.heads, unseen)
    report = Report(
        to,
        manifest.stamp,
        embedder.stamp,
        tickets.rejected,
        [*trained.reports.values()],
        [*judged.values()],
        trained.left_out,
    )
    if as_json:
        print_json(report)
    else:
        _show(report, tickets)


def _embedded(
    file: Path, mapping: CsvMapping, settings: Settings, embedder: Embedder, bars: Progress, *, most: int
) -> LabelledTickets:
    """The file's labelled tickets.

    Raises:
        ConfigError: the file can't be read, or a line is malformed.
    """
    return embed_labelled(
        _records(file, mapping),
        settings,
        embedder,
        most=most,
        embedding=lambda found: with_progress(bars, f"embedding {file.name}", found, total=len(found)),
    )


def _records(file: Path, mapping: CsvMapping) -> Iterator[Record]:
    is_csv = file.suffix.lower() == ".csv"
    if (mapping.columns or mapping.constants) and not is_csv:
        raise ConfigError(f"--map is for CSV, but the name {file} doesn't end in .csv")
    try:
        with file.open("rb") as source:
            if is_csv:
                yield from read_labelled_csv(source, mapping, name=str(file))
            else:
                yield from read_labelled_jsonl(source, name=str(file))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {(error.strerror or '').lower()}") from None


def _show(report: Report, tickets: LabelledTickets) -> None:
    for kind in report.held_out:
        out.print(_table(kind, "held-out tickets"))
    for kind in report.test:
        out.print(_table(kind, "tickets of --test"))
    if report.rejected:
        err.print(f"{report.rejected:,} line(s) were left out; the first is {tickets.reason}", soft_wrap=True)
    for name, why in report.left_out.items():
        err.print(f"no model for {name}: {why}", soft_wrap=True)
    err.print(
        f"{report.stamp} is written; set {SETTING}={report.folder} and restart the workers to use it", soft_wrap=True
    )


def _table(report: KindReport, on: str) -> Table:
    """One row for each label, those with most tickets first."""
    title = (
        f"{report.kind} on {report.tickets:,} {on}: {report.coverage:.1%} get a label, and "
        f"{_share(report.precision)} of these are right (without thresholds: {report.accuracy:.1%} are right; "
        f"calibration error {report.ece:.3f})"
    )
    table = Table(title=Text(title), title_justify="left")
    table.add_column("label")
    for name in ("tickets", "get it", "of these right", "from confidence"):
        table.add_column(name, justify="right")
    for label in sorted(report.labels, key=lambda one: (-one.tickets, one.label)):
        threshold = "never sure enough" if label.threshold is None else f"{label.threshold:.3f}"
        table.add_row(Text(label.label), f"{label.tickets:,}", f"{label.given:,}", _share(label.precision), threshold)
    return table


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"

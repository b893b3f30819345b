"""`ticketstream feedback`: export agents' verdicts on answers as training data."""

import sys
from contextlib import ExitStack
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from cli.console import report_errors
from cli.terminal import escape_json_controls
from core.environment import load_settings
from core.errors import ConfigError
from core.feedback import Feedback, Verdict
from operators.redact import redact_text
from runtime.feedback import open_feedback_store

app = typer.Typer(help="Export agents' verdicts on answers.", no_args_is_help=True)


class TrainingExample(Struct, frozen=True, kw_only=True):
    """A line of the export: a question, its answer, and the verdict. Personal data is redacted."""

    tenant_id: str
    question: str
    answer: str
    verdict: Verdict
    text: str | None
    reason: str | None
    tickets: tuple[str, ...]
    model: str
    at_ms: int


@app.command("export")
@report_errors
def export(
    *,
    tenant: Annotated[
        str | None, typer.Option("--tenant", "-t", help="Only this tenant's verdicts; by default all.")
    ] = None,
) -> None:
    """Print every verdict with its question and answer, one JSON object per line.

    Personal data is redacted, with the rules of this version. Users are left out.

    [dim]ticketstream feedback export --tenant acme > verdicts.jsonl[/]
    """
    settings = load_settings().rag
    path = settings.feedback_file
    if settings.feedback_store == "sqlite" and not path.exists():
        raise ConfigError(
            f"there is no feedback in {path}; set TICKETS_RAG__FEEDBACK_FILE to the service's file, or "
            "TICKETS_RAG__FEEDBACK_STORE=dynamodb"
        )
    with ExitStack() as stack:
        for feedback in open_feedback_store(settings, stack).all(tenant):
            line = msgspec.json.encode(example_of(feedback)).decode()
            sys.stdout.write(escape_json_controls(line) + "\n")


def example_of(feedback: Feedback) -> TrainingExample:
    """The line of a verdict."""
    answer = feedback.answer
    return TrainingExample(
        tenant_id=answer.tenant_id,
        question=redact_text(answer.question),
        answer=redact_text(answer.text),
        verdict=feedback.verdict,
        text=None if feedback.text is None else redact_text(feedback.text),
        reason=None if feedback.reason is None else redact_text(feedback.reason),
        tickets=answer.tickets,
        model=answer.model,
        at_ms=feedback.at_ms,
    )

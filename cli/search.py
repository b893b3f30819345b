"""`ticketstream search`: find the tickets nearest in meaning to a question."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, TenantOption, err, out, parse_time, print_json, report_errors
from core.environment import load_settings
from core.errors import ConfigError
from core.index import MAX_HITS, SearchHit, SearchQuery
from runtime.searcher import Searcher, open_searcher

_PASSAGE_CHARACTERS = 240


@report_errors
def search(
    text: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, in your own words.")],
    *,
    tenant: TenantOption,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=MAX_HITS, help="Maximum number of tickets to show.")
    ] = 5,
    status: Annotated[
        list[str] | None, typer.Option(help="Only tickets with this status, e.g. open; may be repeated.")
    ] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only tickets of this category; may be repeated.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Only tickets in this language (ISO 639-1, e.g. de); may be repeated.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only tickets from this channel, e.g. email; may be repeated.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only tickets updated at or after this time (UTC), e.g. 2026-01-31 or 2026-01-31T08:00.",
        ),
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only tickets updated before this time (UTC).")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Search what customers can see, without internal notes.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Find the tickets nearest in meaning to a question.

    A running worker that owns the embedded index is asked; otherwise the index is opened directly.

    [dim]ticketstream search --tenant acme "cannot sign in after the password change"[/]
    """
    if not text.strip():
        raise ConfigError("the question is empty; say what you are looking for")
    query = SearchQuery(
        tenant_id=tenant,
        limit=limit,
        status=tuple(status or ()),
        category=tuple(category or ()),
        language=tuple(language or ()),
        channel=tuple(channel or ()),
        updated_after_ms=parse_time(after, "--after"),
        updated_before_ms=parse_time(before, "--before"),
        public_only=public,
    )
    with ExitStack() as stack:
        show(open_searcher(load_settings(), stack), text, query, as_json=as_json)


def show(searcher: Searcher, text: str, query: SearchQuery, *, as_json: bool = False) -> None:
    """Search, and print the hits."""
    hits = searcher.search(text, query)
    if as_json:
        print_json(hits)
    elif hits:
        out.print(_table(text, hits))
    else:
        out.print(f"tenant {query.tenant_id} has no matching tickets")
    if (warning := searcher.warning()) is not None:
        err.print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)


def _table(question: str, hits: Sequence[SearchHit]) -> Table:
    table = Table(title=Text(question, style="bold"), title_justify="left", show_lines=True, expand=True)
    table.add_column("score", justify="right", style="cyan", no_wrap=True)
    table.add_column("ticket", no_wrap=True)
    table.add_column("passage", ratio=1)
    for hit in hits:
        facts = [
            str(hit.payload[name]) for name in ("status", "channel", "language", "category") if hit.payload.get(name)
        ]
        ticket = Text.assemble((hit.ticket_id, "bold"), "\n", (" · ".join(facts), "dim"))
        table.add_row(f"{hit.score:.3f}", ticket, _passage(question, hit))
    return table


def _passage(question: str, hit: SearchHit) -> Text:
    """The subject, then the passage with the question's words marked."""
    body = hit.passage.strip()
    subject = str(hit.payload.get("subject") or "")
    if subject and body.startswith(subject):
        body = body[len(subject) :].strip()
    if len(body) > _PASSAGE_CHARACTERS:
        body = body[:_PASSAGE_CHARACTERS].rsplit(" ", 1)[0] + " …"
    text = Text(" ".join(body.split()))
    words = [word for word in question.lower().split() if len(word) > 3]  # noqa: PLR2004 - shorter ones are everywhere
    text.highlight_words(words, style="bold yellow", case_sensitive=False)
    return Text.assemble((subject, "bold"), "\n" if subject and body else "", text)

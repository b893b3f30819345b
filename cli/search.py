"""`ticketstream search`: ask a question, see the tickets nearest to it in meaning."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, TenantOption, ends_in_one_line, moment_of, out, print_json
from core.environment import load_settings
from core.errors import ConfigError
from core.records import SearchHit, SearchQuery
from runtime.searcher import Searcher, open_searcher

_PASSAGE_CHARACTERS = 240


@ends_in_one_line
def search(
    text: Annotated[str, typer.Argument(help="The question, in your own words.")],
    *,
    tenant: TenantOption,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Most tickets to show.")] = 5,
    status: Annotated[list[str] | None, typer.Option(help="Only this status; may be repeated.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language, as ISO 639-1.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel; may be repeated.")] = None,
    after: Annotated[str | None, typer.Option(help="Updated at or after this date or time (ISO 8601, UTC).")] = None,
    before: Annotated[str | None, typer.Option(help="Updated before this date or time (ISO 8601, UTC).")] = None,
    public: Annotated[bool, typer.Option("--public", help="Leave internal notes out.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Find the tickets nearest in meaning to a question.

    Beside a running worker the worker is asked; otherwise the index is opened here.

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
        updated_after_ms=moment_of(after, "--after"),
        updated_before_ms=moment_of(before, "--before"),
        public_only=public,
    )
    with ExitStack() as stack:
        show(open_searcher(load_settings(), stack), text, query, as_json=as_json)


def show(searcher: Searcher, text: str, query: SearchQuery, *, as_json: bool = False) -> None:
    """Ask and print."""
    hits = searcher.search(text, query)
    if as_json:
        print_json(hits)
    elif hits:
        out.print(_table(text, hits))
    else:
        out.print(f"no ticket of tenant {query.tenant_id} matches")


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

"""`ticketstream search`: find the tickets that answer a question, and show why each was found."""

from contextlib import ExitStack
from typing import Annotated

import typer

from cli.console import JsonFlag, TenantOption, err, out, parse_time, print_json, report_errors
from cli.hits import hits_table
from core.environment import load_settings
from core.errors import ConfigError
from core.index import MAX_HITS, SearchQuery
from runtime.searcher import Searcher, open_searcher
from search.result import Answer

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_HITS, help="Maximum tickets to show.")]
PublicFlag = Annotated[bool, typer.Option("--public", help="Search what customers can see, without internal notes.")]
AllFlag = Annotated[bool, typer.Option("--all", help="Show the nearest tickets even if none answers the question.")]
ExplainFlag = Annotated[bool, typer.Option("--explain", help="Show the parts of each score.")]
PlainFlag = Annotated[
    bool, typer.Option("--plain", help="Rank by the match alone, ignoring whether a ticket is solved or recent.")
]


@report_errors
def search(
    text: Annotated[
        str, typer.Argument(metavar="QUESTION", help="The question: your own words, an error code, a number.")
    ],
    *,
    tenant: TenantOption,
    limit: LimitOption = 5,
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
    customer: Annotated[list[str] | None, typer.Option(help="Only tickets of this customer; may be repeated.")] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(help="Only passages by this author: customer, agent or system; may be repeated."),
    ] = None,
    solved: Annotated[bool | None, typer.Option("--solved/--unsolved", help="Only solved or unsolved tickets.")] = None,
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
    public: PublicFlag = False,
    show_all: AllFlag = False,
    explain: ExplainFlag = False,
    plain: PlainFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Find the tickets that answer a question, by meaning and by words.

    The question may hold filters (status:open customer:C-17 solved:yes before:2026-01-31) and "quoted phrases".

    A running worker that owns the embedded index answers; otherwise the index is opened directly.

    [dim]ticketstream search --tenant acme "cannot sign in after the password change"
    ticketstream search --tenant acme "ERR_CONN-42 status:open"[/]
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
        customer_id=tuple(customer or ()),
        role=tuple(role or ()),
        solved=solved,
        updated_after_ms=parse_time(after, "--after"),
        updated_before_ms=parse_time(before, "--before"),
        public_only=public,
    )
    with ExitStack() as stack:
        searcher = open_searcher(load_settings(), stack)
        show(searcher, text, query, plain=plain, as_json=as_json, explain=explain, show_all=show_all)


def show(
    searcher: Searcher,
    text: str,
    query: SearchQuery,
    *,
    plain: bool = False,
    as_json: bool = False,
    explain: bool = False,
    show_all: bool = False,
) -> None:
    """Search, and print the hits, or that there are none."""
    answer = searcher.search(text, query, plain=plain)
    if as_json:
        print_json(answer)
    elif not answer.hits:
        out.print(f"tenant {query.tenant_id} has no matching tickets")
    else:
        _print_hits(text, answer, query.tenant_id, show_all=show_all, explain=explain)
    if (warning := searcher.warning()) is not None:
        err.print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)


def _print_hits(text: str, answer: Answer, tenant: str, *, show_all: bool, explain: bool) -> None:
    if answer.nothing:
        line = f"nothing found: no ticket of tenant {tenant} seems to answer this question"
        rest = "; the nearest ones:" if show_all else "; --all shows the nearest ones"
        out.print(f"{line} (confidence {answer.confidence:.2f}){rest}", highlight=False)
    if show_all or not answer.nothing:
        out.print(hits_table(text, answer, explain=explain))


@report_errors
def similar(
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="The id of a ticket.")],
    *,
    tenant: TenantOption,
    limit: LimitOption = 5,
    solved: Annotated[bool | None, typer.Option("--solved/--unsolved", help="Only solved or unsolved tickets.")] = None,
    public: PublicFlag = False,
    explain: ExplainFlag = False,
    plain: PlainFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Find the tickets that are most like a ticket of the index.

    [dim]ticketstream similar T-1042 --tenant acme --solved[/]
    """
    query = SearchQuery(tenant_id=tenant, limit=limit, solved=solved, public_only=public)
    with ExitStack() as stack:
        searcher = open_searcher(load_settings(), stack)
        answer, warning = searcher.similar(ticket, query, plain=plain), searcher.warning()
    if as_json:
        print_json(answer)
    elif answer.hits:
        out.print(hits_table(f"like {ticket}", answer, explain=explain))
    else:
        out.print(f"tenant {tenant} has no other matching tickets")
    if warning is not None:
        err.print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)

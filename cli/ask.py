"""`ticketstream ask`: an answer from solved tickets, with a source for every sentence."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Annotated, Final

import typer
from rich.text import Text

from answers.events import Citation, Event, Refusal, Sentence, Sources, Usage
from answers.evidence import Source
from cli.console import CallerTenantOption, JsonFlag, err, out, print_json, report_errors
from cli.hits import shown_date
from core.environment import load_settings
from core.errors import ConfigError
from runtime.answer_client import PATH, request_body
from runtime.answer_client import ask as ask_service
from runtime.service_client import decoded, open_service_client

#: Maximum sources of an answer.
_MAX_SOURCES: Final = 10


@report_errors
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, in your own words.")],
    *,
    tenant: CallerTenantOption = None,
    ticket: Annotated[str | None, typer.Option(help="The id of the ticket that the question is about.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, max=_MAX_SOURCES, help="Maximum sources to read.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from your tenant's solved tickets, with a source for every sentence.

    The RAG service answers (TICKETS_CLIENT__RAG_URL). The access token decides whose tickets it reads.

    [dim]ticketstream ask "why does the invoice show the old VAT rate?"
    ticketstream ask "what solved this last time?" --ticket T-1042[/]
    """
    if not question.strip():
        raise ConfigError("the question is empty; give a question")
    with ExitStack() as stack:
        client = open_service_client(load_settings().client, "rag", stack, tenant=tenant)
        if as_json:
            body = request_body(question, ticket_id=ticket, limit=limit)
            print_json(decoded(client.call("POST", PATH, body=body)))
        else:
            show(ask_service(client, question, ticket_id=ticket, limit=limit))


def show(events: Iterator[Event]) -> None:
    """Print an answer while it arrives: its sentences, then the sources that they cite, or the nearest tickets."""
    sources: tuple[Source, ...] = ()
    cited: dict[int, list[Citation]] = {}
    usage: Usage | None = None
    for event in events:
        match event:
            case Sources():
                sources = event.sources
            case Sentence():
                numbers = dict.fromkeys(citation.source for citation in event.citations)
                for citation in event.citations:
                    cited.setdefault(citation.source, []).append(citation)
                marks = "".join(f"[{number}]" for number in numbers)
                _say(Text.assemble(event.text, " ", (marks, "cyan")))
            case Refusal():
                _say(Text.assemble(("no answer: ", "bold"), event.text))
                _print_nearest([sources[number - 1] for number in event.nearest if 1 <= number <= len(sources)])
            case Usage():
                usage = event
            case _:
                pass
    _print_sources(sources, cited)
    _print_usage(usage)


def _say(line: Text) -> None:
    """Print a line, which is wrapped only on a terminal."""
    out.print(line, soft_wrap=not out.is_terminal)


def _print_sources(sources: tuple[Source, ...], cited: dict[int, list[Citation]]) -> None:
    known = [number for number in sorted(cited) if 1 <= number <= len(sources)]
    if known:
        out.print()
    for number in known:
        _print_source(Text(f"[{number}] ", "cyan"), sources[number - 1])


def _print_nearest(sources: Sequence[Source]) -> None:
    if sources:
        out.print("\nnearest tickets:" if len(sources) > 1 else "\nnearest ticket:")
    for source in sources:
        _print_source(Text("    "), source)


def _print_source(mark: Text, source: Source) -> None:
    _say(Text.assemble(mark, (source.ticket_id, "bold"), f"  {source.subject}"))
    _say(Text(f"    {_facts(source)}", "dim"))


def _facts(source: Source) -> str:
    facts = [f"message {source.message + 1}" if source.message >= 0 else "ticket text"]
    if source.message_at is not None:
        facts.append(shown_date(source.message_at))
    if source.resolution:
        facts.append("solved the ticket")
    return ", ".join((*facts, *source.reasons))


def _print_usage(usage: Usage | None) -> None:
    if usage is None:
        return
    if usage.degraded is not None:
        err.print(f"warning: {usage.model} wrote this answer, because {usage.degraded}", markup=False, soft_wrap=True)
    elif usage.input_tokens or usage.output_tokens:
        out.print(f"\n{usage.model}, {usage.input_tokens + usage.output_tokens:,} tokens", style="dim")

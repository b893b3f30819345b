"""`ticketstream demo`: a whole stream on this machine, from an empty broker to search results. `make run` calls it."""

import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.ask import show as show_answer
from cli.console import out, report_errors
from cli.model import model_progress
from cli.search import show
from cli.terminal import one_line
from core.callers import Role
from core.environment import load_settings
from core.errors import TicketstreamError
from core.index import SearchQuery
from local.feed import Feed, open_feed
from local.services import LocalServices, open_local_services
from local.stack import LocalStream, open_local_stream
from runtime.answer_client import ask
from runtime.control import WorkerStatus
from runtime.model import fetch_model
from runtime.searcher import Searcher, open_searcher
from runtime.service_client import ServiceClient, open_http_client
from synthetic.facts import TENANTS
from synthetic.gold import gold_questions, suggestions
from synthetic.tickets import events

_TRICKLE_PER_S: Final = 2.0
_HITS: Final = 3
_ROLES: Final[tuple[Role, ...]] = ("agent",)
_MS: Final = 1_000


@report_errors
def demo(
    *,
    tickets: Annotated[int, typer.Option(min=1, help="Number of synthetic events to send.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the events: the same seed makes the same tickets.")] = 7,
    interactive: Annotated[
        bool | None,
        typer.Option("--interactive/--batch", help="Prompt for questions at the end; the default on a terminal."),
    ] = None,
) -> None:
    """Start a broker, a worker and the services on this machine, stream synthetic tickets, and ask about them.

    It prints the address of a page on which to ask. Everything is in a temporary folder, which is removed at the end.
    Only the model stays in its cache.
    """
    stay = sys.stdin.isatty() and sys.stdout.isatty() if interactive is None else interactive
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="ticketstream-")))
        with model_progress() as progress:
            fetch_model(load_settings().model, progress=progress)
        asked = gold_questions(events(tickets, seed=seed), seed=seed)
        suggested = list(suggestions(asked, tenant_id=TENANTS[0]))
        with out.status("starting") as spinner:
            stream = open_local_stream(folder, opened, say=spinner.update)
            services = open_local_services(
                stream,
                folder,
                opened,
                say=spinner.update,
                tenant=TENANTS[0],
                examples=[question.text for question in suggested],
            )
        feed = open_feed(stream.settings, opened)
        _send_and_watch(stream, feed, tickets, seed)
        searcher = open_searcher(stream.settings, opened)
        out.print(f"{_index_line(searcher.status())}\n", highlight=False)
        assistant = _open_assistant(services, stream, opened)
        for question in suggested:
            show(searcher, question.text, SearchQuery(tenant_id=question.tenant_id, limit=_HITS), show_all=True)
        for question in suggested[:1]:
            out.print(f"\nan answer: {question.text}", style="bold", highlight=False)
            show_answer(ask(assistant, question.text))
        if stay:
            _prompt_for_questions(_Demo(stream, services, feed, searcher, assistant), seed)


class _Demo(NamedTuple):
    """The resources of the prompt."""

    stream: LocalStream
    services: LocalServices
    feed: Feed
    searcher: Searcher
    assistant: ServiceClient


def _open_assistant(services: LocalServices, stream: LocalStream, opened: ExitStack) -> ServiceClient:
    """A client of the RAG service, as an agent of the demo's tenant."""
    http = open_http_client(stream.settings.client, opened)
    return ServiceClient(http, "rag", services.rag_url, lambda: services.token(TENANTS[0], "demo", _ROLES))


def _send_and_watch(stream: LocalStream, feed: Feed, tickets: int, seed: int) -> None:
    """Send tickets, and show progress until the worker has committed all of them."""
    columns = (
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}", markup=False),
    )
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:
        produced = bars.add_task("produced", total=tickets, speed="")
        searchable = bars.add_task("searchable", total=tickets, speed="")
        sending = threading.Thread(
            target=feed.send,
            args=(tickets,),
            kwargs={"seed": seed, "on_delivered": lambda n: bars.advance(produced, n)},
            daemon=True,
        )
        sending.start()
        first, began = None, time.monotonic()
        while (done := feed.committed()) < tickets:
            stream.check()
            now = time.monotonic()
            if done and first is None:
                first, began = done, now
            speed = f"{(done - first) / (now - began):,.0f}/s" if first is not None and now > began else ""
            bars.update(searchable, completed=done, speed=speed)
            time.sleep(0.25)
        bars.update(searchable, completed=done)
        sending.join()


def _index_line(status: WorkerStatus) -> str:
    line = f"index: {status.points:,} points ({status.tombstones:,} tombstones), model {status.model}"
    return f"{line}, {_newest(status)}"


def _newest(status: WorkerStatus) -> str:
    """The age of the newest searchable ticket, which shows the index's delay."""
    if status.newest_ms is None:
        return "no ticket searchable yet"
    return f"newest ticket {max(0.0, time.time() - status.newest_ms / _MS):.1f} s old"


def _prompt_for_questions(demo: _Demo, seed: int) -> None:
    """Answer questions until Ctrl-C or Ctrl-D, while new tickets keep coming in."""
    from prompt_toolkit import PromptSession, patch_stdout  # noqa: PLC0415 - for people at a terminal only
    from prompt_toolkit.formatted_text import HTML  # noqa: PLC0415 - likewise

    _print_addresses(demo.stream, demo.services)
    toolbar = _Toolbar(demo.feed, demo.searcher)
    session: PromptSession[str] = PromptSession(bottom_toolbar=toolbar.line, refresh_interval=0.5)
    try:
        with demo.feed.trickle(
            seed=seed + 1, per_s=_TRICKLE_PER_S, after_each=toolbar.update, on_error=toolbar.show_error
        ):
            while True:
                with patch_stdout.patch_stdout():
                    text = session.prompt(HTML(f"<b>ask {TENANTS[0]}</b> (Ctrl-C ends) > ")).strip()
                demo.stream.check()
                demo.services.check()
                if text:
                    _answer(demo, text)
    except (KeyboardInterrupt, EOFError):
        out.print("draining and stopping")


def _print_addresses(stream: LocalStream, services: LocalServices) -> None:
    out.print(f"\npage: {services.page_url}", style="bold", highlight=False)
    out.print(f"sign in as tenant {TENANTS[0]}, with any name and the code {services.sign_in_code}", highlight=False)
    out.print("\nThe stream keeps running, with two new tickets a second. From another terminal:")
    for variables, command in (
        (stream.variables, "ticketstream status"),
        (services.variables, f'ticketstream ask --tenant {TENANTS[0]} "…"'),
    ):
        names = " ".join(f"{name}={value}" for name, value in variables.items())
        out.print(f"{names} {command}", style="dim", soft_wrap=True, highlight=False)
    out.print(f"metrics: {stream.metrics_url}\n", style="dim", highlight=False)


def _answer(demo: _Demo, text: str) -> None:
    """Show an answer and the hits. A mistake in a question, or a busy service, is reported and doesn't end the demo."""
    try:
        show_answer(ask(demo.assistant, text))
        show(demo.searcher, text, SearchQuery(tenant_id=TENANTS[0], limit=_HITS), show_all=True)
    except TicketstreamError as error:
        out.print(one_line(str(error)), style="red", highlight=False)


class _Toolbar:
    """One line on the state of the stream, under the prompt."""

    def __init__(self, feed: Feed, searcher: Searcher) -> None:
        self._feed = feed
        self._searcher = searcher
        self._line = "…"
        self._status: WorkerStatus | None = None

    def line(self) -> str:
        """The text to show, with the present age of the newest ticket."""
        return self._line if self._status is None else f"{self._line} · {_newest(self._status)}"

    def update(self) -> None:
        """Update the figures."""
        backlog, self._status = self._feed.backlog(), self._searcher.status()
        sent = f"{self._feed.sent:,} events sent"
        self._line = f"{sent} · {backlog:,} not yet committed · {self._status.points:,} points"

    def show_error(self, message: str) -> None:
        """Show `message` from now on."""
        self._line, self._status = message, None

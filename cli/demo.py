"""`ticketstream demo`: the whole stream on this machine, from an empty broker to answers. `make run` calls it."""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.console import ends_in_one_line, out
from cli.model import model_progress
from cli.search import show
from connectors.kafka.admin import Cluster, open_cluster
from connectors.kafka.producer import Outgoing, Sender, open_sender
from core.environment import load_settings
from core.errors import TicketstreamError
from core.records import SearchQuery
from core.settings import Settings
from local.stack import LocalStream, open_local_stream
from runtime.model import fetch_model
from runtime.searcher import Searcher, open_searcher
from synthetic.tickets import SyntheticRecord, events, questions

_TRICKLE_PER_S: Final = 2.0
_QUESTIONS: Final = 4
_HITS: Final = 3


@ends_in_one_line
def demo(
    *,
    tickets: Annotated[int, typer.Option(min=1, help="How many synthetic events to stream.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the events.")] = 7,
    interactive: Annotated[
        bool | None,
        typer.Option("--interactive/--batch", help="Take questions at the end; the default is yes on a terminal."),
    ] = None,
) -> None:
    """Start a broker and a worker here, stream synthetic tickets through them, and ask questions.

    Everything lives in a temporary folder and is gone afterwards; only the model's cache stays.
    """
    stay = sys.stdin.isatty() and sys.stdout.isatty() if interactive is None else interactive
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="ticketstream-")))
        with model_progress() as progress:
            fetch_model(load_settings().model, progress=progress)
        with out.status("starting") as spinner:
            stream = open_local_stream(folder, opened, say=spinner.update)
        sender = open_sender(stream.settings.kafka)
        opened.callback(sender.close)
        produced = _stream(stream, sender, tickets, seed)
        searcher = open_searcher(stream.settings, opened)
        _tell(searcher)
        for question in islice(questions(seed=seed), _QUESTIONS):
            show(searcher, question.text, SearchQuery(tenant_id=question.tenant_id, limit=_HITS))
        if stay:
            _take_questions(stream, sender, searcher, produced, seed)


def _stream(stream: LocalStream, sender: Sender, tickets: int, seed: int) -> int:
    """Produce, and show how far the worker is, until it has committed everything."""
    records = [_outgoing(stream.settings, e) for e in _events(tickets, seed)]
    columns = (
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[at]}", markup=False),
    )
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:
        written = bars.add_task("produced", total=len(records), at="")
        indexed = bars.add_task("searchable", total=len(records), at="")
        thread = threading.Thread(
            target=sender.send,
            args=(records,),
            kwargs={"on_delivered": lambda n: bars.advance(written, n)},
            daemon=True,
        )
        thread.start()
        cluster, first, began = open_cluster(stream.settings.kafka), None, time.monotonic()
        while (done := committed(cluster, stream.settings)) < len(records):
            stream.check()
            now = time.monotonic()
            if done and first is None:
                first, began = done, now
            speed = f"{(done - first) / (now - began):,.0f}/s" if first is not None and now > began else ""
            bars.update(indexed, completed=done, at=speed)
            time.sleep(0.25)
        bars.update(indexed, completed=done)
        thread.join()
    return len(records)


def committed(cluster: Cluster, settings: Settings) -> int:
    """How many records of the raw topic the group has committed."""
    return sum(lag.committed or 0 for lag in cluster.lag(settings.topics.raw, settings.kafka.group))


def _tell(searcher: Searcher) -> None:
    status = searcher.status()
    fresh = "" if status.freshness_s is None else f", {status.freshness_s:.1f} s from broker to searchable"
    out.print(
        f"{status.points:,} points ({status.tombstones:,} tombstones) by {status.model}{fresh}\n", highlight=False
    )


def _take_questions(stream: LocalStream, sender: Sender, searcher: Searcher, produced: int, seed: int) -> None:
    """Keep tickets trickling in, show how the stream is, and answer until Ctrl-C or Ctrl-D."""
    from prompt_toolkit import PromptSession, patch_stdout  # noqa: PLC0415 - for people at a terminal only
    from prompt_toolkit.formatted_text import HTML  # noqa: PLC0415 - likewise

    out.print("The stream stays up, with a few new tickets every second. In another terminal, this asks it too:")
    names = " ".join(f"{name}={value}" for name, value in stream.variables.items())
    out.print(f"{names} ticketstream status", style="dim", soft_wrap=True, highlight=False)
    out.print(f"metrics: {stream.metrics_url}\n", style="dim", highlight=False)
    live = _Live(stream, sender, searcher, produced, seed)
    session: PromptSession[str] = PromptSession(bottom_toolbar=live.line, refresh_interval=0.5)
    tenant = next(iter(questions(seed=seed))).tenant_id
    try:
        while True:
            with patch_stdout.patch_stdout():
                text = session.prompt(HTML(f"<b>ask {tenant}</b> (Ctrl-C ends) > ")).strip()
            stream.check()
            if text:
                show(searcher, text, SearchQuery(tenant_id=tenant, limit=_HITS))
    except (KeyboardInterrupt, EOFError):
        out.print("draining and stopping")
    finally:
        live.close()


class _Live:
    """New tickets in the background, and one line on how the stream is."""

    def __init__(self, stream: LocalStream, sender: Sender, searcher: Searcher, produced: int, seed: int) -> None:
        self._stream, self._sender, self._searcher = stream, sender, searcher
        self._produced = produced
        self._seed = seed + 1
        self._line = "…"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trickle", daemon=True)
        self._thread.start()

    def line(self) -> str:
        """What the toolbar shows."""
        return self._line

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        cluster = open_cluster(self._stream.settings.kafka)
        try:
            for event in _events(1_000_000, self._seed):
                self._sender.send([_outgoing(self._stream.settings, event)])
                self._produced += 1
                behind = self._produced - committed(cluster, self._stream.settings)
                status = self._searcher.status()
                self._line = f"{self._produced:,} events · {behind} behind · {status.points:,} points"
                if status.freshness_s is not None:
                    self._line += f" · {status.freshness_s:.2f} s to searchable"
                if self._stopping.wait(1 / _TRICKLE_PER_S):
                    return
        except TicketstreamError as error:
            self._line = str(error)


def _events(count: int, seed: int) -> Iterator[SyntheticRecord]:
    return events(count, seed=seed, start_ms=int(time.time() * 1000))


def _outgoing(settings: Settings, event: SyntheticRecord) -> Outgoing:
    return Outgoing(settings.topics.raw, event.key, event.value, event.headers)

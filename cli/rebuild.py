"""`ticketstream rebuild`: the index anew from the log, while the old one answers."""

from typing import Final

from cli.console import JsonFlag, ends_in_one_line, err, print_json
from cli.log import Log, progress, shown
from connectors.index.successor import begin
from core.settings import load_settings
from worker.bulk import Bulk
from worker.compose import ticket_steps
from worker.model import open_embedder
from worker.rebuild import catch_up, fill, follow

_STOP_THE_WORKER: Final = (
    "the new index is whole and follows the log; stop the worker now, and start it again when this command has ended"
)


@ends_in_one_line
def rebuild(*, as_json: JsonFlag = False) -> None:
    """Build the index anew from tickets.raw, and put it in the old one's place when it is whole.

    On a Qdrant server TICKETS_INDEX__COLLECTION names an alias, which is turned to the new collection in one step;
    workers may run all the while. The embedded index changes while its worker is stopped: this command says when.
    Until then searches are answered by the old index.
    """
    settings = load_settings()
    log = Log(settings)
    embedder = open_embedder(settings.model)
    successor = begin(settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        fold = log.fold()
        bulk = Bulk(steps=ticket_steps(settings, embedder), index=successor.index, settings=settings.writer)
        with progress() as bars:
            total = log.length()
            fill(
                fold,
                log,
                bulk,
                folding=lambda records: shown(bars, "reading the log", records, total=total),
                writing=lambda records: shown(bars, "indexing", records, total=total),
            )
        catch_up(fold, log, bulk)
        successor.switch(follow=lambda: follow(fold, log, bulk), wait=_Once(_STOP_THE_WORKER))
    finally:
        successor.close()
    if as_json:
        print_json({"index": successor.name, "tickets": bulk.written, "rejected": bulk.rejected, "old": successor.old})
        return
    err.print(f"{bulk.written:,} ticket(s) indexed into {successor.name}, which now answers")
    if bulk.rejected:
        err.print(f"{bulk.rejected:,} record(s) can't be used and are left out")
    if successor.old is not None:
        err.print(f"collection {successor.old} is as it was and no longer written; delete it when you don't need it")


class _Once:
    """Says its words the first time."""

    def __init__(self, words: str) -> None:
        self._words: str | None = words

    def __call__(self) -> None:
        if self._words is not None:
            err.print(self._words)
        self._words = None

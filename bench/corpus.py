"""The texts that are embedded: seeded synthetic tickets, the banking77 queries, or the user's file."""

import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.environment import load_settings
from core.protocols import Embedder
from core.records import Batch, EnrichedTicket, Item, Origin, Record
from stream.plan import ticket_steps
from stream.steps import run_step
from stream.telemetry import StreamTelemetry
from synthetic.tickets import SyntheticRecord, events

SYNTHETIC: Final = "synthetic"
BANKING77: Final = "banking77"
_BANKING77_FILE: Final = Path("../shared/data/banking77/test.csv")
_SEED: Final = 7


class NoCorpusError(Exception):
    """The corpus is missing; the message says what to do."""


@lru_cache(maxsize=1)
def synthetic_events(tickets: int) -> list[SyntheticRecord]:
    """New tickets only, because edits and duplicates would repeat texts."""
    return list(events(tickets, seed=_SEED, edits=0, deletes=0, duplicates=0))


def records(tickets: int) -> list[Record]:
    """The synthetic tickets as records of a topic."""
    made = synthetic_events(tickets)
    return [Record(Origin("bench", 0, number), e.key, e.value, 0, e.headers) for number, e in enumerate(made)]


def passages(tickets: int, embedder: Embedder) -> list[list[str]]:
    """The texts that the pipeline embeds for each synthetic ticket."""
    batch: Batch[Item] = Batch(tuple(records(tickets)))
    for step in ticket_steps(load_settings(), embedder):
        if step.name == "embed":
            break
        batch = run_step(step, batch, StreamTelemetry())
    return [[p.embed_text for p in item.passages] if isinstance(item, EnrichedTicket) else [] for item in batch.items]


def texts(corpus: str, tickets: int, embedder: Embedder) -> list[str]:
    """The distinct texts of at most `tickets` tickets, in order.

    Args:
        corpus: `synthetic`, `banking77`, or a JSONL file whose lines have a field `text`.
        tickets: number of tickets; number of lines, for a file.
        embedder: cuts the synthetic tickets into passages.

    Raises:
        NoCorpusError: the file is missing or malformed.
    """
    if corpus == SYNTHETIC:
        return list(dict.fromkeys(text for ticket in passages(tickets, embedder) for text in ticket))
    file = _BANKING77_FILE if corpus == BANKING77 else Path(corpus)
    if not file.is_file():
        raise NoCorpusError(f"--corpus: there is no {file}")
    if corpus == BANKING77:
        with file.open(newline="") as lines:
            found = [row["text"] for row in csv.DictReader(lines)]
    else:
        found = [_text(file, number, line) for number, line in enumerate(file.open(), 1)]
    return list(dict.fromkeys(found))[:tickets]


def _text(file: Path, number: int, line: str) -> str:
    try:
        return str(json.loads(line)["text"])
    except (ValueError, KeyError, TypeError):
        raise NoCorpusError(f'--corpus: line {number} of {file} is not JSON with a field "text"') from None

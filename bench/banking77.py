"""Measures how often the nearest neighbour of a query has the query's intent, on banking77, end to end.

    python -m bench.banking77 [FOLDER]

FOLDER holds train.csv and test.csv (columns text, category) of banking77 (Casanueva et al. 2020,
https://arxiv.org/abs/2003.04807). All 13,083 queries are produced with `ticketstream produce --csv`, indexed by a
worker, and the 3,080 test queries are searched. A query's own ticket doesn't count. It prints the share of queries
whose nearest neighbour has the same intent: among all tickets, and among the training tickets.
"""

import csv
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import track

from connectors.kafka.admin import open_cluster
from connectors.qdrant.open import open_index_for_writing
from core.index import SearchQuery
from local.feed import committed
from local.stack import LocalStream, open_local_stream
from models.open import load_embedder
from runtime.searcher import IndexSearcher

err = Console(stderr=True)

_DEFAULT: Final = Path("../shared/data/banking77")
_GOAL: Final = 0.90


def main(
    folder: Annotated[Path, typer.Argument(help="Where train.csv and test.csv are.")] = _DEFAULT,
) -> None:
    """Produce, index and search the queries, and print how many nearest neighbours have the query's intent."""
    files = {split: folder / f"{split}.csv" for split in ("train", "test")}
    missing = [str(file) for file in files.values() if not file.is_file()]
    if missing:
        err.print(f"skipped: there is no {' or '.join(missing)}")
        return
    with tempfile.TemporaryDirectory(prefix="ticketstream-bench-") as name:
        with ExitStack() as stack:
            stream = open_local_stream(Path(name), stack, say=err.print)
            total = sum(_produce(stream, split, file) for split, file in files.items())
            began = time.monotonic()
            _wait(stream, total)
            err.print(f"{total:,} queries searchable after {time.monotonic() - began:.1f} s more")
        queries = list(_rows(files["test"]))
        among_all, among_train = _search(stream, queries)
    print(f"first neighbour of the query's own intent, {len(queries):,} test queries")
    print(f"  among all {total:,} tickets but its own: {among_all:.4f}")
    print(f"  among the training split:            {among_train:.4f}")
    print(f"  goal: {_GOAL:.2f}, {'reached' if among_all >= _GOAL else 'missed'}")


def _produce(stream: LocalStream, split: str, file: Path) -> int:
    constants = {"tenant_id": "bank", "channel": split}
    columns = {"body": "text", "category": "category"}
    mapping = [f"{field}:={value}" for field, value in constants.items()]
    mapping += [f"{field}={column}" for field, column in columns.items()]
    # ticket ids are made from the split and the row, so that a query knows its own ticket
    mapping.append(f"ticket_id:={split}-{{row}}")
    arguments = [argument for item in mapping for argument in ("--map", item)]
    command = str(Path(sys.executable).with_name("ticketstream"))
    subprocess.run([command, "produce", "--csv", str(file), *arguments], env=stream.environment, check=True)
    return sum(1 for _row in _rows(file))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def _wait(stream: LocalStream, total: int) -> None:
    cluster = open_cluster(stream.settings.kafka)
    while committed(cluster, stream.settings) < total:
        stream.check()
        time.sleep(0.2)


def _search(stream: LocalStream, queries: list[dict[str, str]]) -> tuple[float, float]:
    embedder = load_embedder(stream.settings.model)
    index = open_index_for_writing(stream.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    searcher = IndexSearcher(index=index, embedder=embedder)
    right = {"all": 0, "train": 0}
    for number, row in enumerate(track(queries, "searching", console=err), start=1):
        for name, query in {
            "all": SearchQuery(tenant_id="bank", limit=2),
            "train": SearchQuery(tenant_id="bank", limit=1, channel=("train",)),
        }.items():
            hits = [hit for hit in searcher.search(row["text"], query).hits if hit.ticket_id != f"test-{number}"]
            right[name] += hits[0].payload["category"] == row["category"]
    index.close()
    return right["all"] / len(queries), right["train"] / len(queries)


if __name__ == "__main__":
    typer.run(main)

"""`ticketstream topics`: create what is declared and missing."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import JsonFlag, ends_in_one_line, out, print_json
from connectors.kafka.topics import create_topics, load_topics
from core.environment import load_settings


@ends_in_one_line
def topics(
    *,
    file: Annotated[Path | None, typer.Option(help="Declaration to read instead of the shipped topics.yaml.")] = None,
    replication: Annotated[
        int | None, typer.Option(help="Copies of each partition, instead of the declared number; 1 for one broker.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Create the topics that [bold]deploy/k8s-ecs/msk/topics.yaml[/] declares; what exists is left as it is."""
    settings = load_settings()
    done = create_topics(settings, load_topics(file, names=settings.topics), replication=replication)
    if as_json:
        print_json(done)
        return
    table = Table("topic", "partitions", "outcome")
    for name, (partitions, outcome) in done.items():
        table.add_row(name, str(partitions), outcome)
    out.print(table)

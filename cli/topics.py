"""`ticketstream topics`: create declared topics that don't exist yet."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import JsonFlag, out, print_json, report_errors
from connectors.kafka.topics import create_topics, load_topics
from core.environment import load_settings


@report_errors
def topics(
    *,
    file: Annotated[Path | None, typer.Option(help="YAML declaration to read instead of the one shipped.")] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Replication factor instead of the declared one; 1 for a single broker.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Create the topics that [bold]deploy/k8s-ecs/msk/topics.yaml[/] declares and the cluster lacks.

    Existing topics are not changed. One that has another number of partitions than declared is reported.
    """
    settings = load_settings()
    done = create_topics(settings, load_topics(file, names=settings.topics), replication=replication)
    if as_json:
        print_json(done)
        return
    table = Table("topic", "partitions", "outcome")
    for name, (partitions, outcome) in done.items():
        table.add_row(name, str(partitions), outcome)
    out.print(table)

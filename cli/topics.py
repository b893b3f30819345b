"""`ticketstream topics`: create what is declared and missing."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import JsonFlag, ends_in_one_line, out, print_json
from connectors.kafka.admin import Cluster
from connectors.topics_file import TopicSpec, load_topics
from core.environment import load_settings
from core.errors import ConfigError
from core.settings import Settings


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
    done = create_topics(
        settings, load_topics(file or settings.topics.file, names=settings.topics), replication=replication
    )
    if as_json:
        print_json(done)
        return
    table = Table("topic", "partitions", "outcome")
    for name, (partitions, outcome) in done.items():
        table.add_row(name, str(partitions), outcome)
    out.print(table)


def create_topics(
    settings: Settings, specs: list[TopicSpec], *, replication: int | None = None
) -> dict[str, tuple[int, str]]:
    """Create the missing ones; per topic its partitions and `created`, `exists` or how it differs.

    Raises:
        ConfigError: more copies are asked for than there are brokers.
        UnavailableError: no broker answers, or it refuses.
    """
    cluster = Cluster(settings.kafka)
    present = cluster.topics()
    brokers = cluster.brokers()
    done = {}
    for spec in specs:
        if spec.name in present:
            found = present[spec.name]
            same = found == spec.partitions
            done[spec.name] = (found, "exists" if same else f"exists, declared with {spec.partitions} partitions")
            continue
        copies = replication or spec.replication
        if copies > brokers:
            raise ConfigError(
                f"{spec.name} wants {copies} copies and the cluster has {brokers} broker(s): add brokers, "
                f"or say --replication {brokers}"
            )
        config = dict(spec.config)
        if "min.insync.replicas" in config:
            config["min.insync.replicas"] = str(min(int(config["min.insync.replicas"]), copies))
        cluster.create_topic(spec.name, partitions=spec.partitions, replication=copies, config=config)
        done[spec.name] = (spec.partitions, "created")
    return done

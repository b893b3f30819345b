"""`ticketstream doctor`: is everything there that the stream needs, and if not, what is to be done."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Annotated

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, ends_in_one_line, out, print_json
from connectors.kafka.admin import open_cluster
from connectors.kafka.topics import load_topics
from core.environment import load_settings, shown_value, variables
from core.errors import EXIT_OK, TicketstreamError
from core.settings import Settings
from models.open import describe
from runtime.searcher import open_searcher


class Finding(Struct, frozen=True):
    """One check: what was looked at, and what is wrong with it, or how it is."""

    check: str
    healthy: bool
    detail: str
    exit_code: int = EXIT_OK


@ends_in_one_line
def doctor(
    *,
    settings: Annotated[bool, typer.Option("--settings", help="List every setting instead, with its value.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check configuration, broker, topics, model and index; say what is wrong and what to do.

    Exits with 0 when all is well, else with the code of the first fault.
    """
    if settings:
        _list_settings(as_json=as_json)
        return
    findings = list(_examine())
    if as_json:
        print_json(findings)
    else:
        table = Table("", "check", "finding")
        for finding in findings:
            mark = Text("ok", style="green") if finding.healthy else Text("fault", style="bold red")
            table.add_row(mark, finding.check, finding.detail)
        out.print(table)
    raise typer.Exit(next((f.exit_code for f in findings if not f.healthy), EXIT_OK))


def _examine() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except TicketstreamError as error:
        yield Finding("configuration", healthy=False, detail=str(error), exit_code=error.exit_code)
        return
    yield Finding("configuration", healthy=True, detail="every TICKETS_* variable is known and well-formed")
    checks: dict[str, Callable[[Settings], str]] = {
        "broker": _broker,
        "topics": _topics,
        "consumer group": _group,
        "model": _model,
        "index": _index,
    }
    missing: set[str] = set()
    needs = {"topics": "broker", "consumer group": "topics", "index": "model"}
    for name, check in checks.items():
        if needs.get(name) in missing:
            missing.add(name)
            continue  # one fault, one line
        try:
            yield Finding(name, healthy=True, detail=check(settings))
        except TicketstreamError as error:
            missing.add(name)
            yield Finding(name, healthy=False, detail=str(error), exit_code=error.exit_code)


def _broker(settings: Settings) -> str:
    return f"{open_cluster(settings.kafka).brokers()} broker(s) at {settings.kafka.brokers}"


def _topics(settings: Settings) -> str:
    declared = [spec.name for spec in load_topics(None, names=settings.topics)]
    needed = [settings.topics.raw, settings.topics.dlq]
    present = open_cluster(settings.kafka).require_topics(list(dict.fromkeys([*needed, *declared])))
    return ", ".join(f"{name} ({partitions})" for name, partitions in present.items())


def _group(settings: Settings) -> str:
    lags = open_cluster(settings.kafka).lag(settings.topics.raw, settings.kafka.group)
    return f"{settings.kafka.group} is {sum(lag.lag for lag in lags):,} records behind"


def _model(settings: Settings) -> str:
    model = describe(settings.model)
    return f"{model.stamp or model.name} is ready" if model.ready else f"{model.name} is fetched at the first start"


def _index(settings: Settings) -> str:
    if settings.index.url is None and not settings.index.path.exists():
        return f"none yet at {settings.index.path}; the first start makes it"
    if not describe(settings.model).ready:
        return "not looked at before the model is there"
    with ExitStack() as stack:
        status = open_searcher(settings, stack).status()
    return f"{status.points:,} points, {status.tombstones:,} of them tombstones"


def _list_settings(*, as_json: bool) -> None:
    current = load_settings()
    rows = [
        {"variable": name, "value": shown_value(current, name), "default": default, "meaning": description}
        for name, (default, description) in variables().items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("variable", "value", "meaning")
    for row in rows:
        style = "" if row["value"] == row["default"] else "bold"
        table.add_row(Text(row["variable"], style=style), Text(row["value"], style=style), row["meaning"])
    out.print(table)

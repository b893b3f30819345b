"""`ticketstream dlq`: read the dead letters, and send them back when the cause is mended."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from msgspec import Struct
from rich.table import Table

from cli.console import JsonFlag, ends_in_one_line, err, out, print_json
from connectors.kafka.admin import Cluster
from connectors.kafka.dead_letters import FIRST_SEEN, HEADER_PREFIX
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_one, read_topic
from core.contract import moment
from core.errors import ConfigError
from core.records import Origin, Record
from core.settings import Settings, load_settings
from operators.redact import redact_text

app = typer.Typer(help="Read and replay dead letters.", no_args_is_help=True)

StageOption = Annotated[str | None, typer.Option("--stage", help="Only letters of this stage.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only letters of this kind, bad_json say.")]


class Letter(Struct, frozen=True):
    """A dead letter: where it lies, where it came from, and why."""

    at: str
    stage: str
    code: str
    reason: str
    origin: str
    first_seen_ms: int
    key: str | None
    bytes: int


@app.command("list")
@ends_in_one_line
def list_letters(*, stage: StageOption = None, code: CodeOption = None, as_json: JsonFlag = False) -> None:
    """List what lies in the dead-letter topic, by reason and origin; the texts stay hidden."""
    settings = load_settings()
    letters = [_letter(record) for record in _select(settings, stage, code)]
    if as_json:
        print_json(letters)
        return
    if not letters:
        out.print(f"{settings.topics.dlq} holds no such letter")
        return
    table = Table("at", "first seen (UTC)", "stage", "code", "reason", "origin", "key")
    for letter in letters:
        seen = f"{moment(letter.first_seen_ms):%Y-%m-%d %H:%M:%S}"
        table.add_row(letter.at, seen, letter.stage, letter.code, letter.reason, letter.origin, letter.key or "none")
    out.print(table)


@app.command("show")
@ends_in_one_line
def show(
    at: Annotated[str, typer.Argument(help="PARTITION:OFFSET in the dead-letter topic, as `list` prints it.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Print the original bytes as they are, unredacted.")] = False,
) -> None:
    """Show one letter: why it is here, and its text with personal data redacted."""
    settings = load_settings()
    origin = _origin(settings, at)
    Cluster(settings.kafka).require_topics([settings.topics.dlq])
    record = read_one(settings.kafka, origin)
    if record is None:
        raise ConfigError(f"{settings.topics.dlq} has no letter at {at}; `ticketstream dlq list` shows where they are")
    if raw:
        typer.get_binary_stream("stdout").write(record.value or b"")
        return
    for name, value in record.headers:
        out.print(f"[bold]{name}[/]: ", end="")
        out.print(value.decode(errors="replace"), markup=False, highlight=False)
    out.print("[bold]key[/]: ", end="")
    out.print(_text(record.key), markup=False, highlight=False)
    out.print(redact_text(_text(record.value)), markup=False, highlight=False)


@app.command("replay")
@ends_in_one_line
def replay(
    *,
    stage: StageOption = None,
    code: CodeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Send letters back to the topic they came from, as they were.

    Versions protect the index: a replayed event that is older than what is indexed changes nothing. A letter whose
    cause isn't mended comes back, with its first-seen time kept. Letters stay in the topic until its retention ends.
    """
    settings = load_settings()
    chosen = {
        _header(r, "topic") + _header(r, "partition") + ":" + _header(r, "offset"): r
        for r in _select(settings, stage, code)
    }
    if not chosen:
        out.print("nothing to replay")
        return
    if not yes and not typer.confirm(f"Send {len(chosen)} letter(s) back?"):
        raise typer.Exit(1)
    sender = open_sender(settings.kafka)
    sender.send([_outgoing(record) for record in chosen.values()])
    sender.close()
    err.print(f"{len(chosen)} letter(s) sent back")


def _select(settings: Settings, stage: str | None, code: str | None) -> Iterator[Record]:
    topic = settings.topics.dlq
    partitions = Cluster(settings.kafka).require_topics([topic])[topic]
    for record in read_topic(settings.kafka, topic, partitions=partitions):
        if stage in {None, _header(record, "stage")} and code in {None, _header(record, "code")}:
            yield record


def _letter(record: Record) -> Letter:
    return Letter(
        at=f"{record.origin.partition}:{record.origin.offset}",
        stage=_header(record, "stage"),
        code=_header(record, "code"),
        reason=_header(record, "reason"),
        origin=f"{_header(record, 'topic')}[{_header(record, 'partition')}]:{_header(record, 'offset')}",
        first_seen_ms=int(_header(record, FIRST_SEEN.removeprefix(HEADER_PREFIX)) or 0),
        key=None if record.key is None else _text(record.key),
        bytes=len(record.value or b""),
    )


def _outgoing(record: Record) -> Outgoing:
    kept = tuple(p for p in record.headers if p[0] == FIRST_SEEN or not p[0].startswith(HEADER_PREFIX))
    return Outgoing(_header(record, "topic"), record.key, record.value, kept)


def _header(record: Record, name: str) -> str:
    value: Any = dict(record.headers).get(HEADER_PREFIX + name, b"")
    return str(value.decode(errors="replace"))


def _origin(settings: Settings, at: str) -> Origin:
    partition, colon, offset = at.partition(":")
    if not (colon and partition.isdigit() and offset.isdigit()):
        raise ConfigError(f"{at!r} is not PARTITION:OFFSET; `ticketstream dlq list` prints them")
    return Origin(settings.topics.dlq, int(partition), int(offset))


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="replace")

"""`ticketstream dlq`: read the dead letters, and send them back when the cause is mended."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, ends_in_one_line, err, moment_of, out, print_json
from cli.terminal import one_line
from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import FIRST_SEEN, HEADER_PREFIX
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_one, read_topic
from core.contract import moment
from core.environment import load_settings
from core.errors import ConfigError
from core.records import Origin, Record
from core.settings import Settings
from operators.redact import redact_text

app = typer.Typer(help="Read and replay dead letters.", no_args_is_help=True)

StageOption = Annotated[str | None, typer.Option("--stage", help="Only letters of this stage.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only letters of this kind, bad_json say.")]
TicketOption = Annotated[str | None, typer.Option("--ticket", help="Only this ticket's, by its key: TENANT/TICKET.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="Written at or after this time (ISO 8601, UTC).")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Written before this time (ISO 8601, UTC).")]

#: Partitions are counted in 31 bits and offsets in 63.
_PLACE: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")
#: Digits of a moment before the year 5138.
_LONGEST_MS: Final = 14
#: Letters sent back at once.
_SLICE: Final = 500


class _Wanted(Struct, frozen=True):
    """Which letters a command is about."""

    stage: str | None
    code: str | None
    ticket: str | None
    since_ms: int | None
    until_ms: int | None

    def __contains__(self, record: Record) -> bool:
        return (
            self.stage in {None, _header(record, "stage")}
            and self.code in {None, _header(record, "code")}
            and self.ticket in {None, _text(record.key)}
            and (self.since_ms is None or record.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or record.timestamp_ms < self.until_ms)
        )


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
def list_letters(
    *,
    stage: StageOption = None,
    code: CodeOption = None,
    ticket: TicketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List what lies in the dead-letter topic, by reason and origin; the texts stay hidden."""
    settings = load_settings()
    wanted = _Wanted(stage, code, ticket, moment_of(since, "--since"), moment_of(until, "--until"))
    letters = [_letter(record) for record in _select(settings, wanted)]
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
    open_cluster(settings.kafka).require_topics([settings.topics.dlq])
    record = read_one(settings.kafka, origin)
    if record is None:
        raise ConfigError(f"{settings.topics.dlq} has no letter at {at}; `ticketstream dlq list` shows where they are")
    if raw:
        typer.get_binary_stream("stdout").write(record.value or b"")
        return
    for name, value in [*record.headers, ("key", record.key)]:
        # A header is a line, however long: who looks for its words finds them.
        out.print(Text.assemble((one_line(name), "bold"), ": ", one_line(_text(value))), soft_wrap=True)
    out.print(redact_text(_text(record.value)), highlight=False, soft_wrap=True)


@app.command("replay")
@ends_in_one_line
def replay(
    *,
    stage: StageOption = None,
    code: CodeOption = None,
    ticket: TicketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Send letters back to the topic they came from, as they were.

    Versions protect the index: a replayed event that is older than what is indexed changes nothing. A letter whose
    cause isn't mended comes back, with its first-seen time kept. Letters stay in the topic until its retention ends.
    """
    settings = load_settings()
    wanted = _Wanted(stage, code, ticket, moment_of(since, "--since"), moment_of(until, "--until"))
    read = {settings.topics.raw, settings.topics.enriched}
    chosen = {
        _header(r, "topic") + _header(r, "partition") + ":" + _header(r, "offset"): r
        for r in _select(settings, wanted)
        if _header(r, "topic") in read  # a record that no worker of ours wrote leads nowhere
    }
    if not chosen:
        out.print("nothing to replay")
        return
    if not yes and not typer.confirm(f"Send {len(chosen)} letter(s) back?"):
        raise typer.Exit(1)
    sender, letters = open_sender(settings.kafka), list(chosen.values())
    try:
        for at in range(0, len(letters), _SLICE):
            sender.send([_outgoing(record) for record in letters[at : at + _SLICE]])
    finally:
        sender.close()
    err.print(f"{len(chosen)} letter(s) sent back")


def _select(settings: Settings, wanted: _Wanted) -> Iterator[Record]:
    topic = settings.topics.dlq
    partitions = open_cluster(settings.kafka).require_topics([topic])[topic]
    for record in read_topic(settings.kafka, topic, partitions=partitions):
        if record in wanted:
            yield record


def _letter(record: Record) -> Letter:
    return Letter(
        at=f"{record.origin.partition}:{record.origin.offset}",
        stage=_header(record, "stage"),
        code=_header(record, "code"),
        reason=_header(record, "reason"),
        origin=f"{_header(record, 'topic')}[{_header(record, 'partition')}]:{_header(record, 'offset')}",
        first_seen_ms=_first_seen_ms(record),
        key=None if record.key is None else _text(record.key),
        bytes=len(record.value or b""),
    )


def _first_seen_ms(record: Record) -> int:
    """As the letter says; one that says nothing sensible was seen when it was written."""
    seen = _header(record, FIRST_SEEN.removeprefix(HEADER_PREFIX))
    return int(seen) if seen.isdecimal() and seen.isascii() and len(seen) <= _LONGEST_MS else record.timestamp_ms


def _outgoing(record: Record) -> Outgoing:
    kept = tuple(p for p in record.headers if p[0] == FIRST_SEEN or not p[0].startswith(HEADER_PREFIX))
    return Outgoing(_header(record, "topic"), record.key, record.value, kept)


def _header(record: Record, name: str) -> str:
    value: Any = dict(record.headers).get(HEADER_PREFIX + name, b"")
    return str(value.decode(errors="replace"))


def _origin(settings: Settings, at: str) -> Origin:
    match = _PLACE.fullmatch(at)
    if match is None:
        raise ConfigError(f"{at!r} is not PARTITION:OFFSET; `ticketstream dlq list` prints them")
    return Origin(settings.topics.dlq, int(match[1]), int(match[2]))


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="replace")

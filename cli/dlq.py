"""`ticketstream dlq`: list, show and replay dead letters."""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, err, out, parse_time, print_json, report_errors
from cli.terminal import one_line
from connectors.kafka.dead_letters import written
from connectors.kafka.pacing import send_in_slices
from core.contract import datetime_from_ms
from core.environment import load_settings
from core.errors import ConfigError
from core.records import Record
from core.setting_types import default_data
from core.settings import Settings
from maintenance.replay import LetterFilter, parts_of, read_letter, read_letters, summarise, text_of
from maintenance.replay_plan import Plan, plan_replay, records_at_origin, records_to_send, send_accepted
from operators.redact import redact_json
from runtime.sender import open_sender

app = typer.Typer(help="List, show and replay dead letters.", no_args_is_help=True)

StageOption = Annotated[
    str | None, typer.Option("--stage", help="Only those rejected in this stage: read, decode, enrich, embed or index.")
]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only those with this code, e.g. bad_json.")]
TicketOption = Annotated[
    str | None, typer.Option("--ticket", metavar="TENANT/TICKET", help="Only those of this ticket.")
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only those written at or after this time (UTC), e.g. 2026-01-31 or 2026-01-31T08:00.",
    ),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only those written before this time (UTC).")
]

#: Kafka numbers partitions with 31 bits and offsets with 63.
_POSITION: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")


@app.command("list")
@report_errors
def list_letters(
    *,
    stage: StageOption = None,
    code: CodeOption = None,
    ticket: TicketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List dead letters with their reason and origin, without the tickets' text."""
    settings = load_settings()
    wanted = LetterFilter(stage, code, ticket, parse_time(since, "--since"), parse_time(until, "--until"))
    letters = [summarise(letter) for letter in read_letters(settings, wanted)]
    if as_json:
        print_json(letters)
        return
    if not letters:
        out.print(f"no matching dead letters in {settings.topics.dlq}")
        return
    table = Table("at", "first seen (UTC)", "stage", "code", "reason", "origin", "key")
    for letter in letters:
        seen = f"{datetime_from_ms(letter.first_seen_ms):%Y-%m-%d %H:%M:%S}"
        table.add_row(letter.at, seen, letter.stage, letter.code, letter.reason, letter.origin, letter.key or "none")
    out.print(table)


@app.command("show")
@report_errors
def show(
    at: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Its position, as `dlq list` prints it.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Print the original value's bytes instead, unredacted.")] = False,
) -> None:
    """Show one dead letter: its headers, and its text with personal data redacted."""
    settings = load_settings()
    letter = read_letter(settings, *_position(at))
    if letter is None:
        raise ConfigError(f"{settings.topics.dlq} has no dead letter at {at}; `ticketstream dlq list` lists them")
    if raw:
        typer.get_binary_stream("stdout").write(_value(settings, letter))
        return
    for name, value in [*letter.headers, ("key", letter.key)]:
        # Never wrapped, so that `grep` finds a header whole.
        out.print(Text.assemble((one_line(name), "bold"), ": ", one_line(text_of(value))), soft_wrap=True)
    out.print(redact_json(text_of(letter.value)), highlight=False, soft_wrap=True)


@app.command("replay")
@report_errors
def replay(
    *,
    stage: StageOption = None,
    code: CodeOption = None,
    ticket: TicketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    again: Annotated[bool, typer.Option("--again", help="Also send letters that were replayed before.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
) -> None:
    """Send dead letters, unchanged, back to the topics that they came from.

    Each letter is sent once, and only the last one of each record; the others are counted. A letter that was cut is
    read again from its origin. An event older than the indexed version of its ticket changes nothing. A record that
    fails again becomes a dead letter again, and keeps its first-seen time and first origin. The replayed letters stay
    in the dead-letter topic until its retention ends.
    """
    settings = load_settings()
    wanted = LetterFilter(stage, code, ticket, parse_time(since, "--since"), parse_time(until, "--until"))
    with ExitStack() as stack:
        stack.enter_context(_alone(settings))
        plan = plan_replay(settings, wanted, again=again)
        if not plan.chosen:
            out.print("nothing to replay")
            _tell_skipped(plan)
            return
        if not yes and not typer.confirm(f"Replay {len(plan.chosen):,} dead letter(s)?"):
            raise typer.Exit(1)
        # Compressed like the letters: a record may have fitted its topic only in that form.
        sender = open_sender(settings.kafka, stack, compress=True)
        for _ in send_in_slices(partial(send_accepted, sender, plan), records_to_send(settings, plan)):
            pass
    replayed = len(plan.chosen) - plan.skipped["gone"] - plan.skipped["too_large"]
    err.print(f"{max(0, replayed):,} dead letter(s) replayed")
    _tell_skipped(plan)


def _value(settings: Settings, letter: Record) -> bytes:
    """The letter's value; if it was cut, the value of its record at the origin, which must still exist."""
    parts = parts_of(letter)
    if parts is None or "value" not in parts.cut:
        return letter.value or b""
    found = records_at_origin(settings, parts)
    if not found:
        raise ConfigError(
            f"the value was cut, and its record is no longer at {written(parts.origin)}; without --raw its beginning "
            "is shown"
        )
    return found[0].value or b""


def _tell_skipped(plan: Plan) -> None:
    if told := plan.told():
        err.print(f"skipped: {told}", soft_wrap=True)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one replay of this user run at a time: two would send the same letters."""
    name = hashlib.sha256(f"{settings.kafka.brokers} {settings.topics.dlq}".encode()).hexdigest()[:16]
    folder = default_data()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / f"replay-{name}.lock", os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            err.print("another replay is running; waiting until it ends")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _position(at: str) -> tuple[int, int]:
    match = _POSITION.fullmatch(at)
    if match is None:
        raise ConfigError(f"{at!r} is not PARTITION:OFFSET; use a position that `ticketstream dlq list` prints")
    return int(match[1]), int(match[2])

"""What every command shares: the two consoles, JSON output, and the end of a command that failed."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any, ParamSpec

import msgspec
import typer
from rich.text import Text

from cli.terminal import harmless_json, one_line, open_console
from core.contract import milliseconds
from core.errors import ConfigError, TicketstreamError

P = ParamSpec("P")

out = open_console()
err = open_console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a script instead of a table.")]
TenantOption = Annotated[str, typer.Option("--tenant", "-t", help="Whose tickets; a question never crosses tenants.")]


def print_json(value: Any) -> None:
    """One JSON document on standard output, never wrapped or coloured. Paths are text."""
    sys.stdout.write(harmless_json(msgspec.json.encode(value, enc_hook=str).decode()) + "\n")


def moment_of(value: str | None, option: str) -> int | None:
    """Milliseconds since 1970 of a date or time as typed; UTC where it doesn't say.

    Raises:
        ConfigError: it is neither; the message names the option.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ConfigError(f"{option}: {value!r} is no date or time; write 2026-01-31 or 2026-01-31T08:00") from None


def ends_in_one_line(command: Callable[P, None]) -> Callable[P, None]:
    """Let a user's mistake or a missing dependency end `command` with one line and its exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except TicketstreamError as error:
            sys.stdout.flush()
            err.print(Text.assemble(("ticketstream:", "bold red"), f" {one_line(str(error))}"), soft_wrap=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output has gone: nothing left to say
            raise typer.Exit(0) from None

    return run


@ends_in_one_line
def _refuse_staged(given: bool) -> None:
    if given:
        raise ConfigError("--staged is now called --split")


StagedFlag = Annotated[bool, typer.Option("--staged", hidden=True, callback=_refuse_staged)]

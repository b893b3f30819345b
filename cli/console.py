"""Shared by all commands: the two consoles, common options, JSON output and error reports."""

import math
import sys
from collections.abc import Callable
from functools import wraps
from inspect import cleandoc
from typing import Annotated, Final, ParamSpec

import msgspec
import typer
from rich.text import Text

from cli.terminal import escape_json_controls, one_line, open_console
from core.disk import file_error
from core.errors import ConfigError, TicketstreamError
from search.question import parse_moment

P = ParamSpec("P")

out = open_console()
err = open_console(stderr=True)

#: Markup that begins the paragraph of examples in a command's docstring.
_EXAMPLES: Final = "[dim]"

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
TenantOption = Annotated[
    str, typer.Option("--tenant", "-t", help="Tenant to search; results never include another tenant's tickets.")
]
#: The option of commands that call the services, where the access token determines the tenant.
CallerTenantOption = Annotated[
    str | None,
    typer.Option("--tenant", "-t", help="Your tenant. It must match the access token; a sign-in code requires it."),
]


def print_json(value: object) -> None:
    """Print one JSON document, neither wrapped nor coloured. Paths are written as strings."""
    sys.stdout.write(escape_json_controls(msgspec.json.encode(value, enc_hook=str).decode()) + "\n")


def parse_time(value: str | None, option: str) -> int | None:
    """Milliseconds since 1970 of a date or time from the command line; UTC if it has no offset.

    Raises:
        ConfigError: it is neither; the message names the option.
    """
    return None if value is None else parse_moment(value, option)


def finite(value: float | None) -> float | None:
    """Callback of an option that takes a number without an upper bound: `inf` passes the lower one.

    Raises:
        typer.BadParameter: it isn't finite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("it is not a finite number")
    return value


def report_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Print a TicketstreamError that `command` raises as one line on standard error, and exit with the error's code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except TicketstreamError as error:
            sys.stdout.flush()
            raise _exit_with(error) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader of our output, `head` for example, has closed it
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            fault = file_error(error)
            if fault is None:
                raise
            raise _exit_with(fault) from None

    run.__doc__ = _unwrapped(command.__doc__ or "")
    return run


def _exit_with(error: TicketstreamError) -> typer.Exit:
    """Print the error as one line, and return the exception that ends the command with its code."""
    err.print(Text.assemble(("ticketstream:", "bold red"), f" {one_line(str(error))}"), soft_wrap=True)
    return typer.Exit(error.exit_code)


def _unwrapped(docstring: str) -> str:
    """Each paragraph on one line, for typer to wrap at the terminal's width; examples keep their line ends."""
    paragraphs = cleandoc(docstring).split("\n\n")
    return "\n\n".join(p if p.startswith(_EXAMPLES) else p.replace("\n", " ") for p in paragraphs)


@report_errors
def _refuse_staged(given: bool) -> None:
    if given:
        raise ConfigError("--staged is now called --split")


StagedFlag = Annotated[bool, typer.Option("--staged", hidden=True, callback=_refuse_staged)]

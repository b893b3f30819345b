"""`ticketstream doctor`: check the requirements of a stream, and say what to do about each fault."""

from typing import Annotated

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, out, print_json, report_errors
from core.environment import load_settings, shown_value, variables
from core.errors import EXIT_OK
from maintenance.checks import check_stream


class SettingRow(Struct, frozen=True):
    """A setting, as `--settings` lists it."""

    variable: str
    value: str
    default: str
    meaning: str


@report_errors
def doctor(
    *,
    settings: Annotated[
        bool, typer.Option("--settings", help="List every setting with its value instead of checking.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check settings, broker, topics, model and index, and say what to do about each fault.

    Exits with 0 if there is no fault, otherwise with the code of the first one.
    """
    if settings:
        _list_settings(as_json=as_json)
        return
    findings = list(check_stream())
    if as_json:
        print_json(findings)
    else:
        table = Table("", "check", "finding")
        for finding in findings:
            mark = Text("ok", style="green") if finding.healthy else Text("fault", style="bold red")
            table.add_row(mark, finding.check, finding.detail)
        out.print(table)
    raise typer.Exit(next((f.exit_code for f in findings if not f.healthy), EXIT_OK))


def _list_settings(*, as_json: bool) -> None:
    current = load_settings()
    rows = [
        SettingRow(name, shown_value(current, name), default, description)
        for name, (default, description) in variables().items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("variable", "value", "meaning")
    for row in rows:
        style = "" if row.value == row.default else "bold"
        table.add_row(Text(row.variable, style=style), Text(row.value, style=style), row.meaning)
    out.print(table)

"""Writes a set's tickets and questions, for `ticketstream produce` and `ticketstream evaluate`.

python -m bench.finding hadoop FOLDER    writes tickets.jsonl and a file of questions for each group
"""

from pathlib import Path
from typing import Annotated

import typer

from bench.finding.sets import DATA, SETS, load
from bench.job import Skipped
from maintenance.evaluation.questions import write_questions


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(SETS)}.")],
    folder: Annotated[Path, typer.Argument(help="Where to write.")],
    *,
    data: Annotated[Path, typer.Option(help="Folder of hadoop and banking77.")] = DATA,
) -> None:
    """Write the tickets as events, and each group of questions."""
    if name not in SETS:
        raise typer.BadParameter(f"{name} is not a set; choose from {', '.join(SETS)}")
    try:
        found = load(name, data=data)
    except Skipped as reason:
        typer.echo(f"skipped: {reason}", err=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    values = [record.value for record in found.records if record.value is not None]
    (folder / "tickets.jsonl").write_bytes(b"".join(value + b"\n" for value in values))
    for group, questions in found.questions.items():
        write_questions(folder / f"{group.replace(' ', '-')}.jsonl", questions)
    typer.echo(f"{len(values):,} events and {sum(map(len, found.questions.values())):,} questions in {folder}")


if __name__ == "__main__":
    typer.run(main)

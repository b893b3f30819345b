"""Questions with known answers: JSONL, one question a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.errors import ConfigError

#: Maximum questions of a file. Each is asked once per configuration.
MAX_QUESTIONS: Final = 100_000


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question and the tickets that answer it.

    Attributes:
        question: the text to search for; empty if `ticket` is the question.
        ticket: id of a ticket; similar ones are to be found. The ticket itself is never counted.
        relevant: ids of the tickets to find, or their grades by id: 1 or more, a higher one is better.
        nothing: no ticket answers the question, and the search should say so.
        without: ids of tickets that are not counted, such as the one that the question was taken from.
        language: of the question (ISO 639-1); figures are shown per language.
        kind: any name for a group of questions, such as `identifier`; figures are shown per kind.
    """

    tenant: str
    question: str = ""
    ticket: str = ""
    relevant: tuple[str, ...] | dict[str, int] = ()
    nothing: bool = False
    without: tuple[str, ...] = ()
    language: str = ""
    kind: str = ""

    @property
    def grades(self) -> Mapping[str, int]:
        """Grades of the relevant tickets, by id."""
        return self.relevant if isinstance(self.relevant, dict) else dict.fromkeys(self.relevant, 1)


def read_questions(file: Path) -> list[Question]:
    """The questions of a JSONL file; empty lines are passed over.

    Raises:
        ConfigError: the file can't be read, or a line is not a question; the message names the line.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"can't read {file}: {(error.strerror or str(error)).lower()}") from None
    found = [_question(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise ConfigError(
            f'{file} has no questions; write one a line: {{"tenant": "…", "question": "…", "relevant": []}}'
        )
    if len(found) > MAX_QUESTIONS:
        raise ConfigError(f"{file} has {len(found):,} questions, more than the {MAX_QUESTIONS:,} allowed")
    return found


def write_questions(file: Path, questions: list[Question]) -> None:
    """Write the questions as JSONL."""
    file.write_bytes(b"".join(msgspec.json.encode(question) + b"\n" for question in questions))


def _question(file: Path, number: int, line: bytes) -> Question:
    try:
        found = msgspec.json.decode(line, type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"line {number} of {file} is not a question: {error}") from None
    wrong = _mistake(found)
    if wrong is not None:
        raise ConfigError(f"line {number} of {file}: {wrong}")
    return found


def _mistake(question: Question) -> str | None:
    if bool(question.question.strip()) == bool(question.ticket):
        return "give either question or ticket"
    if question.nothing == bool(question.grades):
        return "give the relevant tickets, or nothing: true if no ticket answers"
    if any(grade < 1 for grade in question.grades.values()):
        return "grades are 1 or more; leave out a ticket that is not relevant"
    return None

"""Questions with known answers: JSONL, one question a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from connectors.files.lines import json_lines
from core.errors import ConfigError
from core.index import MAX_HITS, SearchQuery
from maintenance.evaluation.measures import DEPTH
from runtime.control import require_question
from search.question import read_question

#: Maximum questions of a file. Each is asked once per configuration.
MAX_QUESTIONS: Final = 100_000
#: Maximum grade, and maximum ids in `without`, each of which adds one to the tickets searched for.
_MAX_GRADE: Final = 100
_MAX_WITHOUT: Final = MAX_HITS - DEPTH - 1


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
    decoder = msgspec.json.Decoder(Question)
    found = []
    try:
        with file.open("rb") as source:
            for number, _line, question in json_lines(source, str(file), decoder):
                wrong = _mistake(question)
                if wrong is not None:
                    raise ConfigError(f"{file}:{number}: {wrong}")
                found.append(question)
    except OSError as error:
        raise ConfigError(f"can't read {file}: {(error.strerror or str(error)).lower()}") from None
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


def _mistake(question: Question) -> str | None:
    grades, without = question.grades, {*question.without, question.ticket}
    checks = {
        "give the tenant whose tickets are searched": not question.tenant.strip(),
        "give either question or ticket": bool(question.question.strip()) == bool(question.ticket.strip()),
        "give the relevant tickets, or nothing: true if no ticket answers": question.nothing == bool(grades),
        f"grades are 1 to {_MAX_GRADE}; leave out a ticket that is not relevant": not all(
            1 <= grade <= _MAX_GRADE for grade in grades.values()
        ),
        "a relevant ticket is the question's own or in without, and these are never counted": bool(
            without & grades.keys()
        ),
        f"without has more than the {_MAX_WITHOUT:,} tickets allowed": len(question.without) > _MAX_WITHOUT,
    }
    return next((mistake for mistake, made in checks.items() if made), None) or _refusal(question)


def _refusal(question: Question) -> str | None:
    """The reason why a search would refuse the question, or None."""
    try:
        query = SearchQuery(tenant_id=question.tenant)
        if question.question:
            require_question(question.question)
            read_question(question.question, query)
    except ConfigError as error:
        return str(error)
    return None

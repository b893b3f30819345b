"""The sets: real issues with marked duplicates, banking queries by intent, and synthetic tickets."""

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.finding.identifiers import identifier_questions
from bench.finding.unanswerable import NOTHING
from bench.job import Skipped
from core.contract import UpsertEvent, record_key
from core.records import Origin, Record
from maintenance.evaluation.questions import Question
from runtime.control import MAX_QUESTION
from synthetic.gold import gold_questions
from synthetic.tickets import events

DATA: Final = Path("../shared/data")
HADOOP: Final = "hadoop"
BANKING77: Final = "banking77"
SYNTHETIC: Final = "synthetic"

_START_MS: Final = 1_767_225_600_000
_SYNTHETIC_EVENTS: Final = 3_000
#: Number of unanswerable questions taken from another set.
_FOREIGN_EACH: Final = 40


class FindingSet(Struct, frozen=True):
    """Records of tickets.raw in order, and questions about their tickets by name of the questions' group."""

    records: list[Record]
    questions: dict[str, list[Question]]


def load(name: str, *, data: Path = DATA, tickets: int | None = None) -> FindingSet:
    """A set by its name.

    Args:
        name: of SETS.
        data: the folder of hadoop and banking77.
        tickets: the maximum number of tickets; questions are about these only.

    Raises:
        Skipped: its files are missing.
    """
    return SETS[name](data, tickets)


def _hadoop(data: Path, tickets: int | None) -> FindingSet:
    """Duplicates are relevant to an issue's subject or whole text; each of 200 identifiers has its only issue."""
    clusters = _clusters((row["id"], row["duplicate_of"]) for row in _rows(data / HADOOP / "duplicates.csv"))
    rows = {row["id"]: row for row in _rows(data / HADOOP / "tickets.csv")}
    if tickets is not None:  # those with duplicates first
        rows = {key: rows[key] for key in sorted(rows, key=lambda key: key not in clusters)[:tickets]}
    texts = {key: f"{row['subject']}\n{row['body']}" for key, row in rows.items()}
    asking = [key for key in rows if clusters.get(key, set()) & rows.keys() - {key}]

    def duplicates(kind: str, text: Callable[[str], str]) -> list[Question]:
        return [
            Question(
                tenant=HADOOP,
                question=text(key),
                relevant=tuple(sorted(clusters[key] & rows.keys() - {key})),
                without=(key,),
                kind=kind,
            )
            for key in asking
        ]

    subjects = duplicates("subject", lambda key: rows[key]["subject"])
    return FindingSet(
        [
            _record(number, HADOOP, key, subject=row["subject"], body=row["body"], status=row["status"] or "open")
            for number, (key, row) in enumerate(rows.items())
        ],
        {
            "subject": subjects,
            "whole ticket": duplicates("whole ticket", lambda key: texts[key][:MAX_QUESTION]),
            "like the ticket": [
                Question(tenant=HADOOP, ticket=key, relevant=subject.relevant, kind="like the ticket")
                for key, subject in zip(asking, subjects, strict=True)
            ],
            "identifiers": [
                Question(tenant=HADOOP, question=text, relevant=(key,), kind="identifiers")
                for text, key in identifier_questions(texts).items()
            ],
            "nothing": [*subjects, *_nothing(HADOOP, (row["text"] for row in _rows(data / BANKING77 / "test.csv")))],
        },
    )


def _banking77(data: Path, tickets: int | None) -> FindingSet:
    """The training queries are tickets; a test query asks for those of its own intent."""
    train = _rows(data / BANKING77 / "train.csv")  # sorted by intent
    train = train[:: 1 if tickets is None else len(train) // tickets]
    by_intent: dict[str, list[str]] = defaultdict(list)
    for number, row in enumerate(train):
        by_intent[row["category"]].append(f"train-{number}")
    test = [
        Question(tenant=BANKING77, question=row["text"], relevant=tuple(by_intent[row["category"]]), kind="intent")
        for row in _rows(data / BANKING77 / "test.csv")
        if row["category"] in by_intent
    ]
    subjects = (row["subject"] for row in _rows(data / HADOOP / "tickets.csv"))
    return FindingSet(
        [
            _record(number, BANKING77, f"train-{number}", body=row["text"], category=row["category"])
            for number, row in enumerate(train)
        ],
        {"intent": test, "nothing": [*test[:: max(1, len(test) // 300)], *_nothing(BANKING77, subjects)]},
    )


def _synthetic(_data: Path, tickets: int | None) -> FindingSet:
    """Paraphrases and identifiers ask for tickets of their cause, of which solved ones have the higher grade."""
    made = list(events(tickets or _SYNTHETIC_EVENTS))
    groups: dict[str, list[Question]] = defaultdict(list)
    for gold in gold_questions(made):
        groups[gold.kind].append(
            Question(
                tenant=gold.tenant_id,
                question=gold.text,
                relevant=dict(gold.relevant),
                nothing=gold.kind == "nothing",
                language=gold.language,
                kind=gold.kind,
            )
        )
    groups["nothing"] += groups["meaning"]
    records = [Record(Origin("finding", 0, n), e.key, e.value, 0, e.headers) for n, e in enumerate(made)]
    return FindingSet(records, dict(groups))


SETS: Final[Mapping[str, Callable[[Path, int | None], FindingSet]]] = {
    HADOOP: _hadoop,
    BANKING77: _banking77,
    SYNTHETIC: _synthetic,
}


def _nothing(tenant: str, foreign: Iterable[str]) -> list[Question]:
    """Everyday questions, and some that another set's tickets answer."""
    texts = [*NOTHING, *list(foreign)[::25][:_FOREIGN_EACH]]
    return [Question(tenant=tenant, question=text, nothing=True, kind="nothing") for text in texts]


def _clusters(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Each issue id with the ids of all its duplicates and itself."""
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        merged = found.get(one, {one}) | found.get(other, {other})
        found.update(dict.fromkeys(merged, merged))
    return found


def _record(
    number: int,
    tenant: str,
    ticket_id: str,
    *,
    body: str,
    subject: str = "",
    status: str = "open",
    category: str | None = None,
) -> Record:
    event = UpsertEvent(
        tenant_id=tenant,
        ticket_id=ticket_id,
        version=1,
        created_at=_START_MS,
        updated_at=_START_MS + number,
        subject=subject,
        body=body,
        status=status,
        category=category,
    )
    return Record(Origin("finding", 0, number), record_key(tenant, ticket_id), msgspec.json.encode(event), 0)


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise Skipped(f"there is no {file}")
    csv.field_size_limit(sys.maxsize)
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))

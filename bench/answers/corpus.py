"""Seeded tickets of the problems: solved, stale, contradictory, reopened, failed and open ones, and their gold."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, Literal, TypedDict

import msgspec
from msgspec import Struct

from bench.answers.problems import OVERLAPPING, PROBLEMS, UNANSWERED, Problem
from core.contract import record_key
from core.records import Origin, Record
from synthetic.facts import TENANTS
from synthetic.gold import NOTHING
from synthetic.tickets import events

START_MS: Final = 1_767_225_600_000
_DAY_MS: Final = 86_400_000
_STEP_MS: Final = 60_000

_GREETINGS: Final = ("Hello, ", "Hi team, ", "Good morning, ", "")
_REQUESTS: Final = ("Please help.", "It began on Monday.", "This blocks us.", "I tried twice.")
_CHAT: Final = (
    "Thank you for the details, we are looking into it.",
    "Could you tell us which version you use?",
    "Sorry for the trouble, a colleague will be in touch.",
    "Is it the same in another browser?",
)
_CLOSINGS: Final = ("Glad that it works again!", "You're welcome, have a nice day!", "I'm closing this ticket.")


class Message(TypedDict):
    """A message of a ticket."""

    author: str
    public: bool
    body: str
    created_at: int


class Gold(Struct, frozen=True):
    """A question with its answer.

    Attributes:
        facts: of the cause and the fix, in no other tenant's tickets; empty if no ticket answers the question.
        resolution: the message that has them.
        secrets: texts that no answer may contain: facts of other tenants, outdated facts, and those of internal notes.
    """

    tenant_id: str
    question: str
    facts: tuple[str, ...] = ()
    resolution: str = ""
    secrets: tuple[str, ...] = ()
    problem: int = -1


class Corpus(Struct, frozen=True):
    """Records of tickets.raw in order, and questions with and without an answer in them."""

    records: list[Record]
    answered: list[Gold]
    unanswered: list[Gold]


_Fate = Literal["solved", "thanked", "stale", "reopened", "failed", "open"]
_FATES: Final[tuple[_Fate, ...]] = ("solved", "thanked", "stale", "reopened", "failed", "open")


def make_corpus(*, noise: int, seed: int = 7, problems: int = len(PROBLEMS), tenants: int = len(TENANTS)) -> Corpus:
    """Make the corpus of a seed.

    Args:
        noise: number of events of other synthetic tickets of the same tenants.
        seed: of all choices.
        problems: how many of the problems.
        tenants: how many of the tenants.
    """
    maker = _Maker(Random(seed))  # noqa: S311 - synthetic text, not a secret
    golds = [
        gold
        for tenant in TENANTS[:tenants]
        for number, problem in enumerate(PROBLEMS[:problems])
        for gold in maker.add(tenant, number, problem)
    ]
    others = (one for one in events(noise) if one.cause_name not in OVERLAPPING)
    records = [
        Record(Origin("answers", 1, n), one.key, one.value, START_MS, one.headers) for n, one in enumerate(others)
    ]
    unanswered = [
        Gold(TENANTS[n % tenants], question) for n, question in enumerate((*UNANSWERED, *NOTHING)) if question
    ]
    return Corpus([*maker.records, *records], _with_secrets(golds), unanswered)


def _with_secrets(golds: Sequence[Gold]) -> list[Gold]:
    """Each gold with the facts of its problem in other tenants as secrets."""
    return [
        msgspec.structs.replace(
            gold,
            secrets=gold.secrets
            + tuple(
                dict.fromkeys(
                    other.resolution
                    for other in golds
                    if other.problem == gold.problem and other.tenant_id != gold.tenant_id
                )
            ),
        )
        for gold in golds
    ]


class _Maker:
    """Makes the tickets of one problem after the other."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._number = 0
        self._low = iter(rng.sample(range(11, 99), 88) * 9)
        self._high = iter(rng.sample(range(101, 999), 880))
        self.records: list[Record] = []

    def add(self, tenant: str, number: int, problem: Problem) -> Iterator[Gold]:
        """The problem's tickets in a tenant; yields its questions."""
        facts, old = self._facts(), self._facts()
        secret = f"note-{tenant}-{number}"
        for fate in self._rng.sample(_FATES, len(_FATES)):
            self._add_ticket(tenant, problem, fate, old if fate == "stale" else facts, secret)
        gone = (old[1], secret)
        text = resolution_of(problem, facts)
        for question in problem.questions:
            yield Gold(tenant, question, facts, text, gone, number)

    def _facts(self) -> tuple[str, str]:
        return str(next(self._low)), str(next(self._high))

    def _add_ticket(self, tenant: str, problem: Problem, fate: _Fate, facts: tuple[str, str], secret: str) -> None:
        self._number += 1
        rng, ticket_id = self._rng, f"{tenant[:2].upper()}-{self._number}"
        now = START_MS + self._number * _STEP_MS - (400 * _DAY_MS if fate == "stale" else 0)
        symptom = rng.choice(problem.symptoms)
        said: list[tuple[str, bool, str]] = [
            ("agent", True, rng.choice(_CHAT)),
            ("agent", False, f"Internal: {secret}, the customer is difficult."),
        ]
        solution = resolution_of(problem, facts)
        if fate in ("solved", "thanked", "stale"):
            said += [("agent", True, solution)]
        if fate == "thanked":
            said += [("customer", True, "Thanks, that solved it."), ("agent", True, rng.choice(_CLOSINGS))]
        elif fate == "failed":
            said += [("agent", True, "Please restart and wait 7 minutes."), ("customer", True, "That did not help.")]
        elif fate == "reopened":
            said += [("agent", True, "Please reinstall everything."), ("customer", True, "It is back, please reopen.")]
        statuses = {"solved": "solved", "thanked": "closed", "stale": "solved", "failed": "pending"}
        body = rng.choice(_GREETINGS) + symptom + ". " + rng.choice(_REQUESTS)
        subject = rng.choice(problem.symptoms).capitalize()
        self.records.append(
            make_record(
                tenant, ticket_id, len(self.records), subject=subject, body=body,
                messages=said, status=statuses.get(fate, "open"), at=now,
            )
        )  # fmt: skip


def resolution_of(problem: Problem, facts: tuple[str, ...]) -> str:
    """The agent's message that solves the problem."""
    return f"{problem.cause} {problem.fix}".format(a=facts[0], b=facts[1])


def make_record(
    tenant: str,
    ticket_id: str,
    offset: int,
    *,
    subject: str,
    body: str,
    messages: Sequence[tuple[str, bool, str]],
    status: str,
    at: int,
    **more: object,
) -> Record:
    """The record of a ticket. `messages` are (author, public, text)."""
    said = [
        Message(author=author, public=public, body=text, created_at=at + 1_000 * (n + 1))
        for n, (author, public, text) in enumerate(messages)
    ]
    event = {
        "op": "upsert", "tenant_id": tenant, "ticket_id": ticket_id, "version": 1, "subject": subject, "body": body,
        "channel": "email", "status": status, "created_at": at, "updated_at": at + 60_000, "messages": said,
    }  # fmt: skip
    return Record(Origin("answers", 0, offset), record_key(tenant, ticket_id), msgspec.json.encode(event | more), at)

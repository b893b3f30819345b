"""Questions about synthetic tickets, with the tickets that answer them and the facts of a right answer."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Final, Literal, TypedDict

import msgspec
from msgspec import Struct

from synthetic.facts import TENANTS, facts_of
from synthetic.foreign import FOREIGN
from synthetic.tickets import SyntheticRecord
from synthetic.topics import CAUSES

#: Grades: a ticket of the same cause, or with the question's identifier, that is not solved; and one that is.
RELATED: Final = 1
SOLVED: Final = 2
_FACTS: Final = ("code", "article", "build", "host")
_ORDER: Final = re.compile(r"\b[ABK]-\d{5}\b")
_ORDER_QUESTIONS: Final = ("{}", "what happened to order {}?", "status of {}", "customer asks about {}")
_CODE_QUESTIONS: Final = ("{}", "what does {} mean?", "how to get rid of {}")

#: Causes whose paraphrases the default model understands, best first.
_EASY: Final = (
    "mobile-app/battery",
    "webhooks/signature",
    "feature-request/dark-mode",
    "feature-request/bulk-edit",
    "damaged/socket",
    "refund/returned",
    "webhooks/twice",
    "login/saved-password",
)

#: Questions that no ticket answers.
NOTHING: Final = (
    "how do I bake sourdough bread at home",
    "what time does the cafeteria close on public holidays",
    "my payslip lacks the overtime of last quarter",
    "the lift in the east wing is stuck on the third floor",
    "who won the chess world championship",
    "book a meeting room for twelve people",
    "my dog ate the house keys",
    "parental leave for fathers",
    "which visa do I need for a conference in Brazil",
    "the coffee machine needs descaling",
    "water the office plants while I am away",
    "convert Celsius to Fahrenheit",
    "the parking garage gate hit my car",
    "recommend a novel by a Nigerian author",
    "is the gym open on Sundays",
    "how tall is the Eiffel tower",
    "apply for a sabbatical",
    "the projector bulb smells burnt",
    "train from Vienna to Prague",
    "what is the capital of Mongolia",
    "Rezept für Kartoffelsalat",
    "wie beantrage ich Elternzeit",
    "où acheter des timbres",
    "¿a qué hora sale el autobús al aeropuerto?",
)


class GoldQuestion(Struct, frozen=True):
    """A question with its answer.

    Attributes:
        kind: `meaning` is a paraphrase without the tickets' words; `identifier` quotes an order number of one ticket
            or an error code; `nothing` isn't answered by any ticket.
        relevant: grades of the tickets to find, by ticket id.
        facts: texts that a right answer has. No other tenant's tickets have them.
    """

    tenant_id: str
    text: str
    kind: Literal["meaning", "identifier", "nothing"]
    language: str
    relevant: Mapping[str, int] = {}
    facts: tuple[str, ...] = ()
    cause_name: str = ""


class _Ticket(TypedDict):
    tenant_id: str
    ticket_id: str
    version: int
    subject: str
    body: str
    status: str
    messages: list[dict[str, str | int | bool]]


class _Live(Struct, frozen=True):
    cause_name: str
    event: _Ticket

    @property
    def solved(self) -> bool:
        return self.event["status"] in {"solved", "closed"}

    @property
    def texts(self) -> str:
        event = self.event
        return "\n".join((event["subject"], event["body"], *(str(message["body"]) for message in event["messages"])))


def gold_questions(records: Iterable[SyntheticRecord], *, seed: int = 7) -> list[GoldQuestion]:
    """Questions about the live tickets of `records`, which are all events of a topic in order, without invalid ones.

    The order is shuffled by `seed`. Each cause that a tenant has tickets of is asked about once in each of their
    languages, and so is each error code and each order number that only one ticket has; some questions have no answer.
    """
    rng, live = Random(seed), _fold(records)  # noqa: S311 - synthetic text, not a secret
    found = [*_about_causes(live, rng), *_about_identifiers(live, rng)]
    found += [GoldQuestion(rng.choice(TENANTS), text, "nothing", "") for text in NOTHING]
    rng.shuffle(found)
    return found


def suggestions(questions: Iterable[GoldQuestion], *, tenant_id: str) -> list[GoldQuestion]:
    """Up to five questions of a tenant that solved tickets answer: paraphrases, a code, an order, and one in German."""
    solved = [q for q in questions if q.tenant_id == tenant_id and SOLVED in q.relevant.values()]
    meant = sorted((q for q in solved if q.kind == "meaning"), key=_difficulty)
    english = [q for q in meant if q.language == "en"]
    german = [q for q in meant if q.language == "de"]
    quoted = sorted((q for q in solved if q.kind == "identifier" and " " in q.text), key=_share_unsolved)
    orders = [q for q in quoted if _ORDER.search(q.text)]
    codes = [q for q in quoted if q not in orders]
    return [*english[:1], *codes[:1], *english[1:2], *orders[:1], *german[:1]]


def _difficulty(question: GoldQuestion) -> int:
    """The place of its cause among the easy ones; the others follow."""
    return _EASY.index(question.cause_name) if question.cause_name in _EASY else len(_EASY)


def _share_unsolved(question: GoldQuestion) -> float:
    """The share of the relevant tickets that aren't solved."""
    grades = question.relevant.values()
    return sum(grade < SOLVED for grade in grades) / len(grades)


def _fold(records: Iterable[SyntheticRecord]) -> list[_Live]:
    """The latest version of each ticket that is not deleted."""
    live: dict[bytes, _Live | None] = {}
    for record in records:
        if record.kind == "duplicate":
            continue  # it may be outdated
        is_upsert = record.kind in {"create", "edit"}
        live[record.key] = (
            _Live(record.cause_name, msgspec.json.decode(record.value or b"", type=_Ticket)) if is_upsert else None
        )
    return [ticket for ticket in live.values() if ticket is not None]


def _about_causes(live: list[_Live], rng: Random) -> Iterator[GoldQuestion]:
    tickets: dict[tuple[str, str], list[_Live]] = defaultdict(list)
    for ticket in live:
        tickets[ticket.event["tenant_id"], ticket.cause_name].append(ticket)
    for (tenant_id, cause_name), same in tickets.items():
        relevant = {ticket.event["ticket_id"]: SOLVED if ticket.solved else RELATED for ticket in same}
        cause, facts = CAUSES[cause_name], facts_of(tenant_id).causes[cause_name]
        told = tuple(facts[name] for name in _FACTS if f"{{{name}}}" in cause.fix)
        texts = {"en": rng.choice(cause.questions)}
        texts |= {code: causes[cause_name].question for code, causes in FOREIGN.items() if cause_name in causes}
        for language, text in texts.items():
            yield GoldQuestion(tenant_id, text, "meaning", language, relevant, told, cause_name)


def _about_identifiers(live: list[_Live], rng: Random) -> Iterator[GoldQuestion]:
    """Order numbers that one ticket has, and error codes that a few have."""
    holders: dict[tuple[str, str], list[_Live]] = defaultdict(list)
    for ticket in live:
        tenant_id, texts = ticket.event["tenant_id"], ticket.texts
        code = facts_of(tenant_id).causes[ticket.cause_name]["code"]
        for identifier in dict.fromkeys((*_ORDER.findall(texts), *((code,) if code in texts else ()))):
            holders[tenant_id, identifier].append(ticket)
    for (tenant_id, identifier), having in holders.items():
        is_order = _ORDER.fullmatch(identifier) is not None
        if is_order and len(having) > 1:
            continue
        text = rng.choice(_ORDER_QUESTIONS if is_order else _CODE_QUESTIONS).format(identifier)
        relevant = {ticket.event["ticket_id"]: SOLVED if ticket.solved else RELATED for ticket in having}
        yield GoldQuestion(tenant_id, text, "identifier", "en", relevant, (identifier,), having[0].cause_name)

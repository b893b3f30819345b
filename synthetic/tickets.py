"""Generates realistic ticket events from a seed: creates, edits, deletes, duplicates and invalid records."""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Struct

from core.contract import record_key
from core.records import Example, Headers
from synthetic.broken import broken_record
from synthetic.facts import CUSTOMERS, TENANT_WEIGHTS, TENANTS, facts_of
from synthetic.thread import SentMessage, Status, Thread
from synthetic.topics import TOPICS, Topic
from synthetic.writing import Case, TextGenerator

Kind = Literal["create", "edit", "delete", "null_delete", "duplicate", "broken"]

#: 2026-01-01T00:00:00Z
_START_MS: Final = 1_767_225_600_000
_CHANNELS: Final = ("email",) * 6 + ("chat",) * 4 + ("web", "web", "phone", "phone", "api")
_LANGUAGES: Final = ("en",) * 13 + ("de", "de", "fr", "es", "it", "nl")
_TAGS: Final = ("vip", "eu", "trial", "beta", "reseller")
#: Tickets kept for edits and deletes, and records kept for duplicates.
_RECENT_TICKETS: Final = 4_000
_RECENT_RECORDS: Final = 100
#: Share of tickets, minimum and maximum number of messages. The first kind is far beyond any model's context.
_THREADS: Final = ((0.002, 60, 180), (0.02, 6, 14), (0.18, 1, 6))


class SyntheticRecord(Struct, frozen=True):
    """A record of tickets.raw and its intended kind, with the ticket's topic and cause; an invalid record has none."""

    key: bytes
    value: bytes | None
    kind: Kind
    topic_name: str = ""
    headers: Headers = ()
    cause_name: str = ""


class Question(Struct, frozen=True):
    """A search question about a cause, and the tenant whose tickets are searched."""

    tenant_id: str
    text: str
    topic_name: str
    cause_name: str


def events(
    count: int,
    *,
    seed: int = 7,
    start_ms: int = _START_MS,
    first: int = 1,
    edits: float = 0.15,
    deletes: float = 0.03,
    duplicates: float = 0.05,
    broken: float = 0.0,
) -> Iterator[SyntheticRecord]:
    """Yield `count` records. The same arguments give the same records, and a longer run begins like a shorter one.

    Versions of a ticket increase in write order; a duplicate may be outdated. All records except the broken ones keep
    the contract, and are smaller than 100,000 bytes.

    Args:
        count: number of records.
        seed: of all random choices.
        start_ms: time before the first event, in milliseconds since 1970.
        first: number of the first event, of which tickets get their ids.
        edits: share of records that edit an earlier ticket.
        deletes: share that delete one.
        duplicates: share that repeat an earlier record.
        broken: share that break the contract.
    """
    made = _Generator(seed, start_ms)
    shares = {"edit": edits, "delete": deletes, "duplicate": duplicates, "broken": broken}
    for number in range(first - 1, first - 1 + count):
        yield made.next(number, shares)


def questions(*, seed: int = 7) -> Iterator[Question]:
    """One question per topic, for the largest tenant, in words that no ticket has."""
    rng = Random(seed)  # noqa: S311 - synthetic text, not a secret
    for topic in rng.sample(TOPICS, len(TOPICS)):
        cause = rng.choice(topic.causes)
        yield Question(TENANTS[0], rng.choice(cause.questions), topic.name, cause.name)


def examples(*, per_topic: int = 4, seed: int = 7) -> list[Example]:
    """Labelled texts for nearest-neighbour classification. The topic is the category."""
    rng = Random(seed)  # noqa: S311 - likewise
    generator = TextGenerator(rng)

    def story(topic: Topic) -> str:
        case = Case(rng.choice(topic.causes), facts_of(rng.choice(TENANTS)), rng.randrange(CUSTOMERS), "en")
        return "\n".join(generator.story(case))

    return [Example(story(topic), topic.name, topic.priority) for topic in TOPICS for _ in range(per_topic)]


class _Event(TypedDict):
    op: str
    tenant_id: str
    ticket_id: str
    version: int
    subject: str
    body: str
    channel: str
    status: Status
    customer_id: str
    created_at: int
    updated_at: int
    tags: list[str]
    messages: list[SentMessage]
    attributes: dict[str, str | int]
    priority: NotRequired[str]
    category: NotRequired[str]


class _Ticket:
    """A ticket that may be edited or deleted later."""

    def __init__(self, event: _Event, thread: Thread) -> None:
        self.event = event
        self.thread = thread
        self.key = record_key(event["tenant_id"], event["ticket_id"])


class _Generator:
    def __init__(self, seed: int, start_ms: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - likewise
        self._texts = TextGenerator(self._rng)
        self._now_ms = start_ms
        self._tickets: list[_Ticket] = []
        self._records: deque[SyntheticRecord] = deque(maxlen=_RECENT_RECORDS)

    def next(self, number: int, shares: dict[str, float]) -> SyntheticRecord:
        """The record with this number, from 0."""
        self._now_ms += self._rng.randrange(1, 2_000)
        kind = self._pick(shares)
        if kind == "broken":
            key, value, headers = broken_record(self._rng, number)
            return SyntheticRecord(key, value, "broken", headers=headers)
        if kind == "duplicate" and self._records:
            return msgspec.structs.replace(self._rng.choice(self._records), kind="duplicate")
        if kind == "edit" and self._tickets:
            made = self._edit(self._rng.choice(self._tickets))
        elif kind == "delete" and self._tickets:
            made = self._delete(self._tickets.pop(self._rng.randrange(len(self._tickets))))
        else:
            made = self._create(f"T-{number + 1}")
        self._records.append(made)
        return made

    def _pick(self, shares: dict[str, float]) -> str:
        pick = self._rng.random()
        for kind, share in shares.items():
            if pick < share:
                return kind
            pick -= share
        return "create"

    def _create(self, ticket_id: str) -> SyntheticRecord:
        rng, texts = self._rng, self._texts
        language, channel, name = rng.choice(_LANGUAGES), rng.choice(_CHANNELS), texts.name()
        tenant_id, customer = rng.choices(TENANTS, TENANT_WEIGHTS)[0], int(CUSTOMERS * rng.random() ** 2)
        case = Case(texts.cause(language), facts_of(tenant_id), customer, language)
        subject, story = texts.story(case)
        if rng.random() < 0.12:
            story = f"{story} {texts.contact(name, language)}"
        event: _Event = {
            "op": "upsert",
            "tenant_id": tenant_id,
            "ticket_id": ticket_id,
            "version": 1,
            "subject": subject,
            "body": texts.mail(story, name, case) if channel == "email" else story,
            "channel": channel,
            "status": "open",
            "customer_id": f"C-{customer}",
            "created_at": self._now_ms,
            "updated_at": self._now_ms,
            "tags": rng.sample(_TAGS, rng.choice((0, 0, 1, 2))),
            "messages": [],
            "attributes": {"source": rng.choice(("widget", "inbox", "import")), "seats": rng.randrange(1, 200)},
        }
        if rng.random() < 0.5:
            event["priority"] = case.topic.priority
        if rng.random() < 0.6:
            event["category"] = case.topic.name
        ticket = _Ticket(event, Thread(case, rng, texts))
        self._go_on(ticket, self._turns())
        self._tickets.append(ticket)
        if len(self._tickets) > 2 * _RECENT_TICKETS:
            self._tickets = self._tickets[-_RECENT_TICKETS:]
        return self._upsert(ticket, "create")

    def _turns(self) -> int:
        pick = self._rng.random()
        for share, fewest, most in _THREADS:
            if pick < share:
                return self._rng.randrange(fewest, most)
            pick -= share
        return 0

    def _go_on(self, ticket: _Ticket, turns: int) -> None:
        """Add messages; the status follows from the last one."""
        for _ in range(turns):
            self._now_ms += self._rng.randrange(1, 500)
            ticket.event["messages"].append(ticket.thread.next(self._now_ms))
        ticket.event["status"] = ticket.thread.status

    def _edit(self, ticket: _Ticket) -> SyntheticRecord:
        """Change the status, go on with the thread, or truncate it."""
        event, what = ticket.event, self._rng.random()
        event["version"] += self._rng.choice((1, 1, 1, 2))
        if what < 0.4:
            event["status"] = self._rng.choice(ticket.thread.statuses)
        elif what < 0.8 or not event["messages"]:
            self._go_on(ticket, self._rng.choice((1, 1, 2)))
        else:
            event["messages"] = event["messages"][: len(event["messages"]) // 3]
            ticket.thread.truncate(len(event["messages"]))
            event["status"] = ticket.thread.status
        event["updated_at"] = self._now_ms
        return self._upsert(ticket, "edit")

    def _delete(self, ticket: _Ticket) -> SyntheticRecord:
        """Delete with an event, a versioned null or a final null. Some tickets are created again by a later edit."""
        event, what = ticket.event, self._rng.random()
        event["version"] += 1
        if what < 0.1:
            return self._record(ticket, None, "null_delete")
        if self._rng.random() < 0.2:
            self._tickets.append(ticket)
        if what < 0.5:
            headers = (("version", str(event["version"]).encode()),)
            return self._record(ticket, None, "null_delete", headers)
        gone = {name: event[name] for name in ("tenant_id", "ticket_id", "version")}
        value = msgspec.json.encode({"op": "delete", **gone, "updated_at": self._now_ms})
        return self._record(ticket, value, "delete")

    def _upsert(self, ticket: _Ticket, kind: Kind) -> SyntheticRecord:
        return self._record(ticket, msgspec.json.encode(ticket.event), kind)

    @staticmethod
    def _record(ticket: _Ticket, value: bytes | None, kind: Kind, headers: Headers = ()) -> SyntheticRecord:
        case = ticket.thread.case
        return SyntheticRecord(ticket.key, value, kind, case.topic.name, headers, case.cause.name)

"""Believable support tickets, the same for the same seed: creates, edits, deletes, duplicates, and broken records."""

from collections.abc import Iterator
from html import escape
from random import Random
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from core.contract import record_key
from core.records import Example
from synthetic import topics as words
from synthetic.broken import broken_record

Kind = Literal["create", "edit", "delete", "null_delete", "duplicate", "broken"]

#: 2026-01-01T00:00:00Z
_START_MS: Final = 1_767_225_600_000
_CHANNELS: Final = ("email", "email", "email", "chat", "chat", "web", "phone", "api")
_LANGUAGES: Final = ("en",) * 12 + ("de", "de", "fr", "es", "it", "nl")
_TENANT_WEIGHTS: Final = (6, 3, 1)
_BY_NAME: Final = {topic.name: topic for topic in words.TOPICS}
_RECENT: Final = 2_000


class SyntheticRecord(Struct, frozen=True):
    """A record of tickets.raw, with what it is made to be."""

    key: bytes
    value: bytes | None
    kind: Kind
    topic_name: str = ""
    headers: tuple[tuple[str, bytes], ...] = ()


class Question(Struct, frozen=True):
    """What an agent might ask, of a tenant, about a topic."""

    tenant_id: str
    text: str
    topic_name: str


def events(
    count: int,
    *,
    seed: int = 7,
    start_ms: int = _START_MS,
    edits: float = 0.15,
    deletes: float = 0.03,
    duplicates: float = 0.05,
    broken: float = 0.0,
) -> Iterator[SyntheticRecord]:
    """`count` records, of which these shares edit, delete or repeat an earlier ticket, or can't be used."""
    made = _Generator(seed, start_ms)
    shares = {"edit": edits, "delete": deletes, "duplicate": duplicates, "broken": broken}
    for number in range(count):
        yield made.next(number, shares)


def questions(*, seed: int = 7) -> Iterator[Question]:
    """One question per topic, in other words than the tickets'."""
    rng = Random(seed)  # noqa: S311 - made-up text, not a secret
    for topic in rng.sample(words.TOPICS, len(words.TOPICS)):
        yield Question(words.TENANTS[0], rng.choice(topic.questions), topic.name)


def examples(*, per_topic: int = 4, seed: int = 7) -> list[Example]:
    """Labelled texts for classification by the nearest."""
    writer = _Writer(Random(seed))  # noqa: S311 - likewise
    return [
        Example(
            f"{writer.fill(topic.subjects[n % 3])}\n{writer.fill(topic.problems[n % 4])}", topic.name, topic.priority
        )
        for topic in words.TOPICS
        for n in range(per_topic)
    ]


class _Writer:
    """Sentences with their slots filled."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def fill(self, template: str) -> str:
        rng = self.rng
        if "{" not in template:
            return template
        return template.format(
            order=f"{rng.choice('ABKX')}-{rng.randrange(10_000, 99_999)}",
            amount=f"{rng.randrange(5, 900)}.{rng.choice(('00', '50', '90', '99'))} EUR",
            n=rng.randrange(2, 40),
            **{name: rng.choice(values) for name, values in words.SLOTS.items()},
        )

    def name(self) -> str:
        return f"{self.rng.choice(words.FIRST_NAMES)} {self.rng.choice(words.LAST_NAMES)}"

    def contact(self, name: str) -> str:
        """How to reach somebody who doesn't exist: domains and numbers are those reserved for documentation."""
        rng, mail = self.rng, f"{name.replace(' ', '.').lower()}@example.{self.rng.choice(('com', 'org', 'net'))}"
        return rng.choice(
            (
                f"You can reach me at {mail}.",
                f"My number is +1 202-555-01{rng.randrange(100):02}.",
                f"Write to {mail} or call +44 20 7946 0{rng.randrange(1000):03}.",
                "My card is 4111 1111 1111 1111.",
                "Please transfer it to DE89 3704 0044 0532 0130 00.",
                f"The login came from 192.0.2.{rng.randrange(256)}.",
            )
        )

    def story(self, topic_name: str, language: str) -> tuple[str, str]:
        """Subject and what happened."""
        rng, topic = self.rng, _BY_NAME[topic_name]
        if language != "en":
            subject, problems = words.FOREIGN[language][topic_name]
            return self.fill(subject), self.fill(rng.choice(problems))
        sentences = [self.fill(rng.choice(topic.problems))]
        if rng.random() < 0.6:
            sentences.append(self.fill(rng.choice(topic.details)))
        if rng.random() < 0.15:
            sentences += [self.fill(rng.choice((*topic.details, *topic.problems))) for _ in range(rng.randrange(2, 8))]
        sentences.append(rng.choice(words.ASKS))
        return self.fill(rng.choice(topic.subjects)), " ".join(filter(None, sentences))


class _Generator:
    def __init__(self, seed: int, start_ms: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - likewise
        self._writer = _Writer(self._rng)
        self._now_ms = start_ms
        self._recent: list[dict[str, Any]] = []
        self._last: list[SyntheticRecord] = []

    def next(self, number: int, shares: dict[str, float]) -> SyntheticRecord:
        """The record with this number."""
        self._now_ms += self._rng.randrange(1, 2_000)
        pick, kind = self._rng.random(), "create"
        for name, share in shares.items():
            if pick < share:
                kind = name
                break
            pick -= share
        if kind == "broken":
            return self._broken(number)
        if kind == "duplicate" and self._last:
            return msgspec.structs.replace(self._rng.choice(self._last), kind="duplicate")
        if kind == "edit" and self._recent:
            return self._edit()
        if kind == "delete" and self._recent:
            return self._delete()
        return self._create(number)

    def _create(self, number: int) -> SyntheticRecord:
        rng, writer = self._rng, self._writer
        language = rng.choice(_LANGUAGES)
        topic_name = rng.choice(words.TOPICS).name if language == "en" else rng.choice(list(words.FOREIGN[language]))
        subject, story = writer.story(topic_name, language)
        channel, name = rng.choice(_CHANNELS), writer.name()
        if rng.random() < 0.25:
            story = f"{story} {writer.contact(name)}"
        ticket: dict[str, Any] = {
            "op": "upsert",
            "tenant_id": rng.choices(words.TENANTS, _TENANT_WEIGHTS)[0],
            "ticket_id": f"T-{number + 1}",
            "version": 1,
            "subject": subject,
            "body": self._mail(story, name) if channel == "email" else story,
            "channel": channel,
            "status": "open",
            "customer_id": f"C-{rng.randrange(500)}",
            "created_at": self._now_ms,
            "updated_at": self._now_ms,
            "tags": rng.sample(("vip", "eu", "trial", "beta", "reseller"), rng.choice((0, 0, 1, 2))),
            "messages": [],
            "attributes": {"source": rng.choice(("widget", "inbox", "import")), "seats": rng.randrange(1, 200)},
        }
        if rng.random() < 0.5:
            ticket["priority"] = _BY_NAME[topic_name].priority
        if rng.random() < 0.6:
            ticket["category"] = topic_name
        turns = rng.randrange(30, 90) if rng.random() < 0.005 else rng.choice((0, 0, 0, 0, 0, 0, 1, 2, 3))
        for _ in range(turns):
            self._add_message(ticket)
        self._recent = [*self._recent[-_RECENT:], ticket] if len(self._recent) > 2 * _RECENT else self._recent
        self._recent.append(ticket)
        return self._record(ticket, "create", topic_name)

    def _mail(self, story: str, name: str) -> str:
        """A mail, as text or HTML, at times with a signature and the history quoted below it."""
        rng = self._rng
        greeting, closing = rng.choice(words.GREETINGS), rng.choice(words.CLOSINGS)
        paragraphs = [p for p in (greeting, story, f"{closing}\n{name}" if closing else "") if p]
        quoted = self._writer.fill(rng.choice(words.REPLIES)) if rng.random() < 0.3 else ""
        if rng.random() < 0.35:
            html = "".join(f"<p>{escape(p).replace(chr(10), '<br>')}</p>" for p in paragraphs)
            if quoted:
                html += (
                    f"<div class='gmail_quote'>On Monday, Support wrote:<blockquote>{escape(quoted)}</blockquote></div>"
                )
            return f"<html><head><style>p {{ margin: 0 }}</style></head><body>{html}</body></html>"
        if rng.random() < 0.3:
            paragraphs.append(f"-- \n{name}\nExample Ltd, {rng.choice(words.SLOTS['city'])}")
        if quoted:
            paragraphs.append(f"On Mon, 5 Jan 2026 at 09:12, Support <support@example.com> wrote:\n> {quoted}")
        return "\n\n".join(paragraphs)

    def _add_message(self, ticket: dict[str, Any]) -> None:
        rng, writer = self._rng, self._writer
        self._now_ms += rng.randrange(1, 500)
        author, public, texts = rng.choice(
            (
                ("agent", True, words.REPLIES),
                ("customer", True, words.FOLLOW_UPS),
                ("agent", False, words.NOTES),
            )
        )
        body = writer.fill(rng.choice(texts))
        ticket["messages"].append({"author": author, "public": public, "body": body, "created_at": self._now_ms})

    def _edit(self) -> SyntheticRecord:
        """A status, another message, or a long thread cut short."""
        rng = self._rng
        ticket = rng.choice(self._recent)
        ticket["version"] += 1
        ticket["updated_at"] = self._now_ms
        what = rng.random()
        if what < 0.5:
            ticket["status"] = rng.choice(("open", "pending", "solved", "closed"))
        elif what < 0.85 or not ticket["messages"]:
            self._add_message(ticket)
        else:
            ticket["messages"] = ticket["messages"][: len(ticket["messages"]) // 3]
        return self._record(ticket, "edit", "")

    def _delete(self) -> SyntheticRecord:
        rng = self._rng
        ticket = self._recent.pop(rng.randrange(len(self._recent)))
        key, version = record_key(ticket["tenant_id"], ticket["ticket_id"]), ticket["version"] + 1
        if rng.random() < 0.5:
            record = SyntheticRecord(key, None, "null_delete", headers=(("version", str(version).encode()),))
        else:
            event = {"op": "delete", "tenant_id": ticket["tenant_id"], "ticket_id": ticket["ticket_id"]}
            value = msgspec.json.encode({**event, "version": version, "updated_at": self._now_ms})
            record = SyntheticRecord(key, value, "delete")
        return self._keep(record)

    def _broken(self, number: int) -> SyntheticRecord:
        key, value, headers = broken_record(self._rng, number)
        return SyntheticRecord(key, value, "broken", headers=headers)

    def _record(self, ticket: dict[str, Any], kind: Kind, topic_name: str) -> SyntheticRecord:
        key = record_key(ticket["tenant_id"], ticket["ticket_id"])
        return self._keep(SyntheticRecord(key, msgspec.json.encode(ticket), kind, topic_name))

    def _keep(self, record: SyntheticRecord) -> SyntheticRecord:
        self._last = [*self._last[-100:], record]
        return record

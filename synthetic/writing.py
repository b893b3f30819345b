"""Generates the texts of tickets: fills in templates, and formats the result as emails."""

import re
from collections.abc import Callable
from html import escape
from random import Random
from typing import Final, TypedDict

from synthetic.foreign import FOREIGN
from synthetic.phrases import BROWSERS, CITIES, FIRST_NAMES, LAST_NAMES, NOTES, PHRASES, PRODUCTS, Phrases
from synthetic.topics import TOPICS, Topic

_BY_NAME: Final = {topic.name: topic for topic in TOPICS}
_SLOT: Final = re.compile(r"\{(\w+)\}")
_SLOTS: Final[dict[str, Callable[[Random, Phrases], str]]] = {
    "order": lambda rng, _: f"{rng.choice('ABKX')}-{rng.randrange(10_000, 99_999)}",
    "amount": lambda rng, _: f"{rng.randrange(5, 900)}.{rng.choice(('00', '50', '90', '99'))} EUR",
    "n": lambda rng, _: str(rng.randrange(2, 20)),
    "code": lambda rng, _: f"E{rng.randrange(100, 999)}",
    "version": lambda rng, _: f"{rng.randrange(1, 13)}.{rng.randrange(10)}.{rng.randrange(4)}",
    "product": lambda rng, _: rng.choice(PRODUCTS),
    "city": lambda rng, _: rng.choice(CITIES),
    "browser": lambda rng, _: rng.choice(BROWSERS),
    "day": lambda rng, phrases: rng.choice(phrases.days),
    "month": lambda rng, phrases: rng.choice(phrases.months),
}
#: Slots that keep one value throughout a ticket.
_LASTING: Final = frozenset({"order", "product", "version", "day", "month"})


class Message(TypedDict):
    """A message of a ticket, without its time."""

    author: str
    public: bool
    body: str


class TextGenerator:
    """Generates texts that depend on `rng` alone."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def fill(self, template: str, language: str, *, known: dict[str, str] | None = None) -> str:
        """`template` with its slots filled. Slots that keep one value in a ticket are read from `known`, or added."""
        rng, phrases = self._rng, PHRASES[language]

        def word(found: re.Match[str]) -> str:
            slot = found[1]
            if known is None or slot not in _LASTING:
                return _SLOTS[slot](rng, phrases)
            if slot not in known:
                known[slot] = _SLOTS[slot](rng, phrases)
            return known[slot]

        return _SLOT.sub(word, template)

    def name(self) -> str:
        """The name of a fictitious person."""
        return f"{self._rng.choice(FIRST_NAMES)} {self._rng.choice(LAST_NAMES)}"

    def topic(self, language: str) -> Topic:
        """A random topic that has sentences in `language`."""
        return self._rng.choice(TOPICS) if language == "en" else _BY_NAME[self._rng.choice(list(FOREIGN[language]))]

    def story(self, topic: Topic, language: str) -> tuple[str, str]:
        """A subject and a description: one or two sentences, in a few cases a page."""
        rng = self._rng
        subjects, problems, details = topic.subjects, topic.problems, topic.details
        if language != "en":
            subject, problems = FOREIGN[language][topic.name]
            subjects, details = (subject,), ()
        templates = [rng.choice(problems)]
        if details and rng.random() < 0.15:
            templates.append(rng.choice(details))
        if rng.random() < 0.06:
            templates += rng.choices((*details, *problems), k=rng.randrange(3, 14))
        if rng.random() < 0.2:
            templates.append(rng.choice(PHRASES[language].requests))
        known: dict[str, str] = {}
        sentences = [self.fill(template, language, known=known) for template in templates]
        return self.fill(rng.choice(subjects), language, known=known), " ".join(sentences)

    def contact(self, name: str, language: str) -> str:
        """A sentence with fictitious personal data.

        Domains and addresses are of RFC 2606 and RFC 5737, phone numbers are reserved for fiction, and the card and
        account numbers are published examples.
        """
        rng = self._rng
        mail = f"{name.replace(' ', '.').lower()}@example.{rng.choice(('com', 'org', 'net'))}"
        phone = rng.choice((f"+1 202-555-01{rng.randrange(100):02}", f"+44 20 7946 0{rng.randrange(1000):03}"))
        if language != "en":
            return rng.choice((f"{mail}, {phone}", mail, f"Tel. {phone}", "IBAN DE89 3704 0044 0532 0130 00"))
        return rng.choice(
            (
                f"You can reach me at {mail}.",
                f"My number is {phone}.",
                f"Write to {mail} or call {phone}.",
                "My card is 4111 1111 1111 1111.",
                "Please transfer it to DE89 3704 0044 0532 0130 00.",
                f"The login came from 192.0.2.{rng.randrange(256)}.",
            )
        )

    def mail(self, story: str, name: str, language: str) -> str:
        """A mail in text or HTML; some have a signature, and some quote an earlier mail."""
        rng, phrases = self._rng, PHRASES[language]
        paragraphs = [story]
        if rng.random() < 0.3:
            paragraphs = [rng.choice(phrases.greetings), story, f"{rng.choice(phrases.closings)}\n{name}"]
        quoted = self.fill(rng.choice(phrases.replies), language) if rng.random() < 0.15 else ""
        if rng.random() < 0.25:
            return _html(paragraphs, quoted, phrases.wrote)
        if rng.random() < 0.1:
            paragraphs.append(f"-- \n{name}\nExample Ltd, {rng.choice(CITIES)}")
        if quoted:
            paragraphs.append(f"{phrases.wrote}\n> {quoted}")
        return "\n\n".join(paragraphs)

    def message(self, language: str) -> Message:
        """A reply of an agent or a customer, or an internal note."""
        rng, phrases = self._rng, PHRASES[language]
        author, public, texts = rng.choice(
            (("agent", True, phrases.replies), ("customer", True, phrases.follow_ups), ("agent", False, NOTES))
        )
        body = self.fill(rng.choice(texts), language if public else "en")
        return {"author": author, "public": public, "body": body}


def _html(paragraphs: list[str], quoted: str, wrote: str) -> str:
    body = "".join(f"<p>{escape(paragraph).replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
    if quoted:
        body += f'<div class="gmail_quote">{escape(wrote)}<blockquote>{escape(quoted)}</blockquote></div>'
    return f"<html><head><style>p {{ margin: 0 }}</style></head><body>{body}</body></html>"

"""Generates the texts of tickets: fills in templates, and formats the result as emails."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from random import Random
from typing import Final

from synthetic.facts import TenantFacts
from synthetic.foreign import FOREIGN
from synthetic.phrases import BROWSERS, CITIES, FIRST_NAMES, LAST_NAMES, PHRASES, Phrases
from synthetic.topics import CAUSES, TOPICS, Cause, Topic

_SLOT: Final = re.compile(r"\{(\w+)\}")
_TOPICS: Final = {cause.name: topic for topic in TOPICS for cause in topic.causes}


class Case:
    """The setting of a ticket: its cause, tenant, customer and language, and the words that it uses throughout.

    Attributes:
        known: the values of the slots that were filled, which keep them, except `{n}`.
    """

    __slots__ = ("cause", "customer", "facts", "known", "language", "phrases", "topic")

    def __init__(self, cause: Cause, facts: TenantFacts, customer: int, language: str) -> None:
        self.cause = cause
        self.topic: Topic = _TOPICS[cause.name]
        self.facts = facts
        self.customer = customer
        self.language = language
        self.phrases: Phrases = PHRASES[language]
        self.known = dict(facts.causes[cause.name])


_SLOTS: Final[Mapping[str, Callable[[Random, Case], str]]] = {
    "order": lambda rng, case: case.facts.order(case.customer, rng.randrange(2)),
    "invoice": lambda rng, case: case.facts.invoice(case.customer, rng.randrange(2)),
    "amount": lambda rng, _: f"{rng.randrange(5, 900)}.{rng.choice(('00', '50', '90', '99'))} EUR",
    "n": lambda rng, _: str(rng.randrange(2, 20)),
    "version": lambda rng, _: f"{rng.randrange(1, 13)}.{rng.randrange(10)}.{rng.randrange(4)}",
    "product": lambda rng, case: rng.choice(case.facts.products),
    "device": lambda rng, case: rng.choice(case.facts.devices),
    "city": lambda rng, _: rng.choice(CITIES),
    "browser": lambda rng, _: rng.choice(BROWSERS),
    "day": lambda rng, case: rng.choice(case.phrases.days),
    "month": lambda rng, case: rng.choice(case.phrases.months),
}


@lru_cache(maxsize=4096)
def _pieces(template: str) -> tuple[str, ...]:
    """Text and names of slots in turn, beginning and ending with text."""
    return tuple(_SLOT.split(template))


class TextGenerator:
    """Generates texts that depend on `rng` alone."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def fill(self, template: str, case: Case) -> str:
        """`template` with its slots filled."""
        pieces = _pieces(template)
        if len(pieces) == 1:
            return template
        filled = list(pieces)
        for at in range(1, len(filled), 2):
            slot = filled[at]
            value = case.known.get(slot)
            if value is None:
                value = _SLOTS[slot](self._rng, case)
                if slot != "n":
                    case.known[slot] = value
            filled[at] = value
        return "".join(filled)

    def name(self) -> str:
        """The name of a fictitious person."""
        return f"{self._rng.choice(FIRST_NAMES)} {self._rng.choice(LAST_NAMES)}"

    def cause(self, language: str) -> Cause:
        """A random cause that has sentences in `language`."""
        if language == "en":
            return self._rng.choice(self._rng.choice(TOPICS).causes)
        return CAUSES[self._rng.choice(tuple(FOREIGN[language]))]

    def story(self, case: Case) -> tuple[str, str]:
        """A subject and a description: one or two sentences, in a few cases a page."""
        rng, phrases = self._rng, case.phrases
        subjects, symptoms, details = case.cause.subjects, case.cause.symptoms, case.topic.details
        if case.language != "en":
            translation = FOREIGN[case.language][case.cause.name]
            subjects, symptoms, details = (translation.subject,), translation.symptoms, ()
        templates = [rng.choice(symptoms)]
        if details and rng.random() < 0.15:
            templates.append(rng.choice(details))
        if rng.random() < 0.06:
            more = (*details, *symptoms, *phrases.answers, *phrases.still, *phrases.requests)
            templates += rng.sample(more, k=min(len(more), rng.randrange(3, 14)))
        if rng.random() < 0.2:
            templates.append(rng.choice(phrases.requests))
        sentences = [self.fill(template, case) for template in templates]
        return self.fill(rng.choice(subjects), case), " ".join(sentences)

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

    def mail(self, story: str, name: str, case: Case) -> str:
        """A mail in text or HTML; some have a signature, and some quote an earlier mail."""
        rng, phrases = self._rng, case.phrases
        paragraphs = [story]
        if rng.random() < 0.3:
            paragraphs = [rng.choice(phrases.greetings), story, f"{rng.choice(phrases.closings)}\n{name}"]
        quoted = self.fill(rng.choice(phrases.replies), case) if rng.random() < 0.15 else ""
        if rng.random() < 0.25:
            return _html(paragraphs, quoted, phrases.wrote)
        if rng.random() < 0.1:
            paragraphs.append(f"-- \n{name}\nExample Ltd, {rng.choice(CITIES)}")
        if quoted:
            paragraphs.append(f"{phrases.wrote}\n> {quoted}")
        return "\n\n".join(paragraphs)


def _html(paragraphs: list[str], quoted: str, wrote: str) -> str:
    body = "".join(f"<p>{escape(paragraph).replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
    if quoted:
        body += f'<div class="gmail_quote">{escape(wrote)}<blockquote>{escape(quoted)}</blockquote></div>'
    return f"<html><head><style>p {{ margin: 0 }}</style></head><body>{body}</body></html>"

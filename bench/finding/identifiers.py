"""Makes questions of identifiers that occur in exactly one ticket.

Identifiers are recognised by independent rules here, so that the product's tokenizer isn't measured by itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

_QUESTIONS: Final = 200
_LENGTH: Final = (5, 40)
_TRIM: Final = ".,;:!?'\"`()[]{}<>*|=+-_/\\#~&%$"
#: Parts of words and numbers, joined by single marks: neither paths nor addresses nor prose.
_SHAPE: Final = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_CAMEL: Final = re.compile(r"[a-z][A-Z]")
_TEMPLATES: Final = ("{}", "{} fails", "what is wrong with {}?", "problem with {} after the update")


def identifier_questions(tickets: Mapping[str, str], *, count: int = _QUESTIONS, seed: int = 5) -> dict[str, str]:
    """Questions, each with the id of the only ticket that has its identifier.

    Args:
        tickets: texts by ticket id.
        count: the maximum number of questions.
        seed: of the random choice. A ticket has at most one question.
    """
    rng = Random(seed)  # noqa: S311 - a choice, not a secret
    holders: dict[str, str] = {}
    uses: Counter[str] = Counter()
    for ticket_id, text in tickets.items():
        for word in set(_identifiers(text)):
            holders[word] = ticket_id
            uses[word] += 1
    folded = {ticket_id: text.casefold() for ticket_id, text in tickets.items()}
    rare = sorted(word for word, number in uses.items() if number == 1)
    rng.shuffle(rare)
    found: dict[str, str] = {}
    asked: set[str] = set()
    for word in rare:
        if len(found) == count:
            break
        if holders[word] not in asked and _is_in_one(word, folded):
            asked.add(holders[word])
            found[rng.choice(_TEMPLATES).format(word)] = holders[word]
    return found


def _identifiers(text: str) -> Iterator[str]:
    """Words with a digit and a letter, or with an inner mark, or in CamelCase."""
    for raw in text.split():
        word = raw.strip(_TRIM)
        if not _LENGTH[0] <= len(word) <= _LENGTH[1] or not _SHAPE.fullmatch(word) or not any(map(str.isalpha, word)):
            continue
        marked = "_" in word or "." in word
        if marked or any(map(str.isdigit, word)) or _CAMEL.search(word):
            yield word


def _is_in_one(word: str, folded: Mapping[str, str]) -> bool:
    """Whether exactly one ticket contains the word, also as a part of other words and in another case."""
    return sum(word.casefold() in text for text in folded.values()) == 1

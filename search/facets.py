"""Counts the tickets found by status, category, language, channel and priority."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from core.payload import PayloadValue

#: The payload fields that are counted.
FIELDS: Final = ("status", "category", "language", "channel", "priority")
#: Values of a field that are counted: the most frequent ones.
_MAX_VALUES: Final = 50


def facets_of(payloads: Iterable[Mapping[str, PayloadValue]]) -> dict[str, dict[str, int]]:
    """The number of tickets by field and value, most frequent first. Each payload is one ticket's.

    A ticket without a value is not counted for that field.
    """
    tickets = list(payloads)
    counts = {
        field: Counter([value for one in tickets if isinstance(value := one.get(field), str)]) for field in FIELDS
    }
    return {field: _most_frequent(found) for field, found in counts.items()}


def _most_frequent(found: Counter[str]) -> dict[str, int]:
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_MAX_VALUES])

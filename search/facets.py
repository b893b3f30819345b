"""Counts the tickets found by status, category, language, channel and priority."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Final

from core.index import Facts

#: The payload fields that are counted.
FIELDS: Final = ("status", "category", "language", "channel", "priority")
_VALUES: Final[Mapping[str, Callable[[Facts], str | None]]] = {field: attrgetter(field) for field in FIELDS}
#: Values of a field that are counted: the most frequent ones.
_MAX_VALUES: Final = 50


def facets_of(tickets: Iterable[Facts]) -> dict[str, dict[str, int]]:
    """The number of tickets by field and value, most frequent first.

    A ticket without a value is not counted for that field.
    """
    own = list(tickets)
    return {field: _most_frequent(Counter(map(value_of, own))) for field, value_of in _VALUES.items()}


def _most_frequent(found: Counter[str | None]) -> dict[str, int]:
    values = [(-number, value) for value, number in found.items() if value is not None]
    return {value: -number for number, value in sorted(values)[:_MAX_VALUES]}

"""The few identifiers by which a long question is recognised, such as an order number in a pasted mail."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from core.records import SparseVector
from operators.terms import term_id
from search.words import is_small_number

#: Maximum identifiers. A text with more is a log or a trace, most of whose names other tickets share.
_MOST: Final = 3
#: Minimum characters.
_LEAST: Final = 4
#: The weight of such an identifier in the retrieval by words; dozens of other words outweigh it otherwise.
_WEIGHT: Final = 3.0


def marks_of(identifiers: Sequence[str]) -> tuple[str, ...]:
    """The codes of a long question that aren't part of another; none if there are more than `_MOST`."""
    telling = [one for one in identifiers if is_code(one)]
    whole = tuple(one for one in telling if not any(one != other and one in other for other in telling))
    return whole if len(whole) <= _MOST else ()


def stressed(terms: SparseVector, identifiers: Sequence[str]) -> SparseVector:
    """The terms of a question with more weight for those of its `identifiers`."""
    ids = np.array([*map(term_id, identifiers)], np.uint32)
    values = np.where(np.isin(terms.indices, ids), np.float32(_WEIGHT), terms.values)
    return msgspec.structs.replace(terms, values=values)


def is_code(identifier: str) -> bool:
    """Whether an identifier may stand for a ticket: small numbers and words with hyphens do not."""
    if len(identifier) < _LEAST or is_small_number(identifier):
        return False
    return "-" not in identifier or any(map(str.isdigit, identifier))

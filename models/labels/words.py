"""The words of a ticket as evidence for its labels: naive Bayes on terms that several tickets have."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.records import SparseVector

#: Minimum tickets with a term of the vocabulary.
_LEAST_TICKETS: Final = 2
#: Maximum terms of a vocabulary; the most frequent ones are kept.
_MOST_TERMS: Final = 20_000
#: Added to the weight of each term in each label (Lidstone smoothing).
_SMOOTHING: Final = 0.1


Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Vocabulary(Struct, frozen=True, eq=False):
    """The terms that count.

    Attributes:
        terms: uint32[v], sorted.
        rarity: float64[v], the logarithm of each term's inverse document frequency.
    """

    terms: NDArray[np.uint32]
    rarity: Floats

    def features(self, found: SparseVector) -> tuple[Integers, Floats]:
        """A ticket's terms as indices into `terms`, and their weights times rarity, scaled to norm 1."""
        _, at, of = np.intersect1d(self.terms, found.indices, assume_unique=True, return_indices=True)
        values = found.values[of] * self.rarity[at]
        return at, values / (np.linalg.norm(values) or 1.0)


class WordWeights(Struct, frozen=True, eq=False):
    """Weights of terms for labels: float64[v, n], whose logits are added to the vector's."""

    vocabulary: Vocabulary
    weights: Floats

    def logits(self, terms: SparseVector) -> Floats:
        """float64[n]; zeros for a ticket without known terms."""
        at, values = self.vocabulary.features(terms)
        found: Floats = values @ self.weights[at]
        return found


def vocabulary_of(tickets: Sequence[SparseVector]) -> Vocabulary:
    """The terms that several of the tickets have."""
    counts = Counter(term for found in tickets for term in found.indices.tolist())
    several = [term for term, count in counts.items() if count >= _LEAST_TICKETS]
    kept = sorted(sorted(several, key=lambda term: (-counts[term], term))[:_MOST_TERMS])
    shares = np.array([counts[term] / len(tickets) for term in kept])
    return Vocabulary(np.array(kept, np.uint32), -np.log(shares))


def fit_words(vocabulary: Vocabulary, tickets: Sequence[SparseVector], own: Integers, *, labels: int) -> WordWeights:
    """Multinomial naive Bayes: the logarithm of each term's share of each label's words, all labels alike likely.

    Args:
        vocabulary: the terms that count.
        tickets: their n terms.
        own: int[n], each ticket's label.
        labels: number of labels.
    """
    sums = np.full((len(vocabulary.terms), labels), _SMOOTHING)
    for found, label in zip(tickets, own.tolist(), strict=True):
        at, values = vocabulary.features(found)
        sums[at, label] += values
    return WordWeights(vocabulary, np.log(sums / sums.sum(axis=0)))

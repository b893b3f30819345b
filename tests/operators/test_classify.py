"""Labels from the nearest examples."""

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from core.records import EmbeddedTicket, EnrichedTicket, Example, Passage
from models.run.hashing import HashingEmbedder
from operators.classify import Examples, classify
from operators.embed import embed
from synthetic.tickets import examples
from tests.operators.samples import ticket

EMBEDDER = HashingEmbedder()
ROWS = [
    Example("my card was stolen", "card", "high"),
    Example("card lost in the street", "card", "high"),
    Example("where is my refund", "refund"),
    Example("refund has not arrived", "refund"),
]


def _classified(text: str, *, least: float = 0.1, neighbours: int = 2, **content: Any) -> EmbeddedTicket:
    passage = Passage(text, text, "customer", public=True, message=-1)
    (embedded,) = embed([EnrichedTicket(ticket(**content), passages=(passage,))], embedder=EMBEDDER)
    loaded = Examples.load(ROWS, embedder=EMBEDDER)
    (done,) = classify([embedded], examples=loaded, neighbours=neighbours, min_confidence=least)  # type: ignore[list-item]
    assert isinstance(done, EmbeddedTicket)
    return done


def test_the_nearest_examples_decide() -> None:
    """The nearest examples vote on a label, with a confidence between 0 and 1."""
    done = _classified("my card was lost")
    assert done.category is not None
    assert done.category.value == "card"
    assert 0 < done.category.confidence <= 1
    assert done.priority is not None
    assert done.priority.value == "high"


def test_an_example_itself_is_certain() -> None:
    """An example's own text gets its label with confidence 1."""
    done = _classified("refund has not arrived", neighbours=1)
    assert done.category is not None
    assert round(done.category.confidence, 3) == 1


def test_what_the_producer_says_is_left_alone() -> None:
    """A label only fills a gap."""
    done = _classified("my card was lost", category="other")
    assert done.category is None
    assert done.priority is not None


def test_doubt_gives_no_label() -> None:
    """Below min_confidence a ticket gets no label."""
    done = _classified("zebra quantum xylophone", least=0.6)
    assert done.category is None
    assert done.priority is None


def test_without_examples_nothing_is_labelled() -> None:
    """Without examples tickets pass unchanged."""
    passage = Passage("card", "card", "customer", public=True, message=-1)
    (embedded,) = embed([EnrichedTicket(ticket(), passages=(passage,))], embedder=EMBEDDER)
    assert classify([embedded], examples=None, neighbours=5, min_confidence=0) == [embedded]  # type: ignore[list-item]


def test_the_synthetic_examples_have_labels() -> None:
    """The synthetic examples have at least 20 categories, and each has a text and a priority."""
    rows = examples(per_topic=2)
    assert len({row.category for row in rows}) >= 20
    assert all(row.text and row.priority for row in rows)


def _voted(similarities: list[float], labels: list[str | None], neighbours: int) -> str | None:
    """The winning label, by a slow and simple sort of everything."""
    pairs = [(-s, label, n) for n, (s, label) in enumerate(zip(similarities, labels, strict=True)) if label is not None]
    votes: dict[str, float] = defaultdict(float)
    for negative, label, _ in sorted(pairs)[:neighbours]:
        votes[label] += max(0.0, -negative)
    if not any(votes.values()):
        return None
    return min(votes, key=lambda label: (-round(votes[label], 4), label))


@example(pairs=[(1, "a"), (1, "b")], neighbours=1)
@example(pairs=[(1, "b"), (1, "a")], neighbours=1)
@given(
    # Few values, so that many are equally near; quarters are exact in float32.
    pairs=st.lists(st.tuples(st.integers(-1, 2), st.sampled_from(["a", "b", "c", None])), max_size=30),
    neighbours=st.integers(1, 8),
)
def test_the_vote_is_that_of_a_plain_sort(pairs: list[tuple[int, str | None]], neighbours: int) -> None:
    """Only the nearest are sorted, and ties go to the label that sorts first."""
    similarities, labels = [s / 4 for s, _ in pairs], [label for _, label in pairs]
    loaded = Examples(np.empty((len(pairs), 2), np.float32), [Example("", label) for label in labels])
    found = loaded.nearest(np.array(similarities, np.float32), "category", neighbours)
    assert (found.value if found else None) == _voted(similarities, labels, neighbours)
    assert loaded.nearest(np.array(similarities, np.float32), "priority", neighbours) is None

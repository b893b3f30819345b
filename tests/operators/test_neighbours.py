"""Labels from the nearest examples."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from core.records import EmbeddedTicket, EnrichedTicket, Example, Passage
from models.run.hashing import HashingEmbedder
from operators.classify import classify
from operators.embed import embed
from operators.neighbours import Examples
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
    loaded = Examples.load(ROWS, embedder=EMBEDDER, neighbours=neighbours, min_confidence=least)
    (done,) = classify([embedded], labeller=loaded)  # type: ignore[list-item]
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


def test_doubt_gives_no_label() -> None:
    """Below min_confidence a ticket gets no label."""
    done = _classified("zebra quantum xylophone", least=0.6)
    assert done.category is None
    assert done.priority is None


def test_the_stamp_names_everything_that_the_labels_depend_on() -> None:
    """Equal examples and settings have one stamp; another example, threshold, number of voters or model another."""
    vectors = EMBEDDER.embed([row.text for row in ROWS])

    def stamp(rows: Sequence[Example] = ROWS, model: str = "m", least: float = 0.6, voters: int = 5) -> str:
        return Examples(vectors, rows, model=model, min_confidence=least, neighbours=voters).stamp

    others = {stamp(ROWS[::-1]), stamp(model="n"), stamp(least=0.7), stamp(voters=3)}
    assert stamp() == stamp(list(ROWS))
    assert len(others | {stamp()}) == 5


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
    rows = [Example("", label) for label in labels]
    loaded = Examples(np.empty((len(pairs), 2), np.float32), rows, neighbours=neighbours, min_confidence=0)
    found = loaded.nearest(np.array(similarities, np.float32), "category")
    assert (found.value if found else None) == _voted(similarities, labels, neighbours)
    assert loaded.nearest(np.array(similarities, np.float32), "priority") is None

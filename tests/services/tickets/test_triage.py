"""Labels are given only where the nearest tickets agree."""

import pytest

from services.tickets.triage import Labels, Neighbour, vote


@pytest.mark.parametrize(
    ("neighbours", "category"),
    [
        ([("a", 0.9)] * 3, "a"),
        ([("a", 0.9)] * 2, None),  # too few
        ([("a", 0.9)] * 3 + [("b", 0.9)], None),  # too little agreement
        ([("a", 0.9)] * 4 + [("b", 0.9)], "a"),
        ([("a", 0.9)] * 3 + [("b", 0.1)], "a"),
        ([("a", 0.9)] * 3 + [(None, 0.9)] * 9, "a"),
        ([("a", -0.5)] * 3, "a"),
        ([], None),
    ],
)
def test_labels_need_votes_that_agree(neighbours: list[tuple[str | None, float]], category: str | None) -> None:
    """A label needs three tickets, and four fifths of the similarity of those that have one."""
    found = vote(Neighbour(similarity, label) for label, similarity in neighbours)
    assert found == Labels(category, None)

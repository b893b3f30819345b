"""A delete may be forgotten once no dead letter can bring the ticket back."""

import pytest

from maintenance.forgetting import DAY_MS, least_days


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ({"retention.ms": str(30 * DAY_MS)}, 37),
        ({"retention.ms": str(30 * DAY_MS), "segment.ms": str(DAY_MS)}, 31),
        ({"retention.ms": str(30 * DAY_MS + 1), "segment.ms": str(DAY_MS)}, 32),
        ({"retention.ms": "-1"}, None),
        ({"retention.ms": str(30 * DAY_MS), "cleanup.policy": "compact"}, None),
        ({"retention.ms": str(30 * DAY_MS), "cleanup.policy": "compact,delete"}, 37),
        ({}, None),
    ],
)
def test_a_letter_may_outlive_its_retention_by_a_segment(options: dict[str, str], days: int | None) -> None:
    """Letters are assumed to live up to segment.ms beyond their retention, as brokers delete whole segments."""
    assert least_days(options) == days

"""Facets: counts of the tickets found."""

from core.index import Facts, SearchQuery
from models.run.hashing import HashingEmbedder
from operators.language import CompactDetector
from search.facets import FIELDS, facets_of
from search.find import Plan, find
from search.resources import Resources
from tests.search.fake_index import TENANT, FakePassages


def test_tickets_are_counted_by_field_and_value() -> None:
    """A ticket counts once for each field that it has a value for, and the most frequent value comes first."""
    found = facets_of([Facts(status="open", category="billing"), Facts(status="closed"), Facts(status="closed")])
    assert list(found) == list(FIELDS)
    assert list(found["status"].items()) == [("closed", 2), ("open", 1)]
    assert found["category"] == {"billing": 1}
    assert found["language"] == {}


def test_a_field_has_a_bounded_number_of_values() -> None:
    """A facet has the 50 most frequent values."""
    found = facets_of(Facts(category=str(n)) for n in range(1_000))
    assert len(found["category"]) == 50


def test_facets_count_the_tickets_beyond_the_limit_once_each() -> None:
    """A search for one ticket counts every ticket that it has found, however many of its passages match."""
    index = FakePassages(HashingEmbedder())
    for number in range(4):
        index.add(str(number), "the printer is on fire", "the printer is on fire still", status="open")
    resources = Resources(index, HashingEmbedder(), CompactDetector())
    answer = find("printer on fire", SearchQuery(tenant_id=TENANT, limit=1), resources, Plan(), now_ms=0)
    assert len(answer.hits) == 1
    assert answer.facets["status"] == {"open": 4}

"""Each tenant has facts of its own."""

from itertools import combinations

from synthetic.facts import CUSTOMERS, TENANTS, facts_of
from synthetic.topics import CAUSES


def test_no_two_tenants_share_a_fact() -> None:
    """Tenants share no fact, so another tenant's fact in an answer is a leak."""
    for one, other in combinations([_texts(tenant_id) for tenant_id in TENANTS], 2):
        assert not one & other


def test_each_cause_has_its_own_code_article_and_version() -> None:
    """Each cause has its own code, which is not part of another code."""
    for tenant_id in TENANTS:
        causes = facts_of(tenant_id).causes
        assert set(causes) == set(CAUSES)
        for slot in ("code", "article", "build"):
            assert len({facts[slot] for facts in causes.values()}) == len(CAUSES)


def test_each_order_number_is_one_customers() -> None:
    """Each customer has two order numbers, which no other customer has."""
    facts = facts_of("acme")
    orders = {facts.order(customer, which) for customer in range(CUSTOMERS) for which in (0, 1)}
    assert len(orders) == 2 * CUSTOMERS
    assert facts.order(7, 0) != facts.order(7, 1)


def _texts(tenant_id: str) -> set[str]:
    facts = facts_of(tenant_id)
    slots = {value for values in facts.causes.values() for value in values.values()}
    orders = {of(customer, which) for of in (facts.order, facts.invoice) for customer in range(500) for which in (0, 1)}
    return slots | orders | {*facts.products, *facts.devices}

"""docs/cost.md has the sums of the plans."""

from deploy.cost import lines, read_prices, total
from tests.deploy.terraform import cost_page
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.table import Table


def test_the_page_has_the_sums_of_the_plans(plans: dict[str, Planned], table: Table) -> None:
    """docs/cost.md is what `python -m tests.deploy.terraform.pages` writes from the plans and prices.yaml."""
    contents = {name: planned.content for name, planned in plans.items()}
    assert cost_page.PAGE.read_text() == cost_page.rendered(contents)
    prices = read_prices()
    for name, content in contents.items():
        table.row("list price a month", name, f"${total(lines(content, prices), prices):,.0f}")

"""Facts that belong to one tenant each: its products, hosts, error codes, articles, fixed versions and order numbers.

No two tenants share one, so a fact in another tenant's answer is a leak.
"""

from functools import lru_cache
from random import Random
from typing import Final

from msgspec import Struct

from synthetic.phrases import DEVICES, PRODUCTS
from synthetic.topics import CAUSES

#: Tenants, and their weights.
TENANTS: Final = ("acme", "borealis", "cobalt")
TENANT_WEIGHTS: Final = (6, 3, 1)
CUSTOMERS: Final = 500

_CODES: Final = {"acme": "ERR-{}", "borealis": "BX_{}", "cobalt": "C{}E"}
_ORDER_LETTERS: Final = {"acme": "A", "borealis": "B", "cobalt": "K"}
_ROLES: Final = ("auth", "app", "api", "files", "mail", "hub", "shop", "data")
_ORDERS_EACH: Final = 2
#: Coprime to 90,000, the count of five-digit numbers, so that no two customers share an order number.
_STRIDE: Final = 7_919


class TenantFacts(Struct, frozen=True):
    """The facts of a tenant.

    Attributes:
        causes: by the cause's name, the values of the slots `code`, `article`, `build` (the version that fixes it) and
            `host`.
    """

    tenant_id: str
    products: tuple[str, ...]
    devices: tuple[str, ...]
    causes: dict[str, dict[str, str]]

    def order(self, customer: int, which: int) -> str:
        """One of the customer's order numbers, such as A-42988. They recur in the customer's tickets."""
        number = (customer * _ORDERS_EACH + which % _ORDERS_EACH) * _STRIDE % 90_000
        return f"{_ORDER_LETTERS[self.tenant_id]}-{10_000 + number}"

    def invoice(self, customer: int, which: int) -> str:
        """One of the customer's invoice numbers."""
        return f"INV-{self.order(customer, which)[2:]}{_ORDER_LETTERS[self.tenant_id]}"


@lru_cache(maxsize=len(TENANTS))
def facts_of(tenant_id: str) -> TenantFacts:
    """The facts of one of the TENANTS. They are the same for every seed."""
    rng, at = Random(tenant_id), TENANTS.index(tenant_id)  # noqa: S311 - synthetic text, not a secret
    each = len(TENANTS)
    # each tenant takes every third number, so that no two tenants share one
    numbers = iter(rng.sample(range(1000 + at, 10_000, each), 2 * len(CAUSES)))
    builds = iter(rng.sample(range(at, 1000, each), len(CAUSES)))
    hosts = [f"{role}{rng.randrange(1, 10):02}.{tenant_id}.example" for role in _ROLES]
    return TenantFacts(
        tenant_id,
        tuple(PRODUCTS[at::each]),
        tuple(DEVICES[at::each]),
        {
            name: {
                "code": _CODES[tenant_id].format(next(numbers)),
                "article": f"KB-{next(numbers)}",
                "build": _version(next(builds)),
                "host": rng.choice(hosts),
            }
            for name in CAUSES
        },
    )


def _version(number: int) -> str:
    """Versions from 13.0.0 on, which no ticket reports as the one in use."""
    return f"{13 + number // 100}.{number // 10 % 10}.{number % 10}"
